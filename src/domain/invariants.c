#include "domain/invariants.h"

#include "domain/invariant-rules.h"

typedef struct {
    const char *name;
    SyncdSeverity severity; /* of a failure, unless the rule finds worse */
    const char *remediation;
    const char *domain;
    SyncdInvariantRule *rule;
} Row;

/* In the order of SyncdInvariantId. */
/* clang-format off */
static const Row rows[SYNCD_N_INVARIANTS] = {
    {"report.contract_valid", SYNCD_SEVERITY_CRITICAL, "fix_report_contract", "report",
     syncd_rule_contract},
    {"heartbeat.within_sla", SYNCD_SEVERITY_ERROR, "restart_or_mark_stale", "runtime",
     syncd_rule_heartbeat},
    {"journal.replay_lag_within_sla", SYNCD_SEVERITY_ERROR, "run_replay", "journal",
     syncd_rule_replay_lag},
    {"store.shadow_verified_when_present", SYNCD_SEVERITY_ERROR, "verify_or_rebuild_shadow",
     "store", syncd_rule_shadow},
    {"resources.disk_pressure_below_critical", SYNCD_SEVERITY_CRITICAL,
     "compact_or_purge_preview", "resources", syncd_rule_disk},
    {"runtime.no_unrecovered_dirty_open", SYNCD_SEVERITY_ERROR, "verify_before_ready", "runtime",
     syncd_rule_dirty_open},
    {"report.fresh", SYNCD_SEVERITY_ERROR, "collect_fresh_report", "report", syncd_rule_fresh},
    {"collection.succeeded", SYNCD_SEVERITY_ERROR, "collect_fresh_report", "collection",
     syncd_rule_collection},
    {"lanes.status_safe", SYNCD_SEVERITY_CRITICAL, "isolate_and_verify_lane", "lanes",
     syncd_rule_lanes},
    {"store.checksums_match", SYNCD_SEVERITY_CRITICAL, "verify_checksums", "store",
     syncd_rule_checksums},
    {"store.flags_known", SYNCD_SEVERITY_ERROR, "review_unknown_flags", "store",
     syncd_rule_flags},
    {"report.reported_invariants_pass", SYNCD_SEVERITY_ERROR, "follow_reported_remediation",
     "report", syncd_rule_reported},
    {"report.diagnosis_consistent", SYNCD_SEVERITY_ERROR, "collect_fresh_report", "report",
     syncd_rule_consistent},
    {"attestation.verifiable", SYNCD_SEVERITY_CRITICAL, "verify_attestation", "attestation",
     syncd_rule_attestation},
};
/* clang-format on */

static SyncdInvariant check(const Row *row, const SyncdRuleCase *the_case)
{
    SyncdInvariant invariant = {.severity = row->severity, .evidence = g_string_new(NULL)};
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, invariant.evidence, false);
    syncd_json_begin_object(&writer);
    invariant.result = row->rule(the_case, &writer, &invariant.severity);
    syncd_json_end_object(&writer);
    if (invariant.result != SYNCD_FAIL)
        invariant.severity =
            invariant.result == SYNCD_PASS ? SYNCD_SEVERITY_INFO : SYNCD_SEVERITY_WARNING;
    return invariant;
}

SyncdInvariants *syncd_invariants_check(const SyncdReport *report,
                                        const SyncdCircumstances *circumstances)
{
    SyncdInvariants *invariants = g_new0(SyncdInvariants, 1);
    invariants->attestation = syncd_attestation_check(report->root, circumstances->keys);
    SyncdRuleCase the_case = {report, circumstances, invariants};
    /* In this order: what comes later may look at what was found before. */
    for (size_t i = 0; i < SYNCD_N_INVARIANTS; i++)
        invariants->of[i] = check(&rows[i], &the_case);
    return invariants;
}

void syncd_invariants_free(SyncdInvariants *invariants)
{
    if (invariants == NULL)
        return;
    for (size_t i = 0; i < SYNCD_N_INVARIANTS; i++)
        g_string_free(invariants->of[i].evidence, TRUE);
    g_free(invariants);
}

const char *syncd_invariant_name(SyncdInvariantId id)
{
    return rows[id].name;
}

const char *syncd_invariant_remediation(SyncdInvariantId id)
{
    return rows[id].remediation;
}

const char *syncd_invariant_domain(SyncdInvariantId id)
{
    return rows[id].domain;
}

const char *syncd_result_name(SyncdResult result)
{
    static const char *const names[] = {"pass", "warn", "fail"};
    return names[result];
}

const char *syncd_severity_name(SyncdSeverity severity)
{
    static const char *const names[] = {"info", "warning", "error", "critical"};
    return names[severity];
}

bool syncd_invariants_hold(const SyncdInvariants *invariants, SyncdInvariantId id)
{
    return invariants->of[id].result == SYNCD_PASS;
}

SyncdResult syncd_invariants_worst(const SyncdInvariants *invariants)
{
    SyncdResult worst = SYNCD_PASS;
    for (size_t i = 0; i < SYNCD_N_INVARIANTS; i++)
        worst = MAX(worst, invariants->of[i].result);
    return worst;
}

unsigned syncd_invariants_count(const SyncdInvariants *invariants, SyncdResult result,
                                SyncdSeverity at_least)
{
    unsigned count = 0;
    for (size_t i = 0; i < SYNCD_N_INVARIANTS; i++)
        count += invariants->of[i].result == result && invariants->of[i].severity >= at_least;
    return count;
}

void syncd_invariants_write(const SyncdInvariants *invariants, SyncdJsonWriter *writer)
{
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < SYNCD_N_INVARIANTS; i++) {
        const SyncdInvariant *invariant = &invariants->of[i];
        const GString *evidence = invariant->evidence;
        if (i >= SYNCD_N_CONTRACT_INVARIANTS && invariant->result == SYNCD_PASS)
            continue;
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "id", rows[i].name);
        syncd_json_member_string(writer, "status", syncd_result_name(invariant->result));
        syncd_json_member_string(writer, "severity", syncd_severity_name(invariant->severity));
        syncd_json_member_value(writer, "evidence", syncd_json_root(evidence->str, evidence->len));
        syncd_json_member_string(writer, "remediation", rows[i].remediation);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}
