/*
 * What a State Integrity Report has to keep to: its contract, and what a judge needs beyond it.
 * Counts that are compared fit into 64 bits, and names that are shown contain no U+0000.
 */
#pragma once

#include "base/json.h"

#include <glib.h>

/* Adds what is wrong. Any value may be given. */
void syncd_report_check(SyncdJson report, GPtrArray *problems);
