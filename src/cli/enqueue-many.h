/*
 * `ops enqueue --many`: JSON lines in, JSON lines out.
 *
 * Lines are sent in batches as large as one call may be; each batch is recorded as a whole or not
 * at all. What was recorded before a refused batch stays recorded, and the error says how much that
 * was and where to go on.
 */
#pragma once

#include "cli/cli.h"

bool syncd_enqueue_many(SyncdCli *cli, GError **error);
