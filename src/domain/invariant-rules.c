#include "domain/invariant-rules.h"

#include "domain/problems.h"

#define USEC_PER_MS 1000
#define DEFAULT_MAX_HEARTBEAT_AGE_MS 30000u
/* A time in whole seconds may be this much behind one with a fraction. */
#define ROUNDING_USEC 999999

void syncd_rule_write_value(SyncdJsonWriter *evidence, SyncdJson value)
{
    if (value.type == SYNCD_JSON_OBJECT || value.type == SYNCD_JSON_ARRAY)
        syncd_json_null(evidence);
    else
        syncd_json_value(evidence, value);
}

void syncd_rule_write_member(SyncdJsonWriter *evidence, const char *name, SyncdJson value)
{
    syncd_json_name(evidence, name);
    syncd_rule_write_value(evidence, value);
}

SyncdResult syncd_rule_contract(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                SyncdSeverity *severity)
{
    syncd_json_member_strings(evidence, "errors", the_case->report->errors);
    return the_case->report->errors->len == 0 ? SYNCD_PASS : SYNCD_FAIL;
}

/* ---- time ---- */

/* Of `then` at `now`, as evidence; null when it is not known. */
static void write_age(SyncdJsonWriter *evidence, bool known, gint64 age_usec)
{
    if (!known) {
        syncd_json_member_null(evidence, "age_ms");
        return;
    }
    syncd_json_member_int(evidence, "age_ms", MAX(age_usec, 0) / USEC_PER_MS);
    if (age_usec < -ROUNDING_USEC)
        syncd_json_member_int(evidence, "ahead_ms", -age_usec / USEC_PER_MS);
}

static guint64 max_heartbeat_age(const SyncdReport *report)
{
    guint64 least = G_MAXUINT64, limit;
    bool found = false;
    for (guint i = 0; i < report->lanes->len; i++) {
        const SyncdReportLane *lane = &g_array_index(report->lanes, SyncdReportLane, i);
        SyncdJson sla = syncd_json_member(lane->json, "sla");
        if (!syncd_count_read(syncd_json_member(sla, "max_heartbeat_age_ms"), &limit))
            continue;
        found = true;
        least = MIN(least, limit);
    }
    return found ? least : DEFAULT_MAX_HEARTBEAT_AGE_MS;
}

SyncdResult syncd_rule_heartbeat(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                 SyncdSeverity *severity)
{
    const SyncdReport *report = the_case->report;
    gint64 generated, heartbeat, age = 0;
    guint64 limit = max_heartbeat_age(report);
    bool known =
        syncd_instant_read(syncd_json_member(report->root, "generated_at"), &generated) &&
        syncd_instant_read(syncd_report_at(report, "runtime", "last_heartbeat_at"), &heartbeat);
    if (known)
        age = generated - heartbeat;
    write_age(evidence, known, age);
    syncd_json_member_uint(evidence, "max_heartbeat_age_ms", limit);
    bool good = known && age >= -ROUNDING_USEC && (guint64)(MAX(age, 0) / USEC_PER_MS) <= limit;
    return good ? SYNCD_PASS : SYNCD_FAIL;
}

SyncdResult syncd_rule_fresh(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                             SyncdSeverity *severity)
{
    const SyncdCircumstances *circumstances = the_case->circumstances;
    SyncdJson written = syncd_json_member(the_case->report->root, "generated_at");
    gint64 generated, age = 0, limit = circumstances->max_age_usec;
    bool known = syncd_instant_read(written, &generated);
    if (known)
        age = circumstances->now_usec - generated;
    write_age(evidence, known, age);
    syncd_json_name(evidence, "max_age_ms");
    if (limit == 0)
        syncd_json_null(evidence);
    else
        syncd_json_int(evidence, limit / USEC_PER_MS);
    bool good = known && age >= -ROUNDING_USEC && (limit == 0 || age <= limit);
    return good ? SYNCD_PASS : SYNCD_FAIL;
}

SyncdResult syncd_rule_dirty_open(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                  SyncdSeverity *severity)
{
    SyncdJson opened = syncd_report_at(the_case->report, "runtime", "last_dirty_open_at");
    syncd_rule_write_member(evidence, "last_dirty_open_at", opened);
    bool set = opened.type != SYNCD_JSON_NONE && opened.type != SYNCD_JSON_NULL;
    return set ? SYNCD_WARN : SYNCD_PASS;
}

/* ---- lanes ---- */

typedef bool LaneTest(const SyncdReportLane *lane);

/* Gives how many there are. */
static unsigned write_lanes(const SyncdReport *report, SyncdJsonWriter *evidence, const char *name,
                            LaneTest *test)
{
    unsigned count = 0;
    syncd_json_name(evidence, name);
    syncd_json_begin_array(evidence);
    for (guint i = 0; i < report->lanes->len; i++) {
        const SyncdReportLane *lane = &g_array_index(report->lanes, SyncdReportLane, i);
        if (!test(lane))
            continue;
        syncd_json_string(evidence, lane->name);
        count++;
    }
    syncd_json_end_array(evidence);
    return count;
}

static bool is_late(const SyncdReportLane *lane)
{
    return lane->late;
}

static bool is_damaged(const SyncdReportLane *lane)
{
    return lane->damaged;
}

static bool is_unsafe(const SyncdReportLane *lane)
{
    return syncd_json_is(syncd_json_member(lane->json, "status"), "unsafe");
}

static bool is_impaired(const SyncdReportLane *lane)
{
    SyncdJson status = syncd_json_member(lane->json, "status");
    return syncd_json_is(status, "degraded") || syncd_json_is(status, "repairing");
}

/* The contract compares sums. A lane that is late behind the slack of another one is late. */
SyncdResult syncd_rule_replay_lag(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                  SyncdSeverity *severity)
{
    const SyncdReport *report = the_case->report;
    guint64 lag = 0, allowed = 0;
    for (guint i = 0; i < report->lanes->len; i++) {
        const SyncdReportLane *lane = &g_array_index(report->lanes, SyncdReportLane, i);
        lag = syncd_count_add(lag, lane->lag);
        allowed = syncd_count_add(allowed, lane->allowed_lag);
    }
    syncd_json_member_uint(evidence, "replay_lag_events", lag);
    syncd_json_member_uint(evidence, "allowed_replay_lag_events", allowed);
    return write_lanes(report, evidence, "late_lanes", is_late) == 0 ? SYNCD_PASS : SYNCD_FAIL;
}

SyncdResult syncd_rule_lanes(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                             SyncdSeverity *severity)
{
    unsigned unsafe = write_lanes(the_case->report, evidence, "unsafe_lanes", is_unsafe);
    unsigned impaired = write_lanes(the_case->report, evidence, "impaired_lanes", is_impaired);
    return unsafe > 0 ? SYNCD_FAIL : impaired > 0 ? SYNCD_WARN : SYNCD_PASS;
}

/* ---- stores ---- */

typedef bool StoreTest(SyncdJson store);

static unsigned write_stores(const SyncdReport *report, SyncdJsonWriter *evidence, StoreTest *test)
{
    unsigned count = 0;
    SyncdJsonIter iter;
    SyncdJson store;
    syncd_json_name(evidence, "stores");
    syncd_json_begin_array(evidence);
    syncd_json_iter_init(&iter, syncd_json_member(report->root, "stores"));
    while (syncd_json_iter_next(&iter, NULL, &store)) {
        if (!test(store))
            continue;
        syncd_rule_write_value(evidence, syncd_json_member(store, "name"));
        count++;
    }
    syncd_json_end_array(evidence);
    return count;
}

static bool has_unverified_shadow(SyncdJson store)
{
    SyncdJson checksum = syncd_json_member(store, "checksum_state");
    return syncd_json_is(syncd_json_member(store, "role"), "active") &&
           syncd_json_member(store, "shadow_present").type == SYNCD_JSON_TRUE &&
           !syncd_json_is(checksum, "verified") && !syncd_json_is(checksum, "unsupported");
}

static bool does_not_match(SyncdJson store)
{
    return syncd_json_is(syncd_json_member(store, "checksum_state"), "mismatch");
}

static bool has_unknown_flags(SyncdJson store)
{
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, syncd_json_member(store, "unknown_flags"));
    return syncd_json_iter_next(&iter, NULL, NULL);
}

SyncdResult syncd_rule_shadow(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                              SyncdSeverity *severity)
{
    unsigned count = write_stores(the_case->report, evidence, has_unverified_shadow);
    return count == 0 ? SYNCD_PASS : SYNCD_WARN;
}

SyncdResult syncd_rule_checksums(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                 SyncdSeverity *severity)
{
    unsigned stores = write_stores(the_case->report, evidence, does_not_match);
    unsigned lanes = write_lanes(the_case->report, evidence, "damaged_lanes", is_damaged);
    return stores + lanes == 0 ? SYNCD_PASS : SYNCD_FAIL;
}

SyncdResult syncd_rule_flags(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                             SyncdSeverity *severity)
{
    unsigned count = write_stores(the_case->report, evidence, has_unknown_flags);
    return count == 0 ? SYNCD_PASS : SYNCD_WARN;
}

/* ---- the rest ---- */

SyncdResult syncd_rule_disk(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                            SyncdSeverity *severity)
{
    const char *pressure = syncd_report_disk_pressure(the_case->report);
    SyncdJson disk = syncd_report_at(the_case->report, "resources", "disk");
    syncd_json_member_string(evidence, "pressure", pressure);
    syncd_rule_write_member(evidence, "free_ratio", syncd_json_member(disk, "free_ratio"));
    bool bad = g_str_equal(pressure, "critical") || g_str_equal(pressure, "unknown");
    return bad ? SYNCD_FAIL : SYNCD_PASS;
}

SyncdResult syncd_rule_collection(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                  SyncdSeverity *severity)
{
    SyncdJson status = syncd_report_at(the_case->report, "collection", "status");
    syncd_rule_write_member(evidence, "status", status);
    return syncd_json_is(status, "failed") ? SYNCD_FAIL : SYNCD_PASS;
}

SyncdResult syncd_rule_attestation(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                   SyncdSeverity *severity)
{
    static const SyncdResult results[] = {
        [SYNCD_ATTESTATION_UNSIGNED] = SYNCD_PASS,
        [SYNCD_ATTESTATION_SIGNED] = SYNCD_PASS,
        [SYNCD_ATTESTATION_UNKNOWN_KEY] = SYNCD_WARN,
        [SYNCD_ATTESTATION_INVALID] = SYNCD_FAIL,
    };
    SyncdAttestation attestation = the_case->before->attestation;
    syncd_json_member_string(evidence, "attestation", syncd_attestation_name(attestation));
    return results[attestation];
}
