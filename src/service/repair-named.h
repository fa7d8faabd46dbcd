/*
 * Which files whoever approves is told of: the plan names them, and no other one is touched for it.
 *
 * In a plan it is what such a step is bound to, a canonical JSON object. Of very many the first
 * ones are named; the others are told of only as long as all of them are the very same.
 *
 * Names are those within the state directory with what is not plain in them escaped; that of a
 * folder ends in a slash.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_NAMED_MAX 256u

/* `names` (char *) is sorted; `more`: there are some that nobody has a name of. */
char *syncd_named_write(GPtrArray *names, bool more);
/* Whether a plan can still be carried out for what it named. */
bool syncd_named_covers(const char *then, const char *now);
/* An array of texts as a set of them. */
GHashTable *syncd_named_read_set(SyncdJson words);
/* Those that it names, a set; and whether there were more. */
GHashTable *syncd_named_read(const char *told);
bool syncd_named_has_more(const char *told);
/* The same of all that were told then, where these are what there is now; `then` NULL: no plan said
 * which. */
GHashTable *syncd_named_told(const char *then, GPtrArray *names);
/* Adds to what a report says was preserved that those were left: `left` (char *) are the first ones
 * of so many. */
#define SYNCD_NAMED_LEFT_MAX 20u
void syncd_named_tell_left(GPtrArray *preserved, const GPtrArray *left, guint n_left);
