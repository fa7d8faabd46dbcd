/*
 * Evidence: the log as a ledger reads it, one signed envelope for each entry.
 *
 * Nothing is kept for it. An envelope follows from its entry alone (domain/entry-evidence.h) and
 * from the device's key, so it is always the same bytes: after a restart, after the index was made
 * anew, and after a purge took the entry's body. An entry is held against the signed head of its
 * feed before anything is said of it: what was changed in the journal gets no signature.
 *
 * A listing walks the positions of the log and not the index. Positions have no gaps, and none is
 * given away before its entry is durable, so whoever keeps the cursor gets each entry once. What
 * cannot be read is not passed over: the page ends before it, and the next one fails. The cursor
 * names the entry that was looked at last, by its hash: in a log that has another one there, as
 * after an older copy was brought back, it is refused.
 */
#pragma once

#include "service/service.h"

#define SYNCD_EVIDENCE_EXAMINED 2000u /* entries, for one page */
#define SYNCD_EVIDENCE_STEP 100u      /* entries, in one step of a search */

/* Members that are NULL or 0 mean any. */
typedef struct {
    const char *cursor, *order, *type;
    guint32 limit;
    guint64 after; /* entries with a greater sequence number; without a cursor */
} SyncdEvidenceListing;

/* A JSON array of envelopes, oldest first unless "order" is newest; it may be empty although there
 * are more. `*ret_cursor` is never empty. At the end of the log it is the one that was given, and
 * goes on from there once there is more. CursorExpired, JournalCorrupt. */
char *syncd_service_list_evidence(SyncdService *service, const SyncdCaller *caller,
                                  const SyncdEvidenceListing *listing, char **ret_cursor,
                                  GError **error);

/* The search for one, by the id of the evidence or of its operation. The latter is found at once
 * where there is an index; the rest is looked for from the newest entry, in short steps between
 * which others are served. */
typedef struct SyncdEvidenceSearch SyncdEvidenceSearch;

SyncdEvidenceSearch *syncd_service_begin_find_evidence(SyncdService *service,
                                                       const SyncdCaller *caller, const char *id,
                                                       GError **error);
/* `*ret_evidence` NULL: there are more steps. After an error, as NotFound, there are none. */
bool syncd_evidence_search_step(SyncdEvidenceSearch *search, char **ret_evidence, GError **error);
void syncd_evidence_search_free(SyncdEvidenceSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdEvidenceSearch, syncd_evidence_search_free)
