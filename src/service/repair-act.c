/* A step of a plan as the functions of its kind see it, and what such steps kept. */
#include "service/repair-private.h"

#include "base/log.h"
#include "store/repair-store.h"

void syncd_repair_act_free(void *data)
{
    SyncdRepairAct *act = data;
    g_free((char *)act->snapshot);
    g_free(act->note);
    g_free(act->awaits);
    g_clear_pointer(&act->lost, g_ptr_array_unref);
    syncd_snapshot_free(act->kept);
    g_ptr_array_unref(act->rebuilt);
    g_ptr_array_unref(act->preserved);
    g_ptr_array_unref(act->quarantined);
    g_ptr_array_unref(act->given_up);
    g_ptr_array_unref(act->unresolved);
    g_ptr_array_unref(act->actors);
    g_free(act);
}

SyncdRepairAct *syncd_repair_act_new(SyncdRepairPlan *plan, guint number)
{
    const SyncdRepairWork *work = plan->steps->pdata[number];
    SyncdRepairAct *act = g_new0(SyncdRepairAct, 1);
    *act = (SyncdRepairAct){
        .service = plan->service,
        .caller = {.uid = plan->approver_uid},
        .own = g_strcmp0(plan->approver, SYNCD_IDENTITY_DAEMON) == 0,
        .target = work->target,
        .object = work->object,
        .may_give_up = work->gives_up + work->calls_lost,
        .snapshot = g_strdup_printf("%s.%u", plan->id, number),
        .preview = work->preview,
        .bound_to = work->bound_to,
        .note = g_strdup(work->note),
        .rebuilt = g_ptr_array_new_with_free_func(g_free),
        .preserved = g_ptr_array_new_with_free_func(g_free),
        .quarantined = g_ptr_array_new_with_free_func(g_free),
        .given_up = g_ptr_array_new_with_free_func(g_free),
        .unresolved = g_ptr_array_new_with_free_func(g_free),
        .actors = g_ptr_array_new_with_free_func(g_free),
    };
    return act;
}

void syncd_repair_act_note(SyncdRepairAct *act, const char *note)
{
    g_free(act->note);
    act->note = g_strdup(note);
    act->noted = true;
}

static bool has_anything(const SyncdRepairPlan *plan, GError **error)
{
    bool any;
    g_autoptr(GPtrArray) lost = syncd_repair_look_at_kept(plan, &any);
    if (any || lost->len == 0)
        return true;
    g_autofree char *next = g_strdup_printf(
        "leave it as it is, and discard the plan with `sourceos-syncd repair discard %s`",
        plan->id);
    syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED, next,
                         "What was there before %s is gone, or is not what was kept: nothing can "
                         "be put back",
                         plan->id);
    return false;
}

bool syncd_repair_returns(const SyncdRepairPlan *plan, GError **error)
{
    bool does = plan->undoing || has_anything(plan, error);
    for (guint i = 0; does && i < plan->steps->len && !plan->undoing; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        if (work->kind->returns == NULL || work->state != SYNCD_STEP_DONE)
            continue;
        SyncdRepairAct *act = syncd_repair_act_new((SyncdRepairPlan *)plan, i);
        does = work->kind->returns(act, error);
        syncd_repair_act_free(act);
    }
    return does;
}

/* ---- snapshots ---- */

/* All that can be, a part of each, and the first error of what cannot. */
static bool remove_kept(SyncdRepairPlan *plan, bool *ret_more, GError **error)
{
    GError *first = NULL;
    *ret_more = false;
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        SyncdRepairAct *act = syncd_repair_act_new(plan, i);
        bool more = false, removed = syncd_snapshot_remove(plan->service->store, act->snapshot,
                                                           &more, first == NULL ? &first : NULL);
        /* What it lists is gone by then, and needs not be what was written. */
        if (removed && !more && work->kind->release != NULL)
            work->kind->release(act, &more, first == NULL ? &first : NULL);
        *ret_more |= more;
        syncd_repair_act_free(act);
    }
    if (first == NULL)
        return true;
    g_propagate_error(error, first);
    return false;
}

/* The ledger says first that there is no way back, and never promises one that is gone. */
bool syncd_repair_release(SyncdRepairPlan *plan, GError **error)
{
    bool kept = plan->kept;
    if (!kept && !plan->unreleased)
        return true;
    plan->kept = false;
    if (kept && !syncd_repair_save(plan, error)) {
        plan->kept = true;
        return false;
    }
    bool more, removed = remove_kept(plan, &more, error);
    plan->unreleased = more || !removed;
    if (kept)
        syncd_repair_tell_changed(plan);
    return removed;
}

void syncd_repair_release_or_warn(SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    if (syncd_repair_release(plan, &error))
        return;
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR, "What %s kept cannot be removed: %s",
              plan->id, error->message);
    syncd_repair_put_off(plan);
}

/* What is half done needs what it kept; and of what nothing proves that may be the only copy: a
 * person decides about it, and no other repair, which the daemon may make by itself. */
GPtrArray *syncd_repair_list_released(const SyncdService *service)
{
    GPtrArray *released = g_ptr_array_new();
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        if (syncd_repair_plan_has_ended(plan) && plan->kept &&
            !syncd_repair_plan_is_unproven(plan) && !plan->stuck)
            g_ptr_array_add(released, plan);
    }
    return released;
}

bool syncd_repair_release_all(SyncdService *service, bool *ret_more, GError **error)
{
    *ret_more = false;
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        if (!syncd_repair_release(plan, error))
            return false;
        *ret_more |= plan->unreleased;
    }
    return true;
}
