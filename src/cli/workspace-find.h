/*
 * Which workspace is meant by what somebody wrote: its name, with or without "workspace:", or its
 * directory, in whatever way that is written. A name goes before a directory of the same name.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"

typedef struct {
    char *workspace; /* "workspace:notes" */
    char *directory;
    char *state;
    char *root; /* the id of the record that says so */
    char *record;
    guint64 sequence; /* of that record */
} SyncdCliWorkspace;

void syncd_cli_workspace_free(SyncdCliWorkspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdCliWorkspace, syncd_cli_workspace_free)

/* "notes" is "workspace:notes", and back: for people the kind goes without saying. */
char *syncd_cli_workspace_id(const char *name);
const char *syncd_cli_workspace_name(const char *id);
/* Absolute, without symlinks where it is there; "~" is the home. */
char *syncd_cli_directory(const char *given);
/* Whether the path is the directory or lies in it. */
bool syncd_cli_lies_in(const char *path, const char *directory);

/* All that are directories now: SyncdCliWorkspace. */
GPtrArray *syncd_cli_workspaces(SyncdCli *cli, SyncdClient *client, GError **error);
/* NotFound. */
SyncdCliWorkspace *syncd_cli_find_workspace(SyncdCli *cli, SyncdClient *client, const char *named,
                                            GError **error);
/* The same, or the workspace that a path lies in, and that path from there. */
SyncdCliWorkspace *syncd_cli_find_path(SyncdCli *cli, SyncdClient *client, const char *named,
                                       char **ret_path, GError **error);
