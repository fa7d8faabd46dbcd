#include "domain/repair-parts.h"

#include "domain/derived-id.h"

#include <string.h>

#define PLAN_ID_DIGITS 16

/* ---- steps ---- */

typedef struct {
    const char *id;
    const char *kind;
    const char *description;
    const char *expected_result;
    SyncdInvariantId causes[6]; /* any of them calls for the step */
    unsigned n_causes;
} Step;

/* In the order of the contract; what it does not name comes after that. */
/* clang-format off */
static const Step steps[] = {
    {"mark_stale_and_restart_if_managed", "control",
     "Mark the state as stale, and restart the process where a service manager runs it.",
     "A new heartbeat arrives within its limit.",
     {SYNCD_INVARIANT_HEARTBEAT}, 1},
    {"run_replay", "replay",
     "Apply the events that are in the journal and not yet in the store, lane by lane.",
     "No lane has more unapplied events than its limit allows.",
     {SYNCD_INVARIANT_REPLAY_LAG}, 1},
    {"verify_or_rebuild_shadow", "verification",
     "Compare the shadow with the active generation, and build it again where they differ.",
     "The shadow's checksum is verified.",
     {SYNCD_INVARIANT_SHADOW}, 1},
    {"verify_dirty_open_recovery", "verification",
     "Check that the store was recovered completely after it had been opened dirty.",
     "Nothing that was acknowledged is missing, and the dirty open is accounted for.",
     {SYNCD_INVARIANT_DIRTY_OPEN}, 1},
    {SYNCD_REPAIR_PURGE_PREVIEW, SYNCD_PURGE_PREVIEW_KIND, SYNCD_PURGE_PREVIEW_DONE,
     SYNCD_PURGE_PREVIEW_RESULT, {0}, 0},
    {"measure_disk", "verification",
     "Measure the free space of the file system on which the store lies.",
     "The pressure on the disk is known.",
     {0}, 0},
    {"verify_checksums", "verification",
     "Check every store and journal whose checksum does not match against the log.",
     "It is known which objects are damaged, and that the log itself is sound.",
     {SYNCD_INVARIANT_CHECKSUMS}, 1},
    {"isolate_and_verify_lanes", "control",
     "Keep work away from lanes that are not sound, and find out what is wrong with them.",
     "Each lane is sound, or named with its fault.",
     {SYNCD_INVARIANT_LANES}, 1},
    {"verify_attestation", "verification",
     "Find out who signed the report, and with which key.",
     "The signature verifies with a key that is trusted, or the report is discarded.",
     {SYNCD_INVARIANT_ATTESTATION}, 1},
    {"review_findings", "verification",
     "Follow the findings that the report names itself, and flags that are not known.",
     "Each finding has an explanation or a remedy.",
     {SYNCD_INVARIANT_REPORTED, SYNCD_INVARIANT_FLAGS}, 2},
    {"collect_fresh_report", "verification",
     "Collect a new report: this one cannot be relied on.",
     "A report that keeps to its contract, is fresh, complete and consistent.",
     {SYNCD_INVARIANT_CONTRACT, SYNCD_INVARIANT_FRESH, SYNCD_INVARIANT_COLLECTION,
      SYNCD_INVARIANT_CONSISTENT}, 4},
};
/* clang-format on */

static const Step no_op = {
    "no_op", "control", "Nothing needs to be repaired.", "The state stays healthy.", {0}, 0};

static bool has_cause(const Step *step, const SyncdInvariants *invariants)
{
    for (unsigned i = 0; i < step->n_causes; i++)
        if (!syncd_invariants_hold(invariants, step->causes[i]))
            return true;
    return false;
}

static bool is_wanted(const Step *step, const SyncdJudgement *judgement)
{
    const char *pressure = judgement->diagnosis->disk_pressure;
    bool known = strcmp(pressure, "unknown") != 0;
    if (strcmp(step->id, SYNCD_REPAIR_PURGE_PREVIEW) == 0)
        return known && strcmp(pressure, "none") != 0;
    if (strcmp(step->id, "measure_disk") == 0)
        return !known;
    return has_cause(step, judgement->invariants);
}

static void write_step(SyncdJsonWriter *writer, const Step *step, unsigned order)
{
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "order", order);
    syncd_json_member_string(writer, "id", step->id);
    syncd_json_member_string(writer, "kind", step->kind);
    syncd_json_member_bool(writer, "destructive", false);
    syncd_json_member_string(writer, "description", step->description);
    syncd_json_member_string(writer, "expected_result", step->expected_result);
    syncd_json_end_object(writer);
}

static void write_steps(SyncdJsonWriter *writer, const SyncdJudgement *judgement)
{
    unsigned order = 0;
    syncd_json_name(writer, "steps");
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (is_wanted(&steps[i], judgement))
            write_step(writer, &steps[i], ++order);
    if (order == 0)
        write_step(writer, &no_op, 1);
    syncd_json_end_array(writer);
}

/* ---- the plan ---- */

static void write_safeguards_before(SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "preconditions");
    syncd_json_begin_array(writer);
    syncd_repair_write_precondition(writer, "report.shape_valid",
                                    "the source report keeps to its contract");
    syncd_repair_write_precondition(writer, "no_destructive_apply",
                                    "no step of the plan is destructive");
    syncd_json_end_array(writer);

    syncd_json_name(writer, "checkpoint");
    syncd_json_begin_object(writer);
    syncd_json_member_bool(writer, "required", true);
    syncd_json_member_string(writer, "type", SYNCD_REPAIR_CHECKPOINT);
    syncd_json_member_bool(writer, "write_audit_record", true);
    syncd_json_end_object(writer);
}

static void write_source(SyncdJsonWriter *writer, const SyncdReport *report)
{
    g_autofree char *schema = syncd_json_dup_text(syncd_json_member(report->root, "schema"));
    g_autofree char *component = syncd_report_text(report, "identity", "component");
    SyncdJson generated = syncd_json_member(report->root, "generated_at");
    gint64 usec;
    syncd_json_name(writer, "source_report");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "schema", schema);
    syncd_json_member_string(writer, "component", component);
    if (syncd_instant_read(generated, &usec))
        syncd_json_member_value(writer, "generated_at", generated);
    else
        syncd_json_member_null(writer, "generated_at");
    syncd_json_member_string(writer, "report_digest", report->digest);
    syncd_json_end_object(writer);
}

static char *plan_id(const SyncdJudgement *judgement)
{
    static const char *const members[] = {"diagnosis", "report_digest", NULL};
    static const SyncdDerivation derivation = {"repair-plan-", PLAN_ID_DIGITS, true, members};
    g_autoptr(GString) named = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, named, false);
    syncd_json_begin_object(&writer);
    syncd_json_name(&writer, "diagnosis");
    syncd_json_begin_object(&writer);
    syncd_diagnosis_write_members(judgement->diagnosis, &writer);
    syncd_json_end_object(&writer);
    syncd_json_member_string(&writer, "report_digest", judgement->report->digest);
    syncd_json_end_object(&writer);
    return syncd_derived_id(&derivation, syncd_json_root(named->str, named->len));
}

void syncd_repair_plan_write(const SyncdJudgement *judgement, GString *out)
{
    const SyncdDiagnosis *diagnosis = judgement->diagnosis;
    g_autofree char *id = plan_id(judgement);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_REPAIR_PLAN_SCHEMA);
    syncd_judgement_write_time(&writer, "generated_at", judgement->now_usec);
    write_source(&writer, judgement->report);
    syncd_json_member_string(&writer, "plan_id", id);
    syncd_json_member_string(&writer, "status", "preview");
    syncd_json_member_string(&writer, "severity", syncd_severity_name(diagnosis->severity));
    syncd_json_member_string(&writer, "summary", diagnosis->summary);
    g_autofree char *engine = syncd_report_text(judgement->report, "policy", "policy_engine");
    syncd_repair_write_policy(&writer, engine, false);
    write_safeguards_before(&writer);
    write_steps(&writer, judgement);
    syncd_json_name(&writer, "blocked_steps");
    syncd_json_begin_array(&writer);
    syncd_repair_write_blocked(&writer);
    syncd_json_end_array(&writer);
    syncd_repair_write_after(&writer, true,
                             "Go back to the last known good generation, and apply the "
                             "verified part of the journal to it again.");
    syncd_json_end_object(&writer);
}
