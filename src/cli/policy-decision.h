/*
 * Decisions that were made: found in the log by their id, with what was asked and which rule
 * decided, whatever the rules of today say.
 */
#pragma once

#include "cli/cli.h"

/* "policy-" and 16 lower-case hexadecimal digits. */
bool syncd_policy_is_decision_id(const char *text);
/* Asks the daemon. NotFound when its log has no such decision. */
bool syncd_policy_explain_decision(SyncdCli *cli, const char *id, GError **error);
