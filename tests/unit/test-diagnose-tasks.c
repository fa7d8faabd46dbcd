/*
 * Tasks that nobody goes on with are found, wherever they wait and whatever waits beside them.
 */
#include "diagnose-fixture.h"
#include "task-fixture.h"

#include <sqlite3.h>

#define HOUR_MS (60u * 60u * 1000u)
#define LONG_MS (2u * HOUR_MS) /* by which a task of any lane is stale */
#define CROWD "20000"          /* of which one walk sees no end */

static void assert_stale(ServiceFixture *f, const char *const *operations)
{
    guint n = g_strv_length((char **)operations);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *stale = find(found, "tasks-stale");
    g_assert_nonnull(stale);
    g_assert_cmpuint(stale->count, ==, n);
    g_assert_cmpuint(stale->evidence->len, ==, n);
    for (guint i = 0; i < n; i++)
        g_assert_true(g_str_has_suffix(stale->evidence->pdata[i], operations[i]));
}

static void what_waits_for_too_long_is_found_in_every_lane(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *archived = enqueue_task(&f, "archive", NULL),
                    *normal = enqueue_task(&f, "normal", NULL);
    assert_clean(&f);
    pass(&f, LONG_MS);
    g_free(enqueue_task(&f, "normal", NULL));
    g_autofree char *urgent = enqueue_task(&f, "priority", NULL);
    assert_stale(&f, (const char *const[]){normal, archived, NULL});
    pass(&f, HOUR_MS / 2); /* too long for one that is urgent alone */
    assert_stale(&f, (const char *const[]){urgent, normal, archived, NULL});
    service_clear(&f);
}

static void one_that_was_tried_just_now_hides_none_behind_it(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *tried = enqueue_task(&f, "normal", NULL),
                    *forgotten = enqueue_task(&f, "normal", NULL);
    pass(&f, LONG_MS);
    g_autofree char *lease = claim_operation(&f, tried);
    fail(&f, lease, false);
    assert_stale(&f, (const char *const[]){forgotten, NULL});
    service_clear(&f);
}

/* Of the newest task as many more as one walk examines; where no entry is, so that the index still
 * counts as far as the log. */
static void crowd(ServiceFixture *f)
{
    static const char each[] =
        "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < " CROWD ") SELECT i FROM n;"
        "INSERT INTO entry SELECT -i, op || i, kind, actor, scope, object, ms FROM entry, n"
        " WHERE pos = (SELECT max(pos) FROM task);"
        "INSERT INTO task SELECT -i, rank, operation, task, attempt, waits, blockers, replays,"
        " lost, ready_ms, -i, moved_ms, adds FROM task, n"
        " WHERE pos = (SELECT max(pos) FROM task);";
    g_autofree char *path = g_build_filename(f->base.directory, "index.db", NULL);
    sqlite3 *db = NULL;
    service_close(f);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, each, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_changes(db), ==, SYNCD_STORE_TASKS_EXAMINED);
    sqlite3_close(db);
    service_open(f);
}

static void a_crowd_that_is_young_is_neither_walked_through_nor_in_the_way(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *forgotten = enqueue_task(&f, "normal", NULL);
    pass(&f, LONG_MS);
    g_free(enqueue_task(&f, "priority", NULL));
    crowd(&f);
    assert_stale(&f, (const char *const[]){forgotten, NULL});
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/diagnose-tasks/what-waits-for-too-long-is-found-in-every-lane",
                    what_waits_for_too_long_is_found_in_every_lane);
    g_test_add_func("/diagnose-tasks/one-that-was-tried-just-now-hides-none-behind-it",
                    one_that_was_tried_just_now_hides_none_behind_it);
    g_test_add_func(
        "/diagnose-tasks/a-crowd-that-is-young-is-neither-walked-through-nor-in-the-way",
        a_crowd_that_is_young_is_neither_walked_through_nor_in_the_way);
    return g_test_run();
}
