/*
 * Making a journal that SQLite cannot open one that it can: a copy of it whose first page, or what
 * that says of the file's size, is what any journal of this version has. Which of the other pages
 * are right is for those to find out who read them (store/mend.h).
 */
#pragma once

#include "store/directory.h"

#define SYNCD_SALVAGE_FILE "journal.db.new-salvaged"

/* Whether there are pages of a database in journal.db at all, as far as its beginning shows. */
bool syncd_salvage_is_possible(SyncdDirectory *directory);
/* Makes it, with its WAL beside it. */
bool syncd_salvage_make(SyncdDirectory *directory, GError **error);
void syncd_salvage_remove(SyncdDirectory *directory);
