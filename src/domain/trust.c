#include "domain/trust.h"

#include "contract/vocabulary.h"
#include "domain/derived-id.h"
#include "domain/policy.h"
#include "domain/problems.h"

#include <string.h>

#define ENGINE "agentplane-local-trust-gate"

static const char *const id_members[] = {
    "subject", "action",        "lane",           "status",
    "reason",  "report_digest", "allow_degraded", "require_attestation",
    NULL};
static const SyncdDerivation derivation = {"trust-", 20, false, id_members};

/* ---- the rules ---- */

typedef struct {
    const SyncdJudgement *judgement;
    const SyncdTrustRequest *request;
    SyncdPolicyOutcome policy;
} Case;

static bool diagnosis_is(const Case *the_case, const char *status)
{
    return strcmp(the_case->judgement->diagnosis->status, status) == 0;
}

static bool contract_is_broken(const Case *the_case)
{
    return the_case->judgement->report->errors->len > 0;
}

static bool lane_is_missing(const Case *the_case)
{
    return syncd_report_find_lane(the_case->judgement->report, the_case->request->lane) == NULL;
}

static bool attestation_is_missing(const Case *the_case)
{
    return the_case->request->require_attestation && !the_case->judgement->attested;
}

static bool is_unsafe(const Case *the_case)
{
    return diagnosis_is(the_case, "unsafe");
}

static bool is_not_known(const Case *the_case)
{
    return diagnosis_is(the_case, "stale") || diagnosis_is(the_case, "unknown");
}

static bool is_degraded_and_may_be(const Case *the_case)
{
    return diagnosis_is(the_case, "degraded") && the_case->request->allow_degraded;
}

static bool is_degraded(const Case *the_case)
{
    return diagnosis_is(the_case, "degraded");
}

static bool holds_always(const Case *the_case)
{
    return true;
}

typedef struct {
    bool (*matches)(const Case *the_case);
    const char *status;
    const char *reason;
} Rule;

static const Rule rules[] = {
    {contract_is_broken, "blocked", "report_contract_invalid"},
    {lane_is_missing, "blocked", "requested_lane_missing"},
    {attestation_is_missing, "blocked", "required_attestation_missing"},
    {is_unsafe, "blocked", "report_status_unsafe"},
    {is_not_known, "blocked", "report_status_not_trusted"},
    {is_degraded_and_may_be, "degraded_allowed", "degraded_mode_explicitly_allowed"},
    {is_degraded, "blocked", "degraded_mode_requires_explicit_allowance"},
    {holds_always, "allowed", "state_integrity_allows_agent_action"},
};

/* More of them than can be counted are some, too. */
static bool has_denials(const SyncdReport *report)
{
    guint64 count;
    SyncdJson denied =
        syncd_json_member(syncd_report_at(report, "policy", "policy_decisions"), "denied");
    return denied.type != SYNCD_JSON_NONE && (!syncd_count_read(denied, &count) || count > 0);
}

static bool counts_restrict_the_lane(const Case *the_case)
{
    const char *lane = the_case->request->lane;
    return (strcmp(lane, "secure") == 0 || strcmp(lane, "repair") == 0) &&
           has_denials(the_case->judgement->report);
}

static bool policy_does_not_allow(const Case *the_case)
{
    return !the_case->policy.allowed;
}

/* What is allowed so far is blocked by these. */
static const Rule restrictions[] = {
    {counts_restrict_the_lane, "blocked", "policy_counts_indicate_restricted_lane"},
    {policy_does_not_allow, "blocked", "lane_policy_does_not_allow_action"},
};

static const Rule *find_rule(const Case *the_case)
{
    const Rule *rule = rules;
    while (!rule->matches(the_case))
        rule++; /* the last one matches everything */
    if (strcmp(rule->status, "blocked") == 0)
        return rule;
    for (size_t i = 0; i < G_N_ELEMENTS(restrictions); i++)
        if (restrictions[i].matches(the_case))
            return &restrictions[i];
    return rule;
}

static SyncdPolicyOutcome ask_policy(const SyncdTrustRequest *request)
{
    bool known =
        syncd_vocabulary_find(SYNCD_WORDS_POLICY_ACTION, SYNCD_BYTES_TEXT(request->action)) != NULL;
    SyncdPolicyInput input = {
        .action = known ? request->action : "agent_access",
        .lane = request->lane,
        .data_class = SYNCD_POLICY_DATA_CLASS,
        .subject = request->subject,
    };
    return syncd_policy_decide(&input);
}

/* ---- writing ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_lanes(SyncdJsonWriter *writer, const SyncdReport *report)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < report->lanes->len; i++)
        g_ptr_array_add(names, g_array_index(report->lanes, SyncdReportLane, i).name);
    g_ptr_array_sort(names, compare_names);
    syncd_json_member_strings(writer, "available_lanes", names);
}

static void write_evidence(SyncdJsonWriter *writer, const Case *the_case)
{
    const SyncdJudgement *judgement = the_case->judgement;
    syncd_json_name(writer, "evidence");
    syncd_json_begin_object(writer);
    syncd_json_member_strings(writer, "contract_errors", judgement->report->errors);
    syncd_json_name(writer, "diagnosis");
    syncd_json_begin_object(writer);
    syncd_diagnosis_write_members(judgement->diagnosis, writer);
    syncd_json_end_object(writer);
    syncd_json_member_bool(writer, "attestation_signed", judgement->attested);
    write_lanes(writer, judgement->report);
    syncd_json_name(writer, "policy_counts");
    syncd_report_write_policy_counts(judgement->report, writer);
    syncd_json_name(writer, "lane_policy");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "policy_id", SYNCD_POLICY_ID);
    syncd_json_member_string(writer, "status", the_case->policy.status);
    syncd_json_member_string(writer, "reason", the_case->policy.reason);
    syncd_json_end_object(writer);
    syncd_json_end_object(writer);
}

bool syncd_trust_decide(const SyncdJudgement *judgement, const SyncdTrustRequest *request,
                        GString *out)
{
    Case the_case = {judgement, request, ask_policy(request)};
    const Rule *rule = find_rule(&the_case);
    g_autoptr(GString) rest = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, rest, false);
    syncd_json_begin_object(&writer);
    syncd_judgement_write_time(&writer, "generated_at", judgement->now_usec);
    syncd_json_member_string(&writer, "engine", ENGINE);
    syncd_json_member_string(&writer, "subject", request->subject);
    syncd_json_member_string(&writer, "action", request->action);
    syncd_json_member_string(&writer, "lane", request->lane);
    syncd_json_member_string(&writer, "status", rule->status);
    syncd_json_member_string(&writer, "reason", rule->reason);
    syncd_json_member_string(&writer, "report_digest", judgement->report->digest);
    syncd_json_member_string(&writer, "report_status", judgement->diagnosis->status);
    syncd_json_member_bool(&writer, "allow_degraded", request->allow_degraded);
    syncd_json_member_bool(&writer, "require_attestation", request->require_attestation);
    write_evidence(&writer, &the_case);
    syncd_json_end_object(&writer);
    syncd_derived_id_document(out, SYNCD_TRUST_SCHEMA, "decision_id", &derivation,
                              syncd_json_root(rest->str, rest->len));
    return strcmp(rule->status, "blocked") != 0;
}

/* ---- checking ---- */

/* Reasons of other engines mean what they mean there. */
static void check_reason(SyncdJson decision, GPtrArray *problems)
{
    SyncdJson reason = syncd_json_member(decision, "reason");
    SyncdJson status = syncd_json_member(decision, "status");
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (syncd_json_is(reason, rules[i].reason) && !syncd_json_is(status, rules[i].status))
            syncd_problems_add(problems, "/status must be %s for this reason", rules[i].status);
    for (size_t i = 0; i < G_N_ELEMENTS(restrictions); i++)
        if (syncd_json_is(reason, restrictions[i].reason) && !syncd_json_is(status, "blocked"))
            syncd_problems_add(problems, "/status must be blocked for this reason");
}

static bool contains(SyncdJson list, SyncdJson text)
{
    g_autofree char *wanted = syncd_json_dup_text(text);
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, list);
    while (wanted != NULL && syncd_json_iter_next(&iter, NULL, &element))
        if (syncd_json_is(element, wanted))
            return true;
    return false;
}

/* A decision that allows something has to be borne out by the evidence it carries. */
static void check_evidence(SyncdJson decision, const char *report_status, GPtrArray *problems)
{
    SyncdJson evidence = syncd_json_member(decision, "evidence");
    SyncdJson diagnosis = syncd_json_member(evidence, "diagnosis");
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, syncd_json_member(evidence, "contract_errors"));
    if (syncd_json_iter_next(&iter, NULL, NULL))
        syncd_problems_add(problems, "/evidence/contract_errors must be empty for this status");
    if (!syncd_json_is(syncd_json_member(decision, "report_status"), report_status) ||
        !syncd_json_is(syncd_json_member(diagnosis, "status"), report_status))
        syncd_problems_add(
            problems, "/report_status and /evidence/diagnosis/status must be %s for this status",
            report_status);
    if (!contains(syncd_json_member(evidence, "available_lanes"),
                  syncd_json_member(decision, "lane")))
        syncd_problems_add(problems, "/lane is none of /evidence/available_lanes");
    if (syncd_json_member(decision, "require_attestation").type == SYNCD_JSON_TRUE &&
        syncd_json_member(evidence, "attestation_signed").type != SYNCD_JSON_TRUE)
        syncd_problems_add(problems, "/evidence/attestation_signed must be true for this status, "
                                     "because an attestation was required");
}

void syncd_trust_check(SyncdJson decision, GPtrArray *problems)
{
    SyncdJson status = syncd_json_member(decision, "status");
    syncd_problems_add_contract(problems, SYNCD_TRUST_SCHEMA, decision);
    syncd_derived_id_check(&derivation, decision, "decision_id", problems);
    check_reason(decision, problems);
    if (syncd_json_is(status, "allowed"))
        check_evidence(decision, "healthy", problems);
    if (!syncd_json_is(status, "degraded_allowed"))
        return;
    check_evidence(decision, "degraded", problems);
    if (syncd_json_member(decision, "allow_degraded").type != SYNCD_JSON_TRUE)
        syncd_problems_add(problems, "/allow_degraded must be true for this status");
}
