/*
 * Identifiers.
 *
 * An id is "<prefix>-" and 26 characters: 48 bits of milliseconds and 80 random bits, in lower-case
 * Crockford base32. Ids made later sort later as text, so an index on them grows at one end. They
 * are opaque: no name, path or content is in them.
 *
 * Callers may also bring ids of their own (object ids). syncd_id_is_token() is the one rule for
 * those.
 */
#pragma once

#include "base/sources.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_ID_TOKEN_MAX 128

char *syncd_id_new(const SyncdSources *sources, const char *prefix);

/* 1 to 128 characters of A-Z a-z 0-9 . _ : - that begin with a letter or digit. No slash: an id is
 * not a path. */
bool syncd_id_is_token(const char *text, size_t size);
