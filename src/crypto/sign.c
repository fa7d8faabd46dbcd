#include "crypto/sign.h"

#include "crypto/secret.h"

#include <sodium.h>

G_STATIC_ASSERT(SYNCD_SIGN_SEED_SIZE == crypto_sign_SEEDBYTES);
G_STATIC_ASSERT(SYNCD_PUBLIC_KEY_SIZE == crypto_sign_PUBLICKEYBYTES);
G_STATIC_ASSERT(SYNCD_SIGNATURE_SIZE == crypto_sign_BYTES);

struct SyncdSigner {
    SyncdPublicKey public_key;
    guint8 secret_key[crypto_sign_SECRETKEYBYTES];
};

SyncdSigner *syncd_signer_new(const guint8 seed[SYNCD_SIGN_SEED_SIZE], GError **error)
{
    SyncdSigner *signer = syncd_secret_new(sizeof *signer, error);
    if (signer != NULL)
        crypto_sign_seed_keypair(signer->public_key.bytes, signer->secret_key, seed);
    return signer;
}

void syncd_signer_free(SyncdSigner *signer)
{
    syncd_secret_free(signer);
}

const SyncdPublicKey *syncd_signer_public_key(const SyncdSigner *signer)
{
    return &signer->public_key;
}

bool syncd_public_key_is_usable(const SyncdPublicKey *key)
{
    return crypto_core_ed25519_is_valid_point(key->bytes) == 1;
}

SyncdSignature syncd_signer_sign(const SyncdSigner *signer, const void *message, size_t size)
{
    SyncdSignature signature;
    crypto_sign_detached(signature.bytes, NULL, message, size, signer->secret_key);
    return signature;
}

bool syncd_signature_verify(const SyncdSignature *signature, const SyncdPublicKey *key,
                            const void *message, size_t size)
{
    return crypto_sign_verify_detached(signature->bytes, message, size, key->bytes) == 0;
}
