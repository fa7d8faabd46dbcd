/*
 * The methods of org.sourceos.Sync.Registry that are about migrations of schemas. Their rows are in
 * bus/registry.c.
 */
#pragma once

#include "bus/call.h"

bool syncd_handle_plan_migration(SyncdCall *call, GError **error);
bool syncd_handle_apply_migration(SyncdCall *call, GError **error);
bool syncd_handle_plan_rollback(SyncdCall *call, GError **error);
bool syncd_handle_apply_rollback(SyncdCall *call, GError **error);
bool syncd_handle_migration_report(SyncdCall *call, GError **error);
