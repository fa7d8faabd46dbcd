/*
 * What an entry of the log is evidence of.
 *
 * Each entry gives one artifact, which follows from the entry alone: the document that it holds,
 * where that is one of a type that evidence has of its own, and a summary of its header else. A
 * summary names no content, no path and no name, so a purge leaves it as it is.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_ENTRY_SUMMARY_SCHEMA "sourceos.entry-summary/v1"
#define SYNCD_EVIDENCE_OF_ENTRIES "local-state-summary"

/* The type of the evidence. */
const char *syncd_entry_evidence_type(SyncdBytes kind, SyncdBytes schema_id);
/* Whether its artifact is the content of the entry. */
bool syncd_entry_evidence_is_document(const char *type);

/* Texts are ids and words; what is empty is not known, or there is none. */
typedef struct {
    SyncdBytes kind, operation, actor, object, decision, lane;
    SyncdBytes schema_id;
    guint64 schema_version;
    const char *feed; /* as text */
    guint64 seq;
    guint64 ms;
    const SyncdHash *leaf;
    const SyncdHash *body_digest; /* of the stored body; NULL: not known */
    guint64 body_size;
    const char *unreadable; /* why the document is not here that should be; NULL otherwise */
} SyncdEntryFacts;

/* Appends a JSON object. */
void syncd_entry_summary_write(const SyncdEntryFacts *facts, GString *out);
