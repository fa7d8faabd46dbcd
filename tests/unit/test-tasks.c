/*
 * A task is in one pair of hands at a time, is offered again when they let go, and ends once.
 */
#include "contract/task-record.h"
#include "domain/retry.h"
#include "policy-fixture.h"
#include "registry-fixture.h"
#include "service/internal.h"
#include "store/store-private.h"
#include "task-fixture.h"

static char *enqueue_in(ServiceFixture *f, const char *lane, const char *const *parents)
{
    SyncdRequest request = good_request();
    request.lane = lane;
    request.parents = parents;
    return enqueue_committed(f, &request);
}

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

static void two_claims_of_one_turn_get_two_tasks(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    put(&f, "note-2", "{}");
    g_autoptr(GError) error = NULL;
    const SyncdClaim any = {NULL};
    g_autofree char *one = NULL, *two = NULL, *three = NULL;
    g_assert_true(syncd_service_claim_task(f.service, &f.caller, &any, &one, &error));
    g_assert_true(syncd_service_claim_task(f.service, &f.caller, &any, &two, &error));
    g_assert_true(syncd_service_claim_task(f.service, &f.caller, &any, &three, &error));
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
    g_autofree char *archive = enqueue_in(&f, "archive", NULL);
    g_autofree char *normal = enqueue_in(&f, "normal", NULL);
    g_autofree char *later = enqueue_in(&f, "normal", NULL);
    g_autofree char *priority = enqueue_in(&f, "priority", NULL);
    const char *const order[] = {priority, normal, later, archive};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autofree char *lease = claim(&f, NULL);
        g_autofree char *operation = operation_of(&f, lease);
        g_assert_cmpstr(operation, ==, order[i]);
    }
    service_clear(&f);
}

static void refuse_lease(ServiceFixture *f, const char *lease)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    guint64 until, before = service_sequence(f);
    const SyncdFailure failure = {.reason = "late"};
    g_assert_false(
        syncd_service_complete_task(f->service, &f->caller, lease, NULL, &operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LEASE_LOST);
    g_clear_error(&error);
    g_assert_false(
        syncd_service_fail_task(f->service, &f->caller, lease, &failure, &operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LEASE_LOST);
    g_clear_error(&error);
    g_assert_false(syncd_service_renew_task(f->service, &f->caller, lease, 0, &until, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LEASE_LOST);
    g_assert_null(operation);
    g_assert_false(syncd_service_has_turn(f->service));
    g_assert_cmpuint(service_sequence(f), ==, before);
}

static void a_lease_that_is_not_renewed_is_lost_and_a_late_result_changes_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *late = claim(&f, NULL);
    pass(&f, SYNCD_LEASE_DEFAULT_MS - 1000);
    assert_status(&f, operation, "running");
    guint64 until;
    g_assert_true(syncd_service_renew_task(f.service, &f.caller, late, 0, &until, NULL));
    pass(&f, SYNCD_LEASE_DEFAULT_MS - 1000);
    assert_status(&f, operation, "running");
    pass(&f, 2000);
    assert_status(&f, operation, "queued");
    g_autofree char *lost = get(&f, operation);
    assert_member(lost, "lease_expired", "true");
    refuse_lease(&f, late);

    g_autofree char *next = claim(&f, NULL);
    g_autofree char *again = get(&f, operation);
    assert_member(again, "lease_expired", "false");
    refuse_lease(&f, late);
    complete(&f, next);
    refuse_lease(&f, late);
    refuse_lease(&f, next);
    refuse_lease(&f, "lease-none");
    refuse_lease(&f, "");
    assert_status(&f, operation, "completed");
    service_clear(&f);
}

static void a_worker_that_leaves_loses_what_it_holds(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *one = enqueue_body(&f, "note-1", "{}");
    g_autofree char *two = enqueue_body(&f, "note-2", "{}");
    f.caller.worker = ":1.7";
    g_autofree char *lease_one = claim_operation(&f, one);
    f.caller.worker = ":1.8";
    g_autofree char *lease_two = claim_operation(&f, two);
    syncd_service_worker_gone(f.service, ":1.7");
    syncd_service_worker_gone(f.service, ":1.9");
    syncd_service_commit(f.service);
    assert_status(&f, one, "queued");
    assert_status(&f, two, "running");
    refuse_lease(&f, lease_one);
    complete(&f, lease_two);
    service_clear(&f);
}

/* What somebody else could not write is taken back with his turn, and with nothing else. */
static void fail_to_write(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    static const char lines[] =
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"a\","
        "\"body\":{},\"idempotency_key\":\"twice\"}\n"
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"b\","
        "\"body\":{},\"idempotency_key\":\"twice\"}";
    g_assert_null(
        syncd_service_enqueue_many(f->service, &f->caller, SYNCD_BYTES_TEXT(lines), &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
}

static void a_turn_that_others_lose_ends_no_lease(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *kept = enqueue_body(&f, "note-1", "{}");
    g_autofree char *left = enqueue_body(&f, "note-2", "{}");
    f.caller.worker = ":1.7";
    g_autofree char *kept_lease = claim_operation(&f, kept);
    f.caller.worker = ":1.8";
    g_autofree char *left_lease = claim_operation(&f, left);
    f.caller.worker = ":1.7";
    guint64 until;
    g_assert_true(syncd_service_renew_task(f.service, &f.caller, kept_lease, 3600, &until, NULL));
    fail_to_write(&f);

    syncd_service_worker_gone(f.service, ":1.8");
    syncd_service_commit(f.service);
    assert_status(&f, left, "queued");
    refuse_lease(&f, left_lease);
    /* What was promised for an hour is held for an hour. */
    pass(&f, 2 * SYNCD_LEASE_DEFAULT_MS);
    assert_status(&f, kept, "running");
    complete(&f, kept_lease);
    service_clear(&f);
}

/* Somebody who fails again and again must not keep what nobody holds any more. */
static void a_turn_that_others_lose_keeps_no_lease(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *lease = claim(&f, NULL);
    for (unsigned i = 0; i < 4; i++) {
        pass(&f, SYNCD_LEASE_DEFAULT_MS / 3);
        fail_to_write(&f);
    }
    assert_status(&f, operation, "queued");
    refuse_lease(&f, lease);
    service_clear(&f);
}

/* The grace after a restart is one lease long; whoever calls in time goes on as before. */
static void a_restart_gives_one_grace_period(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *kept = enqueue_body(&f, "note-1", "{}");
    g_autofree char *left = enqueue_body(&f, "note-2", "{}");
    g_autofree char *kept_lease = claim_operation(&f, kept);
    g_autofree char *left_lease = claim_operation(&f, left);
    service_close(&f);
    f.base.now_usec += G_GUINT64_CONSTANT(86400) * G_USEC_PER_SEC;
    service_open(&f);
    syncd_service_work(f.service);
    assert_status(&f, kept, "running");
    g_assert_null(claim(&f, NULL));
    pass(&f, SYNCD_LEASE_DEFAULT_MS / 2);
    guint64 until;
    g_assert_true(syncd_service_renew_task(f.service, &f.caller, kept_lease, 0, &until, NULL));
    pass(&f, SYNCD_LEASE_DEFAULT_MS / 2 + 1000);
    assert_status(&f, left, "queued");
    refuse_lease(&f, left_lease);
    complete(&f, kept_lease);
    assert_status(&f, kept, "completed");
    service_clear(&f);
}

/* More entries than are projected at once. */
#define MANY_ENTRIES 20500u

static SyncdStore *fill_log(ServiceFixture *f, guint n)
{
    f->base.store = f->service->store;
    for (guint i = 0; i < n; i += 500)
        fixture_fill(&f->base, 500);
    return g_steal_pointer(&f->base.store);
}

static void renew_within(ServiceFixture *f, const char *lease, int code)
{
    g_autoptr(GError) error = NULL;
    guint64 until = 0;
    if (syncd_service_renew_task(f->service, &f->caller, lease, 0, &until, &error))
        g_assert_cmpint(code, ==, -1);
    else
        g_assert_error(error, SYNCD_ERROR, code);
}

/* As the last step of a purge does. */
static void remake_index(SyncdStore *store)
{
    g_autoptr(GError) error = NULL;
    syncd_store_remake_index(store, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_store_is_indexing(store));
}

static char *claim_briefly(ServiceFixture *f, const char *operation)
{
    const SyncdClaim wanted = {.operation = operation, .lease_s = 5};
    return claim(f, &wanted);
}

static void while_the_index_is_made_no_lease_ends(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdStore *store = fill_log(&f, MANY_ENTRIES);
    g_autofree char *one = enqueue_body(&f, "a", "{}"), *two = enqueue_body(&f, "b", "{}"),
                    *held = claim_briefly(&f, one), *left = claim_briefly(&f, two);

    remake_index(store);
    f.base.now_usec += 6000000;
    renew_within(&f, held, SYNCD_ERROR_BUSY);
    while (syncd_store_is_indexing(store))
        pass(&f, 1000);

    /* From the first time that somebody can be answered: a call, or else the work of a pause. */
    f.base.now_usec += 60000000;
    renew_within(&f, held, -1);
    pass(&f, 3000);
    assert_status(&f, one, "running");
    assert_status(&f, two, "running");
    renew_within(&f, held, -1);
    pass(&f, 3000);
    assert_status(&f, one, "running");
    assert_status(&f, two, "queued");
    complete(&f, held);
    refuse_lease(&f, left);

    /* Nobody calls. */
    g_free(left);
    left = claim_briefly(&f, two);
    remake_index(store);
    while (syncd_store_is_indexing(store))
        pass(&f, 1000);
    pass(&f, 60000);
    assert_status(&f, two, "running");
    pass(&f, 6000);
    assert_status(&f, two, "queued");
    service_clear(&f);
}

static void an_index_that_is_made_at_the_start_gives_one_grace_period(void)
{
    ServiceFixture f;
    service_init(&f);
    fill_log(&f, MANY_ENTRIES);
    g_autofree char *one = enqueue_body(&f, "a", "{}"), *held = claim_briefly(&f, one);
    service_close(&f);
    g_autofree char *index = g_build_filename(f.base.directory, "index.db", NULL);
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&f);
    g_assert_true(syncd_store_is_indexing(f.service->store));
    while (syncd_store_is_indexing(f.service->store))
        pass(&f, 1000);
    pass(&f, 0);
    pass(&f, 3000);
    assert_status(&f, one, "running");
    pass(&f, 3000);
    assert_status(&f, one, "queued");
    refuse_lease(&f, held);
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
    g_autofree char *one = enqueue_in(&f, "normal", NULL);
    g_autofree char *two = enqueue_in(&f, "normal", NULL);
    const char *const parents[] = {one, two, NULL};
    g_autofree char *child = enqueue_in(&f, "priority", parents);
    const char *const grandparents[] = {child, NULL};
    g_autofree char *grandchild = enqueue_in(&f, "priority", grandparents);
    g_autoptr(GError) error = NULL;
    const SyncdClaim wanted = {.operation = child};
    g_autofree char *none = NULL;
    g_assert_false(syncd_service_claim_task(f.service, &f.caller, &wanted, &none, &error));
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
        g_free(enqueue_in(&f, i % 2 ? "priority" : "normal", NULL));
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
        g_assert_false(syncd_service_claim_task(f.service, &f.caller, &bad[i], &lease, &error));
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
    g_assert_false(syncd_service_claim_task(f.service, &f.caller, &any, &lease, &error));
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
    g_autofree char *child = enqueue_in(&f, "normal", parents);
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

/* Nothing is held, nothing waits: nothing is due. */
static void without_a_lease_or_a_wait_there_is_no_timer(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdListener nobody = {NULL};
    syncd_service_set_listener(f.service, &nobody);
    put(&f, "note-1", "{}");
    run_jobs(&f);
    guint64 idle = syncd_service_next_due(f.service);
    g_autofree char *lease = claim(&f, NULL);
    run_jobs(&f);
    g_assert_cmpuint(syncd_service_next_due(f.service), <,
                     f.base.now_usec + SYNCD_LEASE_DEFAULT_MS * 1000);
    complete(&f, lease);
    run_jobs(&f);
    g_assert_cmpuint(syncd_service_next_due(f.service), >=, MIN(idle, G_MAXUINT64));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/tasks/a-task-is-claimed-carried-out-and-completed",
                    a_task_is_claimed_carried_out_and_completed);
    g_test_add_func("/tasks/two-claims-of-one-turn-get-two-tasks",
                    two_claims_of_one_turn_get_two_tasks);
    g_test_add_func("/tasks/lanes-are-served-in-their-order-and-the-oldest-first",
                    lanes_are_served_in_their_order_and_the_oldest_first);
    g_test_add_func("/tasks/a-lease-that-is-not-renewed-is-lost-and-a-late-result-changes-nothing",
                    a_lease_that_is_not_renewed_is_lost_and_a_late_result_changes_nothing);
    g_test_add_func("/tasks/a-worker-that-leaves-loses-what-it-holds",
                    a_worker_that_leaves_loses_what_it_holds);
    g_test_add_func("/tasks/a-restart-gives-one-grace-period", a_restart_gives_one_grace_period);
    /* They need more entries than are projected at once. */
    if (!is_hurried()) {
        g_test_add_func("/tasks/while-the-index-is-made-no-lease-ends",
                        while_the_index_is_made_no_lease_ends);
        g_test_add_func("/tasks/an-index-that-is-made-at-the-start-gives-one-grace-period",
                        an_index_that_is_made_at_the_start_gives_one_grace_period);
    }
    g_test_add_func("/tasks/a-failed-task-waits-longer-each-time-and-then-no-more",
                    a_failed_task_waits_longer_each_time_and_then_no_more);
    g_test_add_func("/tasks/a-wait-doubles-up-to-a-limit", a_wait_doubles_up_to_a_limit);
    g_test_add_func("/tasks/a-child-waits-for-its-parents-and-is-blocked-by-one-that-failed",
                    a_child_waits_for_its_parents_and_is_blocked_by_one_that_failed);
    g_test_add_func("/tasks/evidence-is-an-entry-of-the-log-or-a-digest",
                    evidence_is_an_entry_of_the_log_or_a_digest);
    g_test_add_func("/tasks/tasks-are-listed-by-state-lane-and-age",
                    tasks_are_listed_by_state_lane_and_age);
    g_test_add_func("/tasks/a-turn-that-others-lose-ends-no-lease",
                    a_turn_that_others_lose_ends_no_lease);
    g_test_add_func("/tasks/a-turn-that-others-lose-keeps-no-lease",
                    a_turn_that_others_lose_keeps_no_lease);
    g_test_add_func("/tasks/what-a-worker-says-is-checked", what_a_worker_says_is_checked);
    g_test_add_func("/tasks/what-others-may-have-keeps-nobody-from-his-own",
                    what_others_may_have_keeps_nobody_from_his_own);
    g_test_add_func("/tasks/what-policy-keeps-from-a-worker-is-passed-over",
                    what_policy_keeps_from_a_worker_is_passed_over);
    g_test_add_func("/tasks/hands-hold-so-much-and-no-more", hands_hold_so_much_and_no_more);
    g_test_add_func("/tasks/without-a-lease-or-a-wait-there-is-no-timer",
                    without_a_lease_or_a_wait_there_is_no_timer);
    g_test_add_func("/tasks/a-task-that-waits-is-cancelled-once",
                    a_task_that_waits_is_cancelled_once);
    g_test_add_func("/tasks/what-is-past-cancelling-is-refused",
                    what_is_past_cancelling_is_refused);
    g_test_add_func("/tasks/a-cancel-in-the-same-turn-is-the-same-cancel",
                    a_cancel_in_the_same_turn_is_the_same_cancel);
    return g_test_run();
}
