/*
 * Which files may take the place of a journal, and what is known of them before any is copied.
 * Private to rescue.c and rescue-sources.c.
 */
#pragma once

#include "store/rescue.h"
#include "store/store-private.h"

/* Names of files, first that of the journal where something of it may be read. */
GPtrArray *syncd_rescue_list(const SyncdStore *store);
/* What can be read of the journal itself; all others are copied. */
bool syncd_rescue_salvages(const char *name);
/* A store of it alone, which takes it: that is what is mended. For g_free(). */
SyncdStore *syncd_rescue_candidate(const SyncdStore *store, SyncdJournal *journal);
/* JournalCorrupt for one that is no journal of this device; NotFound when nobody can tell, as the
 * device's key is not here. */
bool syncd_rescue_check_owner(const SyncdStore *store, const SyncdJournal *journal, GError **error);

/* What its feeds end with, in hexadecimal digits: another one ends otherwise. */
char *syncd_rescue_heads(const SyncdJournal *journal);
/* Another one when the file is, or was written to, or its WAL. */
char *syncd_rescue_state(const SyncdStore *store, const char *name);
/* Another one when the journal is, or was written to, or its WAL; the same in a copy of both. */
char *syncd_rescue_times(const SyncdStore *store);
/* The same of all that may do, or may mend another. */
char *syncd_rescue_listing(const SyncdStore *store);

/* A sentence. */
char *syncd_rescue_why_not(const char *name, const GError *why);
/* As long as the listing is what it was before the look, it is offered to nobody again. What may be
 * otherwise the next time (the disk, the room on it, the keys) is not noted. */
void syncd_rescue_note_useless(SyncdStore *store, const char *listing, const char *name,
                               const GError *why);
