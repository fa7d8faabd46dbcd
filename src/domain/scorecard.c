#include "domain/scorecard.h"

#include "domain/derived-id.h"
#include "domain/problems.h"

#include <string.h>

#define ENGINE "delivery-excellence-local-scorecard"
#define UNKNOWN_COMPONENT "unknown"

static const char *const id_members[] = {"report_digest", "component", "status", NULL};
static const SyncdDerivation derivation = {"scorecard-", 20, false, id_members};

/* ---- the score ---- */

typedef struct {
    guint64 critical_failures;
    guint64 failures;
    guint64 warnings;
    guint64 replay_lag;
    const char *disk_pressure;
    bool attested;
} Dimensions;

static int up_to(int most, int each, guint64 count)
{
    return count > (guint64)(most / each) ? most : each * (int)count;
}

static int score_of(const Dimensions *dimensions)
{
    int score = 100;
    score -= up_to(40, 20, dimensions->critical_failures);
    score -= up_to(30, 10, dimensions->failures);
    score -= up_to(15, 5, dimensions->warnings);
    score -= dimensions->replay_lag > 0 ? 10 : 0;
    score -= strcmp(dimensions->disk_pressure, "warning") == 0    ? 10
             : strcmp(dimensions->disk_pressure, "critical") == 0 ? 20
                                                                  : 0;
    score -= dimensions->attested ? 0 : 5;
    return CLAMP(score, 0, 100);
}

static const char *status_of(bool blocked, int score)
{
    return blocked ? "blocked" : score >= 90 ? "ready" : score >= 70 ? "watch" : "degraded";
}

static Dimensions measure(const SyncdJudgement *judgement)
{
    const SyncdInvariants *invariants = judgement->invariants;
    Dimensions dimensions = {
        .critical_failures =
            syncd_invariants_count(invariants, SYNCD_FAIL, SYNCD_SEVERITY_CRITICAL),
        .failures = syncd_invariants_count(invariants, SYNCD_FAIL, SYNCD_SEVERITY_INFO),
        .warnings = syncd_invariants_count(invariants, SYNCD_WARN, SYNCD_SEVERITY_INFO),
        .disk_pressure = judgement->diagnosis->disk_pressure,
        .attested = judgement->attested,
    };
    const GArray *lanes = judgement->report->lanes;
    for (guint i = 0; i < lanes->len; i++)
        dimensions.replay_lag =
            syncd_count_add(dimensions.replay_lag, g_array_index(lanes, SyncdReportLane, i).lag);
    return dimensions;
}

/* ---- gates ---- */

typedef struct {
    const char *id;
    const char *evidence; /* what it is called there */
    bool (*passes)(const SyncdJudgement *judgement, const Dimensions *dimensions);
    void (*show)(SyncdJsonWriter *writer, const char *name, const SyncdJudgement *judgement,
                 const Dimensions *dimensions);
} Gate;

static bool contract_is_valid(const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    return judgement->report->errors->len == 0;
}

static void show_errors(SyncdJsonWriter *writer, const char *name, const SyncdJudgement *judgement,
                        const Dimensions *dimensions)
{
    syncd_json_member_strings(writer, name, judgement->report->errors);
}

static bool is_known_not_to_be_unsafe(const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    const char *status = judgement->diagnosis->status;
    return strcmp(status, "healthy") == 0 || strcmp(status, "degraded") == 0;
}

static void show_diagnosis(SyncdJsonWriter *writer, const char *name,
                           const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    syncd_json_member_string(writer, name, judgement->diagnosis->status);
}

static bool nothing_is_critical(const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    return dimensions->critical_failures == 0;
}

static void show_critical(SyncdJsonWriter *writer, const char *name,
                          const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    syncd_json_member_uint(writer, name, dimensions->critical_failures);
}

static bool disk_has_room(const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    return strcmp(dimensions->disk_pressure, "critical") != 0 &&
           strcmp(dimensions->disk_pressure, "unknown") != 0;
}

static void show_pressure(SyncdJsonWriter *writer, const char *name,
                          const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    syncd_json_member_string(writer, name, dimensions->disk_pressure);
}

static const Gate gates[] = {
    {"contract.valid", "errors", contract_is_valid, show_errors},
    {"diagnosis.not_unsafe", "diagnosis", is_known_not_to_be_unsafe, show_diagnosis},
    {"critical_invariants.none", "critical_failures", nothing_is_critical, show_critical},
    {"disk.not_critical", "pressure", disk_has_room, show_pressure},
};

static bool any_gate_fails(const SyncdJudgement *judgement, const Dimensions *dimensions)
{
    for (size_t i = 0; i < G_N_ELEMENTS(gates); i++)
        if (!gates[i].passes(judgement, dimensions))
            return true;
    return false;
}

static void write_gates(SyncdJsonWriter *writer, const SyncdJudgement *judgement,
                        const Dimensions *dimensions)
{
    syncd_json_name(writer, "gates");
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(gates); i++) {
        bool passes = gates[i].passes(judgement, dimensions);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "id", gates[i].id);
        syncd_json_member_string(writer, "status", passes ? "pass" : "fail");
        syncd_json_name(writer, "evidence");
        syncd_json_begin_object(writer);
        gates[i].show(writer, gates[i].evidence, judgement, dimensions);
        syncd_json_end_object(writer);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

/* ---- writing ---- */

/* Of lanes of one name the first. */
static void write_lane_statuses(SyncdJsonWriter *writer, const SyncdReport *report)
{
    syncd_json_name(writer, "lane_statuses");
    syncd_json_begin_object(writer);
    for (guint i = 0; i < report->lanes->len; i++) {
        const SyncdReportLane *lane = &g_array_index(report->lanes, SyncdReportLane, i);
        if (syncd_report_find_lane(report, lane->name) != lane)
            continue;
        g_autofree char *status = syncd_json_dup_text(syncd_json_member(lane->json, "status"));
        syncd_json_member_string(writer, lane->name, status);
    }
    syncd_json_end_object(writer);
}

static void write_dimensions(SyncdJsonWriter *writer, const SyncdJudgement *judgement,
                             const Dimensions *dimensions)
{
    syncd_json_name(writer, "dimensions");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "diagnosis", judgement->diagnosis->status);
    syncd_json_member_uint(writer, "contract_errors", judgement->report->errors->len);
    syncd_json_member_uint(writer, "invariant_failures", dimensions->failures);
    syncd_json_member_uint(writer, "invariant_warnings", dimensions->warnings);
    syncd_json_member_uint(writer, "critical_failures", dimensions->critical_failures);
    write_lane_statuses(writer, judgement->report);
    syncd_json_member_uint(writer, "replay_lag_events", dimensions->replay_lag);
    syncd_json_member_string(writer, "disk_pressure", dimensions->disk_pressure);
    syncd_json_name(writer, "policy_counts");
    syncd_report_write_policy_counts(judgement->report, writer);
    syncd_json_member_bool(writer, "attestation_signed", dimensions->attested);
    syncd_json_end_object(writer);
}

bool syncd_scorecard_write(const SyncdJudgement *judgement, GString *out)
{
    Dimensions dimensions = measure(judgement);
    int score = score_of(&dimensions);
    const char *status = status_of(any_gate_fails(judgement, &dimensions), score);
    g_autofree char *component = syncd_report_text(judgement->report, "identity", "component");
    g_autofree char *summary =
        g_strdup_printf("Score %d of 100: %s. %s", score, status, judgement->diagnosis->summary);
    g_autoptr(GString) rest = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, rest, false);
    syncd_json_begin_object(&writer);
    syncd_judgement_write_time(&writer, "generated_at", judgement->now_usec);
    syncd_json_member_string(&writer, "engine", ENGINE);
    syncd_json_member_string(&writer, "component",
                             component != NULL ? component : UNKNOWN_COMPONENT);
    syncd_json_member_string(&writer, "status", status);
    syncd_json_member_int(&writer, "score", score);
    syncd_json_member_string(&writer, "report_digest", judgement->report->digest);
    syncd_json_member_string(&writer, "summary", summary);
    write_dimensions(&writer, judgement, &dimensions);
    write_gates(&writer, judgement, &dimensions);
    syncd_json_end_object(&writer);
    syncd_derived_id_document(out, SYNCD_SCORECARD_SCHEMA, "scorecard_id", &derivation,
                              syncd_json_root(rest->str, rest->len));
    return strcmp(status, "ready") == 0 || strcmp(status, "watch") == 0;
}

/* ---- checking ---- */

static bool says_a_gate_fails(SyncdJson scorecard)
{
    SyncdJsonIter iter;
    SyncdJson gate;
    syncd_json_iter_init(&iter, syncd_json_member(scorecard, "gates"));
    while (syncd_json_iter_next(&iter, NULL, &gate))
        if (syncd_json_is(syncd_json_member(gate, "status"), "fail"))
            return true;
    return false;
}

/* The four gates have to be there, each once. */
static void check_gates(SyncdJson scorecard, GPtrArray *problems)
{
    for (size_t i = 0; i < G_N_ELEMENTS(gates); i++) {
        unsigned found = 0;
        SyncdJsonIter iter;
        SyncdJson gate;
        syncd_json_iter_init(&iter, syncd_json_member(scorecard, "gates"));
        while (syncd_json_iter_next(&iter, NULL, &gate))
            found += syncd_json_is(syncd_json_member(gate, "id"), gates[i].id);
        if (found != 1)
            syncd_problems_add(problems, "/gates must contain %s once", gates[i].id);
    }
}

static bool read_dimensions(SyncdJson said, Dimensions *ret_dimensions, char **ret_pressure)
{
    SyncdJson attested = syncd_json_member(said, "attestation_signed");
    *ret_pressure = syncd_json_dup_text(syncd_json_member(said, "disk_pressure"));
    if (*ret_pressure == NULL || !syncd_json_get_bool(attested, &ret_dimensions->attested))
        return false;
    ret_dimensions->disk_pressure = *ret_pressure;
    return syncd_count_read(syncd_json_member(said, "critical_failures"),
                            &ret_dimensions->critical_failures) &&
           syncd_count_read(syncd_json_member(said, "invariant_failures"),
                            &ret_dimensions->failures) &&
           syncd_count_read(syncd_json_member(said, "invariant_warnings"),
                            &ret_dimensions->warnings) &&
           syncd_count_read(syncd_json_member(said, "replay_lag_events"),
                            &ret_dimensions->replay_lag);
}

/* Cards of other engines may weigh otherwise. */
static void check_score(SyncdJson scorecard, guint64 score, GPtrArray *problems)
{
    Dimensions dimensions;
    g_autofree char *pressure = NULL;
    if (!syncd_json_is(syncd_json_member(scorecard, "engine"), ENGINE))
        return;
    check_gates(scorecard, problems);
    if (!read_dimensions(syncd_json_member(scorecard, "dimensions"), &dimensions, &pressure))
        syncd_problems_add(problems, "/dimensions lacks something that the score is made of");
    else if ((guint64)score_of(&dimensions) != score)
        syncd_problems_add(problems, "/score must be %d for these dimensions",
                           score_of(&dimensions));
}

void syncd_scorecard_check(SyncdJson scorecard, GPtrArray *problems)
{
    guint64 score;
    syncd_problems_add_contract(problems, SYNCD_SCORECARD_SCHEMA, scorecard);
    syncd_derived_id_check(&derivation, scorecard, "scorecard_id", problems);
    if (!syncd_count_read(syncd_json_member(scorecard, "score"), &score) || score > 100)
        return; /* the contract says so */
    const char *status = status_of(says_a_gate_fails(scorecard), (int)score);
    if (!syncd_json_is(syncd_json_member(scorecard, "status"), status))
        syncd_problems_add(problems, "/status must be %s for these gates and this score", status);
    check_score(scorecard, score, problems);
}
