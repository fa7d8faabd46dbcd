/*
 * What the bus does in short steps, between which it serves others: here from the first step to the
 * last.
 */
#pragma once

#include "service/service.h"

static inline bool claim_at_once(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdClaim *claim, char **ret_lease, GError **error)
{
    g_autoptr(SyncdClaiming) claiming = syncd_service_begin_claim(service, caller, claim, error);
    bool done = false;
    *ret_lease = NULL;
    while (claiming != NULL && !done)
        if (!syncd_claiming_step(claiming, &done, ret_lease, error))
            return false;
    return claiming != NULL;
}

static inline GString *enqueue_many_at_once(SyncdService *service, const SyncdCaller *caller,
                                            SyncdBytes lines, GError **error)
{
    GString *results = NULL;
    g_autoptr(SyncdMany) many = syncd_service_begin_many(service, caller, lines, error);
    while (many != NULL && results == NULL)
        if (!syncd_many_step(many, &results, error))
            break;
    return results;
}

static inline char *plan_purge_at_once(SyncdService *service, const SyncdCaller *caller,
                                       const SyncdPurgeRequest *request, GError **error)
{
    g_autoptr(SyncdPurging) purging =
        syncd_service_begin_plan_purge(service, caller, request, error);
    char *plan = NULL;
    while (purging != NULL && plan == NULL)
        if (!syncd_purging_plan(purging, &plan, error))
            return NULL;
    return plan;
}

static inline bool purge_at_once(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdPurgeRequest *request, SyncdPurged *ret_purged,
                                 GError **error)
{
    g_autoptr(SyncdPurging) purging = syncd_service_begin_purge(service, caller, request, error);
    *ret_purged = (SyncdPurged){NULL};
    while (purging != NULL && ret_purged->operation == NULL)
        if (!syncd_purging_carry_out(purging, ret_purged, error))
            return false;
    return purging != NULL;
}
