/*
 * May an operation be replayed? A pure judgement over facts, and the limits in one table.
 *
 * A replay queues an operation once more. It is refused for what is not safe to repeat, for what is
 * being carried out, and beyond limits on how often, how long after, by whom and on which device.
 */
#pragma once

#include "base/error.h"
#include "domain/lifecycle.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint per_operation; /* replays of one operation */
    guint64 age_ms;      /* of the operation, by the clocks of the log */
    guint64 window_ms;   /* in which the next two are counted */
    guint per_actor;
    guint per_device;
} SyncdReplayLimits;

extern const SyncdReplayLimits syncd_replay_limits;

typedef struct {
    const char *operation;
    SyncdLifecycle state;
    bool replay_safe; /* as the operation says itself */
    bool own_device;  /* it was enqueued on this device */
    bool own_actor;   /* by whoever asks now, or it is asked by one who may act for others */
    guint64 age_ms;
    guint replays;      /* of this operation so far */
    guint actor_recent; /* replays by the actor within the window */
    guint device_recent;
} SyncdReplayFacts;

/* PolicyDenied, LimitsExceeded, AccessDenied or Busy. */
bool syncd_replay_check(const SyncdReplayFacts *facts, GError **error);
