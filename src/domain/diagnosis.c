#include "domain/diagnosis.h"

#include "domain/problems.h"

#include <string.h>

/* ---- the status ---- */

static bool has(const SyncdInvariants *invariants, SyncdResult result, SyncdSeverity at_least)
{
    return syncd_invariants_count(invariants, result, at_least) > 0;
}

static const char *status_of(const SyncdInvariants *invariants, SyncdSeverity *ret_severity)
{
    *ret_severity = SYNCD_SEVERITY_ERROR;
    if (has(invariants, SYNCD_FAIL, SYNCD_SEVERITY_CRITICAL)) {
        *ret_severity = SYNCD_SEVERITY_CRITICAL;
        return "unsafe";
    }
    if (!syncd_invariants_hold(invariants, SYNCD_INVARIANT_COLLECTION))
        return "unknown";
    if (!syncd_invariants_hold(invariants, SYNCD_INVARIANT_FRESH))
        return "stale";
    if (has(invariants, SYNCD_FAIL, SYNCD_SEVERITY_INFO))
        return "degraded";
    bool warned = has(invariants, SYNCD_WARN, SYNCD_SEVERITY_INFO);
    *ret_severity = warned ? SYNCD_SEVERITY_WARNING : SYNCD_SEVERITY_INFO;
    return warned ? "degraded" : "healthy";
}

const char *syncd_diagnosis_status_of_data(const SyncdInvariants *invariants)
{
    SyncdSeverity severity;
    SyncdInvariants of_data = *invariants;
    of_data.of[SYNCD_INVARIANT_FRESH] = (SyncdInvariant){.result = SYNCD_PASS};
    return status_of(&of_data, &severity);
}

bool syncd_diagnosis_agree(SyncdJson said, const char *status)
{
    /* What a report that calls itself the first may have been found to be. */
    static const struct {
        const char *said;
        const char *status;
    } pairs[] = {
        {"healthy", "healthy"},  {"degraded", "degraded"}, {"repairing", "degraded"},
        {"stale", "degraded"},   {"stale", "unknown"},     {"unknown", "unknown"},
        {"unknown", "degraded"}, {"unsafe", "unsafe"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (syncd_json_is(said, pairs[i].said) && strcmp(status, pairs[i].status) == 0)
            return true;
    return false;
}

/* ---- lists of words ---- */

static bool is_there(const GPtrArray *words, const char *word)
{
    for (guint i = 0; i < words->len; i++)
        if (strcmp(words->pdata[i], word) == 0)
            return true;
    return false;
}

static void add(GPtrArray *words, const char *word)
{
    if (!is_there(words, word))
        g_ptr_array_add(words, g_strdup(word));
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(GPtrArray *words)
{
    g_ptr_array_sort(words, compare_words);
}

/* ---- what it is made of ---- */

static bool disk_is_short(const SyncdDiagnosis *diagnosis)
{
    return strcmp(diagnosis->disk_pressure, "warning") == 0 ||
           strcmp(diagnosis->disk_pressure, "critical") == 0;
}

static void find_causes(SyncdDiagnosis *diagnosis, const SyncdReport *report,
                        const SyncdInvariants *invariants)
{
    SyncdJson collection = syncd_report_at(report, "collection", "status");
    for (int i = 0; i < SYNCD_N_INVARIANTS; i++) {
        if (syncd_invariants_hold(invariants, i))
            continue;
        add(diagnosis->causes, syncd_invariant_name(i));
        add(diagnosis->affected_domains, syncd_invariant_domain(i));
        add(diagnosis->safe_actions, syncd_invariant_remediation(i));
    }
    if (syncd_json_is(collection, "partial"))
        add(diagnosis->causes, "collection.partial");
    if (syncd_json_is(collection, "failed"))
        add(diagnosis->causes, "collection.failed");
    if (disk_is_short(diagnosis))
        add(diagnosis->safe_actions, "purge_preview");
    if (diagnosis->safe_actions->len == 0)
        add(diagnosis->safe_actions, "continue_normal_operation");
}

static void find_lanes(SyncdDiagnosis *diagnosis, const SyncdReport *report)
{
    static const char *const affected[] = {"degraded", "repairing", "unsafe"};
    for (guint i = 0; i < report->lanes->len; i++) {
        const SyncdReportLane *lane = &g_array_index(report->lanes, SyncdReportLane, i);
        SyncdJson status = syncd_json_member(lane->json, "status");
        bool found = lane->late || lane->damaged;
        for (size_t j = 0; j < G_N_ELEMENTS(affected); j++)
            found |= syncd_json_is(status, affected[j]);
        if (found)
            add(diagnosis->affected_lanes, lane->name);
    }
}

/* An agent that needs to know how things are now must not act on these. */
static bool state_is_not_fresh(const SyncdInvariants *invariants)
{
    static const SyncdInvariantId needed[] = {
        SYNCD_INVARIANT_CONTRACT, SYNCD_INVARIANT_HEARTBEAT,  SYNCD_INVARIANT_REPLAY_LAG,
        SYNCD_INVARIANT_FRESH,    SYNCD_INVARIANT_COLLECTION, SYNCD_INVARIANT_CONSISTENT,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
        if (!syncd_invariants_hold(invariants, needed[i]))
            return true;
    return false;
}

/* What only the maker of the report can know. */
static bool is_said_to_fail(const SyncdReport *report, const char *id)
{
    SyncdJsonIter iter;
    SyncdJson invariant;
    syncd_json_iter_init(&iter, syncd_json_member(report->root, "invariants"));
    while (syncd_json_iter_next(&iter, NULL, &invariant))
        if (syncd_json_is(syncd_json_member(invariant, "id"), id) &&
            syncd_json_is(syncd_json_member(invariant, "status"), "fail"))
            return true;
    return false;
}

static char *summarise(const SyncdDiagnosis *diagnosis)
{
    if (strcmp(diagnosis->status, "healthy") == 0)
        return g_strdup(
            "All lanes are within their limits for heartbeat, replay, storage and disk.");
    g_autoptr(GString) summary = g_string_new(NULL);
    g_string_append_printf(summary, "The state is %s because of ", diagnosis->status);
    for (guint i = 0; i < diagnosis->causes->len; i++)
        g_string_append_printf(summary, "%s%s", i > 0 ? ", " : "",
                               (const char *)diagnosis->causes->pdata[i]);
    g_string_append_c(summary, '.');
    return g_string_free(g_steal_pointer(&summary), FALSE);
}

SyncdDiagnosis *syncd_diagnosis_make(const SyncdReport *report, const SyncdInvariants *invariants)
{
    SyncdDiagnosis *diagnosis = g_new0(SyncdDiagnosis, 1);
    GPtrArray **lists[] = {&diagnosis->causes, &diagnosis->affected_lanes,
                           &diagnosis->affected_domains, &diagnosis->safe_actions,
                           &diagnosis->blocked_actions};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        *lists[i] = g_ptr_array_new_with_free_func(g_free);

    diagnosis->status = status_of(invariants, &diagnosis->severity);
    diagnosis->disk_pressure = syncd_report_disk_pressure(report);
    find_causes(diagnosis, report, invariants);
    find_lanes(diagnosis, report);
    if (state_is_not_fresh(invariants))
        add(diagnosis->blocked_actions, "agent_action_requiring_fresh_state");
    if (disk_is_short(diagnosis))
        add(diagnosis->blocked_actions, "destructive_purge_without_policy_grant");
    if (is_said_to_fail(report, "journal.writable"))
        add(diagnosis->blocked_actions, "recording_operations");
    if (is_said_to_fail(report, "keys.present"))
        add(diagnosis->blocked_actions, "recording_without_key");
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        sort(*lists[i]);
    diagnosis->summary = summarise(diagnosis);
    return diagnosis;
}

void syncd_diagnosis_free(SyncdDiagnosis *diagnosis)
{
    if (diagnosis == NULL)
        return;
    g_ptr_array_unref(diagnosis->causes);
    g_ptr_array_unref(diagnosis->affected_lanes);
    g_ptr_array_unref(diagnosis->affected_domains);
    g_ptr_array_unref(diagnosis->safe_actions);
    g_ptr_array_unref(diagnosis->blocked_actions);
    g_free(diagnosis->summary);
    g_free(diagnosis);
}

/* ---- writing ---- */

void syncd_diagnosis_write_members(const SyncdDiagnosis *diagnosis, SyncdJsonWriter *writer)
{
    syncd_json_member_string(writer, "status", diagnosis->status);
    syncd_json_member_string(writer, "severity", syncd_severity_name(diagnosis->severity));
    syncd_json_member_string(writer, "summary", diagnosis->summary);
    syncd_json_member_strings(writer, "causes", diagnosis->causes);
    syncd_json_member_strings(writer, "affected_lanes", diagnosis->affected_lanes);
    syncd_json_member_strings(writer, "affected_domains", diagnosis->affected_domains);
    syncd_json_member_strings(writer, "safe_actions", diagnosis->safe_actions);
    syncd_json_member_strings(writer, "blocked_actions", diagnosis->blocked_actions);
}

typedef struct {
    const char *id;
    const char *trigger;
    const char *action;
    const char *mode;
} Control;

static void write_control(SyncdJsonWriter *writer, const Control *control)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "id", control->id);
    syncd_json_member_string(writer, "trigger", control->trigger);
    syncd_json_member_string(writer, "action", control->action);
    syncd_json_member_string(writer, "mode", control->mode);
    syncd_json_end_object(writer);
}

void syncd_diagnosis_write_controls(const SyncdDiagnosis *diagnosis,
                                    const SyncdInvariants *invariants, SyncdJsonWriter *writer)
{
    const Control replay = {"run_replay", syncd_invariant_name(SYNCD_INVARIANT_REPLAY_LAG),
                            "run_replay", "automatic_allowed"};
    const Control purge = {"disk_pressure_purge_preview",
                           syncd_invariant_name(SYNCD_INVARIANT_DISK), "purge_preview",
                           "manual_approval_required"};
    const Control dirty = {"verify_dirty_open", syncd_invariant_name(SYNCD_INVARIANT_DIRTY_OPEN),
                           "verify_before_ready", "automatic_allowed"};
    syncd_json_begin_array(writer);
    if (!syncd_invariants_hold(invariants, SYNCD_INVARIANT_REPLAY_LAG))
        write_control(writer, &replay);
    if (disk_is_short(diagnosis))
        write_control(writer, &purge);
    if (!syncd_invariants_hold(invariants, SYNCD_INVARIANT_DIRTY_OPEN))
        write_control(writer, &dirty);
    syncd_json_end_array(writer);
}
