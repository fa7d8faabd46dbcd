/*
 * Making a journal that SQLite cannot open one that it can: a copy of it whose first page, or what
 * that says of the file's size, is what any journal of this version has, and so are the pages with
 * the rest of the schema where they are no such pages any more. Which of the other pages are right
 * is for those to find out who read them (store/mend.h).
 *
 * It is copied in steps of so many pages, whose bytes leave for the disk on the way.
 */
#pragma once

#include "store/directory.h"
#include "store/journal.h"

#define SYNCD_SALVAGE_FILE "journal.db.new-salvaged"

typedef struct SyncdSalvage SyncdSalvage;

/* Whether there are pages of a database in journal.db at all, as far as its beginning shows. */
bool syncd_salvage_is_possible(SyncdDirectory *directory);
/* What it would be, read from where it is: nothing is copied, and nothing written. */
SyncdJournal *syncd_salvage_look(SyncdDirectory *directory, SyncdKeyring *keyring, GError **error);
/* Makes it, with its WAL beside it, until `*ret_more` is false. */
SyncdSalvage *syncd_salvage_new(SyncdDirectory *directory, GError **error);
bool syncd_salvage_step(SyncdSalvage *salvage, bool *ret_more, GError **error);
double syncd_salvage_progress(const SyncdSalvage *salvage); /* 0 to 1 */
/* What was made stays. */
void syncd_salvage_free(SyncdSalvage *salvage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSalvage, syncd_salvage_free)
void syncd_salvage_remove(SyncdDirectory *directory);
