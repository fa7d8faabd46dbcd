#include "domain/trust.h"

#include "base/canonical.h"
#include "domain/problems.h"
#include "report-fixture.h"

static char *decide(const char *edits, const SyncdTrustRequest *request, bool *ret_allowed)
{
    g_auto(JudgedText) judged = judge_with(edits, NULL);
    GString *text = g_string_new(NULL);
    *ret_allowed = syncd_trust_decide(judged.judgement, request, text);
    return g_string_free(text, FALSE);
}

#define OLD                                                                                        \
    "/generated_at=\"2026-05-28T19:00:00Z\" ; "                                                    \
    "/runtime/last_heartbeat_at=\"2026-05-28T19:00:00Z\""
#define LATE "/lanes/1/journal/replay_lag_events=11"
#define DENIED "/policy/policy_decisions/denied=1"

/* What is asked, as "action lane", with + for a degraded state and ! for an attestation. */
static const struct {
    const char *edits;
    const char *asked;
    const char *status;
    const char *reason;
} cases[] = {
    {"", "read normal", "allowed", "state_integrity_allows_agent_action"},
    {"", "read normal +", "allowed", "state_integrity_allows_agent_action"},
    {"/extra=1", "read normal", "blocked", "report_contract_invalid"},
    {"/extra=1", "read attic !", "blocked", "report_contract_invalid"},
    {"", "read attic !", "blocked", "requested_lane_missing"},
    {"/lanes/0/status=\"unsafe\"", "read normal !", "blocked", "required_attestation_missing"},
    {"/attestation={\"signed\":true}", "read normal !", "blocked", "required_attestation_missing"},
    {"/lanes/0/status=\"unsafe\"", "read normal +", "blocked", "report_status_unsafe"},
    {OLD, "read normal +", "blocked", "report_status_not_trusted"},
    {"/collection/status=\"failed\"", "read normal +", "blocked", "report_status_not_trusted"},
    {LATE, "read normal +", "degraded_allowed", "degraded_mode_explicitly_allowed"},
    {LATE, "read normal", "blocked", "degraded_mode_requires_explicit_allowance"},
    /* The diagnosis is never taken from the report. */
    {LATE " ; /diagnosis={\"status\":\"healthy\"}", "read normal", "blocked",
     "degraded_mode_requires_explicit_allowance"},
    {DENIED, "read normal", "allowed", "state_integrity_allows_agent_action"},
    {"", "read secure", "allowed", "state_integrity_allows_agent_action"},
    {DENIED, "read secure", "blocked", "policy_counts_indicate_restricted_lane"},
    {"/policy/policy_decisions/denied=1e300", "read secure", "blocked",
     "policy_counts_indicate_restricted_lane"},
    {"/policy/policy_decisions/denied=", "read secure", "allowed",
     "state_integrity_allows_agent_action"},
    {DENIED " ; /lanes/0/name=\"repair\"", "read repair", "blocked",
     "policy_counts_indicate_restricted_lane"},
    {DENIED " ; " LATE, "read secure +", "blocked", "policy_counts_indicate_restricted_lane"},
    {DENIED " ; " LATE, "read secure", "blocked", "degraded_mode_requires_explicit_allowance"},
    /* What the lane's policy says of the action. */
    {"", "agent_access secure", "blocked", "lane_policy_does_not_allow_action"},
    {"", "replicate secure", "blocked", "lane_policy_does_not_allow_action"},
    {"", "index secure", "blocked", "lane_policy_does_not_allow_action"},
    {"", "summarise secure", "blocked", "lane_policy_does_not_allow_action"},
    {"", "summarise normal", "allowed", "state_integrity_allows_agent_action"},
    {"/lanes/0/name=\"repair\"", "write repair", "blocked", "lane_policy_does_not_allow_action"},
    {"/lanes/0/name=\"repair\"", "read repair", "allowed", "state_integrity_allows_agent_action"},
    {LATE, "agent_access secure +", "blocked", "lane_policy_does_not_allow_action"},
};

static void the_first_rule_that_matches_decides(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = g_strsplit(cases[i].asked, " ", -1);
        SyncdTrustRequest request = {
            .subject = "agent:one",
            .action = words[0],
            .lane = words[1],
            .allow_degraded = strchr(cases[i].asked, '+') != NULL,
            .require_attestation = strchr(cases[i].asked, '!') != NULL,
        };
        bool allowed;
        g_autofree char *decision = decide(cases[i].edits, &request, &allowed);
        SyncdJson root = document_of(decision);
        g_autofree char *status = syncd_json_dup_text(document_at(root, "/status"));
        g_autofree char *reason = syncd_json_dup_text(document_at(root, "/reason"));
        g_test_message("%s: %s", cases[i].edits, cases[i].asked);
        g_assert_cmpstr(status, ==, cases[i].status);
        g_assert_cmpstr(reason, ==, cases[i].reason);
        g_assert_cmpint(allowed, ==, strcmp(status, "blocked") != 0);

        g_autoptr(GPtrArray) problems = syncd_problems_new();
        syncd_trust_check(root, problems);
        g_assert_cmpuint(problems->len, ==, 0);
    }
}

static const SyncdTrustRequest plain = {"agent:caf\xc3\xa9", "read", "normal", false, false};

/* The id below was computed elsewhere from the canonical text of its eight members. */
static void the_decision_is_golden(void)
{
    bool allowed;
    g_autofree char *decision = decide("", &plain, &allowed);
    g_autofree char *id = syncd_json_dup_text(document_at(document_of(decision), "/decision_id"));
    static const char golden[] =
        ",\"generated_at\":\"2026-05-28T20:27:10Z\",\"engine\":\"agentplane-local-trust-gate\","
        "\"subject\":\"agent:caf\xc3\xa9\",\"action\":\"read\",\"lane\":\"normal\","
        "\"status\":\"allowed\",\"reason\":\"state_integrity_allows_agent_action\","
        "\"report_digest\":\"sha256:"
        "49312f188d46350514bb2c6fb81d587e40aa97c2bc814be7b669c2ab19e55337\",\"report_status\":"
        "\"healthy\","
        "\"allow_degraded\":false,\"require_attestation\":false,"
        "\"evidence\":{\"contract_errors\":[],\"diagnosis\":{\"status\":\"healthy\","
        "\"severity\":\"info\",\"summary\":\"All lanes are within their limits for heartbeat, "
        "replay, storage and disk.\",\"causes\":[],\"affected_lanes\":[],\"affected_domains\":[],"
        "\"safe_actions\":[\"continue_normal_operation\"],\"blocked_actions\":[]},"
        "\"attestation_signed\":false,\"available_lanes\":[\"normal\",\"secure\"],"
        "\"policy_counts\":{\"allowed\":7,\"denied\":0},"
        "\"lane_policy\":{\"policy_id\":\"policy-fabric-local\",\"status\":\"allowed\","
        "\"reason\":\"default_local_policy_allows\"}}}";
    g_assert_cmpstr(id, ==, "trust-6df949de6b44e3f54fdb");
    g_assert_cmpstr(strstr(decision, ",\"generated_at\""), ==, golden);
}

static void check_broken(const char *edits, const char *complaint)
{
    bool allowed;
    g_autofree char *decision = decide("", &plain, &allowed);
    g_autofree char *edited = document_edits(decision, edits);
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    bool found = false;
    syncd_trust_check(document_of(edited), problems);
    for (guint i = 0; i < problems->len; i++)
        found |= strstr(problems->pdata[i], complaint) != NULL;
    g_test_message("%s: %s", edits, problems->len > 0 ? (char *)problems->pdata[0] : "valid");
    g_assert_true(found);
}

static void what_was_changed_is_found(void)
{
    static const char *const members[] = {"subject", "action", "lane", "reason"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *edits = g_strdup_printf("/%s=\"other\"", members[i]);
        check_broken(edits, "/decision_id");
    }
    check_broken("/allow_degraded=true", "/decision_id");
    check_broken("/require_attestation=true", "/decision_id");
    check_broken("/require_attestation=true", "/evidence/attestation_signed");
    check_broken("/report_digest=\"sha256:00\"", "/decision_id");
    check_broken("/decision_id=\"trust-00\"", "/decision_id");
    check_broken("/decision_id=7", "/decision_id");
    check_broken("/status=\"blocked\"", "/status must be allowed");
    check_broken("/reason=\"report_status_unsafe\"", "/status must be blocked");
    check_broken("/reason=\"lane_policy_does_not_allow_action\"", "/status must be blocked");
    check_broken("/evidence/contract_errors=[\"x\"]", "/evidence/contract_errors");
    check_broken("/report_status=\"unsafe\"", "/report_status");
    check_broken("/evidence/diagnosis/status=\"degraded\"", "/evidence/diagnosis/status");
    check_broken("/evidence/available_lanes=[\"secure\"]", "/lane is none");
    check_broken("/status=\"degraded_allowed\"", "/allow_degraded must be true");
    check_broken("/evidence=", "evidence");
    check_broken("/extra=1", "extra");
    check_broken("=[]", "The document");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/trust/the-first-rule-decides", the_first_rule_that_matches_decides);
    g_test_add_func("/trust/the-decision-is-golden", the_decision_is_golden);
    g_test_add_func("/trust/what-was-changed-is-found", what_was_changed_is_found);
    return g_test_run();
}
