/* Writing: what a service takes, and what it leaves behind. */
#include "raw-sql.h"
#include "service-fixture.h"
#include "service/internal.h"
#include "small-files.h"
#include "store/database-private.h"
#include "store/journal-private.h"
#include "store/store-private.h"

/* ---- first start ---- */

static void the_log_begins_with_device_and_actors(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpuint(service_sequence(&f), ==, 4);
    g_assert_false(syncd_service_has_turn(f.service));
    g_assert_cmpuint(count_events(&f, "sync.feed.opened"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.device.registered"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.actor.registered"), ==, 2);

    g_autofree char *line = newest_line(&f);
    g_assert_nonnull(strstr(line, "\"actor_type\":\"human\",\"display_name\":\"uid 1000\","
                                  "\"identity_id\":\"uid:1000\""));
    service_clear(&f);
}

static void a_second_start_writes_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    service_close(&f);
    service_open(&f);
    g_assert_cmpuint(service_sequence(&f), ==, 4);
    service_clear(&f);
}

static void the_system_instance_knows_root_and_itself(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    SyncdRequest request = good_request();
    f.caller.uid = 0;
    g_free(enqueue_committed(&f, &request));
    f.caller.uid = OWNER;
    g_autofree char *own = enqueue_committed(&f, &request);
    g_autofree char *first = get(&f, own);
    g_assert_nonnull(first);
    service_clear(&f);
}

/* ---- round trip ---- */

static void what_was_enqueued_is_read_back(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.body = SYNCD_BYTES_TEXT("{\"x\" : [1.0, 1e2],\n \"status\":\"completed\","
                                    "\"actor_id\":\"actor-forged\",\"\\u00fc\":null}");
    request.lane = "priority";
    request.data_class = "work";
    request.idempotency_key = "k-\xc3\xbc";
    g_auto(SyncdEnqueued) enqueued = enqueue(&f, &request);
    g_assert_false(enqueued.duplicate);
    syncd_service_commit(f.service);
    g_assert_cmpuint(service_sequence(&f), ==, enqueued.sequence);

    g_autofree char *record = get(&f, enqueued.operation);
    g_autofree char *id = g_strdup_printf("\"%s\"", enqueued.operation);
    assert_member(record, "operation_id", id);
    assert_member(record, "operation_type", "\"sync.operation.enqueue\"");
    assert_member(record, "status", "\"queued\"");
    assert_member(record, "workspace_id", "\"workspace:notes\"");
    assert_member(record, "scope", "\"workspace:notes\"");
    assert_member(record, "object_id", "\"note-1\"");
    assert_member(record, "lane", "\"priority\"");
    assert_member(record, "data_class", "\"work\"");
    assert_member(record, "seq", "1");
    assert_member(record, "replay_idempotency_key", "\"k-\\u00fc\"");
    g_autofree char *actor = member_of(record, "actor_id");
    g_assert_cmpstr(actor, !=, "\"actor-forged\"");
    /* what nobody knows: byte for byte */
    g_assert_true(g_str_has_suffix(record, ",\"x\" : [1.0, 1e2],\"\\u00fc\":null}"));
    service_clear(&f);
}

static void a_decision_is_recorded_before_what_it_allows_and_once(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    g_autofree char *one = enqueue_committed(&f, &request);
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 2); /* to write, to retain */
    g_free(enqueue_committed(&f, &request));
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 2);
    request.lane = "priority";
    g_autofree char *three = enqueue_committed(&f, &request);
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 4);

    g_autofree char *record = get(&f, one);
    g_autofree char *decision = member_of(record, "policy_decision_ref");
    g_assert_true(g_str_has_prefix(decision, "\"policy-"));
    g_autofree char *other = get(&f, three);
    g_autofree char *its_decision = member_of(other, "policy_decision_ref");
    g_assert_cmpstr(decision, !=, its_decision);
    service_clear(&f);
}

/* ---- idempotency ---- */

static void the_same_key_gives_the_first_result(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.idempotency_key = "once";
    g_auto(SyncdEnqueued) first = enqueue(&f, &request);
    /* while the first is in the open turn */
    g_auto(SyncdEnqueued) again = enqueue(&f, &request);
    g_assert_true(again.duplicate);
    g_assert_cmpstr(again.operation, ==, first.operation);
    g_assert_cmpuint(again.sequence, ==, first.sequence);
    g_assert_true(syncd_service_has_turn(f.service));
    syncd_service_commit(f.service);
    /* after its commit */
    g_auto(SyncdEnqueued) later = enqueue(&f, &request);
    g_assert_true(later.duplicate);
    g_assert_cmpuint(later.sequence, ==, first.sequence);
    g_assert_false(syncd_service_has_turn(f.service));
    /* after a restart */
    service_close(&f);
    service_open(&f);
    g_auto(SyncdEnqueued) much_later = enqueue(&f, &request);
    g_assert_true(much_later.duplicate);
    g_assert_cmpstr(much_later.operation, ==, first.operation);
    /* the key belongs to the scope */
    request.scope = "workspace:other";
    g_auto(SyncdEnqueued) elsewhere = enqueue(&f, &request);
    g_assert_false(elsewhere.duplicate);
    service_clear(&f);
}

/* The entry that opens its scope is written before it. */
static void what_cannot_be_kept_opens_no_scope(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    g_autofree char *letters = g_strnfill(SYNCD_STORE_CONTENT_MAX / 4, 'x');
    g_autofree char *body = g_strdup_printf("{\"text\":\"%s\"}", letters);
    guint64 before = service_sequence(&f);
    request.body = SYNCD_BYTES_TEXT(body);

    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    const struct rlimit old = keep_files_small();
    bool ok = syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error);
    let_files_grow(&old);
    g_assert_false(ok);
    g_assert_nonnull(error);
    g_assert_false(syncd_service_has_turn(f.service));
    g_assert_cmpuint(service_sequence(&f), ==, before);

    g_clear_error(&error);
    request.create_scope = false;
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    request.create_scope = true;
    g_free(enqueue_committed(&f, &request));
    service_clear(&f);
}

static void the_same_key_with_another_request_is_an_error(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest first = good_request();
    first.idempotency_key = "once";
    g_autofree char *operation = enqueue_committed(&f, &first);
    const char *const parents[] = {operation, NULL};
    guint64 before = service_sequence(&f);

    SyncdRequest others[] = {first, first, first, first, first};
    others[0].body = SYNCD_BYTES_TEXT("{ }");
    others[1].object = "note-2";
    others[2].lane = "priority";
    others[3].data_class = "public";
    others[4].parents = parents;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdEnqueued) enqueued = {0};
        g_assert_false(syncd_service_enqueue(f.service, &f.caller, &others[i], &enqueued, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
        g_assert_false(syncd_service_has_turn(f.service));
    }
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

/* ---- parents ---- */

static void parents_are_named_by_id_and_bound_by_hash(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *parent = enqueue_body(&f, "note-1", "{}");
    g_autofree char *parent_record = get(&f, parent);
    g_autofree char *leaf = member_of(parent_record, "leaf");

    const char *const parents[] = {parent, NULL};
    SyncdRequest request = good_request();
    request.parents = parents;
    g_autofree char *child = enqueue_committed(&f, &request);
    g_autofree char *record = get(&f, child);
    g_autofree char *ids = g_strdup_printf("[\"%s\"]", parent);
    assert_member(record, "causal_parent_ids", ids);
    g_autofree char *line = newest_line(&f);
    g_autofree char *hashes = g_strdup_printf("\"parents\":[%s]", leaf);
    g_assert_nonnull(strstr(line, hashes));

    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    const char *const twice[] = {parent, parent, NULL};
    request.parents = twice;
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

/* ---- answers ---- */

static void answers_wait_for_the_commit(void)
{
    ServiceFixture f;
    service_init(&f);
    Heard at_once = {0}, one = {0}, two = {0};
    syncd_service_after_commit(f.service, note_commit, &at_once);
    g_assert_cmpuint(at_once.calls, ==, 1);

    SyncdRequest request = good_request();
    g_auto(SyncdEnqueued) first = enqueue(&f, &request);
    syncd_service_after_commit(f.service, note_commit, &one);
    g_free(enqueue(&f, &request).operation);
    syncd_service_after_commit(f.service, note_commit, &two);
    g_assert_cmpuint(one.calls + two.calls, ==, 0);

    /* nobody can read what is not durable */
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_service_get_operation(f.service, &f.caller, first.operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);

    syncd_service_commit(f.service);
    syncd_service_commit(f.service);
    g_assert_cmpuint(one.calls, ==, 1);
    g_assert_cmpuint(two.calls, ==, 1);
    g_assert_cmpint(one.code, ==, -1);
    g_assert_cmpuint(at_once.calls, ==, 1);
    service_clear(&f);
}

static void a_failed_commit_is_told_to_everybody_once(void)
{
    ServiceFixture f;
    service_init(&f);
    Heard one = {0}, two = {0};
    SyncdRequest request = good_request();
    g_free(enqueue(&f, &request).operation);
    syncd_service_after_commit(f.service, note_commit, &one);
    g_free(enqueue(&f, &request).operation);
    syncd_service_after_commit(f.service, note_commit, &two);
    guint64 before = service_sequence(&f);

    /* every write fails */
    struct rlimit old, none;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    none = old;
    none.rlim_cur = 0;
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);
    syncd_service_commit(f.service);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);

    g_assert_cmpuint(one.calls, ==, 1);
    g_assert_cmpuint(two.calls, ==, 1);
    g_assert_cmpint(one.code, ==, SYNCD_ERROR_STORAGE_FAILED);
    g_assert_cmpint(two.code, ==, SYNCD_ERROR_STORAGE_FAILED);

    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_cmpstr(state.state, ==, "repair-recommended");
    g_assert_cmpstr(state.reasons[0], ==, "storage-failed");
    g_assert_cmpuint(state.sequence, ==, before);

    /* the error is sticky, reads go on */
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) third = {0};
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &third, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    g_assert_cmpuint(count_events(&f, "sync.actor.registered"), ==, 2);
    service_clear(&f);
}

typedef struct {
    guint opened, commits;
    guint64 first, last;
    char *types;
} Listened;

static void on_opened(void *data)
{
    ((Listened *)data)->opened++;
}

static void on_committed(void *data, const SyncdCommit *commit, const char *const *types)
{
    Listened *listened = data;
    listened->commits++;
    listened->first = commit->first;
    listened->last = commit->last;
    g_free(listened->types);
    listened->types = g_strjoinv(" ", (char **)types);
}

/* The first write of a turn fails, and whatever comes after it waits for that turn all the same. */
static void a_turn_that_fails_at_once_has_an_end(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdJournal *journal = f.service->store->journal;
    exec_raw(syncd_journal_database(journal)->handle,
             "CREATE TEMP TRIGGER no_more BEFORE INSERT ON main.entry"
             " BEGIN SELECT RAISE(ABORT, 'it is full'); END");
    Listened listened = {0};
    SyncdListener listener = {.data = &listened, .turn_opened = on_opened};
    syncd_service_set_listener(f.service, &listener);
    g_autoptr(GString) content = g_string_new("{}");
    g_autoptr(GError) error = NULL;
    Heard heard = {0};
    g_assert_false(syncd_service_append_own(f.service, "policy.refused", SYNCD_LANE_POLICY, "",
                                            content, &error));
    g_assert_cmpuint(listened.opened, ==, 1);
    syncd_service_after_commit(f.service, note_commit, &heard);
    g_assert_cmpuint(heard.calls, ==, 0);
    syncd_service_commit(f.service);
    g_assert_cmpuint(heard.calls, ==, 1);
    g_assert_cmpint(heard.code, ==, error->code);
    g_assert_false(syncd_service_has_turn(f.service));
    service_clear(&f);
}

static void a_commit_is_heard_once_with_its_range_and_types(void)
{
    ServiceFixture f;
    service_init(&f);
    Listened listened = {0};
    SyncdListener listener = {
        .data = &listened, .turn_opened = on_opened, .committed = on_committed};
    syncd_service_set_listener(f.service, &listener);
    guint64 before = service_sequence(&f);
    SyncdRequest request = good_request();
    g_free(enqueue(&f, &request).operation);
    g_auto(SyncdEnqueued) two = enqueue(&f, &request);
    g_assert_cmpuint(listened.opened, ==, 1);
    g_assert_cmpuint(listened.commits, ==, 0);
    syncd_service_commit(f.service);
    syncd_service_commit(f.service);
    g_assert_cmpuint(listened.commits, ==, 1);
    g_assert_cmpuint(listened.first, ==, before + 1);
    g_assert_cmpuint(listened.last, ==, two.sequence);
    g_assert_cmpstr(listened.types, ==,
                    "sync.feed.opened sync.policy.decided sync.operation.enqueued");
    service_clear(&f);
    g_free(listened.types);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/service/the-log-begins-with-device-and-actors",
                    the_log_begins_with_device_and_actors);
    g_test_add_func("/service/a-second-start-writes-nothing", a_second_start_writes_nothing);
    g_test_add_func("/service/the-system-instance-knows-root-and-itself",
                    the_system_instance_knows_root_and_itself);
    g_test_add_func("/service/what-was-enqueued-is-read-back", what_was_enqueued_is_read_back);
    g_test_add_func("/service/a-decision-is-recorded-before-what-it-allows-and-once",
                    a_decision_is_recorded_before_what_it_allows_and_once);
    g_test_add_func("/service/the-same-key-gives-the-first-result",
                    the_same_key_gives_the_first_result);
    g_test_add_func("/service/what-cannot-be-kept-opens-no-scope",
                    what_cannot_be_kept_opens_no_scope);
    g_test_add_func("/service/the-same-key-with-another-request-is-an-error",
                    the_same_key_with_another_request_is_an_error);
    g_test_add_func("/service/parents-are-named-by-id-and-bound-by-hash",
                    parents_are_named_by_id_and_bound_by_hash);
    g_test_add_func("/service/answers-wait-for-the-commit", answers_wait_for_the_commit);
    g_test_add_func("/service/a-failed-commit-is-told-to-everybody-once",
                    a_failed_commit_is_told_to_everybody_once);
    g_test_add_func("/service/a-commit-is-heard-once-with-its-range-and-types",
                    a_commit_is_heard_once_with_its_range_and_types);
    g_test_add_func("/service/a-turn-that-fails-at-once-has-an-end",
                    a_turn_that_fails_at_once_has_an_end);
    return g_test_run();
}
