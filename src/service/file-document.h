/*
 * A file as others see it: where it is, what it is, and what was recorded of it last.
 */
#pragma once

#include "service/internal.h"
#include "store/files.h"

/* What files were recorded with: those that were found together have one. */
typedef struct {
    SyncdService *service;
    guint64 pos; /* of the entry that was read last; 0: none was */
    SyncdEntry entry;
} SyncdFileEntries;

void syncd_file_entries_clear(SyncdFileEntries *entries);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdFileEntries, syncd_file_entries_clear)

/* Appends a JSON object: what became of a file. */
bool syncd_file_step_write(SyncdFileEntries *entries, const SyncdFileStep *step, GString *out,
                           GError **error);
/* Appends a JSON object. */
bool syncd_file_document_write(SyncdFileEntries *entries, const SyncdFileRow *row, SyncdBytes path,
                               GString *out, GError **error);
