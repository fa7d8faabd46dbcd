/* The index's inside, shared by the files that make it up. */
#pragma once

#include "store/index.h"

struct SyncdIndex {
    SyncdDatabase *db;
    bool making;            /* a new file, not in its place yet */
    GHashTable *words;      /* char * -> number as pointer; what was looked up so far */
    GHashTable *word_texts; /* number as pointer -> char * (owned by words) */
    gint64 next_word;       /* 0: not known yet */
    GHashTable *tally; /* kind's number as pointer -> entries projected in the open transaction */
};

extern const SyncdDatabaseKind syncd_index_kind;

/* The registries' part of projecting an entry (index-registry.c). */
bool syncd_index_project_registry(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                                  const SyncdBody *body, GError **error);
bool syncd_index_project_key(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                             const SyncdBody *body, GError **error);
