/*
 * Entries whose header is gone for good (docs/format.md 7.3): a text stands in for it, which says
 * where the entry is and what its leaf hash was. It is made when it is read and stored nowhere.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

/* The version that a stand-in has, and no header that is stored. */
#define SYNCD_LOST_VERSION G_MAXINT64

/* NUL-terminated. */
char *syncd_lost_header(const char *device, const char *scope, guint64 epoch, guint64 seq,
                        const SyncdHash *leaf, size_t *ret_size);
/* The leaf hash of an entry by the text of its header: of a stand-in, that of what is lost. */
SyncdHash syncd_entry_leaf(const char *text, size_t size);
