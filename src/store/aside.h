/*
 * What a repair sets aside in the folder of repairs, and the modes that it had.
 *
 * What lies there is read by nobody else, whatever its mode was before. So that mode is noted
 * beside it, durably and before anything is touched, as "<kept>.mode", in octal digits, where it
 * was not that of a file of the state: the way back gives it again. What has no such note, as
 * repairs of earlier versions left none, comes back as it lies there.
 *
 * Names are those within the state directory, and within the folder of repairs.
 */
#pragma once

#include "store/store.h"

/* Moves a file into that folder, or from there, durably, with its mode. One that is not there is no
 * error, and what was interrupted can be done again. */
bool syncd_store_set_aside(SyncdStore *store, const char *name, const char *kept, GError **error);
bool syncd_store_put_back(SyncdStore *store, const char *kept, const char *name, GError **error);

/* The same of the mode alone, of what is kept by other means: the note of it stays until it is
 * forgotten, so that it can be put back once more. */
bool syncd_store_note_mode(SyncdStore *store, const char *name, const char *kept, GError **error);
bool syncd_store_put_mode_back(SyncdStore *store, const char *kept, const char *name,
                               GError **error);
bool syncd_store_forget_mode(SyncdStore *store, const char *kept, GError **error);

/* Whether a file of that folder is such a note. */
bool syncd_aside_is_mode(const char *file);
/* Adds all that there may be of what is kept by that name, which it takes. */
void syncd_aside_add(GPtrArray *names, char *kept);
