/* Planning a purge and carrying it out, in steps. */
#include "service/purge-along.h"
#include "service/purge.h"

struct SyncdPurging {
    SyncdService *service;
    SyncdCaller caller;
    SyncdPurgeRequest request; /* its texts are borrowed */
    SyncdPurgeSearch *search;
};

void syncd_purging_free(SyncdPurging *purging)
{
    if (purging == NULL)
        return;
    syncd_purge_search_free(purging->search);
    g_free(purging);
}

static SyncdPurging *begin(SyncdService *service, const SyncdCaller *caller, bool rehearses,
                           const SyncdPurgeRequest *request, GError **error)
{
    g_autoptr(SyncdPurging) purging = g_new0(SyncdPurging, 1);
    *purging = (SyncdPurging){.service = service, .caller = *caller, .request = *request};
    purging->caller.rehearses |= rehearses;
    g_autoptr(SyncdPurgePlan) plan =
        syncd_purge_plan_new(service, &purging->caller, &purging->request, error);
    if (plan == NULL)
        return NULL;
    purging->search =
        syncd_store_begin_purge_search(service->store, plan->scope->id, request->object);
    return g_steal_pointer(&purging);
}

static SyncdPurgePlan *make_plan(SyncdPurging *purging, GError **error)
{
    g_autoptr(SyncdPurgePlan) plan =
        syncd_purge_plan_new(purging->service, &purging->caller, &purging->request, error);
    if (plan == NULL)
        return NULL;
    g_autoptr(GPtrArray) along = syncd_service_list_along(purging->service);
    plan->along = syncd_service_may_inspect(purging->service, &purging->caller)
                      ? syncd_along_write(along)
                      : syncd_along_write_amount(along);
    return syncd_purge_plan_complete(plan, syncd_purge_search_take(purging->search), error)
               ? g_steal_pointer(&plan)
               : NULL;
}

/* ---- planning ---- */

SyncdPurging *syncd_service_begin_plan_purge(SyncdService *service, const SyncdCaller *caller,
                                             const SyncdPurgeRequest *request, GError **error)
{
    return begin(service, caller, true, request, error);
}

bool syncd_purging_plan(SyncdPurging *purging, char **ret_plan, GError **error)
{
    bool more;
    *ret_plan = NULL;
    if (!syncd_purge_search_step(purging->search, &more, error))
        return false;
    if (more)
        return true;
    g_autoptr(SyncdPurgePlan) plan = make_plan(purging, error);
    if (plan != NULL)
        *ret_plan = syncd_purge_plan_write(plan);
    return plan != NULL;
}

/* ---- carrying it out ---- */

/* A plan is made of what is committed, so nothing may be left in the open turn: when the search
 * begins, or what came just before it would count as a change meanwhile; nor when it ends. */
SyncdPurging *syncd_service_begin_purge(SyncdService *service, const SyncdCaller *caller,
                                        const SyncdPurgeRequest *request, GError **error)
{
    return syncd_service_begin_whole(service, error) ? begin(service, caller, false, request, error)
                                                     : NULL;
}

bool syncd_purging_carry_out(SyncdPurging *purging, SyncdPurged *ret_purged, GError **error)
{
    SyncdService *service = purging->service;
    bool more;
    *ret_purged = (SyncdPurged){NULL};
    if (!syncd_purge_search_step(purging->search, &more, error) ||
        (!more && (!syncd_service_begin_whole(service, error) ||
                   !syncd_purge_search_step(purging->search, &more, error))))
        return false;
    if (more)
        return true;
    g_autoptr(SyncdPurgePlan) plan = make_plan(purging, error);
    return plan != NULL && syncd_purge_plan_carry_out(plan, ret_purged, error);
}
