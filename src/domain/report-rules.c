#include "domain/report-rules.h"

#include "domain/problems.h"
#include "domain/report.h"

static void check_names(SyncdJson report, const char *list, GPtrArray *problems)
{
    SyncdJsonIter iter;
    SyncdJson element;
    unsigned index = 0;
    syncd_json_iter_init(&iter, syncd_json_member(report, list));
    for (; syncd_json_iter_next(&iter, NULL, &element); index++) {
        SyncdJson name = syncd_json_member(element, "name");
        g_autofree char *text = syncd_json_dup_text(name);
        if (text == NULL && name.type == SYNCD_JSON_STRING)
            syncd_problems_add(problems, "/%s/%u/name must not contain U+0000", list, index);
    }
}

static bool is_number(SyncdJson value)
{
    return value.type == SYNCD_JSON_INTEGER || value.type == SYNCD_JSON_REAL;
}

/* What is no number at all the contract complains of. */
static void check_counts(SyncdJson lane, unsigned index, GPtrArray *problems)
{
    static const struct {
        const char *block;
        const char *name;
    } counts[] = {
        {"sla", "max_heartbeat_age_ms"},
        {"sla", "max_replay_lag_events"},
        {"sla", "max_replay_lag_ms"},
        {"journal", "replay_lag_events"},
        {"journal", "oldest_unapplied_event_age_ms"},
        {"objects", "corrupted"},
    };
    guint64 count;
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        SyncdJson value =
            syncd_json_member(syncd_json_member(lane, counts[i].block), counts[i].name);
        if (is_number(value) && !syncd_count_read(value, &count))
            syncd_problems_add(problems, "/lanes/%u/%s/%s must be a count of at most 64 bits",
                               index, counts[i].block, counts[i].name);
    }
}

void syncd_report_check(SyncdJson report, GPtrArray *problems)
{
    SyncdJsonIter iter;
    SyncdJson lane;
    unsigned index = 0;
    syncd_problems_add_contract(problems, SYNCD_REPORT_SCHEMA, report);
    check_names(report, "stores", problems);
    check_names(report, "lanes", problems);
    syncd_json_iter_init(&iter, syncd_json_member(report, "lanes"));
    for (; syncd_json_iter_next(&iter, NULL, &lane); index++)
        check_counts(lane, index, problems);
}
