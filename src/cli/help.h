/*
 * Help, made from the verb table.
 */
#pragma once

#include "cli/cli.h"

/* What the program can do; of one group when `group` is not NULL. */
bool syncd_help_group(SyncdCli *cli, const char *group, GError **error);
bool syncd_help_verb(SyncdCli *cli, const SyncdVerb *verb, GError **error);
