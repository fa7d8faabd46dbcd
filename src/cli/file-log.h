/*
 * The history of a file of a workspace: `log` of a path, or of the id of a file.
 */
#pragma once

#include "cli/cli.h"

/* Whether it can only be a file: the id of one, or a path. A plain name is an object's first. */
bool syncd_cli_names_file(const char *named);
bool syncd_cli_file_log(SyncdCli *cli, GError **error);
