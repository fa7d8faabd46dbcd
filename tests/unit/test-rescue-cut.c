/*
 * A journal that is cut short while it is open gives way to the best of what there is at once, and
 * nobody has to restart anything first.
 */
#include "rescue-fixture.h"

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

/* What was open of a journal that is cut short is kept, with the heads that cover all of it: a
 * backup that has fewer entries, but has them, is better. */
static void one_with_holes_is_not_better_than_a_backup(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    state_cut(&f, "journal.db", 4096);
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
    state_cut(&f, "journal.db", 8192);
    restore(&f);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
    g_assert_cmpuint(syncd_store_n_rolled_back(f.service->store), ==, 5);
    repair_reopen(&f);
    adopt(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* It is as it is after a restart, then, and whatever comes to be there is looked at again. */
static void one_that_is_cut_and_nowhere_else_stays_unreadable(void)
{
    ServiceFixture f;
    begin(&f);
    repair_open(&f, NULL);
    state_cut(&f, "journal.db", 8192);
    restore_in_vain(&f);
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
    restore(&f);
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
    g_test_add_func("/rescue-cut/one-whose-wal-is-cut-is-restored",
                    one_whose_wal_is_cut_is_restored);
    return g_test_run();
}
