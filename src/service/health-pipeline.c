/* How far what was asked for got, and what was found. */
#include "service/health-facts.h"

#include <string.h>

typedef gint64 Count(const SyncdHealthFacts *facts, SyncdLaneCounter counter);

/* In all lanes: requests to delete are in one that nothing else is in. */
static gint64 sum(const SyncdHealthFacts *facts, unsigned counter)
{
    gint64 all = 0;
    for (unsigned rank = 0; rank < SYNCD_N_LANES; rank++)
        all += facts->store.lanes[rank][counter];
    return all;
}

/* ---- adding and changing ---- */

/* Of the operations that were the first entry about their object. */
static gint64 count_adding(const SyncdHealthFacts *facts, SyncdLaneCounter counter)
{
    return sum(facts, SYNCD_LANE_OF_ADDS + counter);
}

/* Of all others but requests to delete, which are no task. */
static gint64 count_changing(const SyncdHealthFacts *facts, SyncdLaneCounter counter)
{
    const SyncdLane *deletes = syncd_lane_find(SYNCD_BYTES_TEXT("tombstone"));
    return sum(facts, counter) - count_adding(facts, counter) -
           facts->store.lanes[deletes->rank][counter];
}

typedef struct {
    const char *name;
    Count *count;                       /* of operations */
    SyncdLaneCounter registered, found; /* what a record says, and a file shows */
} Change;

static const Change adding = {"add", count_adding, SYNCD_LANE_REGISTERED, SYNCD_LANE_FILES_ADDED};
static const Change changing = {"update", count_changing, SYNCD_LANE_AMENDED,
                                SYNCD_LANE_FILES_CHANGED};

/* What is answered is in the log, and what was refused left nothing to count. Records and files are
 * applied when they are written. */
static void write_change(const SyncdHealthFacts *facts, const Change *change,
                         SyncdJsonWriter *writer)
{
    gint64 registered = sum(facts, change->registered), found = sum(facts, change->found);
    gint64 written = registered + found;
    const struct {
        const char *name;
        SyncdLaneCounter counter;
        gint64 more;
    } stages[] = {
        {"external_requested", SYNCD_LANE_OPERATIONS, registered},
        {"accepted", SYNCD_LANE_OPERATIONS, written},
        {"journaled", SYNCD_LANE_OPERATIONS, written},
        {"applied", (SyncdLaneCounter)SYNCD_TASK_SUCCEEDED, written},
        {"pending", (SyncdLaneCounter)SYNCD_TASK_PENDING, 0},
        {"running", (SyncdLaneCounter)SYNCD_TASK_RUNNING, 0},
        {"replayed", SYNCD_LANE_REPLAYED, 0},
        {"reconciled", SYNCD_LANE_RECONCILED, 0},
        {"skipped", (SyncdLaneCounter)SYNCD_TASK_CANCELLED, 0},
        {"failed", (SyncdLaneCounter)SYNCD_TASK_FAILED, 0},
        {"lost", SYNCD_LANE_LOST, 0},
    };
    syncd_json_name(writer, change->name);
    syncd_json_begin_object(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(stages); i++)
        syncd_json_member_int(writer, stages[i].name,
                              MAX(change->count(facts, stages[i].counter) + stages[i].more, 0));
    syncd_json_member_int(writer, "internal_generated", MAX(found, 0));
    syncd_json_end_object(writer);
}

/* ---- deleting ---- */

/* A request that is refused is not written, so none fails. */
static void write_deletes(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    static const struct {
        const char *name;
        SyncdDeletionEvent event;
    } stages[] = {
        {"authorized", SYNCD_DELETION_AUTHORISE}, {"tombstoned", SYNCD_DELETION_TOMBSTONE},
        {"propagated", SYNCD_DELETION_PROPAGATE}, {"restored", SYNCD_DELETION_RESTORE},
        {"purged", SYNCD_DELETION_PURGE},         {"proven", SYNCD_DELETION_PROVE},
    };
    const SyncdLane *lane = syncd_lane_find(SYNCD_BYTES_TEXT("tombstone"));
    gint64 requested = facts->store.lanes[lane->rank][SYNCD_LANE_OPERATIONS];
    gint64 found = sum(facts, SYNCD_LANE_FILES_DELETED);
    syncd_json_name(writer, "delete");
    syncd_json_begin_object(writer);
    syncd_json_member_int(writer, "external_requested", requested);
    syncd_json_member_int(writer, "internal_generated", found);
    syncd_json_member_int(writer, "journaled", requested + found);
    for (size_t i = 0; facts->deletions_known && i < G_N_ELEMENTS(stages); i++)
        syncd_json_member_uint(writer, stages[i].name, facts->deletions[stages[i].event]);
    syncd_json_member_int(writer, "failed", 0);
    syncd_json_end_object(writer);
}

void syncd_health_write_pipeline(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "pipeline");
    syncd_json_begin_object(writer);
    if (facts->store.counted) {
        write_change(facts, &adding, writer);
        write_change(facts, &changing, writer);
        write_deletes(facts, writer);
    }
    syncd_json_end_object(writer);
}
