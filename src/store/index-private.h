/* The index's inside, shared by the files that make it up. */
#pragma once

#include "store/index.h"

struct SyncdIndex {
    SyncdDatabase *db;
    bool making;            /* a new file, not in its place yet */
    unsigned version;       /* of its schema, while it is made */
    GHashTable *words;      /* SyncdBytes * -> number as pointer; what was looked up so far */
    GHashTable *word_texts; /* number as pointer -> char * (owned by words) */
    gint64 next_word;       /* 0: not known yet */
    GHashTable *tally; /* kind's number as pointer -> entries projected in the open transaction */
};

extern const SyncdDatabaseKind syncd_index_kind;

/* index-words.c: the tables of words in memory. */
void syncd_index_init_words(SyncdIndex *index);
void syncd_index_clear_words(SyncdIndex *index);
void syncd_index_forget_words(SyncdIndex *index);

/* The registries' part of projecting an entry (index-registry.c). */
bool syncd_index_project_registry(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                                  const SyncdBody *body, GError **error);
/* Rows of records (index-record.c). */
bool syncd_index_project_record(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                                const SyncdBody *body, GError **error);
bool syncd_index_project_key(SyncdIndex *index, guint64 pos, const SyncdHeader *header,
                             const SyncdBody *body, GError **error);
