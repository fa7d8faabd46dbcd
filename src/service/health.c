#include "service/health-facts.h"

#include "domain/judgement.h"
#include "service/diagnose.h"

#include <string.h>

/* What is made of the facts, as JSON values. */
typedef struct {
    GString *invariants, *diagnosis, *controls, *attestation;
} Verdict;

static void verdict_clear(Verdict *verdict)
{
    GString **texts[] = {&verdict->invariants, &verdict->diagnosis, &verdict->controls,
                         &verdict->attestation};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (*texts[i] != NULL)
            g_string_free(g_steal_pointer(texts[i]), TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verdict, verdict_clear)

static void write_value(SyncdJsonWriter *writer, const char *name, const GString *value)
{
    syncd_json_member_value(writer, name, syncd_json_root(value->str, value->len));
}

static GString *write_report(const SyncdHealthFacts *facts, const Verdict *verdict)
{
    static SyncdHealthWriter *const blocks[] = {
        syncd_health_write_identity,  syncd_health_write_collection, syncd_health_write_runtime,
        syncd_health_write_stores,    syncd_health_write_lanes,      syncd_health_write_pipeline,
        syncd_health_write_resources, syncd_health_write_policy,
    };
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_REPORT_SCHEMA);
    syncd_health_write_time(&writer, "generated_at", facts->now_usec);
    for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++)
        blocks[i](facts, &writer);
    write_value(&writer, "invariants", verdict->invariants);
    write_value(&writer, "diagnosis", verdict->diagnosis);
    write_value(&writer, "controls", verdict->controls);
    write_value(&writer, "attestation", verdict->attestation);
    syncd_json_end_object(&writer);
    return out;
}

/* ---- the verdict ---- */

/* Those that only the daemon knows are data to the judge. */
static Verdict make_draft(const SyncdHealthFacts *facts)
{
    Verdict draft = {
        .invariants = g_string_new(NULL),
        .diagnosis = g_string_new("{}"),
        .controls = g_string_new("[]"),
        .attestation = g_string_new("{\"signed\":false,\"reason\":\"a draft\"}"),
    };
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, draft.invariants, false);
    syncd_json_begin_array(&writer);
    syncd_health_write_own_invariants(facts, &writer);
    syncd_json_end_array(&writer);
    return draft;
}

/* Those of the judge first. */
static void write_invariants(const SyncdHealthFacts *facts, const SyncdInvariants *invariants,
                             GString *out)
{
    g_autoptr(GString) judged = g_string_new(NULL);
    SyncdJsonWriter writer;
    SyncdJsonIter iter;
    SyncdJson invariant;
    syncd_json_writer_init(&writer, judged, false);
    syncd_invariants_write(invariants, &writer);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_array(&writer);
    syncd_json_iter_init(&iter, syncd_json_root(judged->str, judged->len));
    while (syncd_json_iter_next(&iter, NULL, &invariant))
        syncd_json_value(&writer, invariant);
    syncd_health_write_own_invariants(facts, &writer);
    syncd_json_end_array(&writer);
}

static void write_diagnosis(const SyncdHealthFacts *facts, const SyncdDiagnosis *diagnosis,
                            GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_diagnosis_write_members(diagnosis, &writer);
    syncd_health_write_local_state(facts, &writer);
    syncd_json_end_object(&writer);
}

/* What any judge will find in the data, whoever signed them. */
static Verdict judge(const SyncdHealthFacts *facts)
{
    g_auto(Verdict) draft = make_draft(facts);
    g_autoptr(GString) text = write_report(facts, &draft);
    g_autoptr(SyncdJudgement) judgement =
        syncd_judgement_make(syncd_json_root(text->str, text->len),
                             &(SyncdCircumstances){.now_usec = (gint64)facts->now_usec});
    Verdict verdict = {
        .invariants = g_string_new(NULL),
        .diagnosis = g_string_new(NULL),
        .controls = g_string_new(NULL),
        .attestation = g_string_new(draft.attestation->str),
    };
    SyncdJsonWriter writer;
    write_invariants(facts, judgement->invariants, verdict.invariants);
    write_diagnosis(facts, judgement->diagnosis, verdict.diagnosis);
    syncd_json_writer_init(&writer, verdict.controls, false);
    syncd_diagnosis_write_controls(judgement->diagnosis, judgement->invariants, &writer);
    return verdict;
}

/* ---- signing ---- */

static void write_unsigned(GString *out, const char *reason)
{
    SyncdJsonWriter writer;
    g_string_truncate(out, 0);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_bool(&writer, "signed", false);
    syncd_json_member_string(&writer, "reason", reason);
    syncd_json_end_object(&writer);
}

static void write_signed(const SyncdHealthFacts *facts, Verdict *verdict)
{
    SyncdJsonWriter writer;
    g_autoptr(GString) text = write_report(facts, verdict);
    g_string_truncate(verdict->attestation, 0);
    syncd_json_writer_init(&writer, verdict->attestation, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_bool(&writer, "signed", true);
    syncd_attestor_sign(facts->attestor, syncd_json_root(text->str, text->len), &writer);
    syncd_json_member_null(&writer, "evidence_uri");
    syncd_json_end_object(&writer);
}

/* A state that nobody serves is read by whoever likes, who does not speak for the device. */
char *syncd_health_conclude(const SyncdHealthFacts *facts)
{
    g_auto(Verdict) verdict = judge(facts);
    if (facts->offline)
        write_unsigned(verdict.attestation, "no daemon made this report");
    else if (facts->attestor == NULL)
        write_unsigned(verdict.attestation, "the device's key is not here");
    else
        write_signed(facts, &verdict);
    return g_string_free(write_report(facts, &verdict), FALSE);
}

/* ---- the two ways ---- */

void syncd_service_set_places(SyncdService *service, const SyncdPlaces *places)
{
    service->places = places;
}

static void collect(SyncdService *service, SyncdHealthFacts *facts)
{
    syncd_health_facts_init(facts);
    syncd_health_collect(service, facts);
}

/* What was met only by looking is no other fact in the rest of the report. */
static void diagnose(SyncdService *service, SyncdHealthFacts *facts)
{
    guint64 before = syncd_service_held_reasons(service);
    GPtrArray *found = syncd_service_diagnose(service);
    if (syncd_service_held_reasons(service) != before) {
        syncd_health_facts_clear(facts);
        collect(service, facts);
    }
    facts->found = found;
}

char *syncd_service_health(SyncdService *service, const SyncdCaller *caller, GError **error)
{
    SyncdState state;
    g_auto(SyncdHealthFacts) facts = {0};
    if (!syncd_service_may_inspect(service, caller)) {
        syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED,
                        "A report names what is wrong, and is not for everybody");
        return NULL;
    }
    if (syncd_store_condition(service->store) != SYNCD_STORE_INSPECTING)
        syncd_service_look_at_state(service);
    collect(service, &facts);
    /* A report changes nothing, and lookups would take what waits into the index, or make one. */
    if (!facts.offline && facts.store.counted && facts.store.waiting == 0)
        diagnose(service, &facts);
    syncd_service_known_state(service, &state);
    facts.state = &state;
    return syncd_health_conclude(&facts);
}

char *syncd_health_without_state(const char *directory, const SyncdSources *sources,
                                 const GError *why)
{
    g_auto(SyncdHealthFacts) facts = {0};
    const char *reason = g_error_matches(why, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED)
                             ? "not initialized"
                             : syncd_error_info_of(why)->name;
    syncd_health_facts_init(&facts);
    syncd_health_collect_nothing(directory, sources, reason, &facts);
    return syncd_health_conclude(&facts);
}
