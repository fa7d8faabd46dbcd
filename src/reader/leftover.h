/*
 * The file that is filled before it takes a name, and what a crash leaves of it.
 *
 * It is called SYNCD_PLACE_PREFIX and 16 digits for as long as nothing but what a reader put there
 * can be in it, and is locked meanwhile. So one that is a regular file of this user's, and locked
 * by nobody, was left by a reader that ended: it may be removed, and no file of the workspace is
 * lost by that. Just before it is exchanged for another file it is called SYNCD_REPLACED_PREFIX and
 * the digits instead, as from then on it may be what others wrote.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_PLACE_PREFIX ".sourceos-restore-"
#define SYNCD_REPLACED_PREFIX ".sourceos-replaced-"

/* Whether a name in a folder is such a file, whole or not. */
bool syncd_leftover_is(int folder, const char *name);
/* Unless somebody fills it at the moment. */
void syncd_leftover_remove(int folder, const char *name);
/* A new one, locked. -1, and errno. */
int syncd_leftover_begin(int folder, char **ret_name);
/* What it is called when it may be something else. */
char *syncd_leftover_replaced(const char *name);
