/*
 * Whoever has no desktop is asked for a password at his terminal: by pkttyagent, which stands by
 * while this program calls what needs an authorisation. Where another agent is there already, that
 * one asks.
 */
#pragma once

#include "cli/cli.h"

typedef struct SyncdCliAgent SyncdCliAgent;

/* NULL where there is no terminal, or no such program: then nobody can be asked here. */
SyncdCliAgent *syncd_cli_agent_start(SyncdCli *cli);
void syncd_cli_agent_stop(SyncdCliAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdCliAgent, syncd_cli_agent_stop)
