/*
 * Whether an image of a disk keeps what the store promised.
 *
 * At any cut the log must hold exactly the turns that were acknowledged before it, or one more that
 * had begun: acknowledged is a subset of present, present of attempted, and no turn comes in part.
 * It must open, verify, give back every entry and body byte for byte, find what is there and
 * nothing else by id and by key, have the index that a rebuild makes, and take the next entry.
 */
#pragma once

#include "power-log.h"

/* Opens the state in the folder as a restarted daemon does. NULL when it keeps what was promised at
 * the cut, else what is wrong. Changes the folder. */
char *power_check(PowerLog *log, const char *folder, size_t cut, guint64 seed);
/* Whether a log that was just opened has all that was acknowledged at the cut, nothing that was not
 * attempted, and is sound. NULL, or what is wrong. */
char *power_check_log(PowerLog *log, SyncdStore *store, size_t cut);
/* Forgets the turns that the state in a folder, which must be sound, does not hold. Changes the
 * folder. */
void power_check_match(PowerLog *log, const char *folder);
