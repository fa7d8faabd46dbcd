/*
 * A task is in one pair of hands at a time, is offered again when they let go, and ends once.
 */
#include "contract/task-record.h"
#include "domain/retry.h"
#include "task-fixture.h"

static void a_task_is_claimed_carried_out_and_completed(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_null(claim(&f, NULL));
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    assert_status(&f, operation, "queued");
    g_autofree char *offered = get_task(&f, operation);
    assert_member(offered, "status", "\"pending\"");
    assert_member(offered, "attempt", "0");

    g_autofree char *lease = claim(&f, NULL);
    g_assert_nonnull(lease);
    assert_status(&f, operation, "running");
    g_assert_null(claim(&f, NULL));
    complete(&f, lease);
    assert_status(&f, operation, "completed");
    g_autofree char *task = get_task(&f, operation);
    assert_member(task, "status", "\"succeeded\"");
    assert_member(task, "attempt", "1");
    g_assert_null(claim(&f, NULL));
    g_assert_cmpuint(count_events(&f, "sync.task.claimed"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.task.completed"), ==, 1);
    service_clear(&f);
}

static void a_failed_task_waits_longer_each_time_and_then_no_more(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    guint64 delay_ms = syncd_retry_policy.first_ms;
    for (guint attempt = 1; attempt < syncd_retry_policy.max_attempts; attempt++) {
        g_autofree char *lease = claim(&f, NULL);
        g_assert_nonnull(lease);
        fail(&f, lease, false);
        assert_status(&f, operation, "queued");
        g_assert_null(claim(&f, NULL));
        pass(&f, delay_ms - 200);
        g_assert_null(claim(&f, NULL));
        pass(&f, 400);
        delay_ms = MIN(delay_ms * 2, syncd_retry_policy.most_ms);
    }
    g_autofree char *last = claim(&f, NULL);
    fail(&f, last, false);
    assert_status(&f, operation, "failed");
    g_autofree char *task = get_task(&f, operation);
    assert_member(task, "reason", "\"it did not work\"");
    pass(&f, syncd_retry_policy.asked_ms);
    g_assert_null(claim(&f, NULL));

    /* a replay begins anew */
    g_auto(SyncdReplayed) replayed = {0};
    g_assert_true(syncd_service_replay(f.service, &f.caller, operation, "k", &replayed, NULL));
    syncd_service_commit(f.service);
    g_autofree char *fresh = claim(&f, NULL);
    complete(&f, fresh);
    assert_status(&f, operation, "completed");
    service_clear(&f);
}

static void a_wait_doubles_up_to_a_limit(void)
{
    g_assert_cmpuint(syncd_retry_delay_ms(1, 0), ==, syncd_retry_policy.first_ms);
    g_assert_cmpuint(syncd_retry_delay_ms(100, 0), ==, syncd_retry_policy.most_ms);
    g_assert_cmpuint(syncd_retry_delay_ms(1, 90000), ==, 90000);
    g_assert_cmpuint(syncd_retry_delay_ms(1, G_MAXUINT64), ==, syncd_retry_policy.asked_ms);
}

static void a_child_waits_for_its_parents_and_is_blocked_by_one_that_failed(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *one = enqueue_task(&f, "normal", NULL);
    g_autofree char *two = enqueue_task(&f, "normal", NULL);
    const char *const parents[] = {one, two, NULL};
    g_autofree char *child = enqueue_task(&f, "priority", parents);
    const char *const grandparents[] = {child, NULL};
    g_autofree char *grandchild = enqueue_task(&f, "priority", grandparents);
    g_autoptr(GError) error = NULL;
    const SyncdClaim wanted = {.operation = child};
    g_autofree char *none = NULL;
    g_assert_false(claim_at_once(f.service, &f.caller, &wanted, &none, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);

    g_autofree char *lease_one = claim(&f, NULL);
    g_autofree char *lease_two = claim(&f, NULL);
    g_assert_null(claim(&f, NULL));
    complete(&f, lease_one);
    g_assert_null(claim(&f, NULL));
    assert_status(&f, child, "queued");
    fail(&f, lease_two, true);
    assert_status(&f, two, "failed");
    assert_status(&f, child, "blocked");
    assert_status(&f, grandchild, "queued");
    g_assert_null(claim(&f, NULL));

    g_auto(SyncdReplayed) replayed = {0};
    g_assert_true(syncd_service_replay(f.service, &f.caller, two, "k", &replayed, NULL));
    syncd_service_commit(f.service);
    assert_status(&f, child, "queued");
    g_autofree char *again = claim(&f, NULL);
    complete(&f, again);
    g_autofree char *lease_child = claim(&f, NULL);
    g_autofree char *claimed = operation_of(&f, lease_child);
    g_assert_cmpstr(claimed, ==, child);
    complete(&f, lease_child);
    g_autofree char *lease_grandchild = claim(&f, NULL);
    g_assert_nonnull(lease_grandchild);
    service_clear(&f);
}

static void evidence_is_an_entry_of_the_log_or_a_digest(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *lease = claim(&f, NULL);
    static const char digest[] =
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const char *const bad[][2] = {{"op-none"}, {"sha256:0123"}, {""}, {"http://x"}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *ended = NULL;
        g_assert_false(
            syncd_service_complete_task(f.service, &f.caller, lease, bad[i], &ended, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
        g_assert_true(g_str_has_prefix(error->message, "/evidence/0: "));
    }
    const char *const good[] = {operation, digest, NULL};
    g_autofree char *ended = NULL;
    g_assert_true(syncd_service_complete_task(f.service, &f.caller, lease, good, &ended, NULL));
    syncd_service_commit(f.service);
    g_autofree char *task = get_task(&f, operation);
    g_autofree char *expected = g_strdup_printf("[\"%s\",\"%s\"]", operation, digest);
    assert_member(task, "evidence_refs", expected);
    service_clear(&f);
}

static char *list(ServiceFixture *f, const SyncdTaskListing *listing, char **ret_cursor)
{
    g_autoptr(GError) error = NULL;
    char *tasks = syncd_service_list_tasks(f->service, &f->caller, listing, ret_cursor, &error);
    g_assert_no_error(error);
    return tasks;
}

static guint count_listed(ServiceFixture *f, SyncdTaskListing listing)
{
    guint n = 0;
    g_autofree char *cursor = g_strdup("");
    listing.limit = 2;
    do {
        g_autofree char *next = NULL;
        listing.cursor = cursor;
        g_autofree char *tasks = list(f, &listing, &next);
        n += count_elements(tasks);
        g_assert_cmpuint(count_elements(tasks), <=, 2);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0');
    return n;
}

static void tasks_are_listed_by_state_lane_and_age(void)
{
    ServiceFixture f;
    service_init(&f);
    for (int i = 0; i < 5; i++)
        g_free(enqueue_task(&f, i % 2 ? "priority" : "normal", NULL));
    g_autofree char *one = claim(&f, NULL);
    g_free(claim(&f, NULL));
    g_free(claim(&f, NULL));
    complete(&f, one);
    g_assert_cmpuint(count_listed(&f, (SyncdTaskListing){NULL}), ==, 5);
    g_assert_cmpuint(count_listed(&f, (SyncdTaskListing){.state = "pending"}), ==, 2);
    g_assert_cmpuint(count_listed(&f, (SyncdTaskListing){.state = "running"}), ==, 2);
    g_assert_cmpuint(count_listed(&f, (SyncdTaskListing){.state = "succeeded"}), ==, 1);
    g_assert_cmpuint(count_listed(&f, (SyncdTaskListing){.lane = "priority"}), ==, 2);
    g_assert_cmpuint(count_listed(&f, (SyncdTaskListing){.stale = true}), ==, 0);
    f.base.now_usec += G_GUINT64_CONSTANT(3601) * G_USEC_PER_SEC;
    g_assert_cmpuint(count_listed(&f, (SyncdTaskListing){.stale = true}), ==, 2);
    g_autofree char *cursor = NULL;
    g_autofree char *stale = list(&f, &(SyncdTaskListing){.stale = true}, &cursor);
    g_assert_nonnull(strstr(stale, "\"stale_task\":true"));

    static const SyncdTaskListing bad[] = {
        {.state = "done"},
        {.lane = "fast"},
        {.cursor = "r1"},
        {.cursor = "a/"},
        {.cursor = "x"},
        {.cursor = "o1.", .stale = true},
        {.cursor = "o1", .stale = true},
        {.limit = 101},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *next = NULL;
        g_assert_null(syncd_service_list_tasks(f.service, &f.caller, &bad[i], &next, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    }
    service_clear(&f);
}

static void what_a_worker_says_is_checked(void)
{
    ServiceFixture f;
    service_init(&f);
    g_free(enqueue_body(&f, "note-1", "{}"));
    const SyncdClaim bad[] = {{.lease_s = 1}, {.lease_s = 100000}, {.lane = "fast"}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *lease = NULL;
        g_assert_false(claim_at_once(f.service, &f.caller, &bad[i], &lease, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    }
    g_autofree char *lease = claim(&f, NULL);
    g_autofree char *long_reason = g_strnfill(1025, 'a');
    const char *const reasons[] = {"", "\xff", long_reason};
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *ended = NULL;
        const SyncdFailure failure = {.reason = reasons[i]};
        g_assert_false(
            syncd_service_fail_task(f.service, &f.caller, lease, &failure, &ended, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    }
    /* somebody else's lease is none */
    SyncdCaller stranger = {.uid = OWNER + 1};
    g_autoptr(GError) error = NULL;
    g_autofree char *ended = NULL;
    g_assert_false(syncd_service_complete_task(f.service, &stranger, lease, NULL, &ended, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    complete(&f, lease);
    service_clear(&f);
}

static int cancel(ServiceFixture *f, const char *task, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    bool done = syncd_service_cancel_task(f->service, &f->caller, task, reason, &operation, &error);
    g_assert_true(done == (operation != NULL));
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static void a_task_that_waits_is_cancelled_once(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    const char *const parents[] = {operation, NULL};
    g_autofree char *child = enqueue_task(&f, "normal", parents);
    g_assert_cmpint(cancel(&f, operation, "no need"), ==, -1);
    guint64 after = service_sequence(&f);
    for (int restart = 0; restart < 2; restart++) {
        assert_status(&f, operation, "cancelled");
        assert_status(&f, child, "blocked");
        g_autofree char *task = get_task(&f, operation);
        assert_member(task, "status", "\"cancelled\"");
        assert_member(task, "reason", "\"no need\"");
        /* by its own id too; nothing is recorded any more */
        g_autofree char *id = g_strconcat(SYNCD_TASK_PREFIX, operation, NULL);
        g_assert_cmpint(cancel(&f, id, NULL), ==, -1);
        g_assert_cmpuint(service_sequence(&f), ==, after);
        g_assert_null(claim(&f, NULL));
        service_close(&f);
        service_open(&f);
    }
    g_assert_cmpuint(count_events(&f, "sync.task.cancelled"), ==, 1);
    /* what is blocked can be cancelled as well */
    g_assert_cmpint(cancel(&f, child, NULL), ==, -1);
    assert_status(&f, child, "cancelled");
    service_clear(&f);
}

static void what_is_past_cancelling_is_refused(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *lease = claim(&f, NULL), *long_reason = g_strnfill(1025, 'a');
    g_assert_cmpint(cancel(&f, operation, NULL), ==, SYNCD_ERROR_BUSY);
    complete(&f, lease);
    guint64 before = service_sequence(&f);
    g_assert_cmpint(cancel(&f, operation, NULL), ==, SYNCD_ERROR_ALREADY_RESOLVED);
    g_assert_cmpint(cancel(&f, "op-none", NULL), ==, SYNCD_ERROR_NOT_FOUND);
    g_autofree char *next = enqueue_body(&f, "note-1", "{}");
    g_assert_cmpint(cancel(&f, next, ""), ==, SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(cancel(&f, next, long_reason), ==, SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(cancel(&f, next, "\xff"), ==, SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpuint(service_sequence(&f), ==, before + 1);
    f.caller.uid = OWNER + 1;
    g_assert_cmpint(cancel(&f, next, NULL), ==, SYNCD_ERROR_ACCESS_DENIED);
    service_clear(&f);
}

/* Two in one turn: the second one finds what the first did. */
static void a_cancel_in_the_same_turn_is_the_same_cancel(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    guint64 before = service_sequence(&f);
    for (int i = 0; i < 2; i++) {
        g_autofree char *done = NULL;
        g_assert_true(
            syncd_service_cancel_task(f.service, &f.caller, operation, NULL, &done, NULL));
    }
    syncd_service_commit(f.service);
    g_assert_cmpuint(service_sequence(&f), ==, before + 1);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/tasks/a-task-is-claimed-carried-out-and-completed",
                    a_task_is_claimed_carried_out_and_completed);
    g_test_add_func("/tasks/a-failed-task-waits-longer-each-time-and-then-no-more",
                    a_failed_task_waits_longer_each_time_and_then_no_more);
    g_test_add_func("/tasks/a-wait-doubles-up-to-a-limit", a_wait_doubles_up_to_a_limit);
    g_test_add_func("/tasks/a-child-waits-for-its-parents-and-is-blocked-by-one-that-failed",
                    a_child_waits_for_its_parents_and_is_blocked_by_one_that_failed);
    g_test_add_func("/tasks/evidence-is-an-entry-of-the-log-or-a-digest",
                    evidence_is_an_entry_of_the_log_or_a_digest);
    g_test_add_func("/tasks/tasks-are-listed-by-state-lane-and-age",
                    tasks_are_listed_by_state_lane_and_age);
    g_test_add_func("/tasks/what-a-worker-says-is-checked", what_a_worker_says_is_checked);
    g_test_add_func("/tasks/a-task-that-waits-is-cancelled-once",
                    a_task_that_waits_is_cancelled_once);
    g_test_add_func("/tasks/what-is-past-cancelling-is-refused",
                    what_is_past_cancelling_is_refused);
    g_test_add_func("/tasks/a-cancel-in-the-same-turn-is-the-same-cancel",
                    a_cancel_in_the_same_turn_is_the_same_cancel);
    return g_test_run();
}
