/*
 * A journal that is cut short while it is open gives way to the best of what there is at once, and
 * nobody has to restart anything first.
 */
#include "rescue-fixture.h"

#include <fcntl.h>
#include <unistd.h>

static void one_that_is_cut_while_open_is_restored_at_once(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    state_cut(&f, "journal.db", 8192);
    g_assert_true(is_found(&f, "journal-cut"));
    restore(&f);
    g_assert_false(is_found(&f, "journal-cut") || is_found(&f, "journal-displaced"));
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* Where nothing of it is held in memory, which has all of a short one. */
static void cut_unheld(const ServiceFixture *f, off_t size)
{
    syncd_database_forget_pages(syncd_journal_database(f->service->store->journal));
    state_cut(f, "journal.db", size);
}

/* What was open of a journal that is cut short is kept, with the heads that cover all of it: a
 * backup that has fewer entries, but has them, is better. */
static void one_with_holes_is_not_better_than_a_backup(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    cut_unheld(&f, 4096);
    g_assert_true(is_found(&f, "journal-cut"));
    service_close(&f);
    g_assert_true(state_has(&f, "journal.1"));
    repair_open(&f, NULL);
    expect_served(&f);
    SyncdRepairPlan *plan = restore(&f);
    g_assert_true(report_says(&f, plan, "journal.1 cannot be used"));
    repair_reopen(&f);
    adopt(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* What came after the backup is named as missing, by the index that has taken it. */
static void what_was_cut_and_is_nowhere_is_missing(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    syncd_service_commit(f.service);
    g_assert_true(
        syncd_database_empty_wal(syncd_journal_database(f.service->store->journal), NULL));
    cut_unheld(&f, 8192);
    restore(&f);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
    g_assert_cmpuint(syncd_store_n_rolled_back(f.service->store), ==, 5);
    repair_reopen(&f);
    adopt(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* As another program writes to a file that is open: where it lies. */
static void spoil_pages(const ServiceFixture *f, off_t from, size_t n)
{
    gsize size;
    g_autofree char *path = state_path(f, "journal.db"),
                    *bytes = state_read(f, "journal.db", &size);
    memset(bytes + from, 0xa5, MIN(n, size - (gsize)from));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, (ssize_t)size);
    close(fd);
}

static void spoil(const ServiceFixture *f, off_t from)
{
    spoil_pages(f, from, G_MAXSIZE);
}

static void expect_said(ServiceFixture *f, const char *reason)
{
    SyncdState state;
    syncd_service_state(f->service, &state);
    g_assert_cmpstr(state.state, ==, "repair-recommended");
    g_assert_true(g_strv_contains(state.reasons, reason));
    g_assert_true(state.repair_needed);
    g_autofree char *report = syncd_service_health(f->service, &f->caller, NULL);
    g_assert_null(strstr(report, "\"status\":\"healthy\""));
}

/* Whoever writes hears of it first. */
static void fail_to_put(ServiceFixture *f)
{
    guint64 before = service_sequence(f);
    SyncdEnqueued enqueued = {0};
    SyncdRequest request = good_request();
    syncd_service_enqueue(f->service, &f->caller, &request, &enqueued, NULL);
    syncd_service_commit(f->service);
    g_assert_cmpuint(service_sequence(f), ==, before);
    g_free(enqueued.operation);
}

/* With its header and without: SQLite may know no more what it is, or what is in it. */
static void one_that_is_overwritten_while_open_is_restored_at_once(void)
{
    static const off_t from[] = {0, 4096};
    for (size_t i = 0; i < G_N_ELEMENTS(from); i++) {
        ServiceFixture f;
        begin_with_backup(&f);
        repair_open(&f, NULL);
        spoil(&f, from[i]);
        fail_to_put(&f);
        expect_said(&f, "journal-displaced");
        g_assert_true(is_found(&f, "journal-cut"));
        restore(&f);
        g_assert_false(is_found(&f, "journal-cut") || is_found(&f, "journal-displaced"));
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

static char *reason_of(ServiceFixture *f)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *cut = find(found, "journal-cut");
    g_assert_nonnull(cut);
    g_assert_cmpstr(cut->evidence->pdata[0], ==, "journal.db was overwritten");
    g_assert_cmpstr(cut->facts[0].name, ==, "reason");
    return g_strdup(cut->facts[0].text);
}

/* That it came since the daemon has it open is said where that is known. */
static void of_when_it_was_overwritten_what_is_known_is_said(void)
{
    static const struct {
        bool before;
        off_t from;
        size_t n;
        const char *said;
    } cases[] = {
        {true, 4096, 4096, "journal.db was overwritten before it was opened"},
        {false, 0, G_MAXSIZE, "journal.db was overwritten while it was open"},
        {false, 4096, G_MAXSIZE, "journal.db was overwritten, before it was opened or since"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin_with_backup(&f);
        if (!cases[i].before)
            repair_open(&f, NULL);
        spoil_pages(&f, cases[i].from, cases[i].n);
        if (cases[i].before)
            repair_open(&f, NULL);
        else
            fail_to_put(&f);
        g_autofree char *said = reason_of(&f);
        g_assert_cmpstr(said, ==, cases[i].said);
        restore(&f);
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

/* What is not gone wholly has another generation made of it. */
static void one_that_is_damaged_while_open_is_found_at_once(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    syncd_service_begin_run(f.service, &(SyncdProcess){0});
    spoil(&f, 12 * 4096);
    fail_to_put(&f);
    expect_said(&f, "journal-corrupt");
    g_assert_true(plan_says(plan_repair(&f), "journal-generation"));
    syncd_service_end_run(f.service);
    service_close(&f);
    repair_open(&f, NULL);
    g_assert_false(is_found(&f, "dirty-open"));
    service_clear(&f);
}

/* What lies there was looked at: nobody has to agree to what may be in vain. */
static void expect_certain(const SyncdRepairPlan *plan)
{
    g_assert_true(plan_says(plan, "what can be read of journal.db"));
    g_assert_false(plan_says(plan, "if anything can") || plan_says(plan, "the plan fails"));
}

/* Nothing is moved into it any more, which would make the plan that was agreed to one of another
 * file. */
static void one_with_a_long_wal_stays_as_it_was_seen(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 500);
    state_cut(&f, "journal.db", 8192);
    g_assert_true(is_found(&f, "journal-cut"));
    SyncdRepairPlan *plan = approve_repair(&f, plan_repair(&f));
    rest(&f);
    apply_repair(&f, plan);
    g_assert_null(syncd_store_unreadable(f.service->store));
    service_clear(&f);
}

/* It is as it is after a restart, then, and whatever comes to be there is looked at again. */
static void one_that_is_cut_and_nowhere_else_stays_unreadable(void)
{
    ServiceFixture f;
    begin(&f);
    repair_open(&f, NULL);
    state_cut(&f, "journal.db", 8192);
    SyncdRepairPlan *plan = restore_in_vain(&f);
    g_assert_true(plan_says(plan, "journal.db, if anything can"));
    g_assert_true(plan_says(plan, "journal.db cannot be used, as far as it can be read"));
    g_assert_true(plan_says(plan, "the plan fails"));
    g_assert_false(plan_says(plan, "journal-generation"));
    expect_no_way(&f, "journal.db cannot be used");
    service_clear(&f);
}

/* What is in the WAL of one whose WAL is cut may be in memory still. */
static void one_whose_wal_is_cut_is_restored(void)
{
    ServiceFixture f;
    begin(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    state_cut(&f, "journal.db-wal", 100);
    expect_certain(restore(&f));
    g_assert_null(syncd_store_rollback(f.service->store));
    expect_all(&f, ENTRIES + 5);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-cut/one-that-is-cut-while-open-is-restored-at-once",
                    one_that_is_cut_while_open_is_restored_at_once);
    g_test_add_func("/rescue-cut/one-with-holes-is-not-better-than-a-backup",
                    one_with_holes_is_not_better_than_a_backup);
    g_test_add_func("/rescue-cut/what-was-cut-and-is-nowhere-is-missing",
                    what_was_cut_and_is_nowhere_is_missing);
    g_test_add_func("/rescue-cut/one-that-is-cut-and-nowhere-else-stays-unreadable",
                    one_that_is_cut_and_nowhere_else_stays_unreadable);
    g_test_add_func("/rescue-cut/one-that-is-overwritten-while-open-is-restored-at-once",
                    one_that_is_overwritten_while_open_is_restored_at_once);
    g_test_add_func("/rescue-cut/of-when-it-was-overwritten-what-is-known-is-said",
                    of_when_it_was_overwritten_what_is_known_is_said);
    g_test_add_func("/rescue-cut/one-that-is-damaged-while-open-is-found-at-once",
                    one_that_is_damaged_while_open_is_found_at_once);
    g_test_add_func("/rescue-cut/one-with-a-long-wal-stays-as-it-was-seen",
                    one_with_a_long_wal_stays_as_it_was_seen);
    g_test_add_func("/rescue-cut/one-whose-wal-is-cut-is-restored",
                    one_whose_wal_is_cut_is_restored);
    return g_test_run();
}
