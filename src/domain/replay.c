#include "domain/replay.h"

#define HOUR_MS (60u * 60u * G_GUINT64_CONSTANT(1000))
#define DAY_MS (24u * HOUR_MS)

const SyncdReplayLimits syncd_replay_limits = {
    .per_operation = 8,
    .age_ms = 30 * DAY_MS,
    .window_ms = HOUR_MS,
    .per_actor = 256,
    .per_device = 1024,
};

static bool check_state(const SyncdReplayFacts *facts, GError **error)
{
    SyncdLifecycle state = facts->state;
    if (syncd_lifecycle_move(&state, SYNCD_EVENT_REPLAY))
        return true;
    if (facts->state.task == SYNCD_TASK_RUNNING)
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, "replay it when its task has ended",
                             "The operation %s is being carried out", facts->operation);
    else
        syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED, "enqueue a new operation instead",
                             "The operation %s is %s and cannot be replayed", facts->operation,
                             syncd_operation_state_name(facts->state.operation));
    return false;
}

static bool check_count(guint count, guint max, const char *of_what, GError **error)
{
    if (count < max)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                         "look at why it is replayed so often, or enqueue a new operation",
                         "There were %u replays %s; %u is the limit", count, of_what, max);
    return false;
}

bool syncd_replay_check(const SyncdReplayFacts *facts, GError **error)
{
    const SyncdReplayLimits *limits = &syncd_replay_limits;
    if (!facts->replay_safe) {
        syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED, "enqueue a new operation instead",
                             "The operation %s is not safe to replay", facts->operation);
        return false;
    }
    if (!facts->own_device) {
        syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, "replay it on the device it is from",
                             "The operation %s was enqueued on another device", facts->operation);
        return false;
    }
    if (!facts->own_actor) {
        syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED,
                        "The operation %s was enqueued by another actor", facts->operation);
        return false;
    }
    if (!check_state(facts, error))
        return false;
    if (facts->age_ms > limits->age_ms) {
        syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, "enqueue a new operation instead",
                             "The operation %s is older than %u days", facts->operation,
                             (unsigned)(limits->age_ms / DAY_MS));
        return false;
    }
    return check_count(facts->replays, limits->per_operation, "of this operation", error) &&
           check_count(facts->actor_recent, limits->per_actor, "by this actor in an hour", error) &&
           check_count(facts->device_recent, limits->per_device, "on this device in an hour",
                       error);
}
