/*
 * Tables by names in folders: what is to be looked at, and what is known of it meanwhile.
 *
 * Names come from whoever may write to the workspace, so their hash has a key of its own.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint64 folder; /* its number */
    guint32 size;
    bool hashing; /* its digest is wanted; no part of the name */
    char text[];
} SyncdName;

SyncdName *syncd_name_new(guint64 folder, SyncdBytes text);
SyncdBytes syncd_name_text(const SyncdName *name);

/* SyncdName -> what `free_value` frees; NULL: a set. Names are freed with g_free(). */
GHashTable *syncd_names_new(GDestroyNotify free_value);
bool syncd_names_remove(GHashTable *names, guint64 folder, SyncdBytes text);
