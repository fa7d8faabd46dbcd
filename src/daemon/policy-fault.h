/*
 * Where in a file of rules a fault is: what a message calls a place in the document, or a byte, is
 * a line to whoever has the file in an editor.
 */
#pragma once

#include "daemon/policy-files.h"

/* Of the error that reading the rules of the source gave: what to do next names the line and the
 * path, and says what holds until then. Left as it is when the source has no path. */
void syncd_policy_fault_locate(const SyncdPolicySource *source, GError **error);
/* The line of the byte or the JSON pointer that the sentence names, from 1; 1 when it names none.
 */
unsigned syncd_policy_fault_line(const SyncdPolicySource *source, const char *sentence);
