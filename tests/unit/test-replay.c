/*
 * A replay queues an operation once more: once a key, only what is safe to repeat, and within
 * limits.
 */
#include "domain/replay.h"
#include "registry-fixture.h"

/* ---- the judgement ---- */

static SyncdReplayFacts good_facts(void)
{
    return (SyncdReplayFacts){
        .operation = "op-1",
        .state = {SYNCD_OPERATION_COMPLETED, SYNCD_TASK_SUCCEEDED},
        .replay_safe = true,
        .own_device = true,
        .own_actor = true,
        .age_ms = syncd_replay_limits.age_ms,
        .replays = syncd_replay_limits.per_operation - 1,
        .actor_recent = syncd_replay_limits.per_actor - 1,
        .device_recent = syncd_replay_limits.per_device - 1,
    };
}

static void assert_refused(const SyncdReplayFacts *facts, int code)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_replay_check(facts, &error));
    g_assert_error(error, SYNCD_ERROR, code);
}

static void each_limit_refuses_by_itself(void)
{
    SyncdReplayFacts facts = good_facts();
    g_assert_true(syncd_replay_check(&facts, NULL));
#define WITHOUT(change, code)                                                                      \
    do {                                                                                           \
        facts = good_facts();                                                                      \
        facts.change;                                                                              \
        assert_refused(&facts, code);                                                              \
    } while (0)
    WITHOUT(replay_safe = false, SYNCD_ERROR_POLICY_DENIED);
    WITHOUT(own_device = false, SYNCD_ERROR_ACCESS_DENIED);
    WITHOUT(own_actor = false, SYNCD_ERROR_ACCESS_DENIED);
    WITHOUT(age_ms++, SYNCD_ERROR_LIMITS_EXCEEDED);
    WITHOUT(replays++, SYNCD_ERROR_LIMITS_EXCEEDED);
    WITHOUT(actor_recent++, SYNCD_ERROR_LIMITS_EXCEEDED);
    WITHOUT(device_recent++, SYNCD_ERROR_LIMITS_EXCEEDED);
    WITHOUT(state = ((SyncdLifecycle){SYNCD_OPERATION_RUNNING, SYNCD_TASK_RUNNING}),
            SYNCD_ERROR_BUSY);
    WITHOUT(state = ((SyncdLifecycle){SYNCD_OPERATION_RECONCILED, SYNCD_TASK_SUCCEEDED}),
            SYNCD_ERROR_ALREADY_RESOLVED);
}

/* ---- the use case ---- */

static char *replay(ServiceFixture *f, const char *operation, const char *key, bool *ret_duplicate)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    syncd_service_replay(f->service, &f->caller, operation, key, &replayed, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
    *ret_duplicate = replayed.duplicate;
    char *evidence = syncd_service_describe_replay(f->service, replayed.evidence, &error);
    g_assert_no_error(error);
    return evidence;
}

static void refuse_replay(ServiceFixture *f, const char *operation, const char *key, int code)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    g_assert_false(syncd_service_replay(f->service, &f->caller, operation, key, &replayed, &error));
    g_assert_error(error, SYNCD_ERROR, code);
    g_assert_null(replayed.evidence);
}

static void a_second_replay_gives_the_first_evidence_and_changes_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.idempotency_key = "k";
    g_autofree char *operation = enqueue_committed(&f, &request);
    g_autofree char *queued = get(&f, operation);
    assert_member(queued, "status", "\"queued\"");

    bool duplicate;
    g_autofree char *first = replay(&f, operation, NULL, &duplicate);
    g_assert_false(duplicate);
    assert_member(first, "replay_idempotency_key", "\"k\"");
    g_autofree char *replayed = get(&f, operation);
    assert_member(replayed, "status", "\"replayed\"");
    guint64 before = service_sequence(&f);
    for (int restart = 0; restart < 2; restart++) {
        g_autofree char *again = replay(&f, operation, restart ? "k" : NULL, &duplicate);
        g_assert_true(duplicate);
        g_assert_cmpstr(again, ==, first);
        g_assert_cmpuint(service_sequence(&f), ==, before);
        service_close(&f);
        service_open(&f);
    }
    g_autofree char *other = replay(&f, operation, "k2", &duplicate);
    g_assert_false(duplicate);
    g_assert_cmpstr(other, !=, first);
    g_assert_cmpuint(count_events(&f, "sync.operation.replayed"), ==, 2);
    service_clear(&f);
}

/* Both calls of one turn: the overlay says what the index will. */
static void two_replays_in_one_turn_are_one(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) one = {0}, two = {0};
    syncd_service_replay(f.service, &f.caller, operation, "k", &one, &error);
    g_assert_no_error(error);
    syncd_service_replay(f.service, &f.caller, operation, "k", &two, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(one.evidence, ==, two.evidence);
    g_assert_true(!one.duplicate && two.duplicate);
    service_clear(&f);
}

static void what_must_not_be_replayed_is_refused(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *unsafe = enqueue_body(&f, "note-1", "{\"replay_safe\":false}");
    g_autofree char *keyless = enqueue_body(&f, "note-1", "{}");
    g_autofree char *named = enqueue_body(&f, "note-1", "{\"replay_idempotency_key\":\"of-body\"}");
    guint64 before = service_sequence(&f);
    refuse_replay(&f, keyless, NULL, SYNCD_ERROR_INVALID_CONTRACT);
    refuse_replay(&f, keyless, "", SYNCD_ERROR_INVALID_CONTRACT);
    refuse_replay(&f, keyless, "a\nb", SYNCD_ERROR_INVALID_CONTRACT);
    refuse_replay(&f, "op-none", "k", SYNCD_ERROR_NOT_FOUND);
    refuse_replay(&f, "../op", "k", SYNCD_ERROR_NOT_FOUND);
    refuse_replay(&f, "", "k", SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    refuse_replay(&f, unsafe, "k", SYNCD_ERROR_POLICY_DENIED);
    syncd_service_commit(f.service);
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 1);

    bool duplicate;
    g_autofree char *evidence = replay(&f, named, NULL, &duplicate);
    assert_member(evidence, "replay_idempotency_key", "\"of-body\"");
    /* a replay is no operation that anybody carries out */
    g_autofree char *quoted = member_of(evidence, "evidence_ref");
    g_autofree char *reference = g_strndup(quoted + 1, strlen(quoted) - 2);
    refuse_replay(&f, reference, "k", SYNCD_ERROR_INVALID_CONTRACT);
    f.base.now_usec += (syncd_replay_limits.age_ms + 1000) * 1000;
    refuse_replay(&f, keyless, "k", SYNCD_ERROR_LIMITS_EXCEEDED);
    service_clear(&f);
}

static void an_operation_is_replayed_so_often_and_no_more(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    bool duplicate;
    for (guint i = 0; i < syncd_replay_limits.per_operation; i++) {
        g_autofree char *key = g_strdup_printf("k%u", i);
        g_free(replay(&f, operation, key, &duplicate));
        g_assert_false(duplicate);
    }
    refuse_replay(&f, operation, "one more", SYNCD_ERROR_LIMITS_EXCEEDED);
    service_close(&f);
    service_open(&f);
    refuse_replay(&f, operation, "one more", SYNCD_ERROR_LIMITS_EXCEEDED);
    /* what was replayed is still known */
    g_free(replay(&f, operation, "k0", &duplicate));
    g_assert_true(duplicate);
    service_clear(&f);
}

/* Replays without a commit, so that the open turn counts as the index does. */
static bool try_replay(ServiceFixture *f, const char *operation, guint times, GError **error)
{
    for (guint i = 0; i < times; i++) {
        g_autofree char *key = g_strdup_printf("k%u", i);
        g_auto(SyncdReplayed) replayed = {0};
        if (!syncd_service_replay(f->service, &f->caller, operation, key, &replayed, error))
            return false;
        g_assert_false(replayed.duplicate);
    }
    return true;
}

/* As often as an actor may; the last ones are in the open turn. */
static void replay_to_the_limit(ServiceFixture *f)
{
    guint left = syncd_replay_limits.per_actor, each = syncd_replay_limits.per_operation;
    for (; left > 0; left -= MIN(left, each)) {
        g_autoptr(GError) error = NULL;
        g_autofree char *operation = enqueue_body(f, "note-1", "{}");
        try_replay(f, operation, MIN(left, each), &error);
        g_assert_no_error(error);
    }
}

static void assert_no_more(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(try_replay(f, operation, 1, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
}

static void an_actor_replays_so_often_within_the_window(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    replay_to_the_limit(&f);
    assert_no_more(&f, operation);
    syncd_service_commit(f.service);
    assert_no_more(&f, operation);
    service_close(&f);
    service_open(&f);
    assert_no_more(&f, operation);
    f.base.now_usec += (syncd_replay_limits.window_ms + 1000) * 1000;
    g_assert_true(try_replay(&f, operation, 1, NULL));
    service_clear(&f);
}

static void a_device_replays_so_often_within_the_window(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    guint actors = syncd_replay_limits.per_device / syncd_replay_limits.per_actor;
    for (guint i = 1; i <= actors; i++) {
        g_autofree char *record =
            g_strdup_printf(ACTOR("human:a%u", "uid:%u", ""), i, OWNER + i, OWNER + i);
        g_assert_cmpint(register_record(&f, "actor", record), ==, -1);
    }
    for (guint i = 0; i < actors; i++) {
        f.caller.uid = OWNER + i;
        replay_to_the_limit(&f);
    }
    f.caller.uid = OWNER + actors;
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    assert_no_more(&f, operation);
    f.base.now_usec += (syncd_replay_limits.window_ms + 1000) * 1000;
    g_assert_true(try_replay(&f, operation, 1, NULL));
    service_clear(&f);
}

/* An agent of the same user is somebody else. */
static void what_others_enqueued_is_not_replayed(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_assert_cmpint(register_record(&f, "actor",
                                    "{\"actor_id\":\"builder\",\"actor_type\":\"agent\","
                                    "\"display_name\":\"B\",\"identity_id\":"
                                    "\"unit:builder.service\",\"workspace_scope\":[\"*\"],"
                                    "\"profile_scope\":[\"*\"],\"capabilities\":[\"write\"],"
                                    "\"trust_level\":\"user\",\"policy_subject\":\"builder\","
                                    "\"signing_key_ref\":\"none\"}"),
                    ==, -1);
    bool duplicate;
    f.caller.unit = "builder.service";
    refuse_replay(&f, operation, "k", SYNCD_ERROR_ACCESS_DENIED);
    f.caller.unit = NULL;
    g_free(replay(&f, operation, "k", &duplicate));
    g_assert_false(duplicate);
    service_clear(&f);
}

static void enqueueing_a_replay_is_the_same_replay(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    bool duplicate;
    g_autofree char *evidence = replay(&f, operation, "k", &duplicate);
    g_autofree char *body = g_strdup_printf(
        "{\"replayed_operation_id\":\"%s\",\"replay_idempotency_key\":\"k\"}", operation);
    SyncdRequest request = good_request();
    request.type = "sync.operation.replay";
    request.body = SYNCD_BYTES_TEXT(body);
    g_auto(SyncdEnqueued) enqueued = enqueue(&f, &request);
    g_assert_true(enqueued.duplicate);
    g_autofree char *sequence = g_strdup_printf("%" G_GUINT64_FORMAT, enqueued.sequence);
    assert_member(evidence, "sequence", sequence);

    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) none = {0};
    request.object = "note-2";
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &none, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    g_clear_error(&error);
    request.body = SYNCD_BYTES_TEXT("{}");
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &none, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/replay/each-limit-refuses-by-itself", each_limit_refuses_by_itself);
    g_test_add_func("/replay/a-second-replay-gives-the-first-evidence-and-changes-nothing",
                    a_second_replay_gives_the_first_evidence_and_changes_nothing);
    g_test_add_func("/replay/two-replays-in-one-turn-are-one", two_replays_in_one_turn_are_one);
    g_test_add_func("/replay/what-must-not-be-replayed-is-refused",
                    what_must_not_be_replayed_is_refused);
    g_test_add_func("/replay/an-operation-is-replayed-so-often-and-no-more",
                    an_operation_is_replayed_so_often_and_no_more);
    g_test_add_func("/replay/an-actor-replays-so-often-within-the-window",
                    an_actor_replays_so_often_within_the_window);
    g_test_add_func("/replay/a-device-replays-so-often-within-the-window",
                    a_device_replays_so_often_within_the_window);
    g_test_add_func("/replay/what-others-enqueued-is-not-replayed",
                    what_others_enqueued_is_not_replayed);
    g_test_add_func("/replay/enqueueing-a-replay-is-the-same-replay",
                    enqueueing_a_replay_is_the_same_replay);
    return g_test_run();
}
