/*
 * Members of JSON objects by JSON Pointer (RFC 6901), and single edits of a document.
 *
 * A pointer is read once into its steps. Only members of objects are found: a document's lists are
 * values here. An edit writes the whole document anew, with the members in their order and
 * everything that it does not name byte for byte; whoever calls looks first whether what it names
 * is there.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_POINTER_STEPS_MAX 16u

/* NULL for what is no pointer to a member, or has too many steps. */
GStrv syncd_pointer_read(const char *text);
/* Type NONE when it is not there. No steps: the document. */
SyncdJson syncd_pointer_get(SyncdJson document, const char *const *steps);
/* The object that the pointer's last step is a member of; type NONE when there is none. */
SyncdJson syncd_pointer_parent(SyncdJson document, const char *const *steps);
/* Appends the document with `value` at the pointer, whose parent is there: in the place of what was
 * there, else as the last member. Of type NONE: without it. */
void syncd_pointer_put(SyncdJson document, const char *const *steps, SyncdJson value, GString *out);
