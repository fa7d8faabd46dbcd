#include "contract/records.h"

#include "base/json.h"

#define MS 1777939200123
#define TIME "\"2026-05-05T00:00:00.123Z\""

static const SyncdHash some_hash = {{0xab, 0xcd, 0xef}};
#define HASH "abcdef0000000000000000000000000000000000000000000000000000000000"

static void assert_record(GString *record, const char *expected)
{
    g_autoptr(GError) error = NULL;
    syncd_json_check(record->str, record->len, SYNCD_JSON_MUST_BE_OBJECT, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(record->str, ==, expected);
}

static void device(void)
{
    SyncdDeviceRecord record = {"device-1", "this \"device\"", "local", "trusted", MS};
    g_autoptr(GString) out = g_string_new(NULL);
    syncd_device_record_write(&record, out);
    assert_record(out, "{\"schema\":\"sourceos.device-record/v1alpha1\",\"device_id\":\"device-1\","
                       "\"display_name\":\"this \\\"device\\\"\",\"trust_level\":\"local\","
                       "\"device_state\":\"trusted\",\"created_at\":" TIME "}");
}

static void actor(void)
{
    static const char *const capabilities[] = {"read", "write", NULL};
    SyncdActorRecord record = {"actor-1", "human",    "uid 1000",        "uid:1000", capabilities,
                               "user",    "uid:1000", "device:device-1", MS};
    g_autoptr(GString) out = g_string_new(NULL);
    syncd_actor_record_write(&record, out);
    assert_record(out, "{\"schema\":\"sourceos.actor-record/v1alpha1\",\"actor_id\":\"actor-1\","
                       "\"actor_type\":\"human\",\"display_name\":\"uid 1000\","
                       "\"identity_id\":\"uid:1000\",\"workspace_scope\":[],\"profile_scope\":[],"
                       "\"capabilities\":[\"read\",\"write\"],\"trust_level\":\"user\","
                       "\"policy_subject\":\"uid:1000\",\"signing_key_ref\":\"device:device-1\","
                       "\"created_at\":" TIME "}");
}

static void decision(void)
{
    SyncdDecisionRecord record = {"policy-1",     "sha256:1", "policy-fabric-local",
                                  "v0.1.0-local", "actor-1",  "write",
                                  "repair",       "internal", "uid:1000",
                                  "note-1",       "denied",   "because",
                                  "A sentence.",  "machine",  MS};
    g_autoptr(GString) out = g_string_new(NULL);
    syncd_decision_record_write(&record, out);
    assert_record(out,
                  "{\"schema\":\"sourceos.policy-decision/v1alpha1\",\"decision_id\":\"policy-1\","
                  "\"effect\":\"deny\",\"policy_id\":\"policy-fabric-local\","
                  "\"policy_version\":\"v0.1.0-local\",\"policy_digest\":\"sha256:1\","
                  "\"actor_id\":\"actor-1\",\"profile_id\":\"profile:any\","
                  "\"workspace_id\":\"workspace:any\",\"rationale\":\"A sentence.\",\"evaluated\":{"
                  "\"action\":\"write\",\"lane\":\"repair\",\"data_class\":\"internal\","
                  "\"subject\":\"uid:1000\",\"object_id\":\"note-1\",\"status\":\"denied\","
                  "\"reason\":\"because\",\"rule_level\":\"machine\"},"
                  "\"decided_at\":" TIME "}");

    g_assert_cmpstr(syncd_decision_effect("allowed"), ==, "allow");
    g_assert_cmpstr(syncd_decision_effect("denied"), ==, "deny");
    g_assert_cmpstr(syncd_decision_effect("redacted"), ==, "deny");
    g_assert_cmpstr(syncd_decision_effect("deferred"), ==, "review_required");
    g_assert_cmpstr(syncd_decision_effect("anything else"), ==, "deny");
}

static void refusal(void)
{
    SyncdRefusalRecord record = {"actor-1", "write", "because", 3,         MS - 123,
                                 MS,        "p",     "v",       "sha256:1"};
    g_autoptr(GString) out = g_string_new(NULL);
    syncd_refusal_record_write(&record, out);
    assert_record(out, "{\"schema\":\"sourceos.policy-refusal/v1\",\"actor_id\":\"actor-1\","
                       "\"action\":\"write\",\"reason\":\"because\",\"count\":3,"
                       "\"first_at\":\"2026-05-05T00:00:00Z\",\"last_at\":" TIME ","
                       "\"policy_id\":\"p\",\"policy_version\":\"v\","
                       "\"policy_digest\":\"sha256:1\"}");

    const SyncdDecisionRecord denied = {.decision_id = "policy-1",
                                        .action = "write",
                                        .lane = "normal",
                                        .data_class = "internal",
                                        .subject = "uid:1000",
                                        .object_id = "note-1",
                                        .status = "denied",
                                        .reason = "because",
                                        .rationale = "A sentence.",
                                        .rule_level = "machine"};
    record.denied = &denied;
    g_autoptr(GString) whole = g_string_new(NULL);
    syncd_refusal_record_write(&record, whole);
    g_assert_nonnull(strstr(whole->str, "\"policy_digest\":\"sha256:1\",\"object_id\":\"note-1\","
                                        "\"decision_id\":\"policy-1\",\"rationale\":\"A "
                                        "sentence.\",\"evaluated\":{\"action\":\"write\","));
}

static void checkpoint(void)
{
    SyncdCheckpointRecord record = {.scope = "workspace-1", .size = 7, .root = &some_hash};
    g_autoptr(GString) entry = g_string_new(NULL);
    syncd_checkpoint_record_write(&record, entry);
    assert_record(entry, "{\"schema\":\"sourceos.log-checkpoint/v1\",\"scope\":\"workspace-1\","
                         "\"size\":7,\"root\":\"" HASH "\"}");

    record.operation_id = "op-1";
    record.feed = "d/s/1";
    record.note = "line\n";
    record.verifier_key = "k";
    g_autoptr(GString) answer = g_string_new(NULL);
    syncd_checkpoint_record_write(&record, answer);
    assert_record(answer, "{\"schema\":\"sourceos.log-checkpoint/v1\",\"operation_id\":\"op-1\","
                          "\"scope\":\"workspace-1\",\"feed\":\"d/s/1\",\"size\":7,"
                          "\"root\":\"" HASH "\",\"note\":\"line\\n\",\"verifier_key\":\"k\"}");
}

static void event(void)
{
    SyncdEventRecord record = {
        .leaf = &some_hash,
        .event_type = "sync.feed.opened",
        .occurred_ms = MS,
        .summary = "It happened",
        .actor_id = SYNCD_BYTES_TEXT("actor-1"),
        .device_id = SYNCD_BYTES_TEXT("device-1"),
        .sequence = 3,
        .operation_id = SYNCD_BYTES_TEXT("op-1"),
        .scope = "device",
        .kind = SYNCD_BYTES_TEXT("feed.open"),
    };
    g_autoptr(GString) out = g_string_new(NULL);
    syncd_event_record_write(&record, out);
    assert_record(out, "{\"schema\":\"sourceos.integrity-event/v1alpha1\","
                       "\"event_id\":\"evt_abcdef00000000000000000000000000\","
                       "\"event_type\":\"sync.feed.opened\",\"occurred_at\":" TIME ","
                       "\"summary\":\"It happened\",\"actor_id\":\"actor-1\","
                       "\"device_id\":\"device-1\",\"sequence\":3,\"operation_id\":\"op-1\","
                       "\"scope\":\"device\",\"kind\":\"feed.open\"}");

    record.object_id = SYNCD_BYTES_TEXT("note-1");
    record.policy_decision_ref = SYNCD_BYTES_TEXT("policy-1");
    g_string_truncate(out, 0);
    syncd_event_record_write(&record, out);
    g_assert_nonnull(strstr(out->str, "\"object_id\":\"note-1\",\"device_id\":\"device-1\","
                                      "\"policy_decision_ref\":\"policy-1\""));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/records/device", device);
    g_test_add_func("/records/actor", actor);
    g_test_add_func("/records/decision", decision);
    g_test_add_func("/records/refusal", refusal);
    g_test_add_func("/records/checkpoint", checkpoint);
    g_test_add_func("/records/event", event);
    return g_test_run();
}
