/*
 * The methods of org.sourceos.Sync.Workspaces. Options are as in client/calls.h; a path is bytes
 * up to its NUL.
 */
#pragma once

#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

char *syncd_client_list_workspaces(SyncdClient *client, GVariant *options, GError **error);
char *syncd_client_get_file(SyncdClient *client, const char *workspace, const char *path,
                            GVariant *options, GError **error);
char *syncd_client_check_ignored(SyncdClient *client, const char *workspace, const char *path,
                                 GError **error);
/* The path of the job that scans; `deep`: reads every file. */
char *syncd_client_scan(SyncdClient *client, const char *workspace, bool deep, GError **error);
/* What came of it: a JSON object. */
char *syncd_client_accept(SyncdClient *client, const char *workspace, const char *path,
                          const char *sha256, GError **error);
/* `changes` is a JSON array; the answer. */
char *syncd_client_announce(SyncdClient *client, const char *workspace, const char *changes,
                            GVariant *options, GError **error);
/* What would be restored: a JSON object; and the path of the job that does it, as its digest says.
 */
char *syncd_client_plan_restore(SyncdClient *client, const char *workspace, const char *path,
                                GVariant *options, GError **error);
char *syncd_client_restore(SyncdClient *client, const char *workspace, const char *path,
                           const char *digest, GVariant *options, GError **error);
/* One page: a JSON array, and the cursor of the next page ("" at the end). */
bool syncd_client_list_files(SyncdClient *client, const char *workspace, const char *path,
                             GVariant *options, char **ret_files, char **ret_cursor,
                             GError **error);
/* The same of what was recorded of one file. */
bool syncd_client_file_history(SyncdClient *client, const char *file, GVariant *options,
                               char **ret_changes, char **ret_cursor, GError **error);
