/*
 * The history of a file of a workspace: `log` of a path, or of the id of a file, and the operation
 * that says what the file is now.
 */
#pragma once

#include "cli/cli.h"
#include "client/client.h"

/* Whether it can only be a file: the id of one, or a path. A plain name is an object's first. */
bool syncd_cli_names_file(const char *named);
bool syncd_cli_file_log(SyncdCli *cli, GError **error);
/* The id of the file that is called so, by path or by id. NotFound. */
char *syncd_cli_file_id(SyncdCli *cli, SyncdClient *client, const char *named, GError **error);
/* What was recorded of it last. NotFound. */
char *syncd_cli_file_operation(SyncdCli *cli, SyncdClient *client, const char *named,
                               GError **error);
