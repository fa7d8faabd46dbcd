/*
 * The methods of org.sourceos.Sync.Repair and of its plans, which are named by their ids. Options
 * are as in client/calls.h.
 */
#pragma once

#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

/* The id of the plan that was made. */
char *syncd_client_plan_repair(SyncdClient *client, GVariant *options, GError **error);
/* A JSON array of descriptions, the newest first. */
char *syncd_client_list_repairs(SyncdClient *client, GVariant *options, GError **error);
/* JSON documents; `document` is the exact bytes of the plan. */
char *syncd_client_describe_repair(SyncdClient *client, const char *plan, GError **error);
char *syncd_client_repair_document(SyncdClient *client, const char *plan, GError **error);
char *syncd_client_repair_report(SyncdClient *client, const char *plan, GError **error);

bool syncd_client_approve_repair(SyncdClient *client, const char *plan, const char *digest,
                                 GError **error);
bool syncd_client_discard_repair(SyncdClient *client, const char *plan, GError **error);
/* The path of the job, whose result is the report. */
char *syncd_client_apply_repair(SyncdClient *client, const char *plan, const char *digest,
                                GError **error);
char *syncd_client_rollback_repair(SyncdClient *client, const char *plan, const char *digest,
                                   GError **error);
