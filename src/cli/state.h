/*
 * The state directory, for the verbs that work on it without a daemon.
 *
 * They hold its lock while they do, so that a daemon and they never meet there.
 */
#pragma once

#include "cli/cli.h"
#include "service/service.h"

/* For judging only: changes no byte. */
SyncdService *syncd_state_inspect(const char *directory, GError **error);
/* The directory of the verb: --state-dir, or that of the instance. AccessDenied when the state of
 * the system instance is not for this user to touch. */
char *syncd_state_directory(const SyncdCli *cli, GError **error);
SyncdStore *syncd_state_open(const char *directory, SyncdStoreMode mode, GError **error);
SyncdInstance syncd_state_instance(const SyncdCli *cli);
