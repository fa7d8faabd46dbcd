/*
 * The file that is filled before it takes a name, and what a crash leaves of it.
 *
 * It has a name of domain/filling.h for as long as nothing but what a reader put there can be in
 * it, and is locked meanwhile. So one that is a regular file of this user's, and locked by nobody,
 * was left by a reader that ended: it may be removed, and no file of the workspace is lost by that.
 * Just before it is exchanged for another file it is called SYNCD_REPLACED_PREFIX and the digits
 * instead, as from then on it may be what others wrote.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_REPLACED_PREFIX ".sourceos-replaced-"

/* Whether a name in a folder is such a file, whole or not. */
bool syncd_leftover_is(int folder, const char *name);
/* Unless somebody has locked it, or it can be opened neither to write nor to read. */
void syncd_leftover_remove(int folder, const char *name);
/* A new one, locked. -1, and errno. */
int syncd_leftover_begin(int folder, char **ret_name);
/* What it is called when it may be something else. */
char *syncd_leftover_replaced(const char *name);
bool syncd_is_named(int folder, const char *name, int fd);
/* Removes a name if it still is that open file or folder: whatever others do in the folder, nothing
 * of theirs is removed. */
void syncd_remove_named(int folder, const char *name, int fd, int flags);
