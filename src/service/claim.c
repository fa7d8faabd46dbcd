/*
 * Claiming: the task that is named, or the first of all that are offered which the worker may have.
 *
 * What waits may be long, and all at its front may be for others. So the search goes in steps, each
 * of a bounded number of tasks and of bytes, and goes on where the last one ended: it finds what
 * there is for this worker wherever it stands, and says that there is nothing only when it was at
 * the end.
 */
#include "service/internal.h"

#include "domain/retry.h"

/* One step: whichever comes first. */
#define EXAMINED_MAX 1000u
#define CANDIDATES_MAX 16u
#define READ_MAX (1024u * 1024u) /* of bodies, and one may be longer */

struct SyncdClaiming {
    SyncdService *service;
    SyncdCaller caller;
    SyncdClaim wanted; /* its texts are borrowed */
    guint64 lease_ms;
    char *key; /* of the signature, which counts once; NULL: there is none */
    char *scope_id;
    unsigned rank; /* where the search has come to, with `pos` */
    guint64 pos;
    bool begun;
};

void syncd_claiming_free(SyncdClaiming *claiming)
{
    if (claiming == NULL)
        return;
    g_free(claiming->key);
    g_free(claiming->scope_id);
    g_free(claiming);
}

/* ---- may it? ---- */

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

bool syncd_service_check_lease(guint32 lease_s, guint64 *ret_ms, GError **error)
{
    *ret_ms = lease_s != 0 ? (guint64)lease_s * 1000 : SYNCD_LEASE_DEFAULT_MS;
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

/* ---- one ---- */

static bool claim_target(SyncdClaiming *claiming, const SyncdCaller *caller, const char *actor,
                         const SyncdTarget *target, char **ret_lease, GError **error)
{
    SyncdService *service = claiming->service;
    if (!syncd_service_check_not_deleted(service, target, error))
        return false;
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide_target(service, caller, actor, target, error);
    if (decisions == NULL || !syncd_service_record_decisions(service, actor, decisions, error))
        return false;
    g_autofree char *id = syncd_id_new(service->sources, "lease");
    SyncdMove move = {
        .event = SYNCD_EVENT_CLAIM,
        .actor = actor,
        .decision = decisions->decisions[0].id,
        .lease = id,
        .lease_ms = claiming->lease_ms,
        .detached = claiming->wanted.detached,
        .key = claiming->key,
    };
    if (!syncd_service_move_task(service, target, &move, error))
        return false;
    SyncdLease lease = {
        .id = id,
        .operation = target->operation,
        .actor = (char *)actor,
        .worker = (char *)caller->worker,
        .detached = claiming->wanted.detached,
        .length = claiming->lease_ms * 1000,
        .until = syncd_service_monotonic(service) + claiming->lease_ms * 1000,
    };
    syncd_leases_add(service->leases, &lease);
    syncd_service_ask_for_work(service);
    *ret_lease = g_steal_pointer(&id);
    return true;
}

static bool claim_named(SyncdClaiming *claiming, const char *actor, char **ret_lease,
                        GError **error)
{
    g_auto(SyncdTarget) target = {0};
    return syncd_service_read_target(claiming->service, &claiming->caller,
                                     claiming->wanted.operation, &target, error) &&
           check_offered(claiming->service, &target, error) &&
           claim_target(claiming, &claiming->caller, actor, &target, ret_lease, error);
}

/* ---- any ---- */

typedef struct {
    char *op;
    unsigned rank;
    guint64 pos;
} Candidate;

static void candidate_clear(void *data)
{
    Candidate *candidate = data;
    g_free(candidate->op);
}

/* One step of the search. */
typedef struct {
    SyncdClaiming *claiming;
    const char *actor;
    SyncdMandate *mandate;
    GHashTable *reached; /* id of a scope: whether the actor reaches it */
    GArray *candidates;
    guint examined;
    gsize read; /* of what was tried */
    bool more;  /* it ended before the end */
} Search;

static bool reaches(const Search *search, const char *scope_id)
{
    const SyncdScope *scope = syncd_store_scope(search->claiming->service->store, scope_id);
    if (scope == NULL)
        return true;
    g_autofree char *text = g_strconcat(scope->class, ":", scope->name, NULL);
    return syncd_mandate_reaches_scope(search->mandate, scope->class, text);
}

static bool fits(void *data, const char *scope_id)
{
    Search *search = data;
    void *reached;
    if (!g_hash_table_lookup_extended(search->reached, scope_id, NULL, &reached)) {
        reached = GINT_TO_POINTER(reaches(search, scope_id));
        g_hash_table_insert(search->reached, g_strdup(scope_id), reached);
    }
    return GPOINTER_TO_INT(reached) != 0;
}

static bool take_candidate(void *data, const char *op, const SyncdTask *task, bool matches)
{
    Search *search = data;
    SyncdClaiming *claiming = search->claiming;
    claiming->begun = true;
    claiming->rank = task->rank;
    claiming->pos = task->pos;
    if (matches && !syncd_store_is_moving(claiming->service->store, op)) {
        const Candidate candidate = {g_strdup(op), task->rank, task->pos};
        g_array_append_val(search->candidates, candidate);
    }
    search->more = ++search->examined == EXAMINED_MAX || search->candidates->len == CANDIDATES_MAX;
    return !search->more;
}

static bool find_candidates(Search *search, GError **error)
{
    SyncdClaiming *claiming = search->claiming;
    SyncdService *service = claiming->service;
    g_auto(SyncdView) view = {0};
    SyncdTaskQuery query = {.which = SYNCD_TASKS_OFFERED,
                            .scope_id = claiming->scope_id,
                            .object = claiming->wanted.object,
                            .state = -1,
                            .after_pos = claiming->pos,
                            .after_rank = claiming->begun ? (int)claiming->rank : -1,
                            .ready_ms = syncd_service_task_ms(service),
                            .fits = fits};
    if (!syncd_service_view(service, &claiming->caller, &view, error) ||
        !syncd_task_query_lane(claiming->wanted.lane, &query, error) ||
        !syncd_service_mandate_of_actor(service, search->actor, &search->mandate, error))
        return false;
    query.actor = view.all ? NULL : view.actor;
    return (!view.all && view.actor == NULL) ||
           syncd_store_walk_tasks(service->store, &query, take_candidate, search, error);
}

/* What is not for this one may be for another one: the next is tried. So is it with what cannot be
 * read: nobody could carry it out. */
static bool is_for_others(const GError *error)
{
    static const int codes[] = {SYNCD_ERROR_POLICY_DENIED, SYNCD_ERROR_ACCESS_DENIED,
                                SYNCD_ERROR_APPROVAL_REQUIRED, SYNCD_ERROR_JOURNAL_CORRUPT,
                                SYNCD_ERROR_NOT_FOUND};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (g_error_matches(error, SYNCD_ERROR, codes[i]))
            return true;
    return false;
}

/* A worker that asks for any task is not refused one that it does not get. What cannot be read was
 * read all the same, nobody knows how far. */
static bool claim_candidate(Search *search, const char *op, char **ret_lease, GError **error)
{
    SyncdClaiming *claiming = search->claiming;
    g_auto(SyncdTarget) target = {0};
    g_autoptr(GError) problem = NULL;
    SyncdCaller asking = claiming->caller;
    asking.rehearses = true;
    bool found = syncd_service_find_target(claiming->service, op, &target, &problem);
    search->read += found ? target.body.content_size : READ_MAX;
    if ((found && claim_target(claiming, &asking, search->actor, &target, ret_lease, &problem)) ||
        is_for_others(problem))
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* Those that are left for the next step are found again by it. */
static bool try_candidates(Search *search, char **ret_lease, GError **error)
{
    SyncdClaiming *claiming = search->claiming;
    guint n = search->candidates->len;
    for (guint i = 0; i < n && *ret_lease == NULL; i++) {
        const Candidate *candidate = &g_array_index(search->candidates, Candidate, i);
        if (!claim_candidate(search, candidate->op, ret_lease, error))
            return false;
        if (search->read < READ_MAX || i + 1 == n)
            continue;
        claiming->rank = candidate->rank;
        claiming->pos = candidate->pos;
        search->more = true;
        break;
    }
    return true;
}

static bool claim_any(SyncdClaiming *claiming, const char *actor, bool *ret_done, char **ret_lease,
                      GError **error)
{
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    g_autoptr(GHashTable) reached = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Search search = {
        .claiming = claiming, .actor = actor, .reached = reached, .candidates = candidates};
    g_array_set_clear_func(candidates, candidate_clear);
    bool found = find_candidates(&search, error);
    syncd_mandate_unref(search.mandate);
    if (!found || !try_candidates(&search, ret_lease, error))
        return false;
    *ret_done = *ret_lease != NULL || !search.more;
    return true;
}

/* ---- the call ---- */

SyncdClaiming *syncd_service_begin_claim(SyncdService *service, const SyncdCaller *caller,
                                         const SyncdClaim *claim, GError **error)
{
    g_autoptr(SyncdClaiming) claiming = g_new0(SyncdClaiming, 1);
    g_autoptr(SyncdScope) scope = NULL;
    g_autofree char *actor = NULL;
    *claiming = (SyncdClaiming){.service = service, .caller = *caller, .wanted = *claim};
    if (!syncd_service_require_writer(service, caller, &actor, error) ||
        !syncd_service_check_lease(claim->lease_s, &claiming->lease_ms, error) ||
        (claim->operation == NULL && claim->scope != NULL &&
         (!syncd_service_require_scope_reach(service, caller, actor, claim->scope, error) ||
          !syncd_service_require_scope(service, claim->scope, &scope, error))))
        return NULL;
    claiming->key = syncd_signed_key(caller);
    claiming->scope_id = scope != NULL ? g_strdup(scope->id) : NULL;
    return g_steal_pointer(&claiming);
}

bool syncd_claiming_step(SyncdClaiming *claiming, bool *ret_done, char **ret_lease, GError **error)
{
    SyncdService *service = claiming->service;
    g_autofree char *actor = NULL;
    *ret_done = true;
    *ret_lease = NULL;
    /* Since the last step it may have been revoked. */
    if (!syncd_service_require_writer(service, &claiming->caller, &actor, error) ||
        !syncd_service_need_leases(service, error) || !check_room(service, actor, error) ||
        !syncd_service_check_unspent(service, &claiming->caller, actor, claiming->key, error))
        return false;
    return claiming->wanted.operation != NULL
               ? claim_named(claiming, actor, ret_lease, error)
               : claim_any(claiming, actor, ret_done, ret_lease, error);
}
