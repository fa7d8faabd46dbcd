/* The inside of bringing chunks back, shared by refill.c and refill-undo.c. */
#pragma once

#include "store/refill.h"

struct SyncdRefill {
    SyncdStore *store;
    char *snapshot;
    GPtrArray *chunks;   /* SyncdWrongChunk */
    GHashTable *by_name; /* the same, a set */
    guint looked;        /* so many of them were looked at */
    guint undone;
    bool listed;        /* those that are wrong are in the list */
    GPtrArray *sources; /* SyncdSource; NULL: nobody asked for them yet */
};

bool syncd_refill_hashes_to(GBytes *bytes, const SyncdHash *name);
/* What is in its place. NULL, and no error: nothing is. */
GBytes *syncd_refill_read_chunk(SyncdRefill *refill, const SyncdWrongChunk *chunk, GError **error);
/* Under which name what was there is kept. */
char *syncd_refill_kept_name(const SyncdRefill *refill, const SyncdWrongChunk *chunk);
bool syncd_refill_put(SyncdRefill *refill, const SyncdWrongChunk *chunk, SyncdBytes bytes,
                      GError **error);
/* From whichever source has it. NULL, and no error: none has. StorageFailed: of one nobody knows.
 */
GBytes *syncd_refill_find(SyncdRefill *refill, const SyncdHash *name, const char **ret_source,
                          GError **error);
void syncd_refill_end_offers(SyncdRefill *refill);
