/*
 * Whoever looks for tasks begins where the last look ended, and where what he looks for is: what
 * stands before that costs nothing. Whoever knows a task's entry finds it by that.
 */
#include "service/internal.h"
#include "store/database-private.h"
#include "store/store-private.h"
#include "task-fixture.h"

#define FEW 100u
#define MANY 2000u

static int count_one(void *data)
{
    ++*(guint *)data;
    return 0;
}

/* Of SQLite's machine, that a walk takes which ends with the first task. */
typedef struct {
    char *first;
    guint instructions;
} Walked;

static bool take_first(void *data, const char *op, const SyncdTask *task, bool matches)
{
    ((Walked *)data)->first = g_strdup(op);
    return false;
}

static Walked walk(ServiceFixture *f, const SyncdTaskQuery *query)
{
    Walked walked = {NULL};
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_store_settle(f->service->store, &error));
    sqlite3 *handle = syncd_index_database(f->service->store->index)->handle;
    sqlite3_progress_handler(handle, 1, count_one, &walked.instructions);
    syncd_store_walk_tasks(f->service->store, query, take_first, &walked, &error);
    sqlite3_progress_handler(handle, 0, NULL, NULL);
    g_assert_no_error(error);
    return walked;
}

/* So many in the lane before, and in front of the last one. */
static guint64 enqueue_in_two_lanes(ServiceFixture *f, guint n)
{
    static const char *const lanes[] = {"priority", "normal"};
    for (guint i = 0; i < 2 * n; i++) {
        SyncdRequest request = good_request();
        request.lane = lanes[i % 2];
        g_free(enqueue(f, &request).operation);
        if (syncd_service_turn_is_full(f->service))
            syncd_service_commit(f->service);
    }
    syncd_service_commit(f->service);
    return service_sequence(f);
}

static guint cost_of_the_last_offered(guint n)
{
    ServiceFixture f;
    service_init(&f);
    guint64 last = enqueue_in_two_lanes(&f, n);
    g_autofree char *operation = enqueue_task(&f, "normal", NULL);
    const SyncdTaskQuery query = {.which = SYNCD_TASKS_OFFERED,
                                  .rank = -1,
                                  .state = -1,
                                  .after_pos = last,
                                  .after_rank =
                                      (int)syncd_lane_find(SYNCD_BYTES_TEXT("normal"))->rank};
    Walked walked = walk(&f, &query);
    g_assert_cmpstr(walked.first, ==, operation);
    g_free(walked.first);
    service_clear(&f);
    return walked.instructions;
}

static void a_walk_begins_where_the_last_one_ended(void)
{
    g_assert_cmpuint(cost_of_the_last_offered(MANY), <=, cost_of_the_last_offered(FEW) + 50);
}

/* The first that is examined is already in it, whatever waits in front of it. */
static guint cost_of_a_lane(guint n)
{
    ServiceFixture f;
    service_init(&f);
    for (guint i = 0; i < n; i++)
        g_free(enqueue_task(&f, "priority", NULL));
    g_autofree char *operation = enqueue_task(&f, "normal", NULL);
    int rank = (int)syncd_lane_find(SYNCD_BYTES_TEXT("normal"))->rank;
    SyncdTaskQuery query = {
        .which = SYNCD_TASKS_OFFERED, .rank = rank, .state = -1, .after_rank = -1};
    Walked walked = walk(&f, &query);
    g_assert_cmpstr(walked.first, ==, operation);
    g_free(walked.first);
    /* Nor does one that has passed it look into those behind it. */
    g_free(enqueue_task(&f, "archive", NULL));
    query.after_rank = rank + 1;
    g_assert_null(walk(&f, &query).first);
    service_clear(&f);
    return walked.instructions;
}

static void a_walk_in_one_lane_leaves_the_others_out(void)
{
    g_assert_cmpuint(cost_of_a_lane(FEW), <=, cost_of_a_lane(1) + 50);
}

static guint cost_of_the_failed(guint n)
{
    ServiceFixture f;
    service_init(&f);
    enqueue_in_two_lanes(&f, n);
    g_autofree char *operation = enqueue_task(&f, "normal", NULL),
                    *lease = claim_operation(&f, operation);
    fail(&f, lease, true);
    const SyncdTaskQuery query = {
        .which = SYNCD_TASKS_FAILED, .rank = -1, .state = -1, .after_rank = -1};
    Walked walked = walk(&f, &query);
    g_assert_cmpstr(walked.first, ==, operation);
    g_free(walked.first);
    service_clear(&f);
    return walked.instructions;
}

static void those_that_failed_are_found_among_many(void)
{
    g_assert_cmpuint(cost_of_the_failed(MANY), <=, cost_of_the_failed(FEW) + 50);
}

/* From lane to lane, and from any place in one. */
static void every_place_leads_to_all_that_follow(void)
{
    static const char *const lanes[] = {"normal", "archive", "priority", "normal", "priority"};
    ServiceFixture f;
    g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
    guint before = 0;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(lanes); i++)
        g_free(enqueue_task(&f, lanes[i], NULL));
    SyncdTaskQuery query = {
        .which = SYNCD_TASKS_OFFERED, .rank = -1, .state = -1, .after_rank = -1};
    do {
        Walked walked = walk(&f, &query);
        before = seen->len;
        if (walked.first == NULL)
            break;
        SyncdTask task;
        bool found;
        g_assert_true(syncd_store_find_task(f.service->store, walked.first, &task, &found, NULL));
        g_assert_true(found && ((int)task.rank > query.after_rank || task.pos > query.after_pos));
        query.after_rank = (int)task.rank;
        query.after_pos = task.pos;
        g_ptr_array_add(seen, walked.first);
    } while (seen->len > before);
    g_assert_cmpuint(seen->len, ==, G_N_ELEMENTS(lanes));
    service_clear(&f);
}

/* ---- one task ---- */

/* By its entry's place, or by its id where that is 0; what it cost. */
static guint find_one(ServiceFixture *f, guint64 pos, const char *op, SyncdTask *ret_task)
{
    guint instructions = 0;
    bool found;
    g_autoptr(GError) error = NULL;
    sqlite3 *handle = syncd_index_database(f->service->store->index)->handle;
    sqlite3_progress_handler(handle, 1, count_one, &instructions);
    syncd_store_find_task_at(f->service->store, pos, op, ret_task, &found, &error);
    sqlite3_progress_handler(handle, 0, NULL, NULL);
    g_assert_no_error(error);
    g_assert_true(found);
    return instructions;
}

static void assert_same(ServiceFixture *f, const char *op)
{
    SyncdTask by_id, by_place;
    find_one(f, 0, op, &by_id);
    find_one(f, by_id.pos, op, &by_place);
    g_assert_cmpuint(by_place.pos, ==, by_id.pos);
    g_assert_cmpuint(by_place.moved, ==, by_id.moved);
    g_assert_cmpint(by_place.state.task, ==, by_id.state.task);
}

/* In the open turn, in the line before the index, and in it. */
static void who_knows_the_entry_does_not_look_for_it(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    g_autofree char *first = enqueue(&f, &request).operation;
    assert_same(&f, first);
    syncd_service_commit(f.service);
    assert_same(&f, first);
    g_free(claim(&f, NULL));
    assert_same(&f, first);
    g_assert_true(syncd_store_settle(f.service->store, NULL));
    assert_same(&f, first);

    SyncdTask task;
    guint by_id = find_one(&f, 0, first, &task), by_place = find_one(&f, task.pos, first, &task);
    g_assert_cmpint(task.state.task, ==, SYNCD_TASK_RUNNING);
    g_assert_cmpuint(by_place, <, by_id);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/task-walks/a-walk-begins-where-the-last-one-ended",
                    a_walk_begins_where_the_last_one_ended);
    g_test_add_func("/task-walks/a-walk-in-one-lane-leaves-the-others-out",
                    a_walk_in_one_lane_leaves_the_others_out);
    g_test_add_func("/task-walks/those-that-failed-are-found-among-many",
                    those_that_failed_are_found_among_many);
    g_test_add_func("/task-walks/every-place-leads-to-all-that-follow",
                    every_place_leads_to_all_that_follow);
    g_test_add_func("/task-walks/who-knows-the-entry-does-not-look-for-it",
                    who_knows_the_entry_does_not_look_for_it);
    return g_test_run();
}
