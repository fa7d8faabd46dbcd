/*
 * Whoever asks for a task gets the first that is for him, wherever it stands.
 */
#include "policy-fixture.h"
#include "registry-fixture.h"
#include "service/internal.h"
#include "task-fixture.h"

static void two_claims_of_one_turn_get_two_tasks(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    put(&f, "note-2", "{}");
    g_autoptr(GError) error = NULL;
    const SyncdClaim any = {NULL};
    g_autofree char *one = NULL, *two = NULL, *three = NULL;
    g_assert_true(claim_at_once(f.service, &f.caller, &any, &one, &error));
    g_assert_true(claim_at_once(f.service, &f.caller, &any, &two, &error));
    g_assert_true(claim_at_once(f.service, &f.caller, &any, &three, &error));
    g_assert_nonnull(one);
    g_assert_nonnull(two);
    g_assert_null(three);
    syncd_service_commit(f.service);
    g_autofree char *first = operation_of(&f, one), *second = operation_of(&f, two);
    g_assert_cmpstr(first, !=, second);
    service_clear(&f);
}

static void lanes_are_served_in_their_order_and_the_oldest_first(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *archive = enqueue_task(&f, "archive", NULL);
    g_autofree char *normal = enqueue_task(&f, "normal", NULL);
    g_autofree char *later = enqueue_task(&f, "normal", NULL);
    g_autofree char *priority = enqueue_task(&f, "priority", NULL);
    const char *const order[] = {priority, normal, later, archive};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autofree char *lease = claim(&f, NULL);
        g_autofree char *operation = operation_of(&f, lease);
        g_assert_cmpstr(operation, ==, order[i]);
    }
    service_clear(&f);
}

static void hands_hold_so_much_and_no_more(void)
{
    ServiceFixture f;
    service_init(&f);
    for (guint i = 0; i <= SYNCD_LEASES_EACH_MAX; i++) {
        SyncdRequest request = good_request();
        g_free(enqueue(&f, &request).operation);
    }
    syncd_service_commit(f.service);
    g_autofree char *first = claim(&f, NULL);
    for (guint i = 1; i < SYNCD_LEASES_EACH_MAX; i++)
        g_free(claim(&f, NULL));
    g_autoptr(GError) error = NULL;
    const SyncdClaim any = {NULL};
    g_autofree char *lease = NULL;
    g_assert_false(claim_at_once(f.service, &f.caller, &any, &lease, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
    complete(&f, first);
    lease = claim(&f, NULL);
    g_assert_nonnull(lease);
    service_clear(&f);
}

/* A program that works in workspace:notes and nowhere else. */
static SyncdCaller worker_of_notes(ServiceFixture *f)
{
    g_assert_cmpint(register_record(f, "actor",
                                    "{\"actor_id\":\"worker\",\"actor_type\":\"service\","
                                    "\"display_name\":\"W\",\"identity_id\":"
                                    "\"unit:worker.service\",\"workspace_scope\":"
                                    "[\"workspace:notes\"],\"profile_scope\":[\"*\"],"
                                    "\"capabilities\":[\"read\",\"write\"],\"trust_level\":"
                                    "\"user\",\"policy_subject\":\"worker\","
                                    "\"signing_key_ref\":\"none\"}"),
                    ==, -1);
    return (SyncdCaller){.uid = OWNER, .worker = ":1.9", .unit = "worker.service"};
}

static void enqueue_many_in(ServiceFixture *f, const char *scope, guint n)
{
    SyncdRequest request = good_request();
    request.scope = scope;
    request.lane = "priority";
    for (guint i = 0; i < n; i++) {
        g_free(enqueue(f, &request).operation);
        if (syncd_service_turn_is_full(f->service))
            syncd_service_commit(f->service);
    }
    syncd_service_commit(f->service);
}

/* However many of others' tasks stand before it, and in a better lane. */
static void what_others_may_have_keeps_nobody_from_his_own(void)
{
    ServiceFixture f;
    service_init(&f);
    f.caller.worker = ":1.8";
    enqueue_many_in(&f, "workspace:other", is_hurried() ? 1500 : 20500);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *later = enqueue_body(&f, "note-2", "{}");
    f.caller = worker_of_notes(&f);
    g_autofree char *lease = claim(&f, NULL), *next = claim(&f, NULL), *none = claim(&f, NULL);
    g_assert_nonnull(lease);
    g_assert_nonnull(next);
    g_assert_null(none);
    g_autofree char *first = operation_of(&f, lease), *second = operation_of(&f, next);
    g_assert_cmpstr(first, ==, operation);
    g_assert_cmpstr(second, ==, later);
    service_clear(&f);
}

/* To be passed over is not to be refused: nobody asked for that one. */
static void what_policy_keeps_from_a_worker_is_passed_over(void)
{
    ServiceFixture f;
    service_init(&f);
    enqueue_many_in(&f, "workspace:notes", 50);
    g_autofree char *operation = enqueue_body(&f, "note-2", "{}");
    SyncdCaller worker = worker_of_notes(&f);
    syncd_service_set_policy(
        f.service, set_of(FILE_OF(RULE("\"lanes\":[\"priority\"]", "deny", "not_now")), NULL),
        NULL);
    f.caller = worker;
    g_autofree char *lease = claim(&f, NULL), *none = claim(&f, NULL);
    g_assert_nonnull(lease);
    g_assert_null(none);
    g_autofree char *claimed = operation_of(&f, lease);
    g_assert_cmpstr(claimed, ==, operation);
    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_cmpuint(state.policy_blocked_count, ==, 0);
    service_clear(&f);
}

/* How many steps it takes to have the task behind four that policy keeps from the worker. */
static guint steps_past(gsize size)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *body = g_strnfill(size, ' ');
    memcpy(body, "{}", 2);
    SyncdRequest request = good_request();
    request.lane = "priority";
    request.body = SYNCD_BYTES_TEXT(body);
    for (guint i = 0; i < 4; i++)
        g_free(enqueue_committed(&f, &request));
    g_autofree char *operation = enqueue_body(&f, "note-2", "{}");
    SyncdCaller worker = worker_of_notes(&f);
    syncd_service_set_policy(
        f.service, set_of(FILE_OF(RULE("\"lanes\":[\"priority\"]", "deny", "not_now")), NULL),
        NULL);
    const SyncdClaim any = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdClaiming) claiming = syncd_service_begin_claim(f.service, &worker, &any, &error);
    g_assert_no_error(error);
    g_autofree char *lease = NULL;
    bool done = false;
    guint steps = 0;
    for (; !done; steps++)
        g_assert_true(syncd_claiming_step(claiming, &done, &lease, &error));
    g_assert_nonnull(lease);
    syncd_service_commit(f.service);
    g_autofree char *claimed = operation_of(&f, lease);
    g_assert_cmpstr(claimed, ==, operation);
    service_clear(&f);
    return steps;
}

/* Others are served between two steps, so none of them reads many large bodies. */
static void large_bodies_are_read_a_few_at_a_time(void)
{
    g_assert_cmpuint(steps_past(2), ==, 1);
    g_assert_cmpuint(steps_past((gsize)600 * 1024), ==, 3);
    g_assert_cmpuint(steps_past((gsize)2 * 1024 * 1024), ==, 5);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/claim/two-claims-of-one-turn-get-two-tasks",
                    two_claims_of_one_turn_get_two_tasks);
    g_test_add_func("/claim/lanes-are-served-in-their-order-and-the-oldest-first",
                    lanes_are_served_in_their_order_and_the_oldest_first);
    g_test_add_func("/claim/what-others-may-have-keeps-nobody-from-his-own",
                    what_others_may_have_keeps_nobody_from_his_own);
    g_test_add_func("/claim/what-policy-keeps-from-a-worker-is-passed-over",
                    what_policy_keeps_from_a_worker_is_passed_over);
    g_test_add_func("/claim/hands-hold-so-much-and-no-more", hands_hold_so_much_and_no_more);
    g_test_add_func("/claim/large-bodies-are-read-a-few-at-a-time",
                    large_bodies_are_read_a_few_at_a_time);
    return g_test_run();
}
