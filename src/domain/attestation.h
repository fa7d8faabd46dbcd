/*
 * Attestations: the claim that somebody signed a document, and whether it holds.
 *
 * What is signed is the canonical text of the document without its top-level member `attestation`.
 * A report carries the signature's members (`signer`, `key_id`, `algorithm`, `signature`) in the
 * attestation itself, an evidence envelope in its member `signature`. A claim counts only when the
 * signature verifies with one of the keys that the judge was given; docs/format.md has the bytes.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_ATTESTATION_ALGORITHM "ed25519"

typedef enum {
    SYNCD_ATTESTATION_UNSIGNED,    /* it does not claim to be signed */
    SYNCD_ATTESTATION_SIGNED,      /* and that is true */
    SYNCD_ATTESTATION_UNKNOWN_KEY, /* by a key that was not given */
    SYNCD_ATTESTATION_INVALID,     /* it claims to be signed and is not */
} SyncdAttestation;

typedef struct SyncdAttestationKeys SyncdAttestationKeys;

SyncdAttestationKeys *syncd_attestation_keys_new(void);
void syncd_attestation_keys_free(SyncdAttestationKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdAttestationKeys, syncd_attestation_keys_free)
/* A verifier key as text: "<name>+<8 hex digits>+<base64>". InvalidArgs. */
bool syncd_attestation_keys_add(SyncdAttestationKeys *keys, const char *verifier_key,
                                GError **error);

/* `keys` may be NULL: then nobody is known. */
SyncdAttestation syncd_attestation_check(SyncdJson document, const SyncdAttestationKeys *keys);
/* "unsigned", "signed", "unknown_key", "invalid" */
const char *syncd_attestation_name(SyncdAttestation attestation);
/* Appends what is signed of a document. */
void syncd_attestation_message(SyncdJson document, GString *out);
