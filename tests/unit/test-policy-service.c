/*
 * Policy in the write path: what the rules in force say is what happens, every effect leaves its
 * evidence, and another set of rules decides from the moment it is given.
 */
#include "policy-fixture.h"
#include "service-fixture.h"

#include "service/internal.h"
#include "store/store-private.h"

#define NOT_FROM(place) FILE_OF(RULE(place, "deny", "site_says_no"))

static void give(ServiceFixture *f, const char *machine, const char *fault)
{
    syncd_service_set_policy(f->service, set_of(machine, NULL), fault);
}

static void refused(ServiceFixture *f, const SyncdRequest *request, SyncdErrorCode code,
                    const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    guint64 before = service_sequence(f);
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, reason));
    syncd_service_commit(f->service);
    g_assert_cmpuint(service_sequence(f), <=, before + 1); /* its own record, or a count in one */
}

static char *decision_of(ServiceFixture *f, const SyncdRequest *request)
{
    g_autofree char *operation = enqueue_committed(f, request);
    g_autofree char *record = get(f, operation);
    return member_of(record, "policy_decision_ref");
}

static void a_rule_refuses_and_leaves_evidence(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    give(&f, NOT_FROM("\"scopes\":[\"workspace:notes\"]"), NULL);
    refused(&f, &request, SYNCD_ERROR_POLICY_DENIED,
            "site_says_no, a rule of the machine in "
            "machine.json: Because.");
    g_autofree char *line = newest_line(&f);
    g_assert_nonnull(strstr(line, "\"kind\":\"policy.refused\""));
    g_assert_nonnull(strstr(line, "site_says_no"));
    refused(&f, &request, SYNCD_ERROR_POLICY_DENIED, "site_says_no");
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 0);
    service_clear(&f);
}

/* Who asked what about which object, and which rule said no: the event has it all. */
static void a_denial_says_what_was_asked(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    give(&f, NOT_FROM("\"scopes\":[\"workspace:notes\"]"), NULL);
    refused(&f, &request, SYNCD_ERROR_POLICY_DENIED, "site_says_no");
    g_autofree char *events = events_of(&f, "sync.policy.denied");
    SyncdJson event;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, syncd_json_root(events, strlen(events)));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &event));
    SyncdJson policy = syncd_json_member(event, "policy");
    SyncdJson evaluated = syncd_json_member(policy, "evaluated");
    g_autofree char *actor = NULL;
    syncd_service_find_caller(f.service, &f.caller, &actor, NULL);
    g_autofree char *decision =
        syncd_json_dup_text(syncd_json_member(event, "policy_decision_ref"));
    g_assert_true(syncd_json_is(syncd_json_member(event, "reason_code"), "site_says_no"));
    g_assert_true(syncd_json_is(syncd_json_member(event, "object_id"), request.object));
    g_assert_true(syncd_json_is(syncd_json_member(event, "actor_id"), actor));
    g_assert_true(g_str_has_prefix(decision, "policy-"));
    g_assert_true(syncd_json_is(syncd_json_member(policy, "decision_id"), decision));
    g_assert_true(syncd_json_is(syncd_json_member(policy, "rationale"), "Because."));
    g_assert_true(syncd_json_is(syncd_json_member(evaluated, "action"), "write"));
    g_assert_true(syncd_json_is(syncd_json_member(evaluated, "rule_level"), "machine"));
    g_autofree char *summary = syncd_json_dup_text(syncd_json_member(event, "summary"));
    g_assert_nonnull(strstr(summary, ": write note-1, site_says_no"));
    service_clear(&f);
}

/* The id that a refusal tells to ask for; NULL when it tells none. */
static char *told_decision(ServiceFixture *f, const SyncdRequest *request)
{
    static const char hint[] = "`sourceos-syncd policy explain policy-";
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    /* Not before it is durable. */
    g_autoptr(GError) named = syncd_service_take_denial(f->service, error);
    g_assert_true(named == NULL || strstr(error->message, hint) == NULL);
    g_assert_null(syncd_service_take_denial(f->service, error));
    if (syncd_service_commit_turn(f->service, NULL) && named != NULL) {
        g_error_free(error);
        error = g_steal_pointer(&named);
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    }
    const char *at = strstr(error->message, "(policy-");
    g_assert_nonnull(at); /* the message always names it */
    at = strstr(error->message, hint);
    return at != NULL ? g_strndup(at + strlen(hint) - strlen("policy-"), SYNCD_DECISION_ID_SIZE - 1)
                      : NULL;
}

static bool log_has(ServiceFixture *f, const char *decision)
{
    g_autofree char *events = events_of(f, "sync.policy.denied");
    g_autofree char *named = g_strdup_printf("\"policy_decision_ref\":\"%s\"", decision);
    return strstr(events, named) != NULL;
}

/* Whoever is refused may ask why, and finds the decision in the log. A flood of them is counted. */
static void a_denial_names_the_decision_that_the_log_has(void)
{
    enum { FLOOD = 20, NAMED = 8 };
    ServiceFixture f;
    guint named = 0;
    service_init(&f);
    give(&f,
         FILE_OF(RULE("\"object_types\":[\"none\"]", "allow", "x") "," RULE(
             "\"objects\":[\"note-0\",\"note-1\",\"note-2\",\"note-3\",\"note-4\",\"note-5\","
             "\"note-6\",\"note-7\",\"note-8\",\"note-9\",\"note-10\",\"note-11\",\"note-12\","
             "\"note-13\",\"note-14\",\"note-15\",\"note-16\",\"note-17\",\"note-18\","
             "\"note-19\"]",
             "deny", "not_these")),
         NULL);
    for (int i = 0; i < FLOOD; i++) {
        g_autofree char *object = g_strdup_printf("note-%d", i);
        SyncdRequest request = good_request();
        request.object = object;
        g_autofree char *decision = told_decision(&f, &request);
        g_assert_true(decision == NULL || log_has(&f, decision));
        named += decision != NULL;
    }
    g_assert_cmpuint(named, ==, NAMED);
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, NAMED);
    syncd_service_flush_refusals(f.service, true);
    syncd_service_commit(f.service);
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, NAMED + 1);
    service_clear(&f);
}

static void limit_log(ServiceFixture *f, const char *pragma)
{
    g_assert_true(
        syncd_database_run(syncd_journal_database(f->service->store->journal), pragma, NULL));
}

#define DENIED_NOTES                                                                               \
    FILE_OF(RULE("\"object_types\":[\"none\"]", "allow", "x") "," RULE(                            \
        "\"objects\":[\"note-0\",\"note-1\",\"note-2\",\"note-3\",\"note-4\",\"note-5\","          \
        "\"note-6\",\"note-7\"]",                                                                  \
        "deny", "not_these"))

/* It takes what fits into it as it is, and little more after that. */
static void fill_log(ServiceFixture *f)
{
    SyncdStore *store = f->service->store;
    g_autofree char *content = g_strnfill(3000, 'x');
    SyncdDraft draft = {
        .kind = "operation.enqueue",
        .actor = "actor-test",
        .object = "",
        .decision = "",
        .engine = "",
        .lane = "normal",
        .schema_id = "x",
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES_TEXT(content),
    };
    limit_log(f, "PRAGMA max_page_count = 1");
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 1000 && error == NULL; i++)
        if (syncd_store_append(store, syncd_store_device_id(store), &draft, NULL, &error))
            syncd_store_commit(store, NULL, &error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    syncd_store_discard(store);
    g_assert_false(syncd_store_lacks_room(store));
}

static void a_denial_that_is_not_kept_names_nothing(void)
{
    ServiceFixture f;
    guint unnamed = 0;
    service_init(&f);
    give(&f, DENIED_NOTES, NULL);
    fill_log(&f);
    for (int i = 0; i < 8; i++) {
        g_autofree char *object = g_strdup_printf("note-%d", i);
        SyncdRequest request = good_request();
        request.object = object;
        g_autofree char *decision = told_decision(&f, &request);
        g_assert_true(decision == NULL || log_has(&f, decision));
        unnamed += decision == NULL;
    }
    g_assert_cmpuint(unnamed, >, 0);
    limit_log(&f, "PRAGMA max_page_count = 1000000");
    f.base.now_usec += 120 * G_USEC_PER_SEC;
    SyncdRequest request = good_request();
    request.object = "note-0";
    g_free(told_decision(&f, &request)); /* its commit finds that there is room again */
    request.object = "note-1";
    g_autofree char *decision = told_decision(&f, &request);
    g_assert_nonnull(decision);
    g_assert_true(log_has(&f, decision));
    service_clear(&f);
}

/* What a turn recorded goes with it. */
static void a_denial_whose_turn_failed_is_recorded_again(void)
{
    ServiceFixture f;
    service_init(&f);
    give(&f, DENIED_NOTES, NULL);
    SyncdRequest request = good_request();
    request.object = "note-0";
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
    syncd_store_discard(f.service->store);
    syncd_service_count_refusals_again(f.service);
    g_autofree char *decision = told_decision(&f, &request);
    g_assert_nonnull(decision);
    g_assert_true(log_has(&f, decision));
    service_clear(&f);
}

/* Those that are counted together say only what is the same of all. */
static void denials_of_several_objects_name_none(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    give(&f, NOT_FROM("\"scopes\":[\"workspace:notes\"]"), NULL);
    refused(&f, &request, SYNCD_ERROR_POLICY_DENIED, "site_says_no");
    for (unsigned i = 0; i < 3; i++) {
        request.object = i < 2 ? "note-2" : "note-3";
        refused(&f, &request, SYNCD_ERROR_POLICY_DENIED, "site_says_no");
    }
    syncd_service_flush_refusals(f.service, true);
    syncd_service_commit(f.service);
    g_autofree char *events = events_of(&f, "sync.policy.denied");
    SyncdJson event;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, syncd_json_root(events, strlen(events)));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &event)); /* the first one, by itself */
    g_assert_true(syncd_json_iter_next(&iter, NULL, &event));
    SyncdJson policy = syncd_json_member(event, "policy");
    gint64 count;
    g_assert_true(syncd_json_get_int64(syncd_json_member(policy, "count"), &count));
    g_assert_cmpint(count, ==, 3);
    g_assert_cmpint(syncd_json_member(event, "object_id").type, ==, SYNCD_JSON_NONE);
    g_assert_true(syncd_json_is(syncd_json_member(event, "reason_code"), "site_says_no"));
    service_clear(&f);
}

static void a_review_names_what_to_do(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    give(&f, FILE_OF(RULE("\"objects\":[\"note-1\"]", "review_required", "look_first")), NULL);
    refused(&f, &request, SYNCD_ERROR_APPROVAL_REQUIRED, "Next: have the request reviewed");
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 1);
    request.object = "note-2";
    g_free(enqueue_committed(&f, &request));
    service_clear(&f);
}

static void an_allowance_is_recorded_once_for_each_class(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.lane = "secure";
    refused(&f, &request, SYNCD_ERROR_POLICY_DENIED, SYNCD_POLICY_REASON_CLOSED);
    give(&f,
         FILE_OF(RULE("\"lanes\":[\"secure\"]", "allow",
                      "secure_is_open") "," RULE("\"objects\":[\"other\"]", "allow", "other_too")),
         NULL);
    g_autofree char *first = decision_of(&f, &request);
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 2);
    request.object = "note-2"; /* no rule tells it from note-1 */
    g_autofree char *second = decision_of(&f, &request);
    g_assert_cmpstr(first, ==, second);
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 2);
    request.object = "other"; /* a rule does */
    g_autofree char *third = decision_of(&f, &request);
    g_assert_cmpstr(first, !=, third);
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 4);
    service_clear(&f);
}

static void *remembered(ServiceFixture *f)
{
    GHashTableIter iter;
    void *decisions;
    g_assert_cmpuint(g_hash_table_size(f->service->decisions), ==, 1);
    g_hash_table_iter_init(&iter, f->service->decisions);
    g_assert_true(g_hash_table_iter_next(&iter, &decisions, NULL));
    return decisions;
}

static void who_asks_again_is_not_decided_anew(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    g_free(enqueue_committed(&f, &request));
    void *first = remembered(&f);
    request.object = "note-2";
    g_free(enqueue_committed(&f, &request));
    g_assert_true(remembered(&f) == first);
    give(&f, NULL, NULL);
    g_assert_cmpuint(g_hash_table_size(f.service->decisions), ==, 0);
    service_clear(&f);
}

static void other_rules_decide_from_the_next_request_on(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    g_autofree char *first = decision_of(&f, &request);
    give(&f, NOT_FROM("\"lanes\":[\"normal\"]"), NULL);
    refused(&f, &request, SYNCD_ERROR_POLICY_DENIED, "site_says_no");
    /* The same answer of other rules is another record of the same id. */
    give(&f, NOT_FROM("\"lanes\":[\"archive\"]"), NULL);
    g_autofree char *second = decision_of(&f, &request);
    g_assert_cmpstr(first, ==, second);
    g_assert_cmpuint(count_events(&f, "sync.policy.decided"), ==, 4);
    service_clear(&f);
}

static void the_state_says_that_rules_were_refused(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    SyncdState state;
    give(&f, NULL, "50-site.json: /rules/0/effect must be one of allow");
    syncd_service_state(f.service, &state);
    g_assert_cmpstr(state.state, ==, "degraded");
    g_assert_cmpstr(state.reasons[0], ==, "policy-rules-refused");
    g_autofree char *mine = syncd_service_describe(f.service, &f.caller, &error);
    g_assert_nonnull(strstr(mine, "50-site.json: /rules/0/effect"));
    g_autofree char *counts = syncd_service_describe(f.service, NULL, &error);
    g_assert_null(strstr(counts, "50-site.json"));
    g_autofree char *status = syncd_service_status(f.service);
    g_assert_null(strstr(status, "50-site.json"));
    give(&f, NULL, NULL);
    syncd_service_state(f.service, &state);
    g_assert_cmpstr(state.state, ==, "clean");
    service_clear(&f);
}

/* However it came about: the last door before the log asks for it. */
static void what_changes_much_always_names_a_decision(void)
{
    static const struct {
        const char *kind;
        bool needed;
    } cases[] = {
        {"repair.apply", true},       {"tombstone.apply", true},
        {"export.bundle", true},      {"schema.migrated", true},
        {"replica.sent", true},       {"deletion.authorised", true},
        {"deletion.hidden", true},    {"deletion.propagated", true},
        {"deletion.restored", true},  {"object.deleted", true},
        {"object.changed", false},    {"actor.registered", false},
        {"schema.registered", false}, {"repair", false},
    };
    ServiceFixture f;
    service_init(&f);
    const char *device = syncd_store_device_id(f.service->store);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(syncd_policy_needs_decision(cases[i].kind), ==, cases[i].needed);
        if (!cases[i].needed)
            continue;
        g_autoptr(GError) error = NULL;
        g_auto(SyncdReceipt) receipt = {0};
        const SyncdDraft draft = {.kind = cases[i].kind, .decision = "", .actor = "a"};
        g_assert_false(syncd_service_append(f.service, device, &draft, &receipt, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
        g_assert_false(syncd_store_has_turn(f.service->store));
    }
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add_func("/policy-service/" name, func)
    ADD("denial-not-kept", a_denial_that_is_not_kept_names_nothing);
    ADD("denial-lost", a_denial_whose_turn_failed_is_recorded_again);
    ADD("a-rule-refuses-and-leaves-evidence", a_rule_refuses_and_leaves_evidence);
    ADD("a-denial-says-what-was-asked", a_denial_says_what_was_asked);
    ADD("a-denial-names-the-decision-that-the-log-has",
        a_denial_names_the_decision_that_the_log_has);
    ADD("denials-of-several-objects-name-none", denials_of_several_objects_name_none);
    ADD("a-review-names-what-to-do", a_review_names_what_to_do);
    ADD("an-allowance-is-recorded-once-for-each-class",
        an_allowance_is_recorded_once_for_each_class);
    ADD("other-rules-decide-from-the-next-request-on", other_rules_decide_from_the_next_request_on);
    ADD("the-state-says-that-rules-were-refused", the_state_says_that_rules_were_refused);
    ADD("who-asks-again-is-not-decided-anew", who_asks_again_is_not_decided_anew);
    ADD("what-changes-much-always-names-a-decision", what_changes_much_always_names_a_decision);
#undef ADD
    return g_test_run();
}
