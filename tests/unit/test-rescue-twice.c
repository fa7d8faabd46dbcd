/*
 * Taking back that another journal was put into the place of one that cannot be opened, when the
 * one that is there by now cannot be opened either: what came since is in no other file.
 */
#include "raw-sql.h"
#include "rescue-fixture.h"

/* A repair of it is complete, more came since, and then that was broken, too. */
static SyncdRepairPlan *break_twice(ServiceFixture *f)
{
    begin(f);
    without_header(f);
    repair_open(f, NULL);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(restore(f)));
    put(f, "note-later", "{}");
    rest(f);
    service_close(f);
    without_header(f);
    state_write(f, "journal.db-wal", "what nobody can read", -1);
    repair_open(f, NULL);
    expect_served(f);
    return find_repair_plan(f->service, id);
}

static void expect_same(const ServiceFixture *f, const char *one, const char *other)
{
    gsize size, other_size;
    g_autofree char *bytes = state_read(f, one, &size), *others = state_read(f, other, &other_size);
    g_assert_cmpmem(bytes, size, others, other_size);
}

static void what_is_there_is_kept_though_it_cannot_be_opened(void)
{
    ServiceFixture f;
    SyncdRepairPlan *plan = break_twice(&f);
    state_copy(&f, "journal.db", "was");
    state_copy(&f, "journal.db-wal", "was-wal");
    rollback_repair(&f, plan);
    expect_same(&f, "journal.1", "was");
    expect_same(&f, "journal.1-wal", "was-wal");
    g_assert_true(report_says(&f, plan, "as journal.1"));
    service_clear(&f);
}

/* And is found there by whoever makes its name that of the journal. */
static void so_it_can_be_salvaged_still(void)
{
    ServiceFixture f;
    rollback_repair(&f, break_twice(&f));
    service_close(&f);
    state_copy(&f, "journal.1", "journal.db");
    repair_open(&f, NULL);
    restore(&f);
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES + 1);
    service_clear(&f);
}

/* What SQLite leaves in the middle of a transaction, and ends when it opens the file of that name:
 * of one that has other bytes on its pages. */
static void leave_half_a_transaction(const ServiceFixture *f)
{
    g_autofree char *path = state_path(f, "scratch");
    state_copy(f, "journal-backup.db", "scratch");
    sqlite3 *db = open_raw(path);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    exec_raw(db, "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN;"
                 "UPDATE entry SET header = zeroblob(length(header))");
    state_copy(f, "scratch-journal", "journal.db-journal");
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    state_remove(f, "scratch");
}

/* It is played back into no other journal than the one that it is of. */
static void what_was_half_done_in_one_is_not_ended_in_another(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    without_header(&f);
    state_copy(&f, "journal.db", "was");
    repair_open(&f, NULL);
    leave_half_a_transaction(&f);
    SyncdRepairPlan *plan = restore(&f);
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES);
    g_assert_false(state_has(&f, "journal.db-journal"));
    verify_all(&f);
    g_assert_false(syncd_service_is_damaged(f.service));
    g_autofree char *kept = g_strdup_printf("repair/%s.0-journal", syncd_repair_plan_id(plan));
    g_assert_true(state_has(&f, kept));
    state_remove(&f, kept);
    leave_half_a_transaction(&f);
    rollback_repair(&f, plan);
    expect_same(&f, "journal.db", "was");
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rescue-twice/kept", what_is_there_is_kept_though_it_cannot_be_opened);
    g_test_add_func("/rescue-twice/salvaged", so_it_can_be_salvaged_still);
    g_test_add_func("/rescue-twice/half-done", what_was_half_done_in_one_is_not_ended_in_another);
    return g_test_run();
}
