/*
 * What is found by its words (domain/search.h): files that exist, by their names; records of the
 * registries, by what they say; objects that operations are about, by their ids.
 *
 * Hits are numbers, the newest first. A file's is its id (store/files.h); all others are the place
 * of the entry that made them known.
 */
#pragma once

#include "store/store.h"

typedef struct {
    const SyncdFamily *family; /* NULL: an object that is not registered */
    char *record;              /* the id of the record or object */
} SyncdHit;

void syncd_hit_clear(SyncdHit *hit);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdHit, syncd_hit_clear)

/* At most `limit` of those that have all words, below a number. Brings the index up to the log. */
bool syncd_store_search(SyncdStore *store, const GPtrArray *words, guint64 below, guint limit,
                        GArray *ids, GError **error);
/* What a hit is, unless it is a file. */
bool syncd_store_find_hit(SyncdStore *store, guint64 id, SyncdHit *ret_hit, bool *ret_found,
                          GError **error);
