/* What others need to know of org.sourceos.Sync.RepairPlan. */
#pragma once

#include "bus/bus-private.h"

#include <stdbool.h>

char *syncd_plan_path(const SyncdRepairPlan *plan);
bool syncd_plan_is_of_another(const SyncdRepairPlan *plan, const SyncdCaller *caller);

/* The object of a plan, which the table of the bus owns; and what is told of it. */
SyncdObject *syncd_plan_add(SyncdBus *bus, SyncdRepairPlan *plan);
void syncd_plan_object_free(void *object);
void syncd_plan_tell_added(const SyncdObject *object);
void syncd_plan_tell(SyncdObject *object);
