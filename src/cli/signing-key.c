#include "cli/signing-key.h"

#include "cli/file.h"
#include "crypto/secret.h"
#include "service/service.h"

#include <string.h>

#define KEY_MAX 4096u
#define LASTS_USEC (60u * G_USEC_PER_SEC)
#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----"
#define PEM_END "-----END PRIVATE KEY-----"

/* RFC 8410: an Ed25519 key in PKCS #8 is these bytes and the seed. */
static const guint8 key_head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                  0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

static bool refuse_key(const char *path, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "make one with `openssl genpkey -algorithm ed25519 -out FILE`",
                         "%s is no Ed25519 private key in PEM without a password", path);
    return false;
}

/* Whatever was in the text is wiped. */
static bool decode_seed(char *pem, guint8 *ret_seed)
{
    gsize size = 0;
    char *begin = strstr(pem, PEM_BEGIN);
    char *end = begin != NULL ? strstr(begin, PEM_END) : NULL;
    if (end == NULL)
        return false;
    *end = '\0';
    guchar *der = g_base64_decode(begin + strlen(PEM_BEGIN), &size);
    bool is_key = size == sizeof key_head + SYNCD_SIGN_SEED_SIZE &&
                  memcmp(der, key_head, sizeof key_head) == 0;
    if (is_key)
        memcpy(ret_seed, der + sizeof key_head, SYNCD_SIGN_SEED_SIZE);
    explicit_bzero(der, size);
    g_free(der);
    return is_key;
}

SyncdSigner *syncd_cli_read_signer(const char *path, GError **error)
{
    size_t size;
    char *pem = syncd_file_read(path, KEY_MAX, &size, error);
    guint8 *seed = pem != NULL ? syncd_secret_new(SYNCD_SIGN_SEED_SIZE, error) : NULL;
    SyncdSigner *signer = NULL;
    if (seed != NULL)
        signer = decode_seed(pem, seed) ? syncd_signer_new(seed, error)
                                        : (refuse_key(path, error), NULL);
    if (pem != NULL)
        explicit_bzero(pem, size);
    g_free(pem);
    syncd_secret_free(seed);
    return signer;
}

void syncd_cli_sign_request(const SyncdSigner *signer, const char *device, const char *actor,
                            const char *method, const SyncdBytes *parts, size_t n_parts,
                            GVariantDict *options)
{
    const SyncdSigned claim = {
        .actor = actor,
        .expires_usec = (guint64)g_get_real_time() + LASTS_USEC,
    };
    g_autoptr(GString) statement =
        syncd_signed_statement(device, &claim, method, "", parts, n_parts);
    SyncdSignature signature = syncd_signer_sign(signer, statement->str, statement->len);
    g_autofree char *base64 = g_base64_encode(signature.bytes, sizeof signature.bytes);
    g_variant_dict_insert(options, "actor", "s", actor);
    g_variant_dict_insert(options, "signature", "s", base64);
    g_variant_dict_insert(options, "expires", "t", claim.expires_usec);
}
