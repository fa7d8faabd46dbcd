/*
 * A journal that is gone, or that SQLite cannot open: the state is served all the same, so that it
 * can be said what is wrong, and a plan puts the best of what there is into its place.
 */
#include "raw-sql.h"
#include "rescue-fixture.h"

static void without_first_page(const ServiceFixture *f)
{
    overwrite(f, 4096);
}

static void emptied(const ServiceFixture *f)
{
    state_cut(f, "journal.db", 0);
}

static void cut_short(const ServiceFixture *f)
{
    GStatBuf st;
    g_autofree char *path = state_path(f, "journal.db");
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    state_cut(f, "journal.db", st.st_size / 4096 / 2 * 4096 + 100);
}

/* It can be opened all the same. */
static void forge(const ServiceFixture *f, const char *name)
{
    g_autofree char *path = state_path(f, name);
    forge_raw(path, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
}

static void what_can_be_read_of_it_is_salvaged(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {without_header, without_first_page};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        cases[i](&f);
        repair_open(&f, NULL);
        expect_served(&f);
        restore(&f);
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

static void an_earlier_generation_takes_its_place(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {removed, emptied, overwritten,
                                                             cut_short};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        state_copy(&f, "journal.db", "journal.1");
        cases[i](&f);
        repair_open(&f, NULL);
        expect_served(&f);
        restore(&f);
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

/* It has not all of it: the rest is known to be missing. */
static void an_older_backup_takes_its_place(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    expect_served(&f);
    SyncdRepairPlan *plan = restore(&f);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
    g_assert_cmpuint(syncd_store_n_rolled_back(f.service->store), ==, 5);
    g_assert_true(report_says(&f, plan, "\"given_up\":[\"5 entries"));
    g_assert_true(report_says(&f, plan, "See what is left"));
    repair_reopen(&f);
    g_assert_true(is_found(&f, "log-rolled-back"));
    adopt(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* The index went, too, and the last end that is known was before the backup: what is missing nobody
 * knows, and its feeds are not gone on with. */
static void an_older_backup_is_not_gone_on_with(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin_with_backup(&f);
    state_copy(&f, "ended.json", "ended.json.was");
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    service_close(&f);
    state_copy(&f, "ended.json.was", "ended.json");
    overwritten(&f);
    state_remove(&f, "index.db");
    state_remove(&f, "ended.json.was");
    repair_open(&f, NULL);
    /* An index that was made from it in between proves nothing. */
    rollback_repair(&f, restore(&f));
    repair_reopen(&f);
    restore(&f);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
        g_assert_true(is_found(&f, "log-rolled-back"));
        repair_reopen(&f);
    }
    adopt(&f);
    g_autoptr(SyncdHead) head =
        syncd_store_head(f.service->store, syncd_store_device_id(f.service->store), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(head->epoch, >, 1000);
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES);
    put(&f, "note-later", "{}");
    verify_all(&f);
    assert_clean(&f);
    service_clear(&f);
}

/* It would be wanted again if the newer journal turned up. */
static void what_a_missing_end_names_is_no_orphan(void)
{
    ServiceFixture f;
    g_autofree char *filling = g_strnfill(100000, 'x'),
                    *body = g_strdup_printf("{\"x\":\"%s\"}", filling);
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put(&f, "note-large", body);
    rest(&f);
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    restore(&f);
    verify_all(&f);
    g_assert_true(is_found(&f, "log-rolled-back"));
    g_assert_false(is_found(&f, "blob-orphaned"));
    adopt(&f);
    verify_all(&f);
    g_assert_true(is_found(&f, "blob-orphaned"));
    service_clear(&f);
}

/* What was found of the journal that is gone is not there to be repaired in the one that comes into
 * its place: that would fail where it lacks what was known, and take the backup out again. */
static void what_was_found_of_it_is_no_step(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    service_close(&f);
    forge(&f, "journal.db");
    repair_open(&f, NULL);
    verify_all(&f);
    g_assert_true(is_found(&f, "log-damaged"));
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    g_assert_true(is_found(&f, "log-damaged"));
    SyncdRepairPlan *plan = restore(&f);
    g_assert_false(plan_says(plan, "journal-generation"));
    repair_reopen(&f);
    adopt(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* That it is damaged is one thing, and mended, and that it may lack something another, which a
 * person says when that is done. */
static void a_damaged_backup_is_mended_before_it_is_gone_on_with(void)
{
    static const struct {
        bool older, verified, lacks_index;
    } cases[] = {
        {false, false, true}, {true, false, false}, {true, true, false}, {true, true, true}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin_with_backup(&f);
        forge(&f, "journal-backup.db");
        repair_open(&f, NULL);
        if (cases[i].older)
            put_many(&f, ENTRIES, 5);
        if (cases[i].verified)
            verify_all(&f);
        rest(&f);
        service_close(&f);
        removed(&f);
        if (cases[i].lacks_index)
            state_remove(&f, "index.db");
        repair_open(&f, NULL);
        restore(&f);
        verify_all(&f);
        g_assert_true(is_found(&f, "log-damaged") && is_found(&f, "log-rolled-back"));
        carry_out(&f, "journal-generation");
        g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
        adopt(&f);
        put(&f, "note-later", "{}");
        rest(&f);
        verify_all(&f);
        g_assert_false(is_found(&f, "log-damaged") || is_found(&f, "log-rolled-back"));
        g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 2);
        service_clear(&f);
    }
}

static void where_there_is_nothing_it_says_what_to_do(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    begin(&f);
    removed(&f);
    repair_open(&f, NULL);
    expect_served(&f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *unreadable = find(found, "journal-unreadable");
    g_assert_true(unreadable->unmended);
    g_assert_nonnull(strstr(unreadable->finding->person, "journal-backup.db"));
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "journal-backup.db"));
    service_clear(&f);
}

/* What is beyond mending is left as it was, and can be read nowhere. */
static void what_will_not_do_leaves_it_as_it_was(void)
{
    ServiceFixture f;
    begin(&f);
    cut_short(&f);
    repair_open(&f, NULL);
    expect_served(&f);
    restore_in_vain(&f);
    repair_reopen(&f);
    expect_served(&f);
    service_clear(&f);
}

/* It waits for an entry of the one that there was: another one would have it. */
static void what_was_seen_of_files_goes_with_its_journal(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    repair_open(&f, NULL);
    SyncdStore *store = f.service->store;
    SyncdFileSeen seen = {0};
    syncd_store_see_file(store, 1, syncd_store_sequence(store) + 1, &seen);
    g_assert_true(syncd_store_has_sightings(store));
    syncd_store_reopen(store, &error);
    g_assert_no_error(error);
    g_assert_false(syncd_store_has_sightings(store));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue/what-can-be-read-of-it-is-salvaged",
                    what_can_be_read_of_it_is_salvaged);
    g_test_add_func("/rescue/an-earlier-generation-takes-its-place",
                    an_earlier_generation_takes_its_place);
    g_test_add_func("/rescue/an-older-backup-takes-its-place", an_older_backup_takes_its_place);
    g_test_add_func("/rescue/an-older-backup-is-not-gone-on-with",
                    an_older_backup_is_not_gone_on_with);
    g_test_add_func("/rescue/what-a-missing-end-names-is-no-orphan",
                    what_a_missing_end_names_is_no_orphan);
    g_test_add_func("/rescue/what-was-found-of-it-is-no-step", what_was_found_of_it_is_no_step);
    g_test_add_func("/rescue/a-damaged-backup-is-mended-before-it-is-gone-on-with",
                    a_damaged_backup_is_mended_before_it_is_gone_on_with);
    g_test_add_func("/rescue/where-there-is-nothing-it-says-what-to-do",
                    where_there_is_nothing_it_says_what_to_do);
    g_test_add_func("/rescue/what-will-not-do-leaves-it-as-it-was",
                    what_will_not_do_leaves_it_as_it_was);
    g_test_add_func("/rescue/what-was-seen-of-files-goes-with-its-journal",
                    what_was_seen_of_files_goes_with_its_journal);
    return g_test_run();
}
