/*
 * The methods of org.sourceos.Sync.Registry that are about migrations of schemas. Options are as in
 * client/calls.h.
 */
#pragma once

#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

/* `method` is PlanMigration or PlanRollback: a report, and its digest. */
char *syncd_client_plan_migration(SyncdClient *client, const char *method, const char *subject,
                                  GVariant *options, char **ret_digest, GError **error);
/* `method` is ApplyMigration or ApplyRollback. `*ret_operation` is "" when nothing was to be done.
 */
char *syncd_client_apply_migration(SyncdClient *client, const char *method, const char *subject,
                                   const char *digest, GVariant *options, char **ret_operation,
                                   GError **error);
char *syncd_client_migration_report(SyncdClient *client, const char *operation, GVariant *options,
                                    GError **error);
