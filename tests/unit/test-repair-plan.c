#include "domain/repair-plan.h"

#include "domain/problems.h"
#include "report-fixture.h"

static char *plan_of(const char *edits)
{
    g_auto(JudgedText) judged = judge_with(edits, NULL);
    GString *text = g_string_new(NULL);
    syncd_repair_plan_write(judged.judgement, text);
    return g_string_free(text, FALSE);
}

static char *steps_of(const char *plan)
{
    GString *steps = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson step;
    syncd_json_iter_init(&iter, document_at(document_of(plan), "/steps"));
    while (syncd_json_iter_next(&iter, NULL, &step)) {
        g_autofree char *id = syncd_json_dup_text(syncd_json_member(step, "id"));
        g_autofree char *kind = syncd_json_dup_text(syncd_json_member(step, "kind"));
        g_string_append_printf(steps, "%s%s/%s", steps->len > 0 ? " " : "", id, kind);
    }
    return g_string_free(steps, FALSE);
}

#define COLLECT "collect_fresh_report/verification"

static void each_cause_has_its_step(void)
{
    static const struct {
        const char *edits;
        const char *steps;
    } cases[] = {
        {"", "no_op/control"},
        {"/collection/status=\"partial\"", "no_op/control"},
        {"/runtime/last_heartbeat_at=null", "mark_stale_and_restart_if_managed/control"},
        {"/lanes/1/journal/replay_lag_events=11", "run_replay/replay"},
        {"/stores/0/checksum_state=\"unverified\"", "verify_or_rebuild_shadow/verification"},
        {"/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\"",
         "verify_dirty_open_recovery/verification"},
        {"/resources/disk/pressure=\"watch\"", "generate_purge_preview/purge-preview"},
        {"/resources/disk/pressure=\"warning\"", "generate_purge_preview/purge-preview"},
        {"/resources/disk/pressure=\"critical\"", "generate_purge_preview/purge-preview"},
        {"/resources/disk/pressure=\"unknown\"", "measure_disk/verification"},
        {"/stores/0/checksum_state=\"mismatch\" ; /stores/0/role=\"archive\"",
         "verify_checksums/verification"},
        {"/lanes/0/status=\"unsafe\"", "isolate_and_verify_lanes/control"},
        {"/stores/0/unknown_flags=[\"x\"]", "review_findings/verification"},
        {"/invariants/0/id=\"other\" ; /invariants/0/status=\"fail\"",
         "review_findings/verification"},
        {"/attestation={\"signed\":true}", "verify_attestation/verification"},
        {"/collection/status=\"failed\"", COLLECT},
        {"/generated_at=\"2026-05-28T19:00:00Z\" ; "
         "/runtime/last_heartbeat_at=\"2026-05-28T19:00:00Z\"",
         COLLECT},
        {"/diagnosis={\"status\":\"unsafe\"}", COLLECT},
        {"/extra=1", COLLECT},
        {"=17", "mark_stale_and_restart_if_managed/control measure_disk/verification " COLLECT},
        {"/runtime/last_heartbeat_at=null ; "
         "/lanes/1/journal/replay_lag_events=11 ; /stores/0/checksum_state=\"unverified\" ; "
         "/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\" ; "
         "/resources/disk/pressure=\"watch\"",
         "mark_stale_and_restart_if_managed/control run_replay/replay "
         "verify_or_rebuild_shadow/verification verify_dirty_open_recovery/verification "
         "generate_purge_preview/purge-preview"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *plan = plan_of(cases[i].edits);
        g_autofree char *steps = steps_of(plan);
        g_autoptr(GPtrArray) problems = syncd_problems_new();
        g_test_message("%s", cases[i].edits);
        g_assert_cmpstr(steps, ==, cases[i].steps);
        syncd_problems_add_contract(problems, SYNCD_REPAIR_PLAN_SCHEMA, document_of(plan));
        g_assert_cmpuint(problems->len, ==, 0);
    }
}

static char *id_of(const char *plan)
{
    return syncd_json_dup_text(document_at(document_of(plan), "/plan_id"));
}

/* The id is the first digits of SHA-256 over the spaced canonical text, computed elsewhere. */
static void a_plan_is_bound_to_its_report(void)
{
    g_autofree char *plan = plan_of("");
    g_autofree char *same = plan_of("");
    g_autofree char *other = plan_of("/identity/pid=42");
    g_autofree char *id = id_of(plan);
    g_autofree char *same_id = id_of(same);
    g_autofree char *other_id = id_of(other);
    g_assert_cmpstr(id, ==, "repair-plan-ecde30e648506cd5");
    g_assert_cmpstr(id, ==, same_id);
    g_assert_cmpstr(id, !=, other_id);

    g_auto(JudgedText) judged = judge_with("", NULL);
    g_assert_true(syncd_json_is(document_at(document_of(plan), "/source_report/report_digest"),
                                judged.judgement->report->digest));
}

static void the_fixed_parts_are_those_of_the_contract(void)
{
    static const struct {
        const char *place;
        const char *json;
    } parts[] = {
        {"/generated_at", "\"2026-05-28T20:27:10Z\""},
        {"/source_report/schema", "\"sourceos.state-integrity-report/v1alpha1\""},
        {"/source_report/component", "\"sourceos-syncd\""},
        {"/source_report/generated_at", "\"2026-05-28T20:27:00Z\""},
        {"/status", "\"preview\""},
        {"/severity", "\"critical\""},
        {"/policy/engine", "\"policy-fabric-local\""},
        {"/policy/required_grants", "[\"sourceos.repair/preview\"]"},
        {"/policy/destructive_grants_required",
         "[\"sourceos.repair/apply\",\"sourceos.purge/apply\"]"},
        {"/policy/destructive_actions_present", "false"},
        {"/preconditions/0/id", "\"report.shape_valid\""},
        {"/preconditions/0/status", "\"required\""},
        {"/preconditions/1/id", "\"no_destructive_apply\""},
        {"/preconditions/1/status", "\"required\""},
        {"/checkpoint",
         "{\"required\":true,\"type\":\"last-known-good-generation\",\"write_audit_record\":true}"},
        {"/steps/0/order", "1"},
        {"/steps/0/destructive", "false"},
        {"/blocked_steps/0/id", "\"apply_destructive_changes\""},
        {"/rollback/available", "true"},
        {"/rollback/requires_operator_approval", "true"},
    };
    g_autofree char *plan = plan_of("/lanes/0/status=\"unsafe\"");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        SyncdJson value = document_at(document_of(plan), parts[i].place);
        g_autofree char *text = g_strndup(value.at, syncd_json_size(value));
        g_test_message("%s", parts[i].place);
        g_assert_cmpstr(text, ==, parts[i].json);
    }
    g_autofree char *poor = plan_of("=[]");
    g_assert_cmpint(document_at(document_of(poor), "/source_report/schema").type, ==,
                    SYNCD_JSON_NULL);
    g_assert_cmpint(document_at(document_of(poor), "/source_report/component").type, ==,
                    SYNCD_JSON_NULL);
    g_assert_true(syncd_json_is(document_at(document_of(poor), "/policy/engine"), "policy-fabric"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/repair-plan/each-cause-has-its-step", each_cause_has_its_step);
    g_test_add_func("/repair-plan/bound-to-its-report", a_plan_is_bound_to_its_report);
    g_test_add_func("/repair-plan/the-fixed-parts", the_fixed_parts_are_those_of_the_contract);
    return g_test_run();
}
