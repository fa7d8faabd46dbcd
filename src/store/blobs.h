/*
 * Large content, in sealed chunks beside the journal (docs/format.md 4.3).
 *
 * A chunk's name is the hash of its file, so a chunk is checked without any key; its nonce is keyed
 * and depends on the content, so equal content in a scope is one file. Chunks are durable before
 * the entry that lists them is written. A chunk that no entry lists (a crash in between) is
 * harmless.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/sources.h"
#include "crypto/seal.h"
#include "store/directory.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_CHUNK_SIZE (1024u * 1024u)
#define SYNCD_CHUNK_CONTENT (SYNCD_CHUNK_SIZE - SYNCD_SEAL_OVERHEAD)

/* Stores the content and appends the list (canonical JSON) that finds it again. `key` NULL: a
 * public scope. */
bool syncd_blobs_put(SyncdDirectory *directory, const char *scope, const SyncdSealKey *key,
                     const SyncdSources *sources, SyncdBytes content, GString *list,
                     GError **error);
/* Calls `take` for each chunk that a list names, while it returns true. False, and no error, for
 * what is no list. */
bool syncd_blobs_each(SyncdBytes list, bool (*take)(void *data, const char *name, guint64 size),
                      void *data);
/* Removes the chunk of that name, and what a crash may have left of putting it there. */
bool syncd_blobs_remove(SyncdDirectory *directory, const char *name, GError **error);
/* Fetches what a list names. NotFound for a missing chunk, JournalCorrupt for one that is not what
 * was stored. */
char *syncd_blobs_get(SyncdDirectory *directory, const char *scope, const SyncdSealKey *key,
                      SyncdBytes list, size_t max, size_t *ret_size, GError **error);
