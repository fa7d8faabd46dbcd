#include "domain/invariants.h"

#include "report-fixture.h"

/* "heartbeat.within_sla:fail/error ..." of those that do not pass, in their order. */
static char *findings(const SyncdInvariants *invariants)
{
    GString *found = g_string_new(NULL);
    for (int i = 0; i < SYNCD_N_INVARIANTS; i++)
        if (!syncd_invariants_hold(invariants, i))
            g_string_append_printf(found, "%s%s:%s/%s", found->len > 0 ? " " : "",
                                   syncd_invariant_name(i),
                                   syncd_result_name(invariants->of[i].result),
                                   syncd_severity_name(invariants->of[i].severity));
    return g_string_free(found, FALSE);
}

typedef struct {
    const char *edits;
    const char *findings;
} Case;

static void check_cases(const Case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_auto(JudgedText) judged = judge_with(cases[i].edits, NULL);
        g_autofree char *found = findings(judged.judgement->invariants);
        g_test_message("%s", cases[i].edits);
        g_assert_cmpstr(found, ==, cases[i].findings);
    }
}

#define HEARTBEAT_FAILS "heartbeat.within_sla:fail/error"
#define LAG_FAILS "journal.replay_lag_within_sla:fail/error"
#define SHADOW_WARNS "store.shadow_verified_when_present:warn/warning"
#define DISK_FAILS "resources.disk_pressure_below_critical:fail/critical"
#define CHECKSUMS_FAIL "store.checksums_match:fail/critical"

static void a_healthy_report_has_no_finding(void)
{
    static const Case cases[] = {{"", ""}};
    check_cases(cases, G_N_ELEMENTS(cases));
    g_auto(JudgedText) judged = judge_with("", NULL);
    g_assert_cmpuint(judged.judgement->report->errors->len, ==, 0);
    g_assert_cmpint(syncd_invariants_worst(judged.judgement->invariants), ==, SYNCD_PASS);
}

static void heartbeats_are_recent_and_not_from_the_future(void)
{
    static const Case cases[] = {
        {"/runtime/last_heartbeat_at=\"2026-05-28T20:26:30Z\"", ""},
        {"/runtime/last_heartbeat_at=\"2026-05-28T20:26:29.999Z\"", HEARTBEAT_FAILS},
        {"/runtime/last_heartbeat_at=\"2026-05-28T22:26:55+02:00\"", ""},
        {"/runtime/last_heartbeat_at=null", HEARTBEAT_FAILS},
        /* The time of the report was cut to seconds. */
        {"/runtime/last_heartbeat_at=\"2026-05-28T20:27:00.9Z\"", ""},
        {"/runtime/last_heartbeat_at=\"2026-05-28T20:27:01Z\"", HEARTBEAT_FAILS},
        {"/runtime/last_heartbeat_at=\"2027-01-01T00:00:00Z\"", HEARTBEAT_FAILS},
        /* The strictest lane decides; without any, thirty seconds. */
        {"/lanes/1/sla/max_heartbeat_age_ms=9999", HEARTBEAT_FAILS},
        {"/lanes/1/sla/max_heartbeat_age_ms=10000", ""},
        {"/lanes/1/sla/max_heartbeat_age_ms=10000.0", ""},
        {"/lanes/0/sla/max_heartbeat_age_ms= ; /lanes/1/sla/max_heartbeat_age_ms= ; "
         "/runtime/last_heartbeat_at=\"2026-05-28T20:26:29Z\"",
         HEARTBEAT_FAILS},
        {"/lanes/0/sla/max_heartbeat_age_ms= ; /lanes/1/sla/max_heartbeat_age_ms= ; "
         "/runtime/last_heartbeat_at=\"2026-05-28T20:26:30Z\"",
         ""},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void no_lane_is_late_behind_another_one(void)
{
    static const Case cases[] = {
        {"/lanes/0/journal/replay_lag_events=100", ""},
        {"/lanes/0/journal/replay_lag_events=101", LAG_FAILS},
        /* 20 of 110 in sum, but 20 of 10 in its lane. */
        {"/lanes/1/journal/replay_lag_events=20", LAG_FAILS},
        {"/lanes/1/sla/max_replay_lag_events= ; /lanes/1/journal/replay_lag_events=1", LAG_FAILS},
        {"/lanes/0/journal/oldest_unapplied_event_age_ms=10000", ""},
        {"/lanes/0/journal/oldest_unapplied_event_age_ms=10001", LAG_FAILS},
        {"/lanes/1/journal/oldest_unapplied_event_age_ms=99999", ""},
        {"/lanes/0/journal/replay_lag_events=18446744073709551615 ; "
         "/lanes/1/journal/replay_lag_events=18446744073709551615",
         LAG_FAILS},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void shadows_are_verified(void)
{
    static const Case cases[] = {
        {"/stores/0/checksum_state=\"unverified\"", SHADOW_WARNS},
        {"/stores/0/checksum_state=\"unsupported\"", ""},
        {"/stores/0/checksum_state=\"unverified\" ; /stores/0/shadow_present=false", ""},
        {"/stores/0/checksum_state=\"unverified\" ; /stores/0/shadow_present=", ""},
        {"/stores/0/checksum_state=\"unverified\" ; /stores/0/role=\"archive\"", ""},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void the_disk_has_room_and_that_is_known(void)
{
    static const Case cases[] = {
        {"/resources/disk/pressure=\"watch\"", ""},
        {"/resources/disk/pressure=\"warning\"", ""},
        {"/resources/disk/pressure=\"critical\"", DISK_FAILS},
        {"/resources/disk/pressure=\"unknown\"", DISK_FAILS},
        /* What is said is one thing, what the ratio means another. */
        {"/resources/disk/free_ratio=0.05", DISK_FAILS},
        {"/resources/disk/free_ratio=0", DISK_FAILS},
        {"/resources/disk/free_ratio=0.0501", ""},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void dirty_opens_are_recovered_from(void)
{
    static const Case cases[] = {
        {"/runtime/last_dirty_open_at=", ""},
        {"/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\"",
         "runtime.no_unrecovered_dirty_open:warn/warning"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void reports_are_fresh(void)
{
    static const Case cases[] = {
        {"/generated_at=\"2026-05-28T20:12:10Z\" ; "
         "/runtime/last_heartbeat_at=\"2026-05-28T20:12:10Z\"",
         ""},
        {"/generated_at=\"2026-05-28T20:12:09Z\" ; "
         "/runtime/last_heartbeat_at=\"2026-05-28T20:12:09Z\"",
         "report.fresh:fail/error"},
        {"/generated_at=\"2026-05-28T20:27:11Z\"", "report.fresh:fail/error"},
        {"/generated_at=\"2026-05-28T20:27:10.9Z\"", ""},
    };
    check_cases(cases, G_N_ELEMENTS(cases));

    SyncdCircumstances any_age = {REPORT_NOW, 0, NULL};
    g_autofree char *old =
        document_edits(REPORT_HEALTHY, "/generated_at=\"2020-01-01T00:00:00Z\" ; "
                                       "/runtime/last_heartbeat_at=\"2020-01-01T00:00:00Z\"");
    g_autoptr(SyncdReport) report = syncd_report_read(document_of(old));
    g_autoptr(SyncdInvariants) invariants = syncd_invariants_check(report, &any_age);
    g_assert_cmpint(syncd_invariants_worst(invariants), ==, SYNCD_PASS);
}

static void lanes_and_collection_and_data_are_sound(void)
{
    static const Case cases[] = {
        {"/collection/status=\"partial\"", ""},
        {"/collection/status=\"failed\"", "collection.succeeded:fail/error"},
        {"/lanes/0/status=\"dormant\"", ""},
        {"/lanes/0/status=\"retired\"", ""},
        {"/lanes/0/status=\"degraded\"", "lanes.status_safe:warn/warning"},
        {"/lanes/0/status=\"repairing\"", "lanes.status_safe:warn/warning"},
        {"/lanes/0/status=\"unsafe\"", "lanes.status_safe:fail/critical"},
        {"/stores/0/checksum_state=\"mismatch\"", SHADOW_WARNS " " CHECKSUMS_FAIL},
        {"/stores/0/checksum_state=\"mismatch\" ; /stores/0/role=\"archive\"", CHECKSUMS_FAIL},
        {"/lanes/0/journal/checksum_state=\"mismatch\"", CHECKSUMS_FAIL},
        {"/lanes/0/objects/corrupted=1", CHECKSUMS_FAIL},
        {"/stores/0/unknown_flags=[\"bit 30\"]", "store.flags_known:warn/warning"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

#define FINDING(id, status, severity)                                                              \
    "{\"id\":\"" id "\",\"status\":\"" status "\",\"severity\":\"" severity                        \
    "\",\"evidence\":{},\"remediation\":\"r\"}"

static void what_a_report_says_of_itself_is_heard(void)
{
    static const Case cases[] = {
        {"/invariants=[" FINDING("keys.present", "fail", "error") "]",
         "report.reported_invariants_pass:fail/error"},
        {"/invariants=[" FINDING("keys.present", "fail", "critical") "]",
         "report.reported_invariants_pass:fail/critical"},
        {"/invariants=[" FINDING("keys.present", "warn", "critical") "]",
         "report.reported_invariants_pass:warn/warning"},
        /* One of the six is judged from the data, whatever the report thinks. */
        {"/invariants=[" FINDING("heartbeat.within_sla", "fail", "error") "]", ""},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

#define CONTRADICTION "report.diagnosis_consistent:fail/error"

static void a_report_does_not_contradict_its_data(void)
{
    static const Case cases[] = {
        {"/diagnosis={\"status\":\"healthy\"}", ""},
        {"/diagnosis={\"status\":\"degraded\"}", CONTRADICTION},
        {"/diagnosis={\"status\":\"unsafe\"}", CONTRADICTION},
        {"/diagnosis={\"status\":\"excellent\"}", CONTRADICTION},
        {"/diagnosis={\"status\":null}", CONTRADICTION},
        {"/diagnosis={\"status\":\"healthy\"} ; /lanes/0/status=\"unsafe\"",
         "lanes.status_safe:fail/critical " CONTRADICTION},
        {"/diagnosis={\"status\":\"unsafe\"} ; /lanes/0/status=\"unsafe\"",
         "lanes.status_safe:fail/critical"},
        {"/diagnosis={\"status\":\"repairing\"} ; /lanes/0/status=\"repairing\"",
         "lanes.status_safe:warn/warning"},
        {"/diagnosis={\"status\":\"unknown\"} ; /collection/status=\"failed\"",
         "collection.succeeded:fail/error"},
        /* Its own invariants may not be better than the data, either. */
        {"/runtime/last_heartbeat_at=null ; "
         "/invariants=[" FINDING("heartbeat.within_sla", "pass", "info") "]",
         HEARTBEAT_FAILS " " CONTRADICTION},
        {"/runtime/last_heartbeat_at=null ; "
         "/invariants=[" FINDING("heartbeat.within_sla", "fail", "error") "]",
         HEARTBEAT_FAILS},
        /* It was true when it was written. */
        {"/diagnosis={\"status\":\"healthy\"} ; /generated_at=\"2026-05-28T19:00:00Z\" ; "
         "/runtime/last_heartbeat_at=\"2026-05-28T19:00:00Z\"",
         "report.fresh:fail/error"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void broken_contracts_are_critical(void)
{
    static const char *const edits[] = {
        "/schema=\"sourceos.repair-plan/v1alpha1\"",
        "/extra=1",
        "/lanes=[]",
        "/lanes/0/name=\"normal\"",
        "/lanes/0/name=\"a\\u0000b\"",
        "/stores/0/flags_hex=\"0x2b\"",
        "/resources/disk/free_bytes=1001",
        "/lanes/0/journal/segment_count=-1",
        "/lanes/0/journal/replay_eta_ms=null",
        "/lanes/0/sla/max_heartbeat_age_ms=18446744073709551616",
        "/runtime/last_song_at=\"yesterday\"",
        "/runtime/last_heartbeat_at=\"2026-05-28T20:26:50\"",
        "=[]",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_auto(JudgedText) judged = judge_with(edits[i], NULL);
        const SyncdInvariant *contract =
            &judged.judgement->invariants->of[SYNCD_INVARIANT_CONTRACT];
        g_test_message("%s", edits[i]);
        g_assert_cmpint(contract->result, ==, SYNCD_FAIL);
        g_assert_cmpint(contract->severity, ==, SYNCD_SEVERITY_CRITICAL);
        g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "unsafe");
    }
}

/* The document is golden: names, order and evidence are what others read. */
static void the_document_has_six_invariants_and_the_findings(void)
{
    static const char golden[] =
        "{\"contract_errors\":[],\"status\":\"fail\",\"invariants\":["
        "{\"id\":\"report.contract_valid\",\"status\":\"pass\",\"severity\":\"info\","
        "\"evidence\":{\"errors\":[]},\"remediation\":\"fix_report_contract\"},"
        "{\"id\":\"heartbeat.within_sla\",\"status\":\"pass\",\"severity\":\"info\","
        "\"evidence\":{\"age_ms\":10000,\"max_heartbeat_age_ms\":30000},"
        "\"remediation\":\"restart_or_mark_stale\"},"
        "{\"id\":\"journal.replay_lag_within_sla\",\"status\":\"fail\",\"severity\":\"error\","
        "\"evidence\":{\"replay_lag_events\":20,\"allowed_replay_lag_events\":110,"
        "\"late_lanes\":[\"normal\"]},\"remediation\":\"run_replay\"},"
        "{\"id\":\"store.shadow_verified_when_present\",\"status\":\"pass\","
        "\"severity\":\"info\",\"evidence\":{\"stores\":[]},"
        "\"remediation\":\"verify_or_rebuild_shadow\"},"
        "{\"id\":\"resources.disk_pressure_below_critical\",\"status\":\"pass\","
        "\"severity\":\"info\",\"evidence\":{\"pressure\":\"none\",\"free_ratio\":0.6},"
        "\"remediation\":\"compact_or_purge_preview\"},"
        "{\"id\":\"runtime.no_unrecovered_dirty_open\",\"status\":\"pass\","
        "\"severity\":\"info\",\"evidence\":{\"last_dirty_open_at\":null},"
        "\"remediation\":\"verify_before_ready\"},"
        "{\"id\":\"lanes.status_safe\",\"status\":\"warn\",\"severity\":\"warning\","
        "\"evidence\":{\"unsafe_lanes\":[],\"impaired_lanes\":[\"secure\"]},"
        "\"remediation\":\"isolate_and_verify_lane\"}]}";
    g_auto(JudgedText) judged =
        judge_with("/lanes/1/journal/replay_lag_events=20 ; /lanes/0/status=\"degraded\"", NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_judgement_write_verification(judged.judgement, text);
    g_assert_cmpstr(text->str, ==, golden);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/invariants/a-healthy-report-has-no-finding", a_healthy_report_has_no_finding);
    g_test_add_func("/invariants/heartbeats-are-recent",
                    heartbeats_are_recent_and_not_from_the_future);
    g_test_add_func("/invariants/no-lane-is-late", no_lane_is_late_behind_another_one);
    g_test_add_func("/invariants/shadows-are-verified", shadows_are_verified);
    g_test_add_func("/invariants/the-disk-has-room", the_disk_has_room_and_that_is_known);
    g_test_add_func("/invariants/dirty-opens", dirty_opens_are_recovered_from);
    g_test_add_func("/invariants/reports-are-fresh", reports_are_fresh);
    g_test_add_func("/invariants/lanes-and-data-are-sound",
                    lanes_and_collection_and_data_are_sound);
    g_test_add_func("/invariants/reported-findings", what_a_report_says_of_itself_is_heard);
    g_test_add_func("/invariants/no-contradiction", a_report_does_not_contradict_its_data);
    g_test_add_func("/invariants/broken-contracts-are-critical", broken_contracts_are_critical);
    g_test_add_func("/invariants/the-document", the_document_has_six_invariants_and_the_findings);
    return g_test_run();
}
