/*
 * A plan of repair that makes room by purging, and nothing else: what the tests of such plans
 * share.
 */
#pragma once

#include "purge-service-fixture.h"
#include "repair-fixture.h"

static inline SyncdRepairPlan *plan_purge(ServiceFixture *f, int code)
{
    g_autoptr(GError) error = NULL;
    const SyncdRepairRequest request = {.purge = true};
    SyncdRepairPlan *plan = NULL;
    syncd_service_plan_repair(f->service, &f->caller, &request, &plan, &error);
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    rest(f);
    return plan;
}

static inline SyncdRepairPlan *approve_purge(ServiceFixture *f)
{
    SyncdRepairPlan *plan = plan_purge(f, -1);
    approve_repair(f, plan);
    return plan;
}
