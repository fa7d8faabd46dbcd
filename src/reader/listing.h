/*
 * The names in a folder, sorted by their bytes, as many at a time as fit into a bounded memory.
 *
 * Most folders are one run; the names of a larger one come in several, each of them sorted.
 */
#pragma once

#include "base/bytes.h"
#include "reader/pause.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdListing SyncdListing; /* of one folder */

typedef struct {
    guint8 type; /* DT_REG, DT_UNKNOWN, ...: what it was, perhaps */
    guint8 size;
    char text[]; /* with a NUL */
} SyncdListedName;

SyncdListing *syncd_listing_new(void);
void syncd_listing_free(SyncdListing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdListing, syncd_listing_free)

/* Reads the next run, which replaces the one before, from a folder that stays open meanwhile; true
 * until there was nothing more. An errno in `ret_error`, 0 for none: the run is what came before.
 * `pause` is called now and then. */
bool syncd_listing_read(SyncdListing *listing, int folder, SyncdPauseFunc pause, void *data,
                        guint32 *ret_error);
guint syncd_listing_size(const SyncdListing *listing);
const SyncdListedName *syncd_listing_name(const SyncdListing *listing, guint index);
/* Whether there was a name in any run that is longer than SYNCD_WIRE_NAME_MAX, and left out. */
bool syncd_listing_is_short(const SyncdListing *listing);
