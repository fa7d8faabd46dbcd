/*
 * What steps kept, and what of it is lost by the time when they are to be undone.
 *
 * A kind does nothing where nothing is kept, as it may be asked to undo what was never begun. So of
 * a step that is done somebody else has to know what was kept: it is noted then, and compared on
 * the way back, before anything is put back. What is gone, or has other bytes, is not put back: it
 * stays as it is, and the report names it. That is the end of it, as nothing brings it back.
 */
#include "service/repair-private.h"

#define SENTENCES_MAX 20u

bool syncd_repair_note_kept(SyncdRepairAct *act, bool *ret_more, char **ret_digest, GError **error)
{
    *ret_digest = NULL;
    *ret_more = true;
    if (act->kept == NULL)
        act->kept = syncd_snapshot_list(act->service->store, act->snapshot, error);
    if (act->kept == NULL || !syncd_snapshot_read(act->kept, ret_more, error))
        return false;
    if (*ret_more)
        return true;
    g_autoptr(SyncdSnapshot) kept = g_steal_pointer(&act->kept);
    if (syncd_snapshot_n_files(kept) == 0)
        return true;
    *ret_digest = syncd_snapshot_note(kept, error);
    return *ret_digest != NULL;
}

bool syncd_repair_compare_kept(const SyncdRepairWork *work, SyncdRepairAct *act, bool *ret_more,
                               GError **error)
{
    SyncdStore *store = act->service->store;
    g_autoptr(GError) problem = NULL;
    *ret_more = false;
    if (work->kept == NULL || act->lost != NULL)
        return true;
    act->lost = syncd_snapshot_get_lost(store, act->snapshot, &problem);
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (act->lost != NULL)
        return true;
    *ret_more = true;
    if (act->kept == NULL)
        act->kept = syncd_snapshot_load(store, act->snapshot, work->kept, error);
    if (act->kept == NULL || !syncd_snapshot_read(act->kept, ret_more, error))
        return false;
    if (*ret_more)
        return true;
    g_autoptr(SyncdSnapshot) kept = g_steal_pointer(&act->kept);
    g_autoptr(GPtrArray) lost = syncd_snapshot_lost(kept);
    if (!syncd_snapshot_put_lost(store, act->snapshot, lost, error))
        return false;
    act->lost = g_steal_pointer(&lost);
    return true;
}

static bool is_needed(const SyncdRepairKind *kind, const char *snapshot, const GPtrArray *lost)
{
    if (lost == NULL || lost->len == 0)
        return false;
    g_autofree char *list =
        kind->kept_list != NULL ? g_strconcat(snapshot, kind->kept_list, NULL) : NULL;
    return list == NULL || syncd_lost_has(lost, list) || syncd_lost_has_note(lost, snapshot);
}

bool syncd_repair_is_lost(const SyncdRepairWork *work, const SyncdRepairAct *act)
{
    return is_needed(work->kind, act->snapshot, act->lost);
}

/* What is there can be looked at by a person. */
static char *sentence_of(const SyncdRepairWork *work, const SyncdLostKept *lost)
{
    const char *about = work->object != NULL ? work->object : work->target;
    return lost->there
               ? g_strdup_printf("%s as the repair left it: what was there before is not put back, "
                                 "as repair/%s in the state directory is not what was kept",
                                 about, lost->name)
               : g_strdup_printf("%s as the repair left it: what was there before is gone, and is "
                                 "not put back (repair/%s)",
                                 about, lost->name);
}

void syncd_repair_tell_lost(const SyncdRepairWork *work, SyncdRepairAct *act)
{
    guint n = act->lost != NULL ? act->lost->len : 0;
    for (guint i = 0; i < MIN(n, SENTENCES_MAX); i++)
        g_ptr_array_add(act->preserved, sentence_of(work, act->lost->pdata[i]));
    if (n > SENTENCES_MAX)
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("%u more of which the same is so", n - SENTENCES_MAX));
}

/* ---- what can still be promised ---- */

static GPtrArray *look_at_step(const SyncdRepairPlan *plan, guint i)
{
    const SyncdRepairWork *work = plan->steps->pdata[i];
    g_autofree char *snapshot = g_strdup_printf("%s.%u", plan->id, i);
    g_autoptr(SyncdSnapshot) kept =
        work->state == SYNCD_STEP_DONE && work->kept != NULL
            ? syncd_snapshot_load(plan->service->store, snapshot, work->kept, NULL)
            : NULL;
    if (kept == NULL)
        return g_ptr_array_new();
    syncd_snapshot_look(kept);
    return syncd_snapshot_lost(kept);
}

/* A step that keeps nothing to be put back does not make a way back of any use. */
static bool leads_back(SyncdRepairPlan *plan, guint i, const GPtrArray *lost)
{
    const SyncdRepairWork *work = plan->steps->pdata[i];
    if (work->kind->undo == NULL || work->state == SYNCD_STEP_UNDONE)
        return false;
    SyncdRepairAct *act = syncd_repair_act_new(plan, i);
    bool does = !is_needed(work->kind, act->snapshot, lost) &&
                (lost->len > 0 || work->kind->keeps == NULL || work->kind->keeps(act));
    syncd_repair_act_free(act);
    return does;
}

GPtrArray *syncd_repair_look_at_kept(const SyncdRepairPlan *plan, bool *ret_any)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    *ret_any = false;
    for (guint i = 0; i < plan->steps->len; i++) {
        g_autoptr(GPtrArray) lost = look_at_step(plan, i);
        for (guint k = 0; k < lost->len; k++)
            g_ptr_array_add(names, g_strdup(((SyncdLostKept *)lost->pdata[k])->name));
        *ret_any |= leads_back((SyncdRepairPlan *)plan, i, lost);
    }
    return names;
}

GPtrArray *syncd_repair_plan_lost(const SyncdRepairPlan *plan)
{
    bool any;
    return syncd_repair_can_be_undone(plan) ? syncd_repair_look_at_kept(plan, &any)
                                            : g_ptr_array_new();
}
