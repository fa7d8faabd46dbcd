/* What workers do with what they have claimed: renew, complete, fail. And cancelling. */
#include "service/internal.h"

#include "domain/retry.h"

#define REASON_MAX 1024u

/* ---- holding ---- */

/* Whoever had it once and whoever never had it are told the same. */
static SyncdLease *require_lease(SyncdService *service, const SyncdCaller *caller, const char *id,
                                 GError **error)
{
    g_autofree char *actor = NULL;
    if (!syncd_service_require_writer(service, caller, &actor, error) ||
        !syncd_service_need_leases(service, error))
        return NULL;
    SyncdLease *lease = syncd_leases_find(service->leases, id);
    if (lease != NULL && strcmp(lease->actor, actor) == 0 &&
        !syncd_leases_has_expired(service->leases, lease, syncd_service_monotonic(service))) {
        /* After a restart the first call says who holds it. */
        if (caller->worker != NULL && g_strcmp0(lease->worker, caller->worker) != 0) {
            g_free(lease->worker);
            lease->worker = g_strdup(caller->worker);
        }
        return lease;
    }
    syncd_set_error(error, SYNCD_ERROR_LEASE_LOST, "There is no such lease any more");
    return NULL;
}

/* Renewing leaves no entry that could carry the signature. */
static bool take_renewal(SyncdLease *lease, const SyncdCaller *caller, GError **error)
{
    if (caller->agent == NULL)
        return true;
    if (caller->expires_usec <= lease->renewed_usec) {
        syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                             "sign anew, so that it expires later than the last one did; after a "
                             "restart of the daemon, as late as is allowed",
                             "The lease was renewed with this signature, or may have been "
                             "(signature_invalid)");
        return false;
    }
    lease->renewed_usec = caller->expires_usec;
    return true;
}

/* Whoever could not claim it now does not keep it either. */
static bool may_hold(SyncdService *service, const SyncdCaller *caller, const SyncdLease *lease,
                     GError **error)
{
    g_auto(SyncdTarget) target = {0};
    if (!syncd_service_find_target(service, lease->operation, &target, error))
        return false;
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide_target(service, caller, lease->actor, &target, error);
    return decisions != NULL;
}

bool syncd_service_renew_task(SyncdService *service, const SyncdCaller *caller, const char *id,
                              guint32 lease_s, guint64 *ret_until_usec, GError **error)
{
    guint64 length_ms;
    if (!syncd_service_check_lease(lease_s, &length_ms, error))
        return false;
    SyncdLease *lease = require_lease(service, caller, id, error);
    if (lease == NULL || !may_hold(service, caller, lease, error) ||
        !take_renewal(lease, caller, error))
        return false;
    if (lease_s != 0)
        lease->length = length_ms * 1000;
    lease->until = syncd_service_monotonic(service) + lease->length;
    syncd_service_ask_for_work(service);
    *ret_until_usec = syncd_sources_realtime_usec(service->sources) + lease->length;
    return true;
}

/* ---- ending ---- */

/* `move` lacks the actor, the decision and the lease. */
static bool end_lease(SyncdService *service, const SyncdCaller *caller, const char *id,
                      SyncdMove *move, char **ret_operation, GError **error)
{
    SyncdLease *lease = require_lease(service, caller, id, error);
    g_auto(SyncdTarget) target = {0};
    if (lease == NULL || !syncd_service_find_target(service, lease->operation, &target, error) ||
        !syncd_service_check_evidence(service, caller, &target, move->evidence, error))
        return false;
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide_target(service, caller, lease->actor, &target, error);
    if (decisions == NULL ||
        !syncd_service_record_decisions(service, lease->actor, decisions, error))
        return false;
    if (move->event == SYNCD_EVENT_RETRY && !syncd_retry_again(target.task.attempt))
        move->event = SYNCD_EVENT_FAIL;
    if (move->event == SYNCD_EVENT_RETRY)
        move->retry_after_ms = syncd_retry_delay_ms(target.task.attempt, move->retry_after_ms);
    else
        move->retry_after_ms = 0;
    move->actor = lease->actor;
    move->decision = decisions->decisions[0].id;
    move->lease = id;
    if (!syncd_service_move_task(service, &target, move, error))
        return false;
    if (move->retry_after_ms > 0)
        syncd_service_delay_task(service, move->retry_after_ms);
    *ret_operation = g_strdup(target.operation);
    syncd_leases_end(service->leases, id);
    syncd_service_ask_for_work(service);
    return true;
}

bool syncd_service_complete_task(SyncdService *service, const SyncdCaller *caller, const char *id,
                                 const char *const *evidence, char **ret_operation, GError **error)
{
    SyncdMove move = {.event = SYNCD_EVENT_COMPLETE, .evidence = evidence};
    return end_lease(service, caller, id, &move, ret_operation, error);
}

static bool check_reason(const char *reason, GError **error)
{
    size_t size = strlen(reason);
    if (size > 0 && size <= REASON_MAX && g_utf8_validate(reason, (gssize)size, NULL))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The reason must be 1 to %u bytes of UTF-8",
                    REASON_MAX);
    return false;
}

bool syncd_service_fail_task(SyncdService *service, const SyncdCaller *caller, const char *id,
                             const SyncdFailure *failure, char **ret_operation, GError **error)
{
    SyncdMove move = {
        .event = failure->final ? SYNCD_EVENT_FAIL : SYNCD_EVENT_RETRY,
        .reason = failure->reason,
        .retry_after_ms = (guint64)failure->after_s * 1000,
    };
    return check_reason(failure->reason, error) &&
           end_lease(service, caller, id, &move, ret_operation, error);
}

/* ---- cancelling ---- */

static bool check_cancellable(const SyncdTarget *target, GError **error)
{
    SyncdLifecycle state = target->task.state;
    if (syncd_lifecycle_move(&state, SYNCD_EVENT_CANCEL))
        return true;
    if (state.task == SYNCD_TASK_RUNNING)
        syncd_set_error_next(error, SYNCD_ERROR_BUSY,
                             "let whoever holds it fail it for good, or wait until the lease ends",
                             "The operation %s is being carried out", target->operation);
    else
        syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED, "nothing more has to be done",
                             "The operation %s is %s", target->operation,
                             syncd_operation_state_name(state.operation));
    return false;
}

bool syncd_service_cancel_task(SyncdService *service, const SyncdCaller *caller, const char *task,
                               const char *reason, char **ret_operation, GError **error)
{
    g_autofree char *actor = NULL;
    g_auto(SyncdTarget) target = {0};
    if (!syncd_service_require_writer(service, caller, &actor, error) ||
        (reason != NULL && !check_reason(reason, error)) ||
        !syncd_service_read_target(service, caller, syncd_task_operation(task), &target, error))
        return false;
    if (target.task.state.task != SYNCD_TASK_CANCELLED) {
        if (!check_cancellable(&target, error))
            return false;
        g_autoptr(SyncdDecisions) decisions =
            syncd_service_decide_target(service, caller, actor, &target, error);
        if (decisions == NULL || !syncd_service_record_decisions(service, actor, decisions, error))
            return false;
        const SyncdMove move = {
            .event = SYNCD_EVENT_CANCEL,
            .actor = actor,
            .decision = decisions->decisions[0].id,
            .reason = reason,
        };
        if (!syncd_service_move_task(service, &target, &move, error))
            return false;
    }
    *ret_operation = g_strdup(target.operation);
    return true;
}
