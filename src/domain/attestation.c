#include "domain/attestation.h"

#include "base/canonical.h"
#include "crypto/note.h"

#include <string.h>

/* Base64 with padding of a signature. */
#define SIGNATURE_TEXT_SIZE ((SYNCD_SIGNATURE_SIZE + 2) / 3 * 4)

typedef struct {
    char *name;
    char *id; /* the verifier key without its last part: name and hash */
    SyncdPublicKey key;
} Key;

struct SyncdAttestationKeys {
    GArray *keys;
};

static void key_clear(void *data)
{
    Key *key = data;
    g_free(key->name);
    g_free(key->id);
}

SyncdAttestationKeys *syncd_attestation_keys_new(void)
{
    SyncdAttestationKeys *keys = g_new0(SyncdAttestationKeys, 1);
    keys->keys = g_array_new(FALSE, FALSE, sizeof(Key));
    g_array_set_clear_func(keys->keys, key_clear);
    return keys;
}

void syncd_attestation_keys_free(SyncdAttestationKeys *keys)
{
    if (keys == NULL)
        return;
    g_array_unref(keys->keys);
    g_free(keys);
}

bool syncd_attestation_keys_add(SyncdAttestationKeys *keys, const char *verifier_key,
                                GError **error)
{
    Key key = {NULL};
    if (!syncd_verifier_key_parse(verifier_key, &key.name, &key.key)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "give it as <name>+<8 hex digits>+<base64>, on one line",
                             "`%s` is no verifier key", verifier_key);
        return false;
    }
    /* Base64 may contain '+', a name and its hash may not. */
    const char *hash = verifier_key + strlen(key.name) + 1;
    key.id = g_strndup(verifier_key, (size_t)(strchr(hash, '+') - verifier_key));
    g_array_append_val(keys->keys, key);
    return true;
}

void syncd_attestation_message(SyncdJson document, GString *out)
{
    g_autoptr(GString) text = g_string_new("{");
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, document);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        if (!iter.object || syncd_json_is(name, "attestation"))
            continue;
        if (text->len > 1)
            g_string_append_c(text, ',');
        g_string_append_len(text, name.at, name.end - name.at);
        g_string_append_c(text, ':');
        g_string_append_len(text, value.at, value.end - value.at);
    }
    g_string_append_c(text, '}');
    syncd_canonical_append(out, syncd_json_root(text->str, text->len));
}

static bool read_signature(SyncdJson value, SyncdSignature *ret_signature)
{
    const char *text;
    size_t size, decoded_size;
    if (!syncd_json_get_plain(value, &text, &size) || size != SIGNATURE_TEXT_SIZE)
        return false;
    g_autofree char *base64 = g_strndup(text, size);
    g_autofree guchar *bytes = g_base64_decode(base64, &decoded_size);
    if (decoded_size != sizeof ret_signature->bytes)
        return false;
    /* One spelling of each signature. */
    g_autofree char *again = g_base64_encode(bytes, decoded_size);
    memcpy(ret_signature->bytes, bytes, decoded_size);
    return strcmp(again, base64) == 0;
}

static const Key *find_key(const SyncdAttestationKeys *keys, SyncdJson id)
{
    for (guint i = 0; keys != NULL && i < keys->keys->len; i++) {
        const Key *key = &g_array_index(keys->keys, Key, i);
        if (syncd_json_is(id, key->id))
            return key;
    }
    return NULL;
}

/* An envelope has the members of its signature in an object of their own. */
static SyncdJson signature_members(SyncdJson attestation)
{
    SyncdJson signature = syncd_json_member(attestation, "signature");
    return signature.type == SYNCD_JSON_OBJECT ? signature : attestation;
}

SyncdAttestation syncd_attestation_check(SyncdJson document, const SyncdAttestationKeys *keys)
{
    SyncdJson attestation = syncd_json_member(document, "attestation");
    SyncdJson claim = syncd_json_member(attestation, "signed");
    if (claim.type == SYNCD_JSON_FALSE)
        return SYNCD_ATTESTATION_UNSIGNED;
    if (claim.type != SYNCD_JSON_TRUE)
        return claim.type == SYNCD_JSON_NONE ? SYNCD_ATTESTATION_UNSIGNED
                                             : SYNCD_ATTESTATION_INVALID;

    SyncdSignature signature;
    SyncdJson members = signature_members(attestation);
    if (!syncd_json_is(syncd_json_member(members, "algorithm"), SYNCD_ATTESTATION_ALGORITHM) ||
        syncd_json_member(members, "key_id").type != SYNCD_JSON_STRING ||
        !read_signature(syncd_json_member(members, "signature"), &signature))
        return SYNCD_ATTESTATION_INVALID;
    const Key *key = find_key(keys, syncd_json_member(members, "key_id"));
    if (key == NULL)
        return SYNCD_ATTESTATION_UNKNOWN_KEY;
    if (!syncd_json_is(syncd_json_member(members, "signer"), key->name))
        return SYNCD_ATTESTATION_INVALID;

    g_autoptr(GString) message = g_string_new(NULL);
    syncd_attestation_message(document, message);
    return syncd_signature_verify(&signature, &key->key, message->str, message->len)
               ? SYNCD_ATTESTATION_SIGNED
               : SYNCD_ATTESTATION_INVALID;
}

const char *syncd_attestation_name(SyncdAttestation attestation)
{
    static const char *const names[] = {
        [SYNCD_ATTESTATION_UNSIGNED] = "unsigned",
        [SYNCD_ATTESTATION_SIGNED] = "signed",
        [SYNCD_ATTESTATION_UNKNOWN_KEY] = "unknown_key",
        [SYNCD_ATTESTATION_INVALID] = "invalid",
    };
    return names[attestation];
}
