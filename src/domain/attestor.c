#include "domain/attestor.h"

#include "crypto/note.h"
#include "domain/attestation.h"

#include <string.h>

struct SyncdAttestor {
    const SyncdSigner *signer;
    char *name;
    char *id; /* the verifier key without its last part: name and hash */
    char *key;
};

SyncdAttestor *syncd_attestor_new(const char *name, const SyncdSigner *signer)
{
    char *key = syncd_verifier_key_format(name, syncd_signer_public_key(signer));
    if (key == NULL)
        return NULL;
    SyncdAttestor *attestor = g_new0(SyncdAttestor, 1);
    /* Base64 may contain '+', a name and its hash may not. */
    const char *end = strchr(strchr(key, '+') + 1, '+');
    *attestor = (SyncdAttestor){
        .signer = signer,
        .name = g_strdup(name),
        .id = g_strndup(key, (gsize)(end - key)),
        .key = key,
    };
    return attestor;
}

void syncd_attestor_free(SyncdAttestor *attestor)
{
    if (attestor == NULL)
        return;
    g_free(attestor->name);
    g_free(attestor->id);
    g_free(attestor->key);
    g_free(attestor);
}

const char *syncd_attestor_key(const SyncdAttestor *attestor)
{
    return attestor->key;
}

void syncd_attestor_sign(const SyncdAttestor *attestor, SyncdJson document, SyncdJsonWriter *writer)
{
    g_autoptr(GString) message = g_string_new(NULL);
    syncd_attestation_message(document, message);
    SyncdSignature signature = syncd_signer_sign(attestor->signer, message->str, message->len);
    g_autofree char *base64 = g_base64_encode(signature.bytes, sizeof signature.bytes);
    syncd_json_member_string(writer, "signer", attestor->name);
    syncd_json_member_string(writer, "key_id", attestor->id);
    syncd_json_member_string(writer, "algorithm", SYNCD_ATTESTATION_ALGORITHM);
    syncd_json_member_string(writer, "signature", base64);
}
