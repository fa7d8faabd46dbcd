/*
 * Whether an index leads to places that are known, by one statement: handing its rows out one by
 * one costs more than walking over them.
 *
 *   SELECT syncd_lookups(:lookups, seq, pos) FROM … INDEXED BY … WHERE …
 *
 * is 1 when its rows are exactly the places, in their order, and 0 when there is any difference.
 */
#pragma once

#include "store/database.h"

typedef struct {
    gint64 first;           /* the number of the first one; the others follow it one by one … */
    const guint64 *numbers; /* … and are these places */
    guint n;
} SyncdLookups;

/* Borrowed until the statement is done, as other values are. */
void syncd_bind_lookups(SyncdStatement *statement, const char *name, const SyncdLookups *places);
