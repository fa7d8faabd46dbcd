/*
 * What lies in blobs/, looked through in steps: chunks that nobody names, and files that are not as
 * those of the state should be.
 *
 * A chunk of a file is needed by a version that the index has, else by a document in the log; a
 * chunk of an entry by a list in the log. Where a list or a document cannot be read all of that
 * kind are needed. So is what was put for an entry that is not committed yet: it is judged when
 * there is no open turn, and what was judged has to be asked about once more before it is touched.
 * What no chunk can be called is left alone.
 */
#pragma once

#include "store/examine.h"

typedef struct SyncdOrphans SyncdOrphans;

#define SYNCD_ORPHANS_AT_ONCE 65536u /* chunks that are looked for in the log at once */

/* Borrows the store. */
SyncdOrphans *syncd_orphans_new(SyncdStore *store, guint at_once);
/* Of these alone, names within the state directory: they may be asked about when it is through. */
SyncdOrphans *syncd_orphans_new_of(SyncdStore *store, const GPtrArray *names);
void syncd_orphans_free(SyncdOrphans *orphans);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdOrphans, syncd_orphans_free)

/* Busy while there is no index. While a turn is open it does not come to an end. */
bool syncd_orphans_step(SyncdOrphans *orphans, bool *ret_more, GError **error);
/* … and only that keeps it from it. */
bool syncd_orphans_waits(const SyncdOrphans *orphans);
/* Names (char *) within the state directory: chunks that nobody names … */
const GPtrArray *syncd_orphans_found(const SyncdOrphans *orphans);
/* … and files with another mode or owner than they should have, or halves. */
const GPtrArray *syncd_orphans_unlike(const SyncdOrphans *orphans);
/* Whether nobody names that one now. There must be no open turn. */
bool syncd_orphans_is_one(SyncdOrphans *orphans, const char *name, bool *ret_is, GError **error);
