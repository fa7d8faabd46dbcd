/*
 * Signed documents for tests: a key, and what it has signed.
 */
#pragma once

#include "crypto/note.h"
#include "crypto/seal.h"
#include "document-edit.h"
#include "domain/attestation.h"

#define ATTESTER "device.example"

static inline SyncdSigner *attester(guint8 first_byte)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE] = {first_byte};
    return syncd_signer_new(seed, NULL);
}

static inline char *attester_key(const SyncdSigner *signer)
{
    return syncd_verifier_key_format(ATTESTER, syncd_signer_public_key(signer));
}

static inline SyncdAttestationKeys *attester_keys(const SyncdSigner *signer)
{
    SyncdAttestationKeys *keys = syncd_attestation_keys_new();
    g_autofree char *key = attester_key(signer);
    g_assert_true(syncd_attestation_keys_add(keys, key, NULL));
    return keys;
}

/* "<name>+<hash>" of the key. */
static inline char *attester_key_id(const SyncdSigner *signer)
{
    char *key = attester_key(signer);
    *strchr(strchr(key, '+') + 1, '+') = '\0';
    return key;
}

/* The members of a signature over the document, without braces. */
static inline char *attester_members(const SyncdSigner *signer, const char *document)
{
    g_autoptr(GString) message = g_string_new(NULL);
    syncd_attestation_message(document_of(document), message);
    SyncdSignature signature = syncd_signer_sign(signer, message->str, message->len);
    g_autofree char *text = g_base64_encode(signature.bytes, sizeof signature.bytes);
    g_autofree char *key_id = attester_key_id(signer);
    return g_strdup_printf("\"signer\":\"" ATTESTER "\",\"key_id\":\"%s\","
                           "\"algorithm\":\"ed25519\",\"signature\":\"%s\"",
                           key_id, text);
}

/* The document with the attestation of a report. */
static inline char *attest(const SyncdSigner *signer, const char *document)
{
    g_autofree char *members = attester_members(signer, document);
    g_autofree char *attestation = g_strdup_printf("{\"signed\":true,%s}", members);
    return document_edit(document, "/attestation", attestation);
}
