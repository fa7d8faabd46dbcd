/*
 * One step in the history of a file: what an entry made of it, and how that differs from before.
 */
#pragma once

#include "service/file-document.h"

/* What a file was after a step. */
typedef struct {
    SyncdFileStep step;
    const char *fault; /* "damaged", "lost", "sealed" without its key, or "unknown" whether it is
                          whole: its content was kept; NULL: it is, or was not */
    bool known;        /* the rest: not of one that was deleted, nor where the content was purged */
    SyncdFileKind kind;
    guint32 mode;
    guint64 size;
    bool hashed;
    SyncdHash hash;
    char folder[SYNCD_FILE_ID_SIZE];
    char name[SYNCD_FILE_NAME_MAX + 1];
    size_t name_size;
} SyncdFileFacts;

/* Looks it up in the document that the entry holds; `*ret_cost` is raised by what that took. */
bool syncd_file_facts_read(SyncdFileEntries *entries, const SyncdFileStep *step,
                           SyncdFileFacts *ret_facts, guint64 *cost, GError **error);
/* Appends a JSON object. `before`: as it was until then; NULL for the first step. */
bool syncd_file_facts_write(SyncdFileEntries *entries, const SyncdFileFacts *facts,
                            const SyncdFileFacts *before, GString *out, GError **error);
