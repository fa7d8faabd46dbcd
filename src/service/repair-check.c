/* What has to be so before a plan is carried out: nothing was touched until then. */
#include "service/diagnose.h"
#include "service/purge-along.h"
#include "service/repair-private.h"

#include "store/examine.h"

#include <string.h>

/* Who asks whether plans fit is answered from the last diagnosis, where that took longer. */
#define SLOW_USEC 5000u

static bool refuse_stale(const SyncdRepairPlan *plan, const char *what, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                         "plan again with `sourceos-syncd repair plan`, and look at the new plan",
                         "The plan %s does not fit any more: %s", plan->id, what);
    return false;
}

static GPtrArray *accepted_of(const SyncdRepairPlan *plan)
{
    GPtrArray *accept = g_ptr_array_new();
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        if (strcmp(work->kind->name, "file-accept") == 0)
            g_ptr_array_add(accept, work->object);
    }
    g_ptr_array_add(accept, NULL);
    return accept;
}

/* ---- the same is found ---- */

/* What plans are held against, which is found out once: by who would approve and what he accepts
 * (char *) the needs, and by its kind what a step would be bound to. */
typedef struct {
    SyncdService *service;
    const GPtrArray *found; /* SyncdFound; NULL: nobody has looked */
    GHashTable *needs, *bound;
} Seen;

static Seen seen_new(SyncdService *service, const GPtrArray *found)
{
    return (Seen){
        service, found,
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref),
        g_hash_table_new_full(NULL, NULL, NULL, g_free)};
}

static void seen_clear(Seen *seen)
{
    g_hash_table_unref(seen->needs);
    g_hash_table_unref(seen->bound);
}

static const GPtrArray *needs_of(Seen *seen, const SyncdRepairPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) accept = accepted_of(plan);
    const SyncdCaller approver = {.uid = plan->approver != NULL ? plan->approver_uid : plan->uid};
    const SyncdRepairWork *first = plan->steps->pdata[0];
    const SyncdRepairWish wish = {&approver, (const char *const *)accept->pdata,
                                  strcmp(first->cause, SYNCD_FINDING_PURGE_ASKED) == 0};
    g_autofree char *accepted = g_strjoinv(" ", (char **)accept->pdata),
                    *key = g_strdup_printf("%u %d %s", approver.uid, wish.purge, accepted);
    GPtrArray *needs = g_hash_table_lookup(seen->needs, key);
    if (needs != NULL)
        return needs;
    needs = syncd_repair_find_needs(seen->service, &wish, seen->found, NULL, error);
    if (needs != NULL)
        g_hash_table_insert(seen->needs, g_steal_pointer(&key), needs);
    return needs;
}

static const char *bound_now(Seen *seen, const SyncdRepairKind *kind)
{
    const char *bound = g_hash_table_lookup(seen->bound, kind);
    if (bound != NULL || kind->bound_to == NULL)
        return bound;
    char *text = kind->bound_to(seen->service);
    g_hash_table_insert(seen->bound, (void *)kind, text);
    return text;
}

/* One that was made before there was such a thing is not carried out. */
static bool is_bound_to_the_same(Seen *seen, const SyncdRepairWork *work)
{
    const char *bound = bound_now(seen, work->kind);
    if (bound != NULL && work->bound_to != NULL && work->kind->covers != NULL)
        return work->kind->covers(work->bound_to, bound);
    return g_strcmp0(bound, work->bound_to) == 0;
}

static bool is_found_again(Seen *seen, const SyncdRepairPlan *plan, GError **error)
{
    const GPtrArray *needs = needs_of(seen, plan, error);
    if (needs == NULL)
        return false;
    bool same = MIN(needs->len, SYNCD_REPAIR_STEPS_MAX) == plan->steps->len;
    for (guint i = 0; same && i < plan->steps->len; i++) {
        const SyncdRepairNeed *need = needs->pdata[i];
        const SyncdRepairWork *work = plan->steps->pdata[i];
        same = need->kind == work->kind && is_bound_to_the_same(seen, work) &&
               strcmp(need->target, work->target) == 0 &&
               strcmp(need->cause->code, work->cause) == 0 &&
               g_strcmp0(need->object, work->object) == 0 &&
               g_strcmp0(need->preview, work->preview) == 0;
    }
    return same || refuse_stale(plan, "what is found now is not what was found then", error);
}

/* ---- and nothing more is released ---- */

/* What was released meanwhile need not be. */
static bool releases_no_more(const SyncdRepairPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) released = syncd_repair_list_released(plan->service);
    for (guint i = 0; i < released->len; i++) {
        const char *id = ((SyncdRepairPlan *)released->pdata[i])->id;
        if (g_hash_table_contains(plan->releases, id))
            continue;
        g_autofree char *what =
            g_strdup_printf("it would release what %s kept, which ended since", id);
        return refuse_stale(plan, what, error);
    }
    return true;
}

/* ---- whether it fits ---- */

static bool fits(Seen *seen, const SyncdRepairPlan *plan, GError **error)
{
    return is_found_again(seen, plan, error) && releases_no_more(plan, error);
}

bool syncd_repair_check_needs(const SyncdRepairPlan *plan, GError **error)
{
    Seen seen = seen_new(plan->service, NULL);
    bool does = fits(&seen, plan, error);
    seen_clear(&seen);
    return does;
}

/* What may be purged is looked for only where somebody means to do that. */
static bool is_judged(const SyncdRepairPlan *plan)
{
    return plan->state <= SYNCD_REPAIR_APPROVED && !plan->discarded && !plan->purges;
}

/* What waits to be approved is a number of the state. */
void syncd_repair_judge(SyncdService *service, const GPtrArray *found)
{
    bool changed = false;
    Seen seen = seen_new(service, found);
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        g_autoptr(GError) why = NULL;
        if (!is_judged(plan))
            continue;
        bool was_stale = plan->stale != NULL;
        g_clear_pointer(&plan->stale, g_free);
        if (!fits(&seen, plan, &why) && g_error_matches(why, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE))
            plan->stale = g_strdup(why->message);
        changed |= was_stale != (plan->stale != NULL);
    }
    seen_clear(&seen);
    if (changed)
        syncd_service_show_state(service, true);
}

void syncd_service_judge_repairs(SyncdService *service)
{
    bool any = false;
    for (guint i = 0; i < service->repairs->plans->len; i++)
        any |= is_judged(service->repairs->plans->pdata[i]);
    if (any)
        g_ptr_array_unref(syncd_service_diagnose(service)); /* which judges them */
}

/* Whatever it costs, it is a tenth of the time at most. */
static bool holds_still(const SyncdService *service)
{
    const SyncdDiagnosed *last = &service->diagnosed;
    guint64 cost = last->ended - last->begun;
    return cost >= SLOW_USEC && syncd_service_monotonic(service) - last->ended < 9 * cost &&
           syncd_service_held_reasons(service) == last->reasons;
}

void syncd_service_keep_repairs_judged(SyncdService *service)
{
    if (!holds_still(service))
        syncd_service_judge_repairs(service);
}

bool syncd_repair_plan_check(const SyncdRepairPlan *plan, GError **error)
{
    return syncd_repair_check_open(plan, error) && syncd_repair_check_along(plan, error) &&
           syncd_repair_check_needs(plan, error) && syncd_repair_check_heads(plan, error);
}

/* What a purge takes along was shown with it. */
bool syncd_repair_check_along(const SyncdRepairPlan *plan, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson preview, root = syncd_json_root(plan->text, strlen(plan->text));
    if (!plan->purges)
        return true;
    if (!syncd_service_check_no_unproven(plan->service, NULL, error))
        return false;
    g_autoptr(GPtrArray) along = syncd_service_list_along(plan->service);
    syncd_json_iter_init(&iter, syncd_json_member(root, "steps"));
    while (syncd_json_iter_next(&iter, NULL, &preview))
        if (syncd_along_is_within(
                along, syncd_json_member(syncd_json_member(preview, "preview"), "copies")))
            return true;
    return refuse_stale(plan, "a purge would take along what was not there then", error);
}

/* ---- the log ---- */

static bool mends_log(const SyncdRepairPlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++)
        if (((const SyncdRepairWork *)plan->steps->pdata[i])->kind->mends_log)
            return true;
    return false;
}

/* Where the log itself is what is mended its tree may not be there to prove anything: then it must
 * do so afterwards (syncd_repair_is_proven()), and before only what was cut is refused. */
static bool check_head(const SyncdRepairPlan *plan, const SyncdRepairHead *head, GError **error)
{
    SyncdPrefix prefix;
    g_autoptr(GError) problem = NULL;
    bool lenient = mends_log(plan);
    bool read = syncd_repair_read_prefix(plan, head, &prefix, &problem);
    bool grown = prefix.now != NULL && prefix.now->size >= head->size;
    bool fits = read ? prefix.holds || (lenient && grown) : lenient && !prefix.gone;
    syncd_prefix_clear(&prefix);
    if (fits)
        return true;
    if (read || prefix.gone)
        return refuse_stale(plan, "the log is not one that began as it was then", error);
    g_autofree char *what = NULL, *next = NULL;
    syncd_error_split(problem->message, &what, &next);
    syncd_set_error_next(error,
                         problem->domain == SYNCD_ERROR ? (SyncdErrorCode)problem->code
                                                        : SYNCD_ERROR_STORAGE_FAILED,
                         "have it verified with `sourceos-syncd verify log --full`, and plan again",
                         "Whether the log still begins as it did when %s was planned cannot be "
                         "read: %s",
                         plan->id, what);
    return false;
}

bool syncd_repair_check_heads(const SyncdRepairPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->heads->len; i++)
        if (!check_head(plan, &g_array_index(plan->heads, SyncdRepairHead, i), error))
            return false;
    return true;
}

/* ---- other plans ---- */

bool syncd_repair_check_idle(const SyncdService *service, GError **error)
{
    const SyncdRepairPlan *running = service->repairs->running;
    if (running == NULL && !syncd_service_is_clearing(service))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_BUSY, "wait for that to end",
                         running != NULL ? "The plan %s is being carried out"
                                         : "A purge is being cleared up after%.0s",
                         running != NULL ? running->id : "");
    return false;
}

/* Of files of workspaces each is its own; all else has to do with all else. */
static bool meet(const SyncdRepairWork *one, const SyncdRepairWork *other)
{
    if (one->kind->of_file && other->kind->of_file)
        return g_strcmp0(one->object, other->object) == 0;
    return !one->kind->of_file && !other->kind->of_file;
}

static bool overlap(const SyncdRepairPlan *one, const SyncdRepairPlan *other)
{
    for (guint i = 0; i < one->steps->len; i++)
        for (guint k = 0; k < other->steps->len; k++)
            if (meet(one->steps->pdata[i], other->steps->pdata[k]))
                return true;
    return false;
}

char *syncd_repair_way_on(const SyncdRepairPlan *plan)
{
    if (plan->undoing && !plan->purges)
        return g_strdup_printf("have it taken back to the end with `sourceos-syncd repair rollback "
                               "%s`, or, where that fails again, leave the rest as it is with "
                               "`sourceos-syncd repair discard %s`",
                               plan->id, plan->id);
    g_autofree char *back =
        plan->purges ? g_strdup(": what it has purged cannot be taken back")
                     : g_strdup_printf(", or take it back with `sourceos-syncd repair rollback %s`",
                                       plan->id);
    return g_strdup_printf("go on with it with `sourceos-syncd repair apply %s`%s", plan->id, back);
}

char *syncd_repair_way_on_unproven(const SyncdRepairPlan *plan, const char *have_log)
{
    g_autofree char *then =
        syncd_repair_can_be_undone(plan)
            ? g_strdup_printf("; then take the repair back with `sourceos-syncd repair rollback "
                              "%s`, or discard the plan with `sourceos-syncd repair discard %s` to "
                              "leave it as it is",
                              plan->id, plan->id)
            : g_strdup("");
    return g_strconcat(have_log, " verified with `" SYNCD_NEXT_VERIFY_FULL "`", then, NULL);
}

/* What was done last is undone first: so nothing is begun over what is half done. */
bool syncd_repair_check_alone(const SyncdRepairPlan *plan, GError **error)
{
    const GPtrArray *plans = plan->service->repairs->plans;
    for (guint i = 0; i < plans->len; i++) {
        const SyncdRepairPlan *other = plans->pdata[i];
        if (other == plan || other->state != SYNCD_REPAIR_RUNNING || !overlap(plan, other))
            continue;
        g_autofree char *next = syncd_repair_way_on(other);
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, next, "The plan %s is half done", other->id);
        return false;
    }
    return true;
}

/* ---- room ---- */

/* What it takes by now, or was said to when it was planned, if that is more. */
static guint64 space_of(const SyncdRepairPlan *plan)
{
    guint64 bytes = 0;
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        if (work->kind->space != NULL)
            bytes += work->kind->space(plan->service, work->target);
    }
    return MAX(bytes, plan->space);
}

/* What is to be set aside for the log is not room for a repair. */
bool syncd_repair_check_room(const SyncdRepairPlan *plan, GError **error)
{
    SyncdRoom room;
    guint64 needed = space_of(plan);
    if (needed == 0)
        return true;
    if (!syncd_store_room(plan->service->store, &room, error))
        return false;
    guint64 missing = room.reserve - MIN(room.reserve, room.set_aside);
    guint64 free = room.free - MIN(room.free, missing);
    if (needed <= free)
        return true;
    g_autofree char *wanted = g_format_size(needed), *there = g_format_size(free);
    syncd_set_error_next(error, SYNCD_ERROR_NO_SPACE, "make room on the disk, and apply it again",
                         "The plan %s takes up to %s, and %s are free beside what is set aside: "
                         "nothing was done",
                         plan->id, wanted, there);
    return false;
}
