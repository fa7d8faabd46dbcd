#include "domain/lane.h"

#define HEARTBEAT_MS 30000u
#define LAG_EVENTS 100u
#define LAG_MS 10000u
#define PRIORITY_LAG_MS 1000u
#define STALE_MS (60u * 60u * 1000u)
#define PRIORITY_STALE_MS (5u * 60u * 1000u)

#define USUAL HEARTBEAT_MS, LAG_EVENTS, LAG_MS, STALE_MS
#define URGENT HEARTBEAT_MS, 0, PRIORITY_LAG_MS, PRIORITY_STALE_MS

/* clang-format off */
const SyncdLane syncd_lanes[SYNCD_N_LANES] = {
    /* name, rank, durable, searchable, visible to agents, replicated, purge, limits */
    {"normal", 7, true, "yes", "policy-gated", "policy-gated", "policy-driven", USUAL},
    {"priority", 0, true, "yes", "policy-gated", "policy-gated", "conservative", URGENT},
    {"secure", 5, true, "redacted", "denied", "denied", "audited", USUAL},
    {"ephemeral", 10, false, "no", "local-session-only", "no", "aggressive", USUAL},
    {"memory", 6, true, "policy-gated", "trust-gated", "policy-gated", "tombstone-aware", USUAL},
    {"policy", 2, true, "limited", "explain-only", "explicit", "attested", USUAL},
    {"audit", 4, true, "metadata", "explain-only", "policy-gated", "exceptional", USUAL},
    {"tombstone", 1, true, "metadata", "explain-only", "if-the-object-was", "authorised", USUAL},
    {"migration", 8, true, "if-activated", "health-only", "if-needed", "after-rollback-window", USUAL},
    {"repair", 3, true, "no", "diagnosis-only", "once-verified", "after-attestation", USUAL},
    {"archive", 9, true, "metadata-first", "policy-gated", "policy-gated", "retention-driven", USUAL},
};
/* clang-format on */

const SyncdLane *syncd_lane_find(SyncdBytes name)
{
    for (size_t i = 0; i < SYNCD_N_LANES; i++)
        if (syncd_bytes_are(name, syncd_lanes[i].name))
            return &syncd_lanes[i];
    return NULL;
}

const SyncdLane *syncd_lane_of_rank(unsigned rank)
{
    for (size_t i = 0; i < SYNCD_N_LANES; i++)
        if (syncd_lanes[i].rank == rank)
            return &syncd_lanes[i];
    return NULL;
}
