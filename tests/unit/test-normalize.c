#include "domain/normalize.h"

#include "document-edit.h"
#include "domain/explanation-codes.h"
#include "domain/problems.h"

#include "crypto/hash.h"

#define NOW G_GINT64_CONSTANT(1780000030000000)

static const char OBSERVATION[] =
    "{\"schema_version\":\"sourceos.policy-observation.v0.1\",\"observation_id\":\"obs-1\","
    "\"explanation_code\":\"POLICY_UNEXPECTED_FILE_READ\","
    "\"actor\":{\"actor_id\":\"actor_a\",\"actor_type\":\"agent\",\"display_name\":\"A\"},"
    "\"subject\":{\"type\":\"file\",\"id\":\"file_b\",\"display\":\"B\"},"
    "\"operation\":\"file-read-data\",\"target_class\":\"sealed_secret\",\"result\":\"deny\"}";

static char *complaints(const char *edits, GString *event)
{
    g_autofree char *edited = document_edits(OBSERVATION, edits);
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    bool made = syncd_observation_normalize(document_of(edited), NOW, event, problems);
    g_assert_cmpint(made, ==, problems->len == 0);
    g_ptr_array_add(problems, NULL);
    return g_strjoinv("\n", (char **)problems->pdata);
}

static void the_event_is_golden(void)
{
    static const char golden[] =
        "{\"schema_version\":\"sourceos.event.v0.1\",\"event_id\":\"evt_obs-1\","
        "\"event_class\":\"policy.decision\",\"lane\":\"policy\",\"severity\":\"warning\","
        "\"outcome\":\"blocked_unexpected\",\"created_at\":\"2026-05-28T20:27:10Z\","
        "\"host\":{\"host_id\":\"host_local\",\"platform\":\"sourceos\","
        "\"privacy_zone\":\"user_private\"},"
        "\"actor\":{\"actor_id\":\"actor_a\",\"actor_type\":\"agent\",\"display_name\":\"A\"},"
        "\"causality\":{\"root_event_id\":\"evt_obs-1\",\"trace_id\":\"trace_obs-1\","
        "\"span_id\":\"span_obs-1\"},"
        "\"subject\":{\"type\":\"file\",\"id\":\"file_b\",\"display\":\"B\"},"
        "\"decision\":{\"decision_id\":\"dec_obs-1\",\"policy_bundle\":\"sourceos.baseline\","
        "\"policy_rule\":\"sourceos.policy.policy_unexpected_file_read\","
        "\"operation\":\"file-read-data\",\"target_class\":\"sealed_secret\","
        "\"result\":\"deny\",\"semantic_outcome\":\"blocked_unexpected\","
        "\"explanation_code\":\"POLICY_UNEXPECTED_FILE_READ\"},"
        "\"trust\":{\"mode\":\"local_first\",\"signature_state\":\"not_applicable\","
        "\"package_origin\":\"unknown\",\"attestation_state\":\"not_applicable\","
        "\"network_lookup\":\"not_attempted\"},\"noise_control\":{"
        "\"event_fingerprint\":\"fp_policy_unexpected_file_read_file-read-data_sealed_secret\","
        "\"first_seen\":\"2026-05-28T20:27:10Z\",\"last_seen\":\"2026-05-28T20:27:10Z\","
        "\"count\":1,\"suppressed_count\":0,\"coalesce_window_ms\":300000},"
        "\"privacy\":{\"tier\":\"user_private\",\"redaction_policy\":\"preserve_causality\","
        "\"secret_fields\":[]},\"evidence\":[{\"evidence_id\":\"ev_obs-1\","
        "\"source\":\"policy-engine\",\"raw_ref\":null,\"summary\":\"A file was not read, because "
        "the actor has no known reason to read it.\"}],\"operator_narrative\":{"
        "\"summary\":\"A file was not read, because the actor has no known reason to read it.\","
        "\"risk\":\"medium\",\"why\":\"The read fits none of the boundaries that are known for "
        "metadata, packages or repair.\",\"next_action\":\"Look at where the actor comes from, "
        "what "
        "it wanted, what started it, and what changed in the policy lately.\","
        "\"drilldown_refs\":[\"ev_obs-1\"]},\"sync\":{\"replication_policy\":\"local_only\","
        "\"retention_class\":\"standard\",\"exportable\":false}}";
    g_autoptr(GString) event = g_string_new(NULL);
    g_autofree char *found = complaints("", event);
    g_assert_cmpstr(found, ==, "");
    g_assert_cmpstr(event->str, ==, golden);
}

static void what_the_observation_says_is_kept(void)
{
    static const struct {
        const char *edits;
        const char *place;
        const char *json;
    } cases[] = {
        {"/observation_id=\"evt_x\"", "/event_id", "\"evt_x\""},
        {"/observation_id=\"evt_x\"", "/decision/decision_id", "\"dec_evt_x\""},
        {"/severity=\"critical\"", "/severity", "\"critical\""},
        {"/risk=\"medium\"", "/operator_narrative/risk", "\"medium\""},
        {"/summary=\"S\"", "/operator_narrative/summary", "\"S\""},
        {"/why=\"W\"", "/operator_narrative/why", "\"W\""},
        {"/next_action=\"N\"", "/operator_narrative/next_action", "\"N\""},
        {"/policy_bundle=\"p\"", "/decision/policy_bundle", "\"p\""},
        {"/policy_rule=\"r\"", "/decision/policy_rule", "\"r\""},
        {"/actor/uid=1000", "/actor/uid", "1000"},
        {"/causality={\"parent_event_id\":\"evt_p\",\"root_event_id\":\"evt_r\"}",
         "/causality/parent_event_id", "\"evt_p\""},
        {"/causality={\"parent_event_id\":null,\"root_event_id\":\"evt_r\"}",
         "/causality/root_event_id", "\"evt_r\""},
        {"/causality={\"root_event_id\":\"\",\"trace_id\":null}", "/causality/root_event_id",
         "\"evt_obs-1\""},
        {"/causality={\"trace_id\":\"t\",\"span_id\":\"s\"}", "/causality/trace_id", "\"t\""},
        {"/causality={\"trace_id\":\"t\",\"span_id\":\"s\"}", "/causality/span_id", "\"s\""},
        {"/privacy={\"tier\":\"admin_forensic\",\"secret_fields\":[\"path\"]}",
         "/host/privacy_zone", "\"admin_forensic\""},
        {"/privacy={\"tier\":\"admin_forensic\",\"secret_fields\":[\"path\"]}",
         "/privacy/secret_fields", "[\"path\"]"},
        {"/privacy={\"redaction_policy\":\"sealed\"}", "/privacy/redaction_policy", "\"sealed\""},
        {"/evidence=[{\"evidence_id\":\"e\",\"source\":\"kernel\",\"summary\":\"s\"}]",
         "/evidence/0/source", "\"kernel\""},
        {"/evidence=[{\"evidence_id\":\"e\",\"source\":\"gossip\",\"summary\":\"s\"}]",
         "/evidence/0/source", "\"raw-log\""},
        {"/evidence=[{\"evidence_id\":\"e\",\"source\":\"kernel\",\"summary\":\"s\"}]",
         "/operator_narrative/drilldown_refs", "[\"e\"]"},
        {"/evidence=[]", "/operator_narrative/drilldown_refs", "[\"ev_obs-1\"]"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) event = g_string_new(NULL);
        g_autofree char *found = complaints(cases[i].edits, event);
        g_test_message("%s: %s", cases[i].edits, found);
        g_assert_cmpstr(found, ==, "");
        SyncdJson value = document_at(document_of(event->str), cases[i].place);
        g_autofree char *text = g_strndup(value.at, syncd_json_size(value));
        g_assert_cmpstr(text, ==, cases[i].json);
    }
}

#define ENTITLEMENT                                                                                \
    "/explanation_code=\"POLICY_EXPECTED_ENTITLEMENT_BOUNDARY\" ; "                                \
    "/operation=\"identity.profile.read\" ; /target_class=\"management_profiles\""

static void what_the_code_does_not_allow_is_refused(void)
{
    static const struct {
        const char *edits;
        const char *complaint;
    } cases[] = {
        {"/explanation_code=\"POLICY_UNHEARD_OF\"", "/explanation_code is not registered"},
        {"/explanation_code=7", "/explanation_code"},
        {"/result=\"allow\"", "/result must be deny"},
        {"/semantic_outcome=\"blocked_expected\"", "/semantic_outcome must be"},
        {"/risk=\"low\"", "/risk must be medium"},
        {"/severity=\"notice\"", "/severity must be warning or more severe"},
        {"/operation=\"kernel.control\"", "/operation is none"},
        {"/target_class=\"network\"", "/target_class is none"},
        {"/observation_id=", "observation_id"},
        {"/observation_id=\"with spaces\"", "/event_id"},
        {"/observation_id=\"a\\u0000b\"", "/observation_id"},
        {"/actor/actor_type=\"ghost\"", "/actor/actor_type"},
        {"/privacy={\"tier\":\"none\"}", "/privacy/tier"},
        {"/extra=1", "extra"},
        {"=[]", "The document"},
        {"/explanation_code=\"POLICY_EXPECTED_TEST_BOUNDARY\" ; "
         "/operation=\"ipc.lookup.example\" ; /target_class=\"example_ipc_service\" ; "
         "/severity=\"warning\"",
         "/severity must be notice for"},
        /* Its code allows more severe, an expected block does not. */
        {ENTITLEMENT " ; /severity=\"warning\"", "/severity"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) event = g_string_new(NULL);
        g_autofree char *found = complaints(cases[i].edits, event);
        g_test_message("%s: %s", cases[i].edits, found);
        g_assert_nonnull(strstr(found, cases[i].complaint));
    }
    g_autoptr(GString) event = g_string_new(NULL);
    g_autofree char *found = complaints(ENTITLEMENT, event);
    g_assert_cmpstr(found, ==, "");
}

/* The contract's table, in one line a code: independent of the code's table. */
static void the_codes_are_those_of_the_contract(void)
{
    static const char *const lines[] = {
        "POLICY_EXPECTED_METADATA_BOUNDARY filesystem deny blocked_expected notice low false",
        "POLICY_EXPECTED_NETWORK_DISABLED network deny blocked_expected notice low false",
        "POLICY_UNEXPECTED_FILE_READ filesystem deny blocked_unexpected warning medium true",
        ("POLICY_ATTACK_LIKE_PRIVILEGE_BOUNDARY_PROBE identity deny blocked_attack_like critical "
         "critical false"),
        "POLICY_DEGRADED_TRUST_LOCAL_ONLY trust degrade degraded warning medium true",
        "POLICY_EXPECTED_ENTITLEMENT_BOUNDARY identity deny blocked_expected notice low true",
        "POWER_DARKWAKE_NETWORK_KEEPALIVE_ALLOWED power allow allowed info low true",
        "POLICY_EXPECTED_TEST_BOUNDARY generic deny blocked_expected notice low false",
    };
    static const char *const members[] = {"code",     "domain", "result", "semantic_outcome",
                                          "severity", "risk"};
    g_autoptr(GString) registry = g_string_new(NULL);
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    SyncdJsonIter iter;
    SyncdJson code;
    size_t n = 0;
    syncd_explanation_write_all(registry);
    syncd_problems_add_contract(problems, SYNCD_EXPLANATION_REGISTRY_SCHEMA,
                                document_of(registry->str));
    g_assert_cmpuint(problems->len, ==, 0);
    syncd_json_iter_init(&iter, document_at(document_of(registry->str), "/codes"));
    for (; syncd_json_iter_next(&iter, NULL, &code); n++) {
        g_autoptr(GString) line = g_string_new(NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
            g_autofree char *word = syncd_json_dup_text(syncd_json_member(code, members[i]));
            g_string_append_printf(line, "%s ", word);
        }
        SyncdJson raise = syncd_json_member(code, "allow_stricter_severity");
        g_string_append_len(line, raise.at, raise.end - raise.at);
        g_assert_cmpuint(n, <, G_N_ELEMENTS(lines));
        g_assert_cmpstr(line->str, ==, lines[n]);
    }
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(lines));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/normalize/the-event-is-golden", the_event_is_golden);
    g_test_add_func("/normalize/what-is-said-is-kept", what_the_observation_says_is_kept);
    g_test_add_func("/normalize/what-is-not-allowed", what_the_code_does_not_allow_is_refused);
    g_test_add_func("/normalize/the-codes", the_codes_are_those_of_the_contract);
    return g_test_run();
}
