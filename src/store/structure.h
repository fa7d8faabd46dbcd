/*
 * SQLite's own check of a database's structure, while the database is in use, in steps that have an
 * end however large it is.
 *
 * A connection that is in the middle of a check is nobody else's, so the check has one of its own.
 * That needs no copy and no lock: the WAL is moved into the database first, and as long as the
 * check goes on it stays where it grows, so the file is what it was. Where somebody empties it all
 * the same, or it grows too long, the check begins anew. What is written meanwhile is in the WAL,
 * and not looked at.
 *
 * While a transaction is open the check waits for its end. Where it cannot be had this way (the
 * disk is full, the files are not in their places any more or are to stay as they are, the
 * transaction does not end) the connection that is there does it, in one go: it is never left out.
 */
#pragma once

#include "store/database.h"

typedef struct SyncdStructure SyncdStructure;

/* Borrows the database; not for being freed, before which it may have been closed. */
SyncdStructure *syncd_structure_new(SyncdDatabase *db);
void syncd_structure_free(SyncdStructure *structure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdStructure, syncd_structure_free)
/* Until `*ret_more` is false; then `faults` (char *) has a line a fault. On failure it is not
 * known; damage is no failure. */
bool syncd_structure_step(SyncdStructure *structure, GPtrArray *faults, bool *ret_more,
                          GError **error);
