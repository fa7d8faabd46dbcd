#include "domain/report.h"

#include "base/timestamp.h"
#include "domain/problems.h"
#include "domain/report-rules.h"

#include <string.h>

/* ---- values ---- */

/* A double that holds an integer exactly. */
#define MAX_EXACT_REAL 9007199254740992.0

static bool read_real_count(SyncdJson value, guint64 *ret_count)
{
    g_autofree char *text = g_strndup(value.at, syncd_json_size(value));
    double number = g_ascii_strtod(text, NULL);
    if (!(number >= 0 && number <= MAX_EXACT_REAL) || (double)(guint64)number != number)
        return false;
    *ret_count = (guint64)number;
    return true;
}

bool syncd_count_read(SyncdJson value, guint64 *ret_count)
{
    if (value.type == SYNCD_JSON_REAL)
        return read_real_count(value, ret_count);
    if (value.type != SYNCD_JSON_INTEGER)
        return false;
    const char *at = value.at;
    if (syncd_json_size(value) == 2 && memcmp(at, "-0", 2) == 0)
        at++;
    g_autofree char *text = g_strndup(at, (size_t)(value.end - at));
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, ret_count, NULL);
}

static guint64 count_or_zero(SyncdJson value)
{
    guint64 count;
    return syncd_count_read(value, &count) ? count : 0;
}

guint64 syncd_count_add(guint64 a, guint64 b)
{
    return a > G_MAXUINT64 - b ? G_MAXUINT64 : a + b;
}

bool syncd_instant_read(SyncdJson value, gint64 *ret_usec)
{
    g_autofree char *text = syncd_json_dup_text(value);
    return text != NULL && syncd_time_parse(text, strlen(text), ret_usec);
}

SyncdJson syncd_report_at(const SyncdReport *report, const char *block, const char *member)
{
    return syncd_json_member(syncd_json_member(report->root, block), member);
}

char *syncd_report_text(const SyncdReport *report, const char *block, const char *member)
{
    g_autofree char *text = syncd_json_dup_text(syncd_report_at(report, block, member));
    return text != NULL && *text != '\0' ? g_steal_pointer(&text) : NULL;
}

/* ---- lanes ---- */

static bool is_above(SyncdJson value, SyncdJson limit)
{
    guint64 number, most;
    return syncd_count_read(value, &number) && syncd_count_read(limit, &most) && number > most;
}

static void read_lane(GArray *lanes, SyncdJson json)
{
    SyncdReportLane lane = {.json = json};
    lane.name = syncd_json_dup_text(syncd_json_member(json, "name"));
    if (lane.name == NULL)
        return;
    SyncdJson sla = syncd_json_member(json, "sla"), journal = syncd_json_member(json, "journal");
    SyncdJson objects = syncd_json_member(json, "objects");
    lane.lag = count_or_zero(syncd_json_member(journal, "replay_lag_events"));
    lane.allowed_lag = count_or_zero(syncd_json_member(sla, "max_replay_lag_events"));
    lane.late = lane.lag > lane.allowed_lag ||
                is_above(syncd_json_member(journal, "oldest_unapplied_event_age_ms"),
                         syncd_json_member(sla, "max_replay_lag_ms"));
    lane.damaged = syncd_json_is(syncd_json_member(journal, "checksum_state"), "mismatch") ||
                   count_or_zero(syncd_json_member(objects, "corrupted")) > 0;
    g_array_append_val(lanes, lane);
}

static void lane_clear(void *data)
{
    g_free(((SyncdReportLane *)data)->name);
}

const SyncdReportLane *syncd_report_find_lane(const SyncdReport *report, const char *name)
{
    for (guint i = 0; i < report->lanes->len; i++) {
        const SyncdReportLane *lane = &g_array_index(report->lanes, SyncdReportLane, i);
        if (strcmp(lane->name, name) == 0)
            return lane;
    }
    return NULL;
}

/* ---- disk ---- */

/* From the worst; a ratio above the last bound is no pressure. */
static const struct {
    const char *name;
    double most; /* of the free ratio */
} pressures[] = {{"critical", 0.05}, {"warning", 0.10}, {"watch", 0.20}, {"none", 1.0}};

static size_t pressure_of_ratio(SyncdJson ratio)
{
    size_t i = 0;
    if (ratio.type != SYNCD_JSON_REAL && ratio.type != SYNCD_JSON_INTEGER)
        return G_N_ELEMENTS(pressures) - 1;
    g_autofree char *text = g_strndup(ratio.at, syncd_json_size(ratio));
    double free_ratio = g_ascii_strtod(text, NULL);
    while (i < G_N_ELEMENTS(pressures) - 1 && free_ratio > pressures[i].most)
        i++;
    return i;
}

const char *syncd_report_disk_pressure(const SyncdReport *report)
{
    SyncdJson disk = syncd_report_at(report, "resources", "disk");
    SyncdJson said = syncd_json_member(disk, "pressure");
    size_t measured = pressure_of_ratio(syncd_json_member(disk, "free_ratio"));
    for (size_t i = 0; i < G_N_ELEMENTS(pressures); i++)
        if (syncd_json_is(said, pressures[i].name))
            return pressures[MIN(i, measured)].name;
    return "unknown";
}

void syncd_report_write_policy_counts(const SyncdReport *report, SyncdJsonWriter *writer)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    guint64 count;
    syncd_json_begin_object(writer);
    syncd_json_iter_init(&iter, syncd_report_at(report, "policy", "policy_decisions"));
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *text = iter.object ? syncd_json_dup_text(name) : NULL;
        /* Where the report keeps to its contract, every value is a count, of any size. */
        if (text != NULL && (report->errors->len == 0 || syncd_count_read(value, &count)))
            syncd_json_member_value(writer, text, value);
    }
    syncd_json_end_object(writer);
}

/* ---- the report ---- */

SyncdReport *syncd_report_read(SyncdJson root)
{
    SyncdReport *report = g_new0(SyncdReport, 1);
    SyncdJsonIter iter;
    SyncdJson lane;
    report->root = root;
    report->errors = syncd_problems_new();
    report->lanes = g_array_new(FALSE, FALSE, sizeof(SyncdReportLane));
    g_array_set_clear_func(report->lanes, lane_clear);

    syncd_json_iter_init(&iter, syncd_json_member(root, "lanes"));
    while (syncd_json_iter_next(&iter, NULL, &lane))
        read_lane(report->lanes, lane);
    syncd_report_check(root, report->errors);
    SyncdHash hash = syncd_hash_canonical(root);
    syncd_hash_to_digest(&hash, report->digest);
    return report;
}

void syncd_report_free(SyncdReport *report)
{
    if (report == NULL)
        return;
    g_ptr_array_unref(report->errors);
    g_array_unref(report->lanes);
    g_free(report);
}
