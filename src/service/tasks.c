/* The use cases of workers: claim, renew, complete, fail. */
#include "service/internal.h"

#include "contract/vocabulary.h"
#include "domain/retry.h"

#define CANDIDATES_MAX 16u
#define REASON_MAX 1024u
#define EVIDENCE_MAX 64u

/* ---- claiming ---- */

/* Whether it may be claimed now; the open turn counts. */
static bool check_offered(SyncdService *service, const SyncdTarget *target, GError **error)
{
    SyncdLifecycle state = target->task.state;
    const char *why = NULL;
    if (target->task.state.task == SYNCD_TASK_RUNNING)
        why = "is being carried out";
    else if (!syncd_lifecycle_move(&state, SYNCD_EVENT_CLAIM))
        why = "has ended";
    else if (target->task.waits > 0)
        why = target->task.blockers > 0 ? "is blocked by a parent that failed"
                                        : "waits for its parents";
    else if (target->task.ready_ms > syncd_service_task_ms(service))
        why = "waits to be tried again";
    if (why != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_BUSY,
                             "claim another one, or wait until this one changes (TaskChanged)",
                             "The operation %s %s", target->operation, why);
    return why == NULL;
}

static bool check_lease_length(const SyncdClaim *claim, guint64 *ret_ms, GError **error)
{
    *ret_ms = claim->lease_s != 0 ? (guint64)claim->lease_s * 1000 : SYNCD_LEASE_DEFAULT_MS;
    if (*ret_ms >= SYNCD_LEASE_MIN_MS && *ret_ms <= SYNCD_LEASE_MAX_MS)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"lease\" must be %u to %u seconds",
                    SYNCD_LEASE_MIN_MS / 1000, SYNCD_LEASE_MAX_MS / 1000);
    return false;
}

static bool check_room(const SyncdService *service, const char *actor, GError **error)
{
    if (syncd_leases_count(service->leases, actor) < SYNCD_LEASES_EACH_MAX &&
        syncd_leases_count(service->leases, NULL) < SYNCD_LEASES_MAX)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, "complete or fail some of them first",
                         "There are %u tasks in the hands of this actor, or %u in all",
                         SYNCD_LEASES_EACH_MAX, SYNCD_LEASES_MAX);
    return false;
}

typedef struct {
    const char *actor;
    const char *worker;
    guint64 lease_ms;
    bool detached;
} Claiming;

/* `*ret_lease` NULL without an error: policy does not give it to this actor. */
static bool claim_target(SyncdService *service, const SyncdCaller *caller, const Claiming *claiming,
                         const SyncdTarget *target, char **ret_lease, GError **error)
{
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide_target(service, caller, claiming->actor, target, error);
    if (decisions == NULL ||
        !syncd_service_record_decisions(service, claiming->actor, decisions, error))
        return false;
    g_autofree char *id = syncd_id_new(service->sources, "lease");
    SyncdMove move = {
        .event = SYNCD_EVENT_CLAIM,
        .actor = claiming->actor,
        .decision = decisions->decisions[0].id,
        .lease = id,
        .lease_ms = claiming->lease_ms,
        .detached = claiming->detached,
    };
    if (!syncd_service_move_task(service, target, &move, error))
        return false;
    SyncdLease lease = {
        .id = id,
        .operation = target->operation,
        .actor = (char *)claiming->actor,
        .worker = (char *)claiming->worker,
        .detached = claiming->detached,
        .length = claiming->lease_ms * 1000,
        .until = syncd_service_monotonic(service) + claiming->lease_ms * 1000,
    };
    syncd_leases_add(service->leases, &lease);
    syncd_service_ask_for_work(service);
    *ret_lease = g_steal_pointer(&id);
    return true;
}

typedef struct {
    SyncdService *service;
    GPtrArray *ops;
} Candidates;

static bool take_candidate(void *data, const char *op, const SyncdTask *task, bool matches)
{
    Candidates *candidates = data;
    if (matches && !syncd_store_is_moving(candidates->service->store, op))
        g_ptr_array_add(candidates->ops, g_strdup(op));
    return candidates->ops->len < CANDIDATES_MAX;
}

static bool find_candidates(SyncdService *service, const SyncdCaller *caller,
                            const SyncdClaim *claim, GPtrArray *ops, GError **error)
{
    g_auto(SyncdView) view = {0};
    g_autoptr(SyncdScope) scope = NULL;
    SyncdTaskQuery query = {.which = SYNCD_TASKS_OFFERED,
                            .object = claim->object,
                            .state = -1,
                            .after_rank = -1,
                            .ready_ms = syncd_service_task_ms(service)};
    if (!syncd_service_view(service, caller, &view, error) ||
        !syncd_task_query_lane(claim->lane, &query, error) ||
        (claim->scope != NULL &&
         !syncd_service_require_scope(service, claim->scope, &scope, error)))
        return false;
    query.scope_id = scope != NULL ? scope->id : NULL;
    query.actor = view.all ? NULL : view.actor;
    Candidates candidates = {service, ops};
    return (!view.all && view.actor == NULL) ||
           syncd_store_walk_tasks(service->store, &query, take_candidate, &candidates, error);
}

static bool is_denied(const GError *error)
{
    return g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED) ||
           g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED) ||
           g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_APPROVAL_REQUIRED);
}

/* What policy keeps from this actor may be for another one: the next is tried. */
static bool claim_any(SyncdService *service, const SyncdCaller *caller, const SyncdClaim *claim,
                      const Claiming *claiming, char **ret_lease, GError **error)
{
    g_autoptr(GPtrArray) ops = g_ptr_array_new_with_free_func(g_free);
    if (!find_candidates(service, caller, claim, ops, error))
        return false;
    for (guint i = 0; i < ops->len && *ret_lease == NULL; i++) {
        g_auto(SyncdTarget) target = {0};
        g_autoptr(GError) problem = NULL;
        if (!syncd_service_find_target(service, ops->pdata[i], &target, error))
            return false;
        if (claim_target(service, caller, claiming, &target, ret_lease, &problem) ||
            is_denied(problem))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

bool syncd_service_claim_task(SyncdService *service, const SyncdCaller *caller,
                              const SyncdClaim *claim, char **ret_lease, GError **error)
{
    g_autofree char *actor = NULL;
    Claiming claiming = {.worker = caller->worker, .detached = claim->detached};
    *ret_lease = NULL;
    if (!syncd_service_require_writer(service, caller, &actor, error) ||
        !check_lease_length(claim, &claiming.lease_ms, error) ||
        !syncd_service_need_leases(service, error) || !check_room(service, actor, error))
        return false;
    claiming.actor = actor;
    if (claim->operation == NULL)
        return claim_any(service, caller, claim, &claiming, ret_lease, error);

    g_auto(SyncdTarget) target = {0};
    return syncd_service_read_target(service, caller, claim->operation, &target, error) &&
           check_offered(service, &target, error) &&
           claim_target(service, caller, &claiming, &target, ret_lease, error);
}

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
        lease->until > syncd_service_monotonic(service)) {
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

bool syncd_service_renew_task(SyncdService *service, const SyncdCaller *caller, const char *id,
                              guint32 lease_s, guint64 *ret_until_usec, GError **error)
{
    SyncdClaim claim = {.lease_s = lease_s};
    guint64 length_ms;
    if (!check_lease_length(&claim, &length_ms, error))
        return false;
    SyncdLease *lease = require_lease(service, caller, id, error);
    if (lease == NULL)
        return false;
    if (lease_s != 0)
        lease->length = length_ms * 1000;
    lease->until = syncd_service_monotonic(service) + lease->length;
    syncd_service_ask_for_work(service);
    *ret_until_usec = syncd_sources_realtime_usec(service->sources) + lease->length;
    return true;
}

/* ---- ending ---- */

static bool is_digest(const char *text)
{
    guint8 bytes[SYNCD_HASH_SIZE];
    return g_str_has_prefix(text, "sha256:") &&
           syncd_hex_decode(text + strlen("sha256:"), strlen(text) - strlen("sha256:"), bytes,
                            sizeof bytes);
}

/* Evidence is an entry of the log, or the digest of something elsewhere. */
bool syncd_service_check_evidence(SyncdService *service, const SyncdCaller *caller,
                                  const char *const *evidence, GError **error)
{
    g_auto(SyncdView) view = {0};
    if (evidence == NULL || *evidence == NULL)
        return true;
    if (g_strv_length((char **)evidence) > EVIDENCE_MAX) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED, "/evidence has more than %u members",
                        EVIDENCE_MAX);
        return false;
    }
    if (!syncd_service_view(service, caller, &view, error))
        return false;
    for (unsigned i = 0; evidence[i] != NULL; i++) {
        g_auto(SyncdEntry) entry = {0};
        if (is_digest(evidence[i]) ||
            syncd_service_read_entry(service, &view, evidence[i], &entry, error))
            continue;
        g_prefix_error(error, "/evidence/%u: ", i);
        return false;
    }
    return true;
}

/* `move` lacks the actor, the decision and the lease. */
static bool end_lease(SyncdService *service, const SyncdCaller *caller, const char *id,
                      SyncdMove *move, char **ret_operation, GError **error)
{
    SyncdLease *lease = require_lease(service, caller, id, error);
    g_auto(SyncdTarget) target = {0};
    if (lease == NULL || !syncd_service_find_target(service, lease->operation, &target, error))
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
    return syncd_service_check_evidence(service, caller, evidence, error) &&
           end_lease(service, caller, id, &move, ret_operation, error);
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
