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
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "store/directory.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_CHUNK_SIZE (1024u * 1024u)
#define SYNCD_CHUNK_CONTENT (SYNCD_CHUNK_SIZE - SYNCD_SEAL_OVERHEAD)

/* What a chunk is part of: equal parts of two such things are two chunks. */
typedef enum {
    SYNCD_CHUNK_OF_ENTRY, /* docs/format.md 4.3 */
    SYNCD_CHUNK_OF_FILE,  /* 6.2 */
} SyncdChunkOf;

/* The bytes of the chunk's file, whose name is their SHA-256. */
guint8 *syncd_blobs_seal(SyncdChunkOf of, const char *scope, const SyncdSealKey *key,
                         const SyncdSources *sources, SyncdBytes part, size_t *ret_size);
/* Appends what is in one; false when it is none of that key and scope. */
bool syncd_blobs_open(SyncdChunkOf of, const char *scope, const SyncdSealKey *key, SyncdBytes file,
                      GByteArray *out);
/* Where a chunk lies, within the state directory. */
char *syncd_blobs_path(SyncdChunkOf of, const SyncdHash *name);
/* Which chunk's file is called that, without folders; false: none's is. */
bool syncd_blobs_parse(const char *base, SyncdChunkOf *ret_of, SyncdHash *ret_name);
/* Chunks of files have files of their own, by which they can be told from others. */
bool syncd_blobs_put_file(SyncdDirectory *directory, const SyncdHash *name, SyncdBytes file,
                          GError **error);
GBytes *syncd_blobs_get_file(SyncdDirectory *directory, const SyncdHash *name, GError **error);
bool syncd_blobs_remove_file(SyncdDirectory *directory, const SyncdHash *name, GError **error);

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
