/*
 * SHA-256, the one hash of the log.
 *
 * This file hides which library computes it; docs/architecture.md says which and why. A SyncdHash
 * is a plain value. Digests in documents are "sha256:" and 64 lower-case digits.
 *
 * Every function may be called from any thread; a SyncdHasher belongs to one thread at a time. Once
 * syncd_crypto_init() succeeded, hashing cannot fail: it allocates only a thread's first context.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_HASH_SIZE 32
#define SYNCD_HASH_HEX_SIZE 65 /* with the NUL */
#define SYNCD_DIGEST_SIZE 72   /* "sha256:", 64 digits, NUL */

typedef struct {
    guint8 bytes[SYNCD_HASH_SIZE];
} SyncdHash;

typedef struct SyncdHasher SyncdHasher; /* for input that comes in pieces over time */

/* Part of syncd_crypto_init(): finds the implementation. */
bool syncd_hash_init(GError **error);

SyncdHash syncd_hash(const void *data, size_t size);
/* The hash of the pieces one after another. */
SyncdHash syncd_hash_parts(const SyncdBytes *parts, size_t n_parts);

/* Of a GHashTable whose keys are hashes. */
guint syncd_hash_of_key(gconstpointer key);
gboolean syncd_hash_is_same_key(gconstpointer one, gconstpointer other);

SyncdHasher *syncd_hasher_new(void);
void syncd_hasher_update(SyncdHasher *hasher, const void *data, size_t size);
SyncdHash syncd_hasher_finish(SyncdHasher *hasher); /* and makes it ready for a new input */
void syncd_hasher_free(SyncdHasher *hasher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdHasher, syncd_hasher_free)

bool syncd_hash_equal(const SyncdHash *a, const SyncdHash *b);
void syncd_hash_to_hex(const SyncdHash *hash, char ret_text[SYNCD_HASH_HEX_SIZE]);
bool syncd_hash_from_hex(const char *text, size_t size, SyncdHash *ret_hash);
void syncd_hash_to_digest(const SyncdHash *hash, char ret_text[SYNCD_DIGEST_SIZE]);
/* The hash of the canonical text of a JSON value. */
SyncdHash syncd_hash_canonical(SyncdJson value);

/* HMAC-SHA-256 (RFC 2104), for keyed names and nonces. Wipes its copies of the key. */
SyncdHash syncd_hmac(const void *key, size_t key_size, const SyncdBytes *parts, size_t n_parts);
