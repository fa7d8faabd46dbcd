/* The lanes. */
#include "service/health-facts.h"

#include <string.h>

/* Which lanes are in the scope that it opens nobody knows without it. */
static bool lacks_a_key(const SyncdHealthFacts *facts)
{
    return facts->state != NULL && g_strv_contains(facts->state->reasons, "key-missing");
}

/* What is wrong with the store is wrong with all that goes into it. */
static const char *status_of(const SyncdHealthFacts *facts, const SyncdLane *lane)
{
    if (facts->state_missing != NULL || !lane->durable)
        return "dormant";
    if (syncd_health_is_damaged(facts))
        return "unsafe";
    if (facts->store.condition == SYNCD_STORE_FAILED ||
        facts->store.condition == SYNCD_STORE_MACHINE_CHANGED || lacks_a_key(facts))
        return "degraded";
    if (facts->store.rebuilding)
        return "repairing";
    if (!facts->store.counted)
        return facts->offline ? "dormant" : "degraded";
    return facts->store.lanes[lane->rank][SYNCD_LANE_ENTRIES] > 0 ? "active" : "dormant";
}

static void write_sla(const SyncdLane *lane, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "sla");
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "max_heartbeat_age_ms", lane->heartbeat_ms);
    syncd_json_member_uint(writer, "max_replay_lag_events", lane->lag_events);
    syncd_json_member_uint(writer, "max_replay_lag_ms", lane->lag_ms);
    syncd_json_end_object(writer);
}

static bool is_lane(const SyncdLane *lane, const char *name)
{
    return strcmp(lane->name, name) == 0;
}

/* An object is counted in the lane that the first entry about it came in; one that is deleted is a
 * tombstone there until it is purged. What is corrupt is counted once, in the lane repair. */
static void write_objects(const SyncdHealthFacts *facts, const SyncdLane *lane,
                          SyncdJsonWriter *writer)
{
    static const struct {
        const char *name;
        SyncdLaneCounter counter;
    } counted[] = {
        {"total", SYNCD_LANE_OBJECTS},         {"tombstones", SYNCD_LANE_TOMBSTONES},
        {"purged", SYNCD_LANE_PURGED},         {"entries", SYNCD_LANE_ENTRIES},
        {"operations", SYNCD_LANE_OPERATIONS},
    };
    const gint64 *counts = facts->store.lanes[lane->rank];
    syncd_json_name(writer, "objects");
    syncd_json_begin_object(writer);
    for (size_t i = 0; facts->store.counted && i < G_N_ELEMENTS(counted); i++)
        syncd_json_member_int(writer, counted[i].name, MAX(counts[counted[i].counter], 0));
    syncd_json_member_uint(writer, "corrupted", is_lane(lane, "repair") ? facts->findings : 0);
    syncd_json_end_object(writer);
}

/* The replay lag of a lane is what is in the log and no lookup finds. What waits in memory to be
 * put into the index is found there, and tasks that nobody has claimed are not late entries but
 * work: both are counted apart. While the index is made nobody knows in which lanes the rest lies.
 */
static void write_lag(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    if (facts->store.counted) {
        syncd_json_member_uint(writer, "replay_lag_events", 0);
        syncd_json_member_uint(writer, "oldest_unapplied_event_age_ms", 0);
    }
}

static void write_journal(const SyncdHealthFacts *facts, const SyncdLane *lane,
                          SyncdJsonWriter *writer)
{
    const gint64 *counts = facts->store.lanes[lane->rank];
    bool there = facts->state_missing == NULL && lane->durable;
    syncd_json_name(writer, "journal");
    syncd_json_begin_object(writer);
    write_lag(facts, writer);
    if (facts->store.counted) {
        syncd_json_member_int(writer, "tasks_pending", counts[SYNCD_TASK_PENDING]);
        syncd_json_member_int(writer, "tasks_running", counts[SYNCD_TASK_RUNNING]);
    }
    syncd_json_member_string(writer, "checksum_state",
                             there ? syncd_health_checksum_state(facts) : "unsupported");
    syncd_json_end_object(writer);
}

static const char *purge_debt(const SyncdHealthFacts *facts, const SyncdLane *lane)
{
    if (!is_lane(lane, "tombstone") || !facts->deletions_known)
        return "none";
    return !facts->unproven ? "none" : facts->lacks_room ? "high" : "moderate";
}

static const char *repair_debt(const SyncdHealthFacts *facts, const SyncdLane *lane)
{
    if (!is_lane(lane, "repair"))
        return "none";
    return syncd_health_is_damaged(facts) ? "critical"
           : facts->mismatched > 0        ? "moderate"
                                          : "none";
}

/* The log is never compacted. */
static void write_maintenance(const SyncdHealthFacts *facts, const SyncdLane *lane,
                              SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "maintenance");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "compaction_debt", "none");
    syncd_json_member_string(writer, "purge_debt", purge_debt(facts, lane));
    syncd_json_member_string(writer, "repair_debt", repair_debt(facts, lane));
    syncd_json_end_object(writer);
}

void syncd_health_write_lanes(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "lanes");
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < SYNCD_N_LANES; i++) {
        const SyncdLane *lane = &syncd_lanes[i];
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "name", lane->name);
        syncd_json_member_string(writer, "status", status_of(facts, lane));
        syncd_json_member_bool(writer, "durable", lane->durable);
        write_sla(lane, writer);
        write_objects(facts, lane, writer);
        write_journal(facts, lane, writer);
        write_maintenance(facts, lane, writer);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}
