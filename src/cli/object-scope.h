/*
 * The scope that a verb about one object means when it is not said.
 *
 * An object is its name within a scope, and the usual scope is the device's. Who forgets --scope
 * would then end something that nobody has: so where operations and the object's record are in
 * other scopes only, these are named instead.
 */
#pragma once

#include "cli/cli.h"

/* What --scope says, or "device". Usage, when the log has something about the object and nothing of
 * it in "device". */
char *syncd_cli_object_scope(SyncdCli *cli, SyncdClient *client, const char *object,
                             GError **error);
