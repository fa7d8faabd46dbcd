/*
 * How one short text differs from another, as a unified difference of one piece.
 */
#pragma once

#include "cli/output.h"

/* Prints nothing when they are the same. */
void syncd_cli_print_change(SyncdOutput *out, const char *old_text, const char *new_text);
