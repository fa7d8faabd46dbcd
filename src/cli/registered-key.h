/*
 * The key that a registered actor signs with, asked of the daemon: the one occasion on which a verb
 * that judges documents needs it.
 */
#pragma once

#include "cli/cli.h"

/* As a verifier key whose name is the actor's id. NotFound; AccessDenied for an actor who is
 * revoked or has expired, and for one whose record names no key. */
char *syncd_cli_registered_key(SyncdCli *cli, const char *actor, GError **error);
