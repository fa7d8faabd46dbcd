/* Migrations that the power is cut in: of copies of the two kinds of databases that know steps
 * beyond the shipped ones. */
#pragma once

#include <stdbool.h>

typedef enum { POWER_JOURNAL, POWER_INDEX } PowerDatabase;

/* Opens a database of the state as the next version of this program would. */
void power_migrate(const char *state, PowerDatabase which);
/* Both must be of some version, whole; a changed journal must have its old copy beside it, whole;
 * one whose migration is done must be of the last. Finishes them, and takes them back to the
 * shipped version for the store to open. NULL or what is wrong. */
char *power_judge_migration(const char *state, bool done);
