/*
 * The methods of org.sourceos.Sync.Operations that purge deleted objects. Their rows are in
 * bus/operations.c.
 */
#pragma once

#include "bus/call.h"

bool syncd_handle_plan_purge(SyncdCall *call, GError **error);
bool syncd_handle_purge(SyncdCall *call, GError **error);
bool syncd_handle_purge_report(SyncdCall *call, GError **error);
