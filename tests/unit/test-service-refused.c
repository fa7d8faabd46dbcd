/* What a service refuses to write, what it says of that, and that it leaves nothing but what has to
 * be recorded. */
#include "service-fixture.h"
#include "service/internal.h"

typedef struct {
    const char *what;
    void (*spoil)(SyncdRequest *request);
    SyncdErrorCode code;
    const char *says;
} Spoiled;

#define SPOIL(name, statement)                                                                     \
    static void name(SyncdRequest *request)                                                        \
    {                                                                                              \
        statement;                                                                                 \
    }

SPOIL(type_unknown, request->type = "sync.operation.invent")
SPOIL(type_of_daemon, request->type = "sync.repair.apply")
SPOIL(scope_class, request->scope = "team:notes")
SPOIL(scope_without_name, request->scope = "workspace")
SPOIL(scope_empty_name, request->scope = "workspace:")
SPOIL(scope_device_name, request->scope = "device:one")
SPOIL(scope_slash, request->scope = "workspace:a/b")
SPOIL(scope_long, request->scope = "workspace:a12345678901234567890123456789012"
                                   "34567890123456789012345678901234")
SPOIL(scope_absent, request->scope = "workspace:absent"; request->create_scope = false)
SPOIL(object_path, request->object = "../etc/passwd")
SPOIL(object_space, request->object = "a b")
SPOIL(key_empty, request->idempotency_key = "")
SPOIL(key_control, request->idempotency_key = "a\nb")
SPOIL(key_c1, request->idempotency_key = "a\xc2\x85")
SPOIL(key_not_utf8, request->idempotency_key = "a\xff")
SPOIL(lane_unknown, request->lane = "fast")
SPOIL(lane_repair, request->lane = "repair")
SPOIL(lane_secure, request->lane = "secure")
SPOIL(class_unknown, request->data_class = "top-secret")
SPOIL(body_array, request->body = SYNCD_BYTES_TEXT("[]"))
SPOIL(body_broken, request->body = SYNCD_BYTES_TEXT("{\"a\":}"))
SPOIL(body_twice, request->body = SYNCD_BYTES_TEXT("{\"a\":1,\"a\":1}"))
SPOIL(body_type, request->body = SYNCD_BYTES_TEXT("{\"ledger_evidence_refs\":[\"a\",\"b\",{}]}"))

static void spoil_parents(SyncdRequest *request)
{
    static const char *const parents[] = {"op-00000000000000000000000000", NULL};
    request->parents = parents;
}

static void spoil_parent_text(SyncdRequest *request)
{
    static const char *const parents[] = {"no id \x1b[31m", NULL};
    request->parents = parents;
}

static void spoil_many_parents(SyncdRequest *request)
{
    static const char *const parents[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                          "j", "k", "l", "m", "n", "o", "p", "q", NULL};
    request->parents = parents;
}

static const Spoiled spoiled[] = {
    {"unknown type", type_unknown, SYNCD_ERROR_INVALID_CONTRACT, "/type"},
    {"the daemon's type", type_of_daemon, SYNCD_ERROR_APPROVAL_REQUIRED, "/type"},
    {"scope class", scope_class, SYNCD_ERROR_INVALID_CONTRACT, "/scope"},
    {"scope without name", scope_without_name, SYNCD_ERROR_INVALID_CONTRACT, "/scope"},
    {"scope with empty name", scope_empty_name, SYNCD_ERROR_INVALID_CONTRACT, "/scope"},
    {"device with a name", scope_device_name, SYNCD_ERROR_INVALID_CONTRACT, "/scope"},
    {"scope with a slash", scope_slash, SYNCD_ERROR_INVALID_CONTRACT, "/scope"},
    {"long scope", scope_long, SYNCD_ERROR_INVALID_CONTRACT, "/scope"},
    {"absent scope", scope_absent, SYNCD_ERROR_NOT_FOUND, "create_scope"},
    {"object that is a path", object_path, SYNCD_ERROR_INVALID_CONTRACT, "/object"},
    {"object with a space", object_space, SYNCD_ERROR_INVALID_CONTRACT, "/object"},
    {"empty key", key_empty, SYNCD_ERROR_INVALID_CONTRACT, "/idempotency_key"},
    {"key with a line break", key_control, SYNCD_ERROR_INVALID_CONTRACT, "/idempotency_key"},
    {"key with a C1 control", key_c1, SYNCD_ERROR_INVALID_CONTRACT, "/idempotency_key"},
    {"key that is not UTF-8", key_not_utf8, SYNCD_ERROR_INVALID_CONTRACT, "/idempotency_key"},
    {"unknown lane", lane_unknown, SYNCD_ERROR_INVALID_CONTRACT, "/lane"},
    {"unknown data class", class_unknown, SYNCD_ERROR_INVALID_CONTRACT, "/data_class"},
    {"body that is no object", body_array, SYNCD_ERROR_INVALID_CONTRACT, "/body"},
    {"broken body", body_broken, SYNCD_ERROR_INVALID_ENCODING, "/body"},
    {"body with a name twice", body_twice, SYNCD_ERROR_INVALID_ENCODING, "/body"},
    {"body of a wrong type", body_type, SYNCD_ERROR_INVALID_CONTRACT,
     "/body/ledger_evidence_refs/2"},
    {"absent parent", spoil_parents, SYNCD_ERROR_NOT_FOUND, "/parents/0"},
    {"parent that is no id", spoil_parent_text, SYNCD_ERROR_NOT_FOUND, "/parents/0"},
    {"too many parents", spoil_many_parents, SYNCD_ERROR_LIMITS_EXCEEDED, "/parents"},
};

static void a_refused_request_leaves_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    guint64 before = service_sequence(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(spoiled); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdEnqueued) enqueued = {0};
        SyncdRequest request = good_request();
        spoiled[i].spoil(&request);
        g_test_message("%s", spoiled[i].what);
        g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
        g_assert_error(error, SYNCD_ERROR, (int)spoiled[i].code);
        g_assert_nonnull(strstr(error->message, spoiled[i].says));
        g_assert_null(strchr(error->message, 0x1b));
        g_assert_false(syncd_service_has_turn(f.service));
    }
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void too_large_a_body_is_refused_unread(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_autofree char *body = g_malloc0(SYNCD_STORE_CONTENT_MAX + 1); /* not even JSON */
    SyncdRequest request = good_request();
    request.body = SYNCD_BYTES(body, SYNCD_STORE_CONTENT_MAX + 1);
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
    g_assert_false(syncd_service_has_turn(f.service));
    service_clear(&f);
}

static void what_policy_refuses_is_recorded_as_a_refusal_only(void)
{
    static const struct {
        void (*spoil)(SyncdRequest *request);
        const char *reason;
    } cases[] = {
        {lane_repair, "repair_lane_is_quarantine_scoped"},
        {lane_secure, SYNCD_POLICY_REASON_CLOSED},
    };
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdEnqueued) enqueued = {0};
        SyncdRequest request = good_request();
        cases[i].spoil(&request);
        guint64 before = service_sequence(&f);
        g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
        g_assert_nonnull(strstr(error->message, cases[i].reason));
        syncd_service_commit(f.service);
        g_assert_cmpuint(service_sequence(&f), ==, before + 1);
        g_autofree char *line = newest_line(&f);
        g_assert_nonnull(strstr(line, "\"kind\":\"policy.refused\""));
        g_assert_nonnull(strstr(line, cases[i].reason));
    }
    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_cmpuint(state.policy_blocked_count, ==, 2);
    g_assert_cmpstr(state.state, ==, "policy-blocked");
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 0);
    service_clear(&f);
}

/* What was refused on the way was refused, whatever became of what it was on the way to. */
static void a_refusal_outlives_the_turn_that_is_taken_back(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL, refusal = NULL;
    GError *failure = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    put(&f, "note-1", "{}");
    SyncdRequest request = good_request();
    lane_secure(&request);
    guint64 before = service_sequence(&f);
    g_assert_true(syncd_service_begin_whole(f.service, NULL));
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &refusal));
    g_assert_error(refusal, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    syncd_set_error(&failure, SYNCD_ERROR_FAILED, "and then something else failed");
    g_assert_false(syncd_service_end_whole(f.service, false, &failure, &error));
    syncd_service_commit(f.service);
    g_assert_cmpuint(service_sequence(&f), ==, before + 1);
    g_autofree char *line = newest_line(&f);
    g_assert_nonnull(strstr(line, "\"kind\":\"policy.refused\""));

    /* Once: a turn that lasts is not written again. */
    syncd_set_error(&failure, SYNCD_ERROR_FAILED, "and once more");
    put(&f, "note-2", "{}");
    guint64 after = service_sequence(&f);
    SyncdRequest good = good_request();
    g_assert_true(syncd_service_begin_whole(f.service, NULL));
    g_free(enqueue(&f, &good).operation);
    g_clear_error(&error);
    g_assert_false(syncd_service_end_whole(f.service, false, &failure, &error));
    syncd_service_commit(f.service);
    g_assert_cmpuint(service_sequence(&f), ==, after);
    service_clear(&f);
}

static void strangers_are_told_how_to_be_registered(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    SyncdCaller stranger = {.uid = 4711};
    g_assert_false(syncd_service_enqueue(f.service, &stranger, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_nonnull(strstr(error->message, "4711"));
    g_assert_nonnull(strstr(error->message, "register"));
    g_assert_false(syncd_service_has_turn(f.service));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/service-refused/a-refused-request-leaves-nothing",
                    a_refused_request_leaves_nothing);
    g_test_add_func("/service-refused/too-large-a-body-is-refused-unread",
                    too_large_a_body_is_refused_unread);
    g_test_add_func("/service-refused/what-policy-refuses-is-recorded-as-a-refusal-only",
                    what_policy_refuses_is_recorded_as_a_refusal_only);
    g_test_add_func("/service-refused/a-refusal-outlives-the-turn-that-is-taken-back",
                    a_refusal_outlives_the_turn_that_is_taken_back);
    g_test_add_func("/service-refused/strangers-are-told-how-to-be-registered",
                    strangers_are_told_how_to_be_registered);
    return g_test_run();
}
