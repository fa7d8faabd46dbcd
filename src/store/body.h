/*
 * The body of an entry: a meta line and the content, sealed with the scope's key
 * (docs/format.md 4.2).
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/sources.h"
#include "crypto/seal.h"
#include "store/store.h"

#include <glib.h>

/* The stored form of the plain form. `key` NULL: a public scope. */
GByteArray *syncd_body_seal(const SyncdSealKey *key, const SyncdSources *sources, const char *feed,
                            guint64 seq, SyncdBytes meta, SyncdBytes content);
/* Checks digest and size against the header, then opens. JournalCorrupt. The content may still be a
 * chunk list. */
bool syncd_body_open(const SyncdSealKey *key, const char *feed, const SyncdHeader *header,
                     SyncdBytes stored, SyncdBody *ret_body, GError **error);
