/*
 * Journals that cannot be opened, and what can take their place: for the table of what repairs are
 * about (repair-subjects.h). Each is as a daemon leaves it that was killed, so that its last
 * entry is in its WAL alone.
 */
#pragma once

#include "repair-subjects.h"

void repair_journal_is_salvageable(RepairWorld *w); /* its first page is gone */
void repair_journal_has_generation(RepairWorld *w); /* all of it is, and an earlier one has all */
void repair_journal_has_backup(RepairWorld *w);     /* it is empty, and a backup has all */

bool repair_journal_is_as_found(RepairLife *life);
bool repair_journal_is_whole(RepairLife *life);
