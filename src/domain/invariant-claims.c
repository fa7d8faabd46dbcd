/* The rules about what a report says of itself: its own invariants, and its diagnosis. */
#include "domain/diagnosis.h"
#include "domain/invariant-rules.h"

static bool is_invariant_of_ours(SyncdJson id)
{
    for (int i = 0; i < SYNCD_N_INVARIANTS; i++)
        if (syncd_json_is(id, syncd_invariant_name(i)))
            return true;
    return false;
}

static SyncdResult result_of(SyncdJson status)
{
    return syncd_json_is(status, "fail")   ? SYNCD_FAIL
           : syncd_json_is(status, "warn") ? SYNCD_WARN
                                           : SYNCD_PASS;
}

/* Whoever made the report may know more than the judge can see in it. */
SyncdResult syncd_rule_reported(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                SyncdSeverity *severity)
{
    SyncdResult worst = SYNCD_PASS;
    SyncdJsonIter iter;
    SyncdJson invariant;
    syncd_json_name(evidence, "invariants");
    syncd_json_begin_array(evidence);
    syncd_json_iter_init(&iter, syncd_json_member(the_case->report->root, "invariants"));
    while (syncd_json_iter_next(&iter, NULL, &invariant)) {
        SyncdJson id = syncd_json_member(invariant, "id");
        SyncdResult result = result_of(syncd_json_member(invariant, "status"));
        if (result == SYNCD_PASS || is_invariant_of_ours(id))
            continue;
        syncd_rule_write_value(evidence, id);
        worst = MAX(worst, result);
        if (result == SYNCD_FAIL &&
            syncd_json_is(syncd_json_member(invariant, "severity"), "critical"))
            *severity = SYNCD_SEVERITY_CRITICAL;
    }
    syncd_json_end_array(evidence);
    return worst;
}

/* An invariant that the report calls better than its data are. Those that look at the clock or at
 * keys depend on who judges. */
static bool writes_better_invariants(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence)
{
    bool better = false;
    SyncdJsonIter iter;
    SyncdJson invariant;
    syncd_json_name(evidence, "invariants");
    syncd_json_begin_array(evidence);
    syncd_json_iter_init(&iter, syncd_json_member(the_case->report->root, "invariants"));
    while (syncd_json_iter_next(&iter, NULL, &invariant)) {
        SyncdJson id = syncd_json_member(invariant, "id");
        SyncdResult said = result_of(syncd_json_member(invariant, "status"));
        for (int i = 0; i < SYNCD_N_CONTRACT_INVARIANTS; i++) {
            if (!syncd_json_is(id, syncd_invariant_name(i)) ||
                said >= the_case->before->of[i].result)
                continue;
            syncd_rule_write_value(evidence, id);
            better = true;
        }
    }
    syncd_json_end_array(evidence);
    return better;
}

SyncdResult syncd_rule_consistent(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                  SyncdSeverity *severity)
{
    SyncdJson said = syncd_report_at(the_case->report, "diagnosis", "status");
    const char *status = syncd_diagnosis_status_of_data(the_case->before);
    syncd_rule_write_member(evidence, "reported_status", said);
    syncd_json_member_string(evidence, "status", status);
    bool better = writes_better_invariants(the_case, evidence);
    if (said.type == SYNCD_JSON_NONE)
        return better ? SYNCD_FAIL : SYNCD_PASS;
    return better || !syncd_diagnosis_agree(said, status) ? SYNCD_FAIL : SYNCD_PASS;
}
