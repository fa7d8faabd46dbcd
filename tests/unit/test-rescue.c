/*
 * A journal that is gone, or that SQLite cannot open: the state is served all the same, so that it
 * can be said what is wrong, and a plan puts the best of what there is into its place.
 */
#include "raw-sql.h"
#include "rescue-fixture.h"

#include "store/rescue-private.h"

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

#define PAGE 4096u

static guint32 number_at(const char *at)
{
    guint32 big;
    memcpy(&big, at, sizeof big);
    return GUINT32_FROM_BE(big);
}

/* What the first page leads to last, or first: the schema's own pages. */
static void overwrite_schema(const ServiceFixture *f, bool last, int with)
{
    gsize size;
    g_autofree char *bytes = state_read(f, "journal.db", &size);
    gsize at = last ? 108 : (gsize)(guint8)bytes[112] << 8 | (guint8)bytes[113];
    g_assert_cmpint(bytes[100], ==, 5);
    memset(bytes + (number_at(bytes + at) - 1) * PAGE, with, PAGE);
    state_write(f, "journal.db", bytes, (gssize)size);
}

/* It is the same in all of them: one page that is gone is no reason to give up the log. */
static void pages_of_the_schema_are_those_of_any_journal(void)
{
    for (unsigned i = 0; i < 4; i++) {
        ServiceFixture f;
        begin(&f);
        overwrite_schema(&f, i % 2 == 0, i < 2 ? 0 : 0xa5);
        if (i == 3)
            without_first_page(&f);
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
    g_assert_true(report_says(&f, plan, "that could be had: 5\""));
    g_assert_true(report_says(&f, plan, "See what is left"));
    repair_reopen(&f);
    g_assert_true(is_found(&f, "log-rolled-back"));
    verify_all(&f); /* finds the same, which is told once */
    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_true(g_strv_contains(state.reasons, "log-rolled-back"));
    g_assert_false(g_strv_contains(state.reasons, "verify-found"));
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
    g_assert_nonnull(find(found, "journal-beyond-rescue"));
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "journal-backup.db"));
    service_clear(&f);
}

/* Some of it looks like pages of a database. */
static void full_of_noise(const ServiceFixture *f)
{
    gsize size;
    guint32 state = 1;
    g_autofree char *bytes = state_read(f, "journal.db", &size);
    for (gsize i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = i % 4096 == 0 ? 13 : (char)(state >> 24);
    }
    state_write(f, "journal.db", bytes, (gssize)size);
}

/* Nobody is asked to approve of what cannot be done. */
static void what_nothing_can_be_read_of_is_not_offered(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {full_of_noise, cut_short};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        cases[i](&f);
        repair_open(&f, NULL);
        expect_served(&f);
        expect_no_way(&f, "journal.db cannot be used, as far as it can be read");
        state_copy(&f, "index.db", "journal-none.db");
        expect_no_way(&f, "journal-none.db cannot be used");
        repair_reopen(&f);
        expect_served(&f);
        service_clear(&f);
    }
}

/* What cannot be opened is named, and is no reason to offer anything. */
static void a_backup_that_cannot_be_opened_is_named(void)
{
    ServiceFixture f;
    begin(&f);
    state_copy(&f, "journal.db", "journal.1");
    removed(&f);
    g_autofree char *path = state_path(&f, "journal-backup.db");
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    repair_open(&f, NULL);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *unreadable = find(found, "journal-unreadable");
    g_assert_false(unreadable->unmended);
    g_assert_cmpuint(unreadable->evidence->len, >=, 2);
    g_assert_nonnull(strstr(unreadable->evidence->pdata[1], "journal-backup.db cannot be used"));
    g_assert_true(plan_says(plan_repair(&f), "journal-backup.db cannot be used"));
    state_remove(&f, "journal.1");
    expect_no_way(&f, "journal-backup.db cannot be used");
    g_assert_cmpint(g_rmdir(path), ==, 0);
    service_clear(&f);
}

/* Where a look does not show it, whoever tried has it noted; another file is another matter. */
static void what_was_in_vain_is_not_offered_again(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL, failed = NULL;
    begin_with_backup(&f);
    removed(&f);
    repair_open(&f, NULL);
    SyncdStore *store = f.service->store;
    g_autofree char *listing = syncd_rescue_listing(store);
    syncd_set_error(&failed, SYNCD_ERROR_STORAGE_FAILED, "The disk did not give it");
    syncd_rescue_note_useless(store, listing, "journal-backup.db", failed);
    g_assert_false(is_found(&f, "journal-beyond-rescue"));
    syncd_set_error(&error, SYNCD_ERROR_JOURNAL_CORRUPT, "Too much of it is gone");
    syncd_rescue_note_useless(store, listing, "journal-backup.db", error);
    expect_no_way(&f, "journal-backup.db cannot be used: Too much of it is gone");
    state_copy(&f, "journal-backup.db", "journal-other.db");
    restore(&f);
    expect_all(&f, ENTRIES);
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
    g_test_add_func("/rescue/pages-of-the-schema-are-those-of-any-journal",
                    pages_of_the_schema_are_those_of_any_journal);
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
    g_test_add_func("/rescue/what-nothing-can-be-read-of-is-not-offered",
                    what_nothing_can_be_read_of_is_not_offered);
    g_test_add_func("/rescue/a-backup-that-cannot-be-opened-is-named",
                    a_backup_that_cannot_be_opened_is_named);
    g_test_add_func("/rescue/what-was-in-vain-is-not-offered-again",
                    what_was_in_vain_is_not_offered_again);
    g_test_add_func("/rescue/what-was-seen-of-files-goes-with-its-journal",
                    what_was_seen_of_files_goes_with_its_journal);
    return g_test_run();
}
