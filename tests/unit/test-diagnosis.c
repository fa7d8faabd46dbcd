#include "domain/diagnosis.h"

#include "report-fixture.h"

static char *joined(const GPtrArray *words)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", (const char *)words->pdata[i]);
    return g_string_free(text, FALSE);
}

#define FRESH_NEEDED "agent_action_requiring_fresh_state"
#define NO_PURGE "destructive_purge_without_policy_grant"
#define OLD                                                                                        \
    "/generated_at=\"2026-05-28T19:00:00Z\" ; "                                                    \
    "/runtime/last_heartbeat_at=\"2026-05-28T19:00:00Z\""

static void the_worst_finding_decides(void)
{
    static const struct {
        const char *edits;
        const char *status;
        const char *severity;
        const char *causes;
        const char *lanes;
        const char *safe;
        const char *blocked;
    } cases[] = {
        {"", "healthy", "info", "", "", "continue_normal_operation", ""},
        {"/collection/status=\"partial\"", "healthy", "info", "collection.partial", "",
         "continue_normal_operation", ""},
        {"/resources/disk/pressure=\"watch\"", "healthy", "info", "", "",
         "continue_normal_operation", ""},
        {"/resources/disk/pressure=\"warning\"", "healthy", "info", "", "", "purge_preview",
         NO_PURGE},
        {"/resources/disk/pressure=\"critical\"", "unsafe", "critical",
         "resources.disk_pressure_below_critical", "", "compact_or_purge_preview purge_preview",
         NO_PURGE},
        {"/resources/disk/pressure=\"unknown\"", "unsafe", "critical",
         "resources.disk_pressure_below_critical", "", "compact_or_purge_preview", ""},
        {"/lanes/1/journal/replay_lag_events=11", "degraded", "error",
         "journal.replay_lag_within_sla", "normal", "run_replay", FRESH_NEEDED},
        {"/runtime/last_heartbeat_at=null", "degraded", "error", "heartbeat.within_sla", "",
         "restart_or_mark_stale", FRESH_NEEDED},
        {"/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\"", "degraded", "warning",
         "runtime.no_unrecovered_dirty_open", "", "verify_before_ready", ""},
        {"/lanes/0/status=\"repairing\" ; /lanes/1/status=\"degraded\"", "degraded", "warning",
         "lanes.status_safe", "normal secure", "isolate_and_verify_lane", ""},
        {"/lanes/0/status=\"unsafe\" ; /lanes/1/journal/replay_lag_events=11", "unsafe", "critical",
         "journal.replay_lag_within_sla lanes.status_safe", "normal secure",
         "isolate_and_verify_lane run_replay", FRESH_NEEDED},
        {"/lanes/1/journal/checksum_state=\"mismatch\"", "unsafe", "critical",
         "store.checksums_match", "normal", "verify_checksums", ""},
        {OLD, "stale", "error", "report.fresh", "", "collect_fresh_report", FRESH_NEEDED},
        {OLD " ; /lanes/0/status=\"unsafe\"", "unsafe", "critical",
         "lanes.status_safe report.fresh", "secure", "collect_fresh_report isolate_and_verify_lane",
         FRESH_NEEDED},
        {"/collection/status=\"failed\"", "unknown", "error",
         "collection.failed collection.succeeded", "", "collect_fresh_report", FRESH_NEEDED},
        {OLD " ; /collection/status=\"failed\"", "unknown", "error",
         "collection.failed collection.succeeded report.fresh", "", "collect_fresh_report",
         FRESH_NEEDED},
        {"/invariants/0/id=\"journal.writable\" ; /invariants/0/status=\"fail\"", "degraded",
         "error", "report.reported_invariants_pass", "", "follow_reported_remediation",
         "recording_operations"},
        {"/invariants/0/id=\"keys.present\" ; /invariants/0/status=\"fail\" ; "
         "/invariants/0/severity=\"critical\"",
         "unsafe", "critical", "report.reported_invariants_pass", "", "follow_reported_remediation",
         "recording_without_key"},
        {"/diagnosis={\"status\":\"degraded\"}", "degraded", "error", "report.diagnosis_consistent",
         "", "collect_fresh_report", FRESH_NEEDED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(JudgedText) judged = judge_with(cases[i].edits, NULL);
        const SyncdDiagnosis *diagnosis = judged.judgement->diagnosis;
        g_autofree char *causes = joined(diagnosis->causes);
        g_autofree char *lanes = joined(diagnosis->affected_lanes);
        g_autofree char *safe = joined(diagnosis->safe_actions);
        g_autofree char *blocked = joined(diagnosis->blocked_actions);
        g_test_message("%s", cases[i].edits);
        g_assert_cmpstr(diagnosis->status, ==, cases[i].status);
        g_assert_cmpstr(syncd_severity_name(diagnosis->severity), ==, cases[i].severity);
        g_assert_cmpstr(causes, ==, cases[i].causes);
        g_assert_cmpstr(lanes, ==, cases[i].lanes);
        g_assert_cmpstr(safe, ==, cases[i].safe);
        g_assert_cmpstr(blocked, ==, cases[i].blocked);
        g_assert_cmpint(syncd_judgement_is_healthy(judged.judgement), ==,
                        strcmp(cases[i].status, "healthy") == 0);
    }
}

static void the_document_says_what_may_be_done(void)
{
    static const char golden[] =
        "{\"status\":\"degraded\",\"severity\":\"error\",\"summary\":\"The state is degraded "
        "because of journal.replay_lag_within_sla, runtime.no_unrecovered_dirty_open.\","
        "\"causes\":[\"journal.replay_lag_within_sla\",\"runtime.no_unrecovered_dirty_open\"],"
        "\"affected_lanes\":[\"normal\"],\"affected_domains\":[\"journal\",\"runtime\"],"
        "\"safe_actions\":[\"purge_preview\",\"run_replay\",\"verify_before_ready\"],"
        "\"blocked_actions\":[\"" FRESH_NEEDED "\",\"" NO_PURGE "\"],"
        "\"controls\":[{\"id\":\"run_replay\",\"trigger\":\"journal.replay_lag_within_sla\","
        "\"action\":\"run_replay\",\"mode\":\"automatic_allowed\"},"
        "{\"id\":\"disk_pressure_purge_preview\","
        "\"trigger\":\"resources.disk_pressure_below_critical\",\"action\":\"purge_preview\","
        "\"mode\":\"manual_approval_required\"},{\"id\":\"verify_dirty_open\","
        "\"trigger\":\"runtime.no_unrecovered_dirty_open\",\"action\":\"verify_before_ready\","
        "\"mode\":\"automatic_allowed\"}],"
        "\"narrative\":{\"what_happened\":[\"Lookups are further behind the log than they may "
        "be.\","
        "\"The daemon did not end cleanly the last time.\"],\"why_policy_acted\":["
        "\"Agents that need to know how things are now may not act, as that is not known.\","
        "\"Nothing is purged to make room unless somebody approves of exactly that.\"],"
        "\"what_risk_remains\":[\"Answers may be older than what was acknowledged.\","
        "\"Until the log has been verified, its end may be damaged.\"],\"what_to_do\":["
        "\"See what is wrong and what mends it: `sourceos-syncd doctor`.\","
        "\"Wait for the verification that runs after a start, or begin one: "
        "`sourceos-syncd verify log`.\",\"See what a purge would take before anything goes: "
        "`sourceos-syncd repair plan --purge`.\"]}}";
    g_auto(JudgedText) judged =
        judge_with("/lanes/1/journal/replay_lag_events=11 ; /resources/disk/pressure=\"warning\" ; "
                   "/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\"",
                   NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_judgement_write_explanation(judged.judgement, text);
    g_assert_cmpstr(text->str, ==, golden);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/diagnosis/the-worst-finding-decides", the_worst_finding_decides);
    g_test_add_func("/diagnosis/the-document", the_document_says_what_may_be_done);
    return g_test_run();
}
