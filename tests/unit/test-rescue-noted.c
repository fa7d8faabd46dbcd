/*
 * What is noted of a file that may take a journal's place holds no longer than what it was seen
 * from: what can be mended depends on what else is there.
 */
#include "raw-sql.h"
#include "rescue-fixture.h"

#include "store/rescue-private.h"

#include <utime.h>

/* Neither the headers nor the head say what these were. */
static void forge(const ServiceFixture *f, const char *name)
{
    g_autofree char *path = state_path(f, name);
    forge_raw(path, "UPDATE entry SET header = zeroblob(length(header)), tiles = NULL"
                    " WHERE pos BETWEEN 20 AND 70;"
                    "UPDATE head SET frontier = zeroblob(length(frontier))");
}

/* Without it nothing could be had of the journal, and with it all of it can. */
static void what_comes_later_mends_it(void)
{
    ServiceFixture f;
    begin(&f);
    state_copy(&f, "journal.db", "older");
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    service_close(&f);
    forge(&f, "journal.db");
    without_header(&f);
    repair_open(&f, NULL);
    expect_no_way(&f, "journal.db cannot be used");
    state_copy(&f, "older", "journal-backup.db");
    state_remove(&f, "older");
    restore(&f);
    expect_all(&f, ENTRIES + 5);
    service_clear(&f);
}

/* What was acknowledged is in that. */
static void the_wal_of_a_backup_may_come_later(void)
{
    ServiceFixture f;
    repair_init(&f);
    f.base.stands_in = true;
    put_many(&f, 0, 10);
    state_copy(&f, "journal.db", "main");
    state_copy(&f, "journal.db-wal", "main-wal");
    rest(&f);
    service_close(&f);
    removed(&f);
    state_copy(&f, "main", "journal-backup.db");
    repair_open(&f, NULL);
    expect_no_way(&f, "journal-backup.db cannot be used");
    state_copy(&f, "main-wal", "journal-backup.db-wal");
    restore(&f);
    g_assert_cmpuint(count_operations(&f), ==, 10);
    service_clear(&f);
}

/* Whenever the good one comes, what was found of the other one is not said of it. */
static bool comes_after(guint steps)
{
    ServiceFixture f;
    begin_with_backup(&f);
    state_copy(&f, "journal.db", "good");
    forge(&f, "journal-backup.db");
    overwritten(&f);
    repair_open(&f, NULL);
    g_autoptr(SyncdRescue) rescue = syncd_rescue_new(f.service->store, NULL, 0);
    bool more = true, ok = true;
    for (guint i = 0; i < steps && ok && more; i++)
        ok = syncd_rescue_step(rescue, &more, NULL);
    state_move(&f, "good", "journal-backup.db");
    bool ended = !ok;
    while (ok && more)
        ok = syncd_rescue_step(rescue, &more, NULL);
    g_clear_pointer(&rescue, syncd_rescue_free);
    g_assert_false(is_found(&f, "journal-beyond-rescue"));
    service_clear(&f);
    return ended;
}

static void what_is_found_of_one_is_not_noted_of_another(void)
{
    guint steps = 0;
    while (!comes_after(steps))
        steps++;
    g_assert_cmpuint(steps, >, 3);
}

/* Nobody can tell whose it is, and nobody is sent away from it. */
static void without_the_devices_key_nothing_is_beyond_rescue(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    begin_with_backup(&f);
    removed(&f);
    state_move(&f, "keys/device.key", "device.was");
    repair_open(&f, NULL);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *unreadable = find(found, "journal-unreadable");
    g_assert_null(find(found, "journal-beyond-rescue"));
    g_assert_nonnull(find(found, "device-key-missing"));
    g_assert_true(unreadable->unmended);
    g_assert_nonnull(strstr(unreadable->evidence->pdata[1], "keys/device.key"));
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_nonnull(strstr(error->message, "put keys/device.key"));
    g_assert_null(strstr(error->message, "another log begins"));
    service_close(&f);
    state_move(&f, "device.was", "keys/device.key");
    repair_open(&f, NULL);
    restore(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

static void begin_with_many(ServiceFixture *f)
{
    begin_with_backup(f);
    forge(f, "journal-backup.db");
    for (guint i = 0; i < SYNCD_RESCUABLE_MAX - 1; i++) {
        g_autofree char *name = g_strdup_printf("journal-b%02u.db", i);
        state_copy(f, "journal-backup.db", name);
    }
    overwritten(f);
    repair_open(f, NULL);
}

static guint count_known(ServiceFixture *f)
{
    g_autoptr(GPtrArray) why_nots = g_ptr_array_new_with_free_func(g_free);
    syncd_store_may_be_rescued(f->service->store, why_nots);
    return why_nots->len;
}

/* A look that takes longer than all of them may. */
static guint64 slowly(void *data)
{
    return ((Fixture *)data)->now_usec += 40000;
}

static void of_some_that_take_long_one_is_looked_at_each_time(void)
{
    ServiceFixture f;
    begin_with_many(&f);
    f.base.sources.monotonic_usec = slowly;
    for (guint known = count_known(&f); known < SYNCD_RESCUABLE_MAX; known++)
        g_assert_cmpuint(count_known(&f), ==, known + 1);
    g_assert_true(is_found(&f, "journal-beyond-rescue"));
    service_clear(&f);
}

static bool is_noted(const ServiceFixture *f, const char *name)
{
    GHashTable *noted = f->service->store->looked_at;
    return noted != NULL && g_hash_table_contains(noted, name);
}

/* What cannot be read just now is asked for again, and does not hold up whoever asks each time. */
static void what_a_disk_does_not_give_is_not_asked_for_all_the_time(void)
{
    ServiceFixture f;
    begin(&f);
    removed(&f);
    g_autofree char *path = state_path(&f, "journal-backup.db");
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    repair_open(&f, NULL);
    g_assert_cmpuint(count_known(&f), ==, 1);
    g_assert_false(is_noted(&f, "journal-backup.db"));
    f.base.sources.monotonic_usec = slowly;
    g_assert_cmpuint(count_known(&f), ==, 1);
    g_assert_true(is_noted(&f, "journal-backup.db"));
    g_assert_cmpuint(count_known(&f), ==, 1);
    service_clear(&f);
}

/* Of many that are damaged some are looked at each time, until all were. */
static void of_many_some_are_looked_at_each_time(void)
{
    ServiceFixture f;
    guint known = 0, times = 0;
    begin_with_many(&f);
    g_autofree char *path = state_path(&f, "journal-backup.db");
    g_assert_cmpint(utime(path, &(struct utimbuf){1764385200, 1764385200}), ==, 0);
    for (; known < SYNCD_RESCUABLE_MAX; times++) {
        g_autoptr(GPtrArray) why_nots = g_ptr_array_new_with_free_func(g_free);
        bool may = syncd_store_may_be_rescued(f.service->store, why_nots);
        g_assert_cmpuint(why_nots->len, >, known);
        g_assert_true(may == (why_nots->len < SYNCD_RESCUABLE_MAX));
        known = why_nots->len;
    }
    g_assert_cmpuint(times, >, 1);
    g_assert_true(is_found(&f, "journal-beyond-rescue"));
    service_clear(&f);
}

/* One that was written to since is none that anybody agreed to, nor is one with another WAL. */
static void the_journal_is_the_one_that_was_agreed_to(void)
{
    for (guint i = 0; i < 2; i++) {
        ServiceFixture f;
        begin(&f);
        without_header(&f);
        repair_open(&f, NULL);
        SyncdRepairPlan *plan = plan_repair(&f);
        approve_repair(&f, plan);
        g_autofree char *path = state_path(&f, "journal.db");
        if (i == 0)
            g_assert_cmpint(utime(path, &(struct utimbuf){1764385200, 1764385200}), ==, 0);
        else
            state_write(&f, "journal.db-wal", "more", 4);
        expect_not_applied(&f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
        service_clear(&f);
    }
}

/* Another start of the daemon leaves it as it was. */
static void the_plan_of_a_journal_outlives_the_daemon(void)
{
    ServiceFixture f;
    begin(&f);
    without_header(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    repair_reopen(&f);
    apply_repair(&f, find_repair_plan(f.service, id));
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-noted/what-comes-later-mends-it", what_comes_later_mends_it);
    g_test_add_func("/rescue-noted/the-wal-of-a-backup-may-come-later",
                    the_wal_of_a_backup_may_come_later);
    g_test_add_func("/rescue-noted/what-is-found-of-one-is-not-noted-of-another",
                    what_is_found_of_one_is_not_noted_of_another);
    g_test_add_func("/rescue-noted/without-the-devices-key-nothing-is-beyond-rescue",
                    without_the_devices_key_nothing_is_beyond_rescue);
    g_test_add_func("/rescue-noted/of-some-that-take-long-one-is-looked-at-each-time",
                    of_some_that_take_long_one_is_looked_at_each_time);
    g_test_add_func("/rescue-noted/what-a-disk-does-not-give-is-not-asked-for-all-the-time",
                    what_a_disk_does_not_give_is_not_asked_for_all_the_time);
    g_test_add_func("/rescue-noted/of-many-some-are-looked-at-each-time",
                    of_many_some_are_looked_at_each_time);
    g_test_add_func("/rescue-noted/the-journal-is-the-one-that-was-agreed-to",
                    the_journal_is_the_one_that_was_agreed_to);
    g_test_add_func("/rescue-noted/the-plan-of-a-journal-outlives-the-daemon",
                    the_plan_of_a_journal_outlives_the_daemon);
    return g_test_run();
}
