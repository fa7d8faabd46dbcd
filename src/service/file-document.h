/*
 * A file as others see it: where it is, what it is, and what was recorded of it last.
 */
#pragma once

#include "service/content-faults.h"
#include "service/internal.h"
#include "store/files.h"

/* What files were recorded with: those that were found together have one. */
typedef struct {
    SyncdService *service;
    guint64 pos; /* of the entry that was read last; 0: none was */
    SyncdEntry entry;
    SyncdBody body; /* of it, once it was asked for */
    bool opened;
    SyncdContentFaults faults; /* NULL in it until somebody asks whether content is whole */
    guint64 left;              /* so many bytes of content are looked at yet */
} SyncdFileEntries;

void syncd_file_entries_clear(SyncdFileEntries *entries);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdFileEntries, syncd_file_entries_clear)
bool syncd_file_entries_read(SyncdFileEntries *entries, guint64 pos, GError **error);

/* Members: when and by whom it was recorded. */
void syncd_file_entry_write(SyncdService *service, const SyncdEntry *entry,
                            SyncdJsonWriter *writer);
void syncd_file_hash_write(const SyncdHash *hash, SyncdJsonWriter *writer);
/* Appends a JSON object. */
bool syncd_file_document_write(SyncdFileEntries *entries, const SyncdFileRow *row, SyncdBytes path,
                               GString *out, GError **error);
