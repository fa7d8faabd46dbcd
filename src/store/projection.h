/*
 * Bringing an index up to the journal, a batch at a time: after a crash, or from nothing.
 *
 * It reads headers in the order of pos, hashes each into the tree of its feed, and stops with
 * JournalCorrupt when the trees at the end are not those of the signed heads: an index is never
 * made from a log that does not hold.
 */
#pragma once

#include "store/index.h"
#include "store/journal.h"

typedef struct SyncdProjection SyncdProjection;

/* Opens the stored body of an entry that is being projected, the content only when it is asked for.
 * `*ret_have` false when it cannot be had (purged, damaged, no key); an error when that is unknown.
 */
typedef bool (*SyncdOpenBody)(void *data, const SyncdHeader *header, SyncdBytes stored,
                              bool with_content, SyncdBody *ret_body, bool *ret_have,
                              GError **error);

/* From the index's cursor to the journal's end. StaleDigest when the cursor is not contained in the
 * journal. The index stays the caller's. */
SyncdProjection *syncd_projection_new(SyncdIndex *index, SyncdJournal *journal,
                                      SyncdOpenBody open_body, void *data, GError **error);
void syncd_projection_free(SyncdProjection *projection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdProjection, syncd_projection_free)

guint64 syncd_projection_remaining(const SyncdProjection *projection);
/* Projects up to `max` entries in one transaction. */
bool syncd_projection_step(SyncdProjection *projection, guint max, bool *ret_more, GError **error);
