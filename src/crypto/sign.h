/*
 * Ed25519 signatures (RFC 8032).
 *
 * A SyncdSigner owns a secret key in secret memory (crypto/secret.h) that is wiped when it is
 * freed. Public keys and signatures are plain values. Signing is deterministic. Verification
 * refuses non-canonical signatures and keys of small order.
 */
#pragma once

#include "base/error.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_SIGN_SEED_SIZE 32
#define SYNCD_PUBLIC_KEY_SIZE 32
#define SYNCD_SIGNATURE_SIZE 64

typedef struct {
    guint8 bytes[SYNCD_PUBLIC_KEY_SIZE];
} SyncdPublicKey;

typedef struct {
    guint8 bytes[SYNCD_SIGNATURE_SIZE];
} SyncdSignature;

typedef struct SyncdSigner SyncdSigner;

/* NULL only when there is no secret memory left. The caller wipes its copy of the seed. */
SyncdSigner *syncd_signer_new(const guint8 seed[SYNCD_SIGN_SEED_SIZE], GError **error);
void syncd_signer_free(SyncdSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSigner, syncd_signer_free)

const SyncdPublicKey *syncd_signer_public_key(const SyncdSigner *signer);
/* Whether somebody can have the secret to it: a canonical point of the group. */
bool syncd_public_key_is_usable(const SyncdPublicKey *key);
SyncdSignature syncd_signer_sign(const SyncdSigner *signer, const void *message, size_t size);
bool syncd_signature_verify(const SyncdSignature *signature, const SyncdPublicKey *key,
                            const void *message, size_t size);
