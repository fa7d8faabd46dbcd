/* What nobody goes on with of what was enqueued. */
#include "service/detect.h"

#include "contract/task-record.h"

#define STALE_MAX 100u /* are counted */

typedef struct {
    GPtrArray *ops; /* char *: the first ones */
    guint n, max;
    guint64 first, last;
} Listed;

static bool take(void *data, const char *op, const SyncdTask *task, bool matches)
{
    Listed *listed = data;
    if (!matches)
        return true;
    if (listed->ops->len < SYNCD_FOUND_EVIDENCE)
        g_ptr_array_add(listed->ops, g_strconcat(SYNCD_TASK_PREFIX, op, NULL));
    listed->first = listed->first == 0 ? task->pos : MIN(listed->first, task->pos);
    listed->last = MAX(listed->last, task->pos);
    return ++listed->n < listed->max;
}

static bool list(SyncdDiagnosis *self, const SyncdTaskQuery *query, Listed *listed, GError **error)
{
    listed->ops = g_ptr_array_new_with_free_func(g_free);
    return syncd_store_walk_tasks(self->service->store, query, take, listed, error);
}

static void name(SyncdFound *found, Listed *listed)
{
    found->first = listed->first;
    found->last = listed->last;
    g_ptr_array_extend_and_steal(found->evidence, g_steal_pointer(&listed->ops));
}

static void clear(Listed *listed)
{
    g_clear_pointer(&listed->ops, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Listed, clear)

/* How many there are is counted by lanes; only the oldest are named. */
static bool add_failed(SyncdDiagnosis *self, GError **error)
{
    const SyncdTaskQuery query = {
        .which = SYNCD_TASKS_FAILED, .rank = -1, .after_rank = -1, .state = -1};
    gint64 counts[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS];
    g_auto(Listed) listed = {.max = SYNCD_FOUND_EVIDENCE};
    guint64 n = 0;
    if (!syncd_store_lane_counts(self->service->store, counts, error))
        return false;
    for (unsigned rank = 0; rank < SYNCD_N_LANES; rank++)
        n += (guint64)MAX(counts[rank][SYNCD_TASK_FAILED], 0);
    if (n == 0)
        return true;
    if (!list(self, &query, &listed, error))
        return false;
    name(syncd_diagnosis_add_counted(self, "tasks-failed", n, false), &listed);
    return true;
}

/* ---- stale ---- */

typedef struct {
    Listed *listed;
    unsigned rank; /* in which the walk ended, … */
    bool ended;    /* … as whatever follows there is younger */
} Stale;

/* In a lane tasks come as they were enqueued: behind one that is not stale, and that nobody moved
 * since, none can be. */
static bool take_stale(void *data, const char *op, const SyncdTask *task, bool matches)
{
    Stale *stale = data;
    stale->rank = task->rank;
    stale->ended = !matches && task->moved == task->pos;
    return !stale->ended && take(stale->listed, op, task, matches);
}

/* Lane by lane, so that many who are young in one hide nothing of the next. */
static bool list_stale(SyncdDiagnosis *self, Stale *stale, GError **error)
{
    SyncdTaskQuery query = {.which = SYNCD_TASKS_OFFERED,
                            .rank = -1,
                            .after_rank = -1,
                            .state = -1,
                            .stale_ms = syncd_service_task_ms(self->service)};
    do {
        stale->ended = false;
        if (!syncd_store_walk_tasks(self->service->store, &query, take_stale, stale, error))
            return false;
        query.after_rank = (int)stale->rank + 1; /* before its first: no position is 0 */
    } while (stale->ended);
    return true;
}

static bool add_stale(SyncdDiagnosis *self, GError **error)
{
    g_auto(Listed) listed = {.max = STALE_MAX};
    Stale stale = {.listed = &listed};
    listed.ops = g_ptr_array_new_with_free_func(g_free);
    if (!list_stale(self, &stale, error))
        return false;
    if (listed.n > 0)
        name(syncd_diagnosis_add_counted(self, "tasks-stale", listed.n, listed.n == listed.max),
             &listed);
    return true;
}

/* ---- held by nobody ---- */

/* A lease that has ended is taken back soon; one that was not by then will not be. */
#define GRACE_USEC (10u * G_USEC_PER_SEC)
#define LOST_MAX 100u /* are looked at */

typedef struct {
    SyncdService *service;
    GPtrArray *ops;    /* char * */
    GArray *positions; /* guint64 */
} Held;

static bool is_held(const SyncdService *service, const char *op)
{
    guint64 now = syncd_service_monotonic(service);
    const SyncdLease *lease = syncd_leases_of(service->leases, op);
    return lease != NULL &&
           !syncd_leases_has_expired(service->leases, lease, now - MIN(now, GRACE_USEC));
}

static bool take_lost(void *data, const char *op, const SyncdTask *task, bool matches)
{
    Held *held = data;
    if (!matches || is_held(held->service, op))
        return true;
    g_ptr_array_add(held->ops, g_strdup(op));
    g_array_append_val(held->positions, task->pos);
    return held->ops->len < LOST_MAX;
}

/* One whose body cannot be read is moved by nobody until that is mended, which is another finding.
 */
static void drop_unreadable(Held *held)
{
    for (guint i = held->ops->len; i-- > 0;) {
        g_auto(SyncdTarget) target = {0};
        if (syncd_service_find_target(held->service, held->ops->pdata[i], &target, NULL))
            continue;
        g_ptr_array_remove_index(held->ops, i);
        g_array_remove_index(held->positions, i);
    }
}

static void held_clear(Held *held)
{
    g_ptr_array_unref(held->ops);
    g_array_unref(held->positions);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Held, held_clear)

/* What runs is few: leases are. */
static bool list_lost(Held *held, GError **error)
{
    const SyncdTaskQuery query = {
        .which = SYNCD_TASKS_RUNNING, .rank = -1, .after_rank = -1, .state = -1};
    held->ops = g_ptr_array_new_with_free_func(g_free);
    held->positions = g_array_new(FALSE, FALSE, sizeof(guint64));
    if (!syncd_service_need_leases(held->service, error) ||
        !syncd_store_walk_tasks(held->service->store, &query, take_lost, held, error))
        return false;
    drop_unreadable(held);
    return true;
}

bool syncd_service_list_lost(SyncdService *service, GPtrArray **ret_operations, GError **error)
{
    g_auto(Held) held = {.service = service};
    if (!list_lost(&held, error))
        return false;
    *ret_operations = g_ptr_array_ref(held.ops);
    return true;
}

static bool add_lost(SyncdDiagnosis *self, GError **error)
{
    g_auto(Held) held = {.service = self->service};
    if (!list_lost(&held, error))
        return false;
    if (held.ops->len == 0)
        return true;
    SyncdFound *found =
        syncd_diagnosis_add_counted(self, "leases-lost", held.ops->len, held.ops->len == LOST_MAX);
    found->target = g_strdup("tasks");
    found->first = g_array_index(held.positions, guint64, 0);
    found->last = g_array_index(held.positions, guint64, held.ops->len - 1);
    for (guint i = 0; i < held.ops->len; i++)
        syncd_found_evidence(found, g_strconcat(SYNCD_TASK_PREFIX, held.ops->pdata[i], NULL));
    return true;
}

bool syncd_detect_tasks(SyncdDiagnosis *self, GError **error)
{
    return add_failed(self, error) && add_stale(self, error) && add_lost(self, error);
}
