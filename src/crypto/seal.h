/*
 * Keeping content secret.
 *
 * Symmetric: XChaCha20-Poly1305 under a SyncdSealKey. A sealed blob is 24 nonce bytes and the
 * ciphertext with its tag. AEADs are not key-committing, so every user puts the key's id (a hash of
 * the key) into the associated data and checks it. A key lives in secret memory (crypto/secret.h)
 * and is wiped when freed.
 *
 * One nonce may never serve two different (associated data, content) pairs under one key: a nonce
 * is either 24 fresh random bytes or made by syncd_seal_nonce_of().
 *
 * To a device: X25519 sealed boxes (anonymous sender), for handing scope keys to members.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_SEAL_KEY_SIZE 32
#define SYNCD_SEAL_NONCE_SIZE 24
#define SYNCD_SEAL_OVERHEAD 40 /* nonce and tag */
#define SYNCD_BOX_PUBLIC_SIZE 32
#define SYNCD_BOX_OVERHEAD 48

typedef struct SyncdSealKey SyncdSealKey;
typedef struct SyncdBoxKey SyncdBoxKey;

SyncdSealKey *syncd_seal_key_new(const guint8 bytes[SYNCD_SEAL_KEY_SIZE], GError **error);
void syncd_seal_key_free(SyncdSealKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSealKey, syncd_seal_key_free)
/* SHA-256("sourceos-seal-key-v1" || key): names the key and commits to it. */
const SyncdHash *syncd_seal_key_id(const SyncdSealKey *key);
const guint8 *syncd_seal_key_bytes(const SyncdSealKey *key);

/* `ret_blob` holds size + SYNCD_SEAL_OVERHEAD bytes. */
void syncd_seal(const SyncdSealKey *key, const guint8 nonce[SYNCD_SEAL_NONCE_SIZE], SyncdBytes ad,
                const void *plain, size_t size, guint8 *ret_blob);
/* The nonce of content that must seal to the same blob each time: HMAC of the content under a key
 * derived from this one. Equal content seals equally, different content never shares a nonce. The
 * content alone decides, so all that is sealed this way under one key must have the same associated
 * data; otherwise whoever sees two blobs of one nonce could forge a third. */
void syncd_seal_nonce_of(const SyncdSealKey *key, const void *plain, size_t size,
                         guint8 ret_nonce[SYNCD_SEAL_NONCE_SIZE]);
/* False when the blob is not what was sealed with this key and associated data; nothing of the
 * content is then in `ret_plain`, which holds size - SYNCD_SEAL_OVERHEAD bytes. */
bool syncd_unseal(const SyncdSealKey *key, SyncdBytes ad, const void *blob, size_t size,
                  guint8 *ret_plain);

SyncdBoxKey *syncd_box_key_new(const guint8 seed[32], GError **error);
void syncd_box_key_free(SyncdBoxKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdBoxKey, syncd_box_key_free)
const guint8 *syncd_box_key_public(const SyncdBoxKey *key); /* SYNCD_BOX_PUBLIC_SIZE bytes */
/* `ret_box` holds size + SYNCD_BOX_OVERHEAD bytes. False for a public key of small order. The
 * sender's one-time key comes from the system, not from a SyncdSources: repeating it would be
 * unsafe, and nothing depends on a box's bytes. */
bool syncd_box_seal(const guint8 public_key[SYNCD_BOX_PUBLIC_SIZE], const void *plain, size_t size,
                    guint8 *ret_box);
/* False when the box was not sealed to this key. `ret_plain` holds size - SYNCD_BOX_OVERHEAD bytes.
 */
bool syncd_box_open(const SyncdBoxKey *key, const void *box, size_t size, guint8 *ret_plain);

/* Called once by a program before it uses anything in crypto/; calling it again does no harm. */
bool syncd_crypto_init(GError **error);
