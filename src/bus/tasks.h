/*
 * The methods of org.sourceos.Sync.Operations that are about one operation and its task. Their rows
 * are in bus/operations.c.
 */
#pragma once

#include "bus/call.h"

bool syncd_handle_replay(SyncdCall *call, GError **error);
bool syncd_handle_reconcile(SyncdCall *call, GError **error);
bool syncd_handle_list_reconciled(SyncdCall *call, GError **error);
bool syncd_handle_claim_task(SyncdCall *call, GError **error);
bool syncd_handle_renew_task(SyncdCall *call, GError **error);
bool syncd_handle_complete_task(SyncdCall *call, GError **error);
bool syncd_handle_fail_task(SyncdCall *call, GError **error);
bool syncd_handle_cancel_task(SyncdCall *call, GError **error);
bool syncd_handle_get_task(SyncdCall *call, GError **error);
bool syncd_handle_list_tasks(SyncdCall *call, GError **error);
