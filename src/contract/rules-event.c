/* Canonical events, and the codes that explain them. */
#include "base/timestamp.h"
#include "contract/rules.h"

/* ---- severity ---- */

/* The severities above notice. */
static const char *const loud[] = {"warning", "error", "critical"};

static bool is_loud(SyncdJson severity)
{
    for (size_t i = 0; i < G_N_ELEMENTS(loud); i++)
        if (syncd_json_is(severity, loud[i]))
            return true;
    return false;
}

static void check_quiet(SyncdJson outcome, SyncdJson severity, const char *path,
                        SyncdRuling *ruling)
{
    if (syncd_json_is(outcome, "blocked_expected") && is_loud(severity))
        syncd_rule_break(ruling, "expected-blocks-are-quiet", path,
                         "must not be above notice, because the block was expected");
}

/* ---- decision ---- */

static bool starts_with(SyncdJson value, const char *prefix)
{
    g_autofree char *text = syncd_json_dup_text(value);
    return text != NULL && g_str_has_prefix(text, prefix);
}

static bool is_same(SyncdJson one, SyncdJson other)
{
    g_autofree char *text = syncd_json_dup_text(one);
    return text != NULL && syncd_json_is(other, text);
}

static void check_decision(SyncdJson event, SyncdRuling *ruling)
{
    SyncdJson decision = syncd_json_member(event, "decision");
    SyncdJson meant = syncd_json_member(decision, "semantic_outcome");
    SyncdJson result = syncd_json_member(decision, "result");
    SyncdJson outcome = syncd_json_member(event, "outcome");
    if (meant.type == SYNCD_JSON_STRING && outcome.type == SYNCD_JSON_STRING &&
        !is_same(meant, outcome))
        syncd_rule_break(ruling, "decision-has-the-outcome", "/decision/semantic_outcome",
                         "must be the outcome of the event");
    if (syncd_json_is(result, "allow") && starts_with(meant, "blocked_"))
        syncd_rule_break(ruling, "result-fits-outcome", "/decision/result",
                         "must not be allow, because the outcome is a block");
    if (syncd_json_is(result, "deny") && syncd_json_is(meant, "allowed"))
        syncd_rule_break(ruling, "result-fits-outcome", "/decision/result",
                         "must not be deny, because the outcome is allowed");
}

/* ---- references ---- */

/* Whether the ids of all evidence are there. */
static bool is_whole(SyncdJson evidence)
{
    SyncdJsonIter iter;
    SyncdJson piece;
    if (evidence.type != SYNCD_JSON_ARRAY)
        return false;
    syncd_json_iter_init(&iter, evidence);
    while (syncd_json_iter_next(&iter, NULL, &piece)) {
        SyncdJson id = syncd_json_member(piece, "evidence_id");
        if (id.type != SYNCD_JSON_STRING || syncd_json_is(id, ""))
            return false;
    }
    return true;
}

static void check_references(SyncdJson refs, const char *path, GHashTable *known,
                             SyncdRuling *ruling)
{
    SyncdJsonIter iter;
    SyncdJson ref;
    unsigned index = 0;
    if (refs.type != SYNCD_JSON_ARRAY)
        return;
    syncd_json_iter_init(&iter, refs);
    for (; syncd_json_iter_next(&iter, NULL, &ref); index++) {
        if (ref.type != SYNCD_JSON_STRING || syncd_rule_has(known, ref))
            continue;
        g_autofree char *place = g_strdup_printf("%s/%u", path, index);
        syncd_rule_break(ruling, "references-lead-somewhere", place,
                         "must be the evidence_id of evidence in this event");
    }
}

/* ---- repetition ---- */

static bool read_time(SyncdJson value, gint64 *ret_usec)
{
    size_t size;
    g_autofree char *text = syncd_json_dup_string(value, &size);
    return text != NULL && syncd_time_parse(text, size, ret_usec);
}

static void check_noise(SyncdJson noise, SyncdRuling *ruling)
{
    gint64 first, last;
    SyncdJson count = syncd_json_member(noise, "count");
    SyncdJson suppressed = syncd_json_member(noise, "suppressed_count");
    if (syncd_rule_is_count(count) && syncd_rule_is_count(suppressed) &&
        !syncd_rule_exceeds(count, suppressed))
        syncd_rule_break(ruling, "one-is-not-suppressed", "/noise_control/suppressed_count",
                         "must be less than count");
    if (read_time(syncd_json_member(noise, "first_seen"), &first) &&
        read_time(syncd_json_member(noise, "last_seen"), &last) && last < first)
        syncd_rule_break(ruling, "last-follows-first", "/noise_control/last_seen",
                         "must not be before first_seen");
}

void syncd_rules_of_event(SyncdJson event, SyncdRuling *ruling)
{
    SyncdJson evidence = syncd_json_member(event, "evidence");
    SyncdJson narrative = syncd_json_member(event, "operator_narrative");
    SyncdJson noise = syncd_json_member(event, "noise_control");
    check_quiet(syncd_json_member(event, "outcome"), syncd_json_member(event, "severity"),
                "/severity", ruling);
    check_decision(event, ruling);
    check_noise(noise, ruling);
    if (!is_whole(evidence))
        return;
    g_autoptr(GHashTable) known = syncd_rule_texts(evidence, "evidence_id");
    check_references(syncd_json_member(narrative, "drilldown_refs"),
                     "/operator_narrative/drilldown_refs", known, ruling);
    check_references(syncd_json_member(noise, "sample_evidence_refs"),
                     "/noise_control/sample_evidence_refs", known, ruling);
}

void syncd_rules_of_codes(SyncdJson registry, SyncdRuling *ruling)
{
    SyncdJsonIter iter;
    SyncdJson code;
    unsigned index = 0;
    SyncdJson codes = syncd_json_member(registry, "codes");
    syncd_rule_differ(ruling, "codes-differ", "/codes", codes, "code");
    syncd_json_iter_init(&iter, codes);
    for (; syncd_json_iter_next(&iter, NULL, &code); index++) {
        g_autofree char *path = g_strdup_printf("/codes/%u/severity", index);
        check_quiet(syncd_json_member(code, "semantic_outcome"),
                    syncd_json_member(code, "severity"), path, ruling);
    }
}
