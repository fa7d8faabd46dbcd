#include "crypto/seal.h"

#include "crypto/secret.h"

#include <sodium.h>

#define KEY_ID_LABEL "sourceos-seal-key-v1"
#define NONCE_KEY_LABEL "sourceos-chunk-nonce-v1"

G_STATIC_ASSERT(SYNCD_SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
G_STATIC_ASSERT(SYNCD_SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
G_STATIC_ASSERT(SYNCD_SEAL_OVERHEAD ==
                SYNCD_SEAL_NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES);
G_STATIC_ASSERT(SYNCD_SEAL_NONCE_SIZE <= SYNCD_HASH_SIZE);
G_STATIC_ASSERT(SYNCD_BOX_PUBLIC_SIZE == crypto_box_PUBLICKEYBYTES);
G_STATIC_ASSERT(SYNCD_BOX_OVERHEAD == crypto_box_SEALBYTES);

struct SyncdSealKey {
    guint8 bytes[SYNCD_SEAL_KEY_SIZE];
    SyncdHash nonce_key;
    SyncdHash id;
};

struct SyncdBoxKey {
    guint8 public_key[SYNCD_BOX_PUBLIC_SIZE];
    guint8 secret_key[crypto_box_SECRETKEYBYTES];
};

bool syncd_crypto_init(GError **error)
{
    if (sodium_init() < 0) {
        syncd_set_error(error, SYNCD_ERROR_FAILED, "libsodium could not be initialised");
        return false;
    }
    return syncd_hash_init(error);
}

SyncdSealKey *syncd_seal_key_new(const guint8 bytes[SYNCD_SEAL_KEY_SIZE], GError **error)
{
    SyncdSealKey *key = syncd_secret_new(sizeof *key, error);
    if (key == NULL)
        return NULL;

    memcpy(key->bytes, bytes, SYNCD_SEAL_KEY_SIZE);
    SyncdBytes named[] = {SYNCD_BYTES_TEXT(KEY_ID_LABEL),
                          SYNCD_BYTES(key->bytes, SYNCD_SEAL_KEY_SIZE)};
    key->id = syncd_hash_parts(named, G_N_ELEMENTS(named));
    key->nonce_key =
        syncd_hmac(key->bytes, SYNCD_SEAL_KEY_SIZE, &SYNCD_BYTES_TEXT(NONCE_KEY_LABEL), 1);
    return key;
}

void syncd_seal_key_free(SyncdSealKey *key)
{
    syncd_secret_free(key);
}

const SyncdHash *syncd_seal_key_id(const SyncdSealKey *key)
{
    return &key->id;
}

const guint8 *syncd_seal_key_bytes(const SyncdSealKey *key)
{
    return key->bytes;
}

void syncd_seal(const SyncdSealKey *key, const guint8 nonce[SYNCD_SEAL_NONCE_SIZE], SyncdBytes ad,
                const void *plain, size_t size, guint8 *ret_blob)
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(ret_blob + SYNCD_SEAL_NONCE_SIZE, NULL, plain, size,
                                               ad.data, ad.size, NULL, nonce, key->bytes);
    memcpy(ret_blob, nonce, SYNCD_SEAL_NONCE_SIZE);
}

void syncd_seal_nonce_of(const SyncdSealKey *key, const void *plain, size_t size,
                         guint8 ret_nonce[SYNCD_SEAL_NONCE_SIZE])
{
    SyncdHash hash =
        syncd_hmac(key->nonce_key.bytes, SYNCD_HASH_SIZE, &SYNCD_BYTES(plain, size), 1);
    memcpy(ret_nonce, hash.bytes, SYNCD_SEAL_NONCE_SIZE);
}

bool syncd_unseal(const SyncdSealKey *key, SyncdBytes ad, const void *blob, size_t size,
                  guint8 *ret_plain)
{
    const guint8 *nonce = blob;
    if (size < SYNCD_SEAL_OVERHEAD)
        return false;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               ret_plain, NULL, NULL, nonce + SYNCD_SEAL_NONCE_SIZE, size - SYNCD_SEAL_NONCE_SIZE,
               ad.data, ad.size, nonce, key->bytes) == 0;
}

SyncdBoxKey *syncd_box_key_new(const guint8 seed[32], GError **error)
{
    SyncdBoxKey *key = syncd_secret_new(sizeof *key, error);
    if (key != NULL)
        crypto_box_seed_keypair(key->public_key, key->secret_key, seed);
    return key;
}

void syncd_box_key_free(SyncdBoxKey *key)
{
    syncd_secret_free(key);
}

const guint8 *syncd_box_key_public(const SyncdBoxKey *key)
{
    return key->public_key;
}

bool syncd_box_seal(const guint8 public_key[SYNCD_BOX_PUBLIC_SIZE], const void *plain, size_t size,
                    guint8 *ret_box)
{
    return crypto_box_seal(ret_box, plain, size, public_key) == 0;
}

bool syncd_box_open(const SyncdBoxKey *key, const void *box, size_t size, guint8 *ret_plain)
{
    return crypto_box_seal_open(ret_plain, box, size, key->public_key, key->secret_key) == 0;
}
