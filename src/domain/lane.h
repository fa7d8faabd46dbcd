/*
 * The eleven lanes: how what travels in each is treated, and in which order it gets its turn.
 *
 * One table. A lane's rank is its place when work is handed out: everything of a lower rank goes
 * first, and within a rank the older. The limits say from when on a lane's work is late, and are
 * what a health report calls its SLA. The words of visibility and purge are the contract's
 * defaults, for people and documents; what is allowed is decided by policy.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_N_LANES 11u

typedef struct {
    const char *name; /* the vocabulary's word */
    unsigned rank;    /* unique, 0 is first */
    bool durable;     /* goes into the log */
    const char *searchable;
    const char *agent_visible;
    const char *replicated;
    const char *purge;
    guint32 heartbeat_ms; /* of whoever works on it, at least so often */
    guint32 lag_events;   /* so many may wait */
    guint32 lag_ms;       /* and so long */
    guint32 stale_ms;     /* an open task that did not move for so long is stale */
} SyncdLane;

/* In the order of the vocabulary. */
extern const SyncdLane syncd_lanes[SYNCD_N_LANES];

/* NULL for what is no lane. */
const SyncdLane *syncd_lane_find(SyncdBytes name);
const SyncdLane *syncd_lane_of_rank(unsigned rank);
