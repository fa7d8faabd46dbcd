#include "contract/operation.h"

#include "base/json.h"

static SyncdOperationFacts facts_of(const char *meta, const char *content)
{
    return (SyncdOperationFacts){
        .operation = SYNCD_BYTES_TEXT("op-1"),
        .kind = SYNCD_BYTES_TEXT("operation.enqueue"),
        .status = "queued",
        .actor = SYNCD_BYTES_TEXT("actor-1"),
        .device = SYNCD_BYTES_TEXT("device-1"),
        .decision = SYNCD_BYTES_TEXT("policy-1"),
        .lane = SYNCD_BYTES_TEXT("normal"),
        .object = SYNCD_BYTES_TEXT("note-1"),
        .scope = SYNCD_BYTES_TEXT("workspace-1"),
        .scope_class = "workspace",
        .scope_name = "notes",
        .epoch = 2,
        .seq = 7,
        .sequence = 41,
        .ms = 1777939200000,
        .updated_ms = 1777939200000,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES_TEXT(content),
    };
}

static GString *record_of(const SyncdOperationFacts *facts)
{
    g_autoptr(GError) error = NULL;
    GString *record = g_string_new(NULL);
    syncd_operation_write(facts, record);
    syncd_json_check(record->str, record->len, SYNCD_JSON_MUST_BE_OBJECT, &error);
    g_assert_no_error(error);
    return record;
}

static void assert_text(GString *record, const char *name, const char *text)
{
    SyncdJson value = syncd_json_member(syncd_json_root(record->str, record->len), name);
    g_autofree char *found = g_strndup(value.at, syncd_json_size(value));
    g_assert_cmpstr(found, ==, text);
}

#define META "{\"data_class\":\"internal\",\"type\":\"sync.operation.enqueue\"}"

static void the_whole_record(void)
{
    SyncdOperationFacts facts = facts_of(META, "{}");
    g_autoptr(GString) record = record_of(&facts);
    g_assert_cmpstr(
        record->str, ==,
        "{\"schema\":\"sourceos.workspace-operation/v1alpha1\",\"operation_id\":\"op-1\","
        "\"local_operation_id\":\"op-1\",\"operation_type\":\"sync.operation.enqueue\","
        "\"status\":\"queued\",\"workspace_id\":\"workspace:notes\","
        "\"profile_id\":\"profile:default\",\"actor_id\":\"actor-1\",\"device_id\":\"device-1\","
        "\"encryption_profile_ref\":\"encryption-profile:workspace\","
        "\"local_log_ref\":\"journal:device-1/workspace-1/2/7\","
        "\"checkpoint_ref\":\"checkpoint:device-1/workspace-1/2\",\"causal_parent_ids\":[],"
        "\"conflict_ids\":[],\"provisional_artifact_ids\":{},\"artifact_reconciliation\":{},"
        "\"policy_decision_ref\":\"policy-1\",\"artifact_admission_ref\":\"none\","
        "\"ledger_evidence_refs\":[],\"replay_safe\":true,\"stale_task\":false,"
        "\"lease_expired\":false,\"created_at\":\"2026-05-05T00:00:00Z\","
        "\"updated_at\":\"2026-05-05T00:00:00Z\",\"durable\":true,\"sequence\":41,\"scope\":"
        "\"workspace:notes\","
        "\"object_id\":\"note-1\",\"lane\":\"normal\",\"data_class\":\"internal\",\"leaf\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"feed\":\"device-1/workspace-1/2\",\"seq\":7}");
}

static void unknown_members_are_kept_byte_for_byte(void)
{
    const char *unknown =
        "\"a\\u0062\" :  [ 1.0,1e400000000000000000000 ,\n\t{\"\\/\":\"\\u00e9\xc3\xa9\"}]";
    g_autofree char *content = g_strdup_printf("{ \"status\":\"done\", %s ,\"z\":null}", unknown);
    SyncdOperationFacts facts = facts_of(META, content);
    g_autoptr(GString) record = g_string_new(NULL);
    syncd_operation_write(&facts, record);
    g_autofree char *end = g_strdup_printf(",\"seq\":7,%s,\"z\":null}", unknown);
    g_assert_true(g_str_has_suffix(record->str, end));
    g_assert_nonnull(strstr(record->str, "\"status\":\"queued\""));
    g_assert_null(strstr(record->str, "done"));
}

static void claims_about_what_only_the_daemon_knows_are_overwritten(void)
{
    static const char *const stamped[] = {
        "operation_id",
        "local_operation_id",
        "operation_type",
        "status",
        "actor_id",
        "device_id",
        "durable",
        "local_log_ref",
        "checkpoint_ref",
        "causal_parent_ids",
        "policy_decision_ref",
        "stale_task",
        "lease_expired",
        "created_at",
        "updated_at",
        "sequence",
        "scope",
        "object_id",
        "lane",
        "data_class",
        "leaf",
        "feed",
        "seq",
        "body_error",
        "entry_error",
        "purged",
    };
    SyncdOperationFacts plain = facts_of(META, "{}");
    g_autoptr(GString) expected = record_of(&plain);
    for (size_t i = 0; i < G_N_ELEMENTS(stamped); i++) {
        g_autoptr(GError) error = NULL;
        /* spelled plainly, and with its first letter as an escape */
        g_autofree char *content = g_strdup_printf("{\"%s\":{\"forged\":true}}", stamped[i]);
        g_autofree char *hidden = g_strdup_printf("{\"\\u%04x%s\":[\"forged\"]}",
                                                  (unsigned)stamped[i][0], stamped[i] + 1);
        const char *const bodies[] = {content, hidden};
        for (size_t j = 0; j < G_N_ELEMENTS(bodies); j++) {
            syncd_operation_check_body(SYNCD_BYTES_TEXT(bodies[j]), &error);
            g_assert_no_error(error);
            SyncdOperationFacts facts = facts_of(META, bodies[j]);
            g_autoptr(GString) record = record_of(&facts);
            g_assert_cmpstr(record->str, ==, expected->str);
        }
    }
}

static void what_a_caller_may_set_is_taken(void)
{
    SyncdOperationFacts facts = facts_of(
        "{\"data_class\":\"work\",\"idempotency_key\":\"k\",\"parents\":[\"op-0\"],"
        "\"type\":\"sync.operation.enqueue\"}",
        "{\"schema\":\"sourceos.workspace-operation/"
        "v1alpha1\",\"workspace_id\":\"workspace:other\","
        "\"profile_id\":\"profile:home\",\"encryption_profile_ref\":\"e\",\"conflict_ids\":[\"c\"],"
        "\"ledger_evidence_refs\":[\"l\"],\"provisional_artifact_ids\":{\"a\":\"b\"},"
        "\"artifact_reconciliation\":{\"a\":\"c\"},\"artifact_admission_ref\":\"adm\","
        "\"remote_operation_id\":\"r\",\"replay_idempotency_key\":\"mine\",\"replay_safe\":false}");
    g_autoptr(GError) error = NULL;
    syncd_operation_check_body(facts.content, &error);
    g_assert_no_error(error);
    g_autoptr(GString) record = record_of(&facts);
    assert_text(record, "workspace_id", "\"workspace:notes\""); /* the scope is the workspace */
    assert_text(record, "profile_id", "\"profile:home\"");
    assert_text(record, "encryption_profile_ref", "\"e\"");
    assert_text(record, "conflict_ids", "[\"c\"]");
    assert_text(record, "ledger_evidence_refs", "[\"l\"]");
    assert_text(record, "provisional_artifact_ids", "{\"a\":\"b\"}");
    /* nobody has checked what is said of these */
    assert_text(record, "artifact_reconciliation", "{}");
    assert_text(record, "artifact_admission_ref", "\"adm\"");
    g_assert_null(strstr(record->str, "remote_operation_id"));
    assert_text(record, "replay_idempotency_key", "\"k\""); /* the key it was enqueued with */
    assert_text(record, "replay_safe", "false");
    assert_text(record, "causal_parent_ids", "[\"op-0\"]");
    assert_text(record, "data_class", "\"work\"");
}

static void a_fault_is_named_by_its_path(void)
{
    static const struct {
        const char *body;
        SyncdErrorCode code;
        const char *place;
    } cases[] = {
        {"[]", SYNCD_ERROR_INVALID_CONTRACT, "/body"},
        {"", SYNCD_ERROR_INVALID_ENCODING, "/body"},
        {"{\"a\":1,\"a\":2}", SYNCD_ERROR_INVALID_ENCODING, "/body"},
        {"{\"ledger_evidence_refs\":[\"a\",\"b\",3]}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/ledger_evidence_refs/2 must be a string, but is integer"},
        {"{\"ledger_evidence_refs\":\"a\"}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/ledger_evidence_refs must be"},
        {"{\"conflict_ids\":[null]}", SYNCD_ERROR_INVALID_CONTRACT, "/body/conflict_ids/0 "},
        {"{\"provisional_artifact_ids\":{\"a/b~\":1}}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/provisional_artifact_ids/a~1b~0 "},
        {"{\"artifact_reconciliation\":[]}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/artifact_reconciliation "},
        {"{\"workspace_id\":\"\"}", SYNCD_ERROR_INVALID_CONTRACT, "/body/workspace_id must not"},
        {"{\"workspac\\u0065_id\":5}", SYNCD_ERROR_INVALID_CONTRACT, "/body/workspace_id "},
        {"{\"profile_id\":null}", SYNCD_ERROR_INVALID_CONTRACT, "/body/profile_id "},
        {"{\"encryption_profile_ref\":{}}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/encryption_profile_ref "},
        {"{\"replay_safe\":1}", SYNCD_ERROR_INVALID_CONTRACT, "/body/replay_safe "},
        {"{\"remote_operation_id\":[]}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/remote_operation_id "},
        {"{\"remote_operation_id\":\"\"}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/remote_operation_id must not be empty"},
        {"{\"artifact_admission_ref\":\"\"}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/artifact_admission_ref must not be empty"},
        {"{\"conflict_ids\":[\"a\",\"\"]}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/conflict_ids/1 must not be empty"},
        {"{\"provisional_artifact_ids\":{\"a\":\"\"}}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/provisional_artifact_ids/a must not be empty"},
        {"{\"artifact_reconciliation\":{\"\":\"a\"}}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/artifact_reconciliation/ must not be empty"},
        {"{\"schema\":\"sourceos.workspace-operation/v2\"}", SYNCD_ERROR_INVALID_CONTRACT,
         "/body/schema "},
        {"{\"schema\":7}", SYNCD_ERROR_INVALID_CONTRACT, "/body/schema "},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_operation_check_body(SYNCD_BYTES_TEXT(cases[i].body), &error));
        g_assert_error(error, SYNCD_ERROR, (int)cases[i].code);
        g_assert_true(g_str_has_prefix(error->message, cases[i].place));
    }
}

static void messages_stay_short_and_printable(void)
{
    g_autofree char *name = g_strnfill(100000, 'n');
    g_autofree char *body =
        g_strdup_printf("{\"artifact_reconciliation\":{\"\\u001b\\u202e%s\":1}}", name);
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_operation_check_body(SYNCD_BYTES_TEXT(body), &error));
    g_assert_cmpuint(strlen(error->message), <, 400);
    g_assert_null(strchr(error->message, 0x1b));
    g_assert_null(strstr(error->message, "\xe2\x80\xae"));
}

/* A name with U+0000 in it is no prefix trick on a known one. */
static void names_are_compared_whole(void)
{
    const char *content = "{\"lane\\u0000\":1,\"lan\":2,\"lanes\":3}";
    SyncdOperationFacts facts = facts_of(META, content);
    g_autoptr(GString) record = record_of(&facts);
    g_assert_true(
        g_str_has_suffix(record->str, ",\"seq\":7,\"lane\\u0000\":1,\"lan\":2,\"lanes\":3}"));
}

static void a_body_that_cannot_be_read_leaves_a_record(void)
{
    SyncdOperationFacts facts = facts_of("", "");
    facts.scope_class = NULL;
    facts.body_error = "it says \"no\"";
    g_autoptr(GString) record = record_of(&facts);
    assert_text(record, "body_error", "\"it says \\\"no\\\"\"");
    assert_text(record, "data_class", "null");
    assert_text(record, "scope", "\"workspace-1\"");
    assert_text(record, "workspace_id", "\"workspace:default\"");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/operation/the-whole-record", the_whole_record);
    g_test_add_func("/operation/unknown-members-are-kept-byte-for-byte",
                    unknown_members_are_kept_byte_for_byte);
    g_test_add_func("/operation/claims-about-what-only-the-daemon-knows-are-overwritten",
                    claims_about_what_only_the_daemon_knows_are_overwritten);
    g_test_add_func("/operation/what-a-caller-may-set-is-taken", what_a_caller_may_set_is_taken);
    g_test_add_func("/operation/a-fault-is-named-by-its-path", a_fault_is_named_by_its_path);
    g_test_add_func("/operation/messages-stay-short-and-printable",
                    messages_stay_short_and_printable);
    g_test_add_func("/operation/names-are-compared-whole", names_are_compared_whole);
    g_test_add_func("/operation/a-body-that-cannot-be-read-leaves-a-record",
                    a_body_that_cannot_be_read_leaves_a_record);
    return g_test_run();
}
