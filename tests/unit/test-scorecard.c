#include "domain/scorecard.h"

#include "domain/problems.h"
#include "report-fixture.h"

static char *card_of(const char *edits, bool *ret_deliverable)
{
    g_auto(JudgedText) judged = judge_with(edits, NULL);
    GString *text = g_string_new(NULL);
    *ret_deliverable = syncd_scorecard_write(judged.judgement, text);
    return g_string_free(text, FALSE);
}

static char *failed_gates(SyncdJson card)
{
    GString *gates = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson gate;
    syncd_json_iter_init(&iter, document_at(card, "/gates"));
    while (syncd_json_iter_next(&iter, NULL, &gate)) {
        g_autofree char *id = syncd_json_dup_text(syncd_json_member(gate, "id"));
        if (syncd_json_is(syncd_json_member(gate, "status"), "fail"))
            g_string_append_printf(gates, "%s%s", gates->len > 0 ? " " : "", id);
    }
    return g_string_free(gates, FALSE);
}

#define LAG "/lanes/0/journal/replay_lag_events=1"
#define LATE "/lanes/1/journal/replay_lag_events=11"
#define WARNINGS                                                                                   \
    "/stores/0/checksum_state=\"unverified\" ; "                                                   \
    "/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\""
#define NO_HEARTBEAT "/runtime/last_heartbeat_at=null"

static void scores_and_gates_follow_the_formula(void)
{
    static const struct {
        const char *edits;
        int score;
        const char *status;
        const char *gates;
    } cases[] = {
        {"", 95, "ready", ""},
        {LAG, 85, "watch", ""},
        {"/resources/disk/pressure=\"watch\"", 95, "ready", ""},
        {"/resources/disk/pressure=\"warning\"", 85, "watch", ""},
        {"/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\"", 90, "ready", ""},
        {WARNINGS, 85, "watch", ""},
        {WARNINGS " ; /lanes/0/status=\"degraded\" ; /stores/0/unknown_flags=[\"x\"]", 80, "watch",
         ""},
        {LATE, 75, "watch", ""},
        {NO_HEARTBEAT, 85, "watch", ""},
        {NO_HEARTBEAT " ; " LATE, 65, "degraded", ""},
        {NO_HEARTBEAT " ; " WARNINGS, 75, "watch", ""},
        {NO_HEARTBEAT " ; " LATE " ; " WARNINGS, 55, "degraded", ""},
        {"/resources/disk/pressure=\"critical\"", 45, "blocked",
         "diagnosis.not_unsafe critical_invariants.none disk.not_critical"},
        {"/resources/disk/pressure=\"unknown\"", 65, "blocked",
         "diagnosis.not_unsafe critical_invariants.none disk.not_critical"},
        {"/extra=1", 65, "blocked", "contract.valid diagnosis.not_unsafe critical_invariants.none"},
        {"/lanes/0/status=\"unsafe\"", 65, "blocked",
         "diagnosis.not_unsafe critical_invariants.none"},
        {"/collection/status=\"failed\"", 85, "blocked", "diagnosis.not_unsafe"},
        {"/generated_at=\"2026-05-28T19:00:00Z\" ; "
         "/runtime/last_heartbeat_at=\"2026-05-28T19:00:00Z\"",
         85, "blocked", "diagnosis.not_unsafe"},
        {"/attestation={\"signed\":true}", 65, "blocked",
         "diagnosis.not_unsafe critical_invariants.none"},
        {"=null", 25, "blocked",
         "contract.valid diagnosis.not_unsafe critical_invariants.none disk.not_critical"},
        {"/extra=1 ; /lanes/0/status=\"unsafe\" ; /resources/disk/pressure=\"critical\" ; " LATE
         " ; /runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\" ; "
         "/runtime/last_heartbeat_at=null ; /stores/0/checksum_state=\"mismatch\" ; "
         "/stores/0/unknown_flags=[\"x\"]",
         0, "blocked",
         "contract.valid diagnosis.not_unsafe critical_invariants.none disk.not_critical"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool deliverable;
        gint64 score;
        g_autofree char *card = card_of(cases[i].edits, &deliverable);
        SyncdJson root = document_of(card);
        g_autofree char *status = syncd_json_dup_text(document_at(root, "/status"));
        g_autofree char *gates = failed_gates(root);
        g_test_message("%s", cases[i].edits);
        g_assert_true(syncd_json_get_int64(document_at(root, "/score"), &score));
        g_assert_cmpint(score, ==, cases[i].score);
        g_assert_cmpstr(status, ==, cases[i].status);
        g_assert_cmpstr(gates, ==, cases[i].gates);
        g_assert_cmpint(deliverable, ==,
                        strcmp(status, "ready") == 0 || strcmp(status, "watch") == 0);

        g_autoptr(GPtrArray) problems = syncd_problems_new();
        syncd_scorecard_check(root, problems);
        g_assert_cmpuint(problems->len, ==, 0);
    }
}

/* The id below was computed elsewhere from the canonical text of its three members. */
static void the_card_is_golden(void)
{
    bool deliverable;
    g_autofree char *card = card_of(LAG, &deliverable);
    g_autofree char *id = syncd_json_dup_text(document_at(document_of(card), "/scorecard_id"));
    static const char golden[] =
        ",\"generated_at\":\"2026-05-28T20:27:10Z\","
        "\"engine\":\"delivery-excellence-local-scorecard\",\"component\":\"sourceos-syncd\","
        "\"status\":\"watch\",\"score\":85,\"report_digest\":\"sha256:"
        "2096463cb8e6b8a01a0ae6036159a516bd9894b363fd14851d7681ac1bdb823b\","
        "\"summary\":\"Score 85 of 100: watch. All lanes are within their limits for heartbeat, "
        "replay, storage and disk.\",\"dimensions\":{\"diagnosis\":\"healthy\","
        "\"contract_errors\":0,\"invariant_failures\":0,\"invariant_warnings\":0,"
        "\"critical_failures\":0,\"lane_statuses\":{\"secure\":\"active\",\"normal\":\"active\"},"
        "\"replay_lag_events\":1,\"disk_pressure\":\"none\","
        "\"policy_counts\":{\"allowed\":7,\"denied\":0},\"attestation_signed\":false},"
        "\"gates\":[{\"id\":\"contract.valid\",\"status\":\"pass\",\"evidence\":{\"errors\":[]}},"
        "{\"id\":\"diagnosis.not_unsafe\",\"status\":\"pass\","
        "\"evidence\":{\"diagnosis\":\"healthy\"}},"
        "{\"id\":\"critical_invariants.none\",\"status\":\"pass\","
        "\"evidence\":{\"critical_failures\":0}},{\"id\":\"disk.not_critical\","
        "\"status\":\"pass\",\"evidence\":{\"pressure\":\"none\"}}]}";
    g_assert_cmpstr(id, ==, "scorecard-d4985c3ad7d98ef90bb0");
    g_assert_cmpstr(strstr(card, ",\"generated_at\""), ==, golden);

    g_autofree char *nameless = card_of("/identity/component=\"\"", &deliverable);
    g_assert_true(syncd_json_is(document_at(document_of(nameless), "/component"), "unknown"));
}

static void check_broken(const char *edits, const char *complaint)
{
    bool deliverable, found = false;
    g_autofree char *card = card_of("", &deliverable);
    g_autofree char *edited = document_edits(card, edits);
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    syncd_scorecard_check(document_of(edited), problems);
    for (guint i = 0; i < problems->len; i++)
        found |= strstr(problems->pdata[i], complaint) != NULL;
    g_test_message("%s: %s", edits, problems->len > 0 ? (char *)problems->pdata[0] : "valid");
    g_assert_true(found);
}

static void what_was_changed_is_found(void)
{
    check_broken("/component=\"other\"", "/scorecard_id");
    check_broken("/report_digest=\"sha256:00\"", "/scorecard_id");
    check_broken("/status=\"watch\"", "/scorecard_id");
    check_broken("/status=\"watch\"", "/status must be ready");
    check_broken("/score=69", "/status must be degraded");
    check_broken("/score=100", "/score must be 95");
    check_broken("/score=101", "/score");
    check_broken("/gates/0/status=\"fail\"", "/status must be blocked");
    check_broken("/gates/0=", "/gates must contain contract.valid once");
    check_broken("/gates/0/id=\"disk.not_critical\"", "/gates must contain disk.not_critical once");
    check_broken("/dimensions/invariant_failures=1", "/score must be 85");
    check_broken("/dimensions/critical_failures=9", "/score must be 55");
    check_broken("/dimensions/invariant_warnings=1", "/score must be 90");
    check_broken("/dimensions/replay_lag_events=1", "/score must be 85");
    check_broken("/dimensions/disk_pressure=\"critical\"", "/score must be 75");
    check_broken("/dimensions/attestation_signed=true", "/score must be 100");
    check_broken("/dimensions/attestation_signed=", "/dimensions lacks");
    check_broken("/dimensions/disk_pressure=1", "/dimensions lacks");
    check_broken("/extra=1", "extra");
    check_broken("=[]", "The document");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/scorecard/scores-and-gates", scores_and_gates_follow_the_formula);
    g_test_add_func("/scorecard/the-card-is-golden", the_card_is_golden);
    g_test_add_func("/scorecard/what-was-changed-is-found", what_was_changed_is_found);
    return g_test_run();
}
