#include "domain/normalize.h"

#include "base/json-writer.h"
#include "contract/vocabulary.h"
#include "domain/explanation-codes.h"
#include "domain/judgement.h"
#include "domain/problems.h"

#include <string.h>

#define DEFAULT_BUNDLE "sourceos.baseline"
#define RULE_PREFIX "sourceos.policy."
#define EVENT_PREFIX "evt_"
#define COALESCE_WINDOW_MS 300000

typedef struct {
    SyncdJson observation;
    const SyncdExplanation *explanation;
    gint64 now_usec;
    char *id;       /* of the observation */
    char *event_id; /* and of the event */
    SyncdJsonWriter *writer;
} Event;

/* ---- what an observation may claim ---- */

static void check_equal(SyncdJson observation, const char *name, const char *wanted,
                        GPtrArray *problems)
{
    SyncdJson value = syncd_json_member(observation, name);
    if (value.type != SYNCD_JSON_NONE && !syncd_json_is(value, wanted))
        syncd_problems_add(problems, "/%s must be %s for this explanation code", name, wanted);
}

/* Its place in the order from trace to critical; -1 when it is no severity. */
static int severity_rank(SyncdJson severity)
{
    const char *const *words = syncd_vocabulary_words(SYNCD_WORDS_EVENT_SEVERITY);
    for (int i = 0; words[i] != NULL; i++)
        if (syncd_json_is(severity, words[i]))
            return i;
    return -1;
}

static int severity_rank_of(const char *severity)
{
    const char *const *words = syncd_vocabulary_words(SYNCD_WORDS_EVENT_SEVERITY);
    int i = 0;
    while (strcmp(words[i], severity) != 0)
        i++;
    return i;
}

static void check_severity(SyncdJson observation, const SyncdExplanation *explanation,
                           GPtrArray *problems)
{
    SyncdJson severity = syncd_json_member(observation, "severity");
    if (severity.type == SYNCD_JSON_NONE)
        return;
    int said = severity_rank(severity), own = severity_rank_of(explanation->severity);
    if (said == own || (said > own && explanation->may_be_more_severe))
        return;
    syncd_problems_add(problems, "/severity must be %s%s for this explanation code",
                       explanation->severity,
                       explanation->may_be_more_severe ? " or more severe" : "");
}

static void check_claims(SyncdJson observation, const SyncdExplanation *explanation,
                         GPtrArray *problems)
{
    check_equal(observation, "result", explanation->result, problems);
    check_equal(observation, "semantic_outcome", explanation->outcome, problems);
    check_equal(observation, "risk", explanation->risk, problems);
    check_severity(observation, explanation, problems);
    if (!syncd_explanation_covers(explanation->operations,
                                  syncd_json_member(observation, "operation")))
        syncd_problems_add(problems, "/operation is none that this explanation code is for");
    if (!syncd_explanation_covers(explanation->targets,
                                  syncd_json_member(observation, "target_class")))
        syncd_problems_add(problems, "/target_class is none that this explanation code is for");
}

/* ---- the parts of the event ---- */

static char *text_or(SyncdJson value, const char *fallback)
{
    g_autofree char *text = syncd_json_dup_text(value);
    return text != NULL && *text != '\0' ? g_steal_pointer(&text) : g_strdup(fallback);
}

static void write_text_or(const Event *event, const char *name, SyncdJson from,
                          const char *from_name, const char *fallback)
{
    g_autofree char *text = text_or(syncd_json_member(from, from_name), fallback);
    syncd_json_member_string(event->writer, name, text);
}

static void write_host(const Event *event)
{
    SyncdJson privacy = syncd_json_member(event->observation, "privacy");
    syncd_json_name(event->writer, "host");
    syncd_json_begin_object(event->writer);
    syncd_json_member_string(event->writer, "host_id", "host_local");
    syncd_json_member_string(event->writer, "platform", "sourceos");
    write_text_or(event, "privacy_zone", privacy, "tier", "user_private");
    syncd_json_end_object(event->writer);
}

static void write_causality(const Event *event)
{
    SyncdJson causality = syncd_json_member(event->observation, "causality");
    SyncdJson parent = syncd_json_member(causality, "parent_event_id");
    g_autofree char *trace = g_strconcat("trace_", event->id, NULL);
    g_autofree char *span = g_strconcat("span_", event->id, NULL);
    syncd_json_name(event->writer, "causality");
    syncd_json_begin_object(event->writer);
    if (parent.type != SYNCD_JSON_NONE)
        syncd_json_member_value(event->writer, "parent_event_id", parent);
    write_text_or(event, "root_event_id", causality, "root_event_id", event->event_id);
    write_text_or(event, "trace_id", causality, "trace_id", trace);
    write_text_or(event, "span_id", causality, "span_id", span);
    syncd_json_end_object(event->writer);
}

static void write_decision(const Event *event)
{
    const SyncdExplanation *explanation = event->explanation;
    SyncdJson observation = event->observation;
    g_autofree char *id = g_strconcat("dec_", event->id, NULL);
    g_autofree char *code = g_ascii_strdown(explanation->code, -1);
    g_autofree char *rule = g_strconcat(RULE_PREFIX, code, NULL);
    syncd_json_name(event->writer, "decision");
    syncd_json_begin_object(event->writer);
    syncd_json_member_string(event->writer, "decision_id", id);
    write_text_or(event, "policy_bundle", observation, "policy_bundle", DEFAULT_BUNDLE);
    write_text_or(event, "policy_rule", observation, "policy_rule", rule);
    syncd_json_member_value(event->writer, "operation",
                            syncd_json_member(observation, "operation"));
    syncd_json_member_value(event->writer, "target_class",
                            syncd_json_member(observation, "target_class"));
    syncd_json_member_string(event->writer, "result", explanation->result);
    syncd_json_member_string(event->writer, "semantic_outcome", explanation->outcome);
    syncd_json_member_string(event->writer, "explanation_code", explanation->code);
    syncd_json_end_object(event->writer);
}

static void write_trust(const Event *event)
{
    syncd_json_name(event->writer, "trust");
    syncd_json_begin_object(event->writer);
    syncd_json_member_string(event->writer, "mode", "local_first");
    syncd_json_member_string(event->writer, "signature_state", "not_applicable");
    syncd_json_member_string(event->writer, "package_origin", "unknown");
    syncd_json_member_string(event->writer, "attestation_state", "not_applicable");
    syncd_json_member_string(event->writer, "network_lookup", "not_attempted");
    syncd_json_end_object(event->writer);
}

static void write_noise_control(const Event *event)
{
    g_autofree char *code = g_ascii_strdown(event->explanation->code, -1);
    g_autofree char *operation = text_or(syncd_json_member(event->observation, "operation"), "");
    g_autofree char *target = text_or(syncd_json_member(event->observation, "target_class"), "");
    g_autofree char *fingerprint = g_strdup_printf("fp_%s_%s_%s", code, operation, target);
    syncd_json_name(event->writer, "noise_control");
    syncd_json_begin_object(event->writer);
    syncd_json_member_string(event->writer, "event_fingerprint", fingerprint);
    syncd_judgement_write_time(event->writer, "first_seen", event->now_usec);
    syncd_judgement_write_time(event->writer, "last_seen", event->now_usec);
    syncd_json_member_int(event->writer, "count", 1);
    syncd_json_member_int(event->writer, "suppressed_count", 0);
    syncd_json_member_int(event->writer, "coalesce_window_ms", COALESCE_WINDOW_MS);
    syncd_json_end_object(event->writer);
}

static void write_privacy(const Event *event)
{
    SyncdJson privacy = syncd_json_member(event->observation, "privacy");
    SyncdJson secret_fields = syncd_json_member(privacy, "secret_fields");
    syncd_json_name(event->writer, "privacy");
    syncd_json_begin_object(event->writer);
    write_text_or(event, "tier", privacy, "tier", "user_private");
    write_text_or(event, "redaction_policy", privacy, "redaction_policy", "preserve_causality");
    syncd_json_name(event->writer, "secret_fields");
    if (secret_fields.type == SYNCD_JSON_NONE) {
        syncd_json_begin_array(event->writer);
        syncd_json_end_array(event->writer);
    } else {
        syncd_json_value(event->writer, secret_fields);
    }
    syncd_json_end_object(event->writer);
}

static bool is_known_source(SyncdJson source)
{
    g_autofree char *text = syncd_json_dup_text(source);
    return text != NULL &&
           syncd_vocabulary_find(SYNCD_WORDS_EVIDENCE_SOURCE, SYNCD_BYTES_TEXT(text)) != NULL;
}

static void write_given_evidence(const Event *event, SyncdJson given)
{
    SyncdJson source = syncd_json_member(given, "source");
    SyncdJson raw_ref = syncd_json_member(given, "raw_ref");
    syncd_json_begin_object(event->writer);
    syncd_json_member_value(event->writer, "evidence_id", syncd_json_member(given, "evidence_id"));
    if (is_known_source(source))
        syncd_json_member_value(event->writer, "source", source);
    else
        syncd_json_member_string(event->writer, "source", "raw-log");
    if (raw_ref.type != SYNCD_JSON_NONE)
        syncd_json_member_value(event->writer, "raw_ref", raw_ref);
    syncd_json_member_value(event->writer, "summary", syncd_json_member(given, "summary"));
    syncd_json_end_object(event->writer);
}

static void write_own_evidence(const Event *event, const char *id)
{
    syncd_json_begin_object(event->writer);
    syncd_json_member_string(event->writer, "evidence_id", id);
    syncd_json_member_string(event->writer, "source", "policy-engine");
    syncd_json_member_null(event->writer, "raw_ref");
    syncd_json_member_string(event->writer, "summary", event->explanation->summary);
    syncd_json_end_object(event->writer);
}

/* The elements, or only their ids. */
static void write_evidence(const Event *event, const char *name, bool only_ids)
{
    g_autofree char *own_id = g_strconcat("ev_", event->id, NULL);
    SyncdJsonIter iter;
    SyncdJson given;
    unsigned count = 0;
    syncd_json_name(event->writer, name);
    syncd_json_begin_array(event->writer);
    syncd_json_iter_init(&iter, syncd_json_member(event->observation, "evidence"));
    for (; syncd_json_iter_next(&iter, NULL, &given); count++) {
        if (only_ids)
            syncd_json_value(event->writer, syncd_json_member(given, "evidence_id"));
        else
            write_given_evidence(event, given);
    }
    if (count == 0 && only_ids)
        syncd_json_string(event->writer, own_id);
    else if (count == 0)
        write_own_evidence(event, own_id);
    syncd_json_end_array(event->writer);
}

static void write_narrative(const Event *event)
{
    const SyncdExplanation *explanation = event->explanation;
    SyncdJson observation = event->observation;
    syncd_json_name(event->writer, "operator_narrative");
    syncd_json_begin_object(event->writer);
    write_text_or(event, "summary", observation, "summary", explanation->summary);
    syncd_json_member_string(event->writer, "risk", explanation->risk);
    write_text_or(event, "why", observation, "why", explanation->why);
    write_text_or(event, "next_action", observation, "next_action", explanation->next_action);
    write_evidence(event, "drilldown_refs", true);
    syncd_json_end_object(event->writer);
}

static void write_sync(const Event *event)
{
    syncd_json_name(event->writer, "sync");
    syncd_json_begin_object(event->writer);
    syncd_json_member_string(event->writer, "replication_policy", "local_only");
    syncd_json_member_string(event->writer, "retention_class", "standard");
    syncd_json_member_bool(event->writer, "exportable", false);
    syncd_json_end_object(event->writer);
}

static void write_event(const Event *event)
{
    SyncdJson observation = event->observation;
    syncd_json_begin_object(event->writer);
    syncd_json_member_string(event->writer, "schema_version", SYNCD_EVENT_V01_SCHEMA);
    syncd_json_member_string(event->writer, "event_id", event->event_id);
    syncd_json_member_string(event->writer, "event_class", "policy.decision");
    syncd_json_member_string(event->writer, "lane", "policy");
    write_text_or(event, "severity", observation, "severity", event->explanation->severity);
    syncd_json_member_string(event->writer, "outcome", event->explanation->outcome);
    syncd_judgement_write_time(event->writer, "created_at", event->now_usec);
    write_host(event);
    syncd_json_member_value(event->writer, "actor", syncd_json_member(observation, "actor"));
    write_causality(event);
    syncd_json_member_value(event->writer, "subject", syncd_json_member(observation, "subject"));
    write_decision(event);
    write_trust(event);
    write_noise_control(event);
    write_privacy(event);
    write_evidence(event, "evidence", false);
    write_narrative(event);
    write_sync(event);
    syncd_json_end_object(event->writer);
}

bool syncd_observation_normalize(SyncdJson observation, gint64 now_usec, GString *out,
                                 GPtrArray *problems)
{
    SyncdJson code = syncd_json_member(observation, "explanation_code");
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(observation, "observation_id"));
    Event event = {observation, syncd_explanation_find(code), now_usec, id};
    syncd_problems_add_contract(problems, SYNCD_OBSERVATION_SCHEMA, observation);
    if (event.explanation != NULL)
        check_claims(observation, event.explanation, problems);
    else
        syncd_problems_add(problems, "/explanation_code is not registered");
    if (id == NULL)
        syncd_problems_add(problems, "/observation_id must be a text without U+0000");
    if (problems->len > 0)
        return false;

    g_autofree char *event_id =
        g_str_has_prefix(id, EVENT_PREFIX) ? g_strdup(id) : g_strconcat(EVENT_PREFIX, id, NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    event.event_id = event_id;
    event.writer = &writer;
    write_event(&event);
    /* The words of an observation may be none that an event can have. */
    syncd_problems_add_contract(problems, SYNCD_EVENT_V01_SCHEMA,
                                syncd_json_root(out->str, out->len));
    return problems->len == 0;
}
