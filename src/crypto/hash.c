#include "crypto/hash.h"

#include "base/canonical.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define BLOCK_SIZE 64 /* of SHA-256, for HMAC */
#define DIGEST_PREFIX "sha256:"

/* Fetched once: looking the algorithm up costs more than hashing a small input. */
static const EVP_MD *algorithm(void)
{
    static gsize once;
    static EVP_MD *fetched;
    if (g_once_init_enter(&once)) {
        fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
        g_once_init_leave(&once, 1);
    }
    return fetched;
}

/* A context is only ever refused for want of memory, and then, as everywhere in GLib, the program
 * ends: a wrong hash must not get out. */
static void must(int ok)
{
    if (G_UNLIKELY(ok != 1))
        g_error("SHA-256 failed in libcrypto");
}

static void start(EVP_MD_CTX *context)
{
    must(EVP_DigestInit_ex2(context, algorithm(), NULL));
}

static void add(EVP_MD_CTX *context, const void *data, size_t size)
{
    if (size > 0)
        must(EVP_DigestUpdate(context, data, size));
}

static SyncdHash finish(EVP_MD_CTX *context)
{
    SyncdHash hash;
    must(EVP_DigestFinal_ex(context, hash.bytes, NULL));
    return hash;
}

static EVP_MD_CTX *context_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL);
    start(context);
    return context;
}

static void context_free(gpointer context)
{
    EVP_MD_CTX_free(context);
}

/* One context a thread, started and ready for input. */
static EVP_MD_CTX *thread_context(void)
{
    static GPrivate key = G_PRIVATE_INIT(context_free);
    EVP_MD_CTX *context = g_private_get(&key);
    if (G_LIKELY(context != NULL)) {
        start(context);
        return context;
    }
    context = context_new();
    g_private_set(&key, context);
    return context;
}

bool syncd_hash_init(GError **error)
{
    if (algorithm() != NULL)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                         "repair the installation of OpenSSL and its configuration",
                         "libcrypto offers no SHA-256");
    return false;
}

SyncdHash syncd_hash(const void *data, size_t size)
{
    EVP_MD_CTX *context = thread_context();
    add(context, data, size);
    return finish(context);
}

SyncdHash syncd_hash_parts(const SyncdBytes *parts, size_t n_parts)
{
    EVP_MD_CTX *context = thread_context();
    for (size_t i = 0; i < n_parts; i++)
        add(context, parts[i].data, parts[i].size);
    return finish(context);
}

struct SyncdHasher {
    EVP_MD_CTX *context;
};

/* Any bytes of it are as good as its others. */
guint syncd_hash_of_key(gconstpointer key)
{
    guint hash;
    memcpy(&hash, key, sizeof hash);
    return hash;
}

gboolean syncd_hash_is_same_key(gconstpointer one, gconstpointer other)
{
    return memcmp(one, other, sizeof(SyncdHash)) == 0;
}

SyncdHasher *syncd_hasher_new(void)
{
    SyncdHasher *hasher = g_new(SyncdHasher, 1);
    hasher->context = context_new();
    return hasher;
}

void syncd_hasher_update(SyncdHasher *hasher, const void *data, size_t size)
{
    add(hasher->context, data, size);
}

SyncdHash syncd_hasher_finish(SyncdHasher *hasher)
{
    SyncdHash hash = finish(hasher->context);
    start(hasher->context);
    return hash;
}

void syncd_hasher_free(SyncdHasher *hasher)
{
    if (hasher == NULL)
        return;
    context_free(hasher->context);
    g_free(hasher);
}

bool syncd_hash_equal(const SyncdHash *a, const SyncdHash *b)
{
    return memcmp(a->bytes, b->bytes, SYNCD_HASH_SIZE) == 0;
}

void syncd_hash_to_hex(const SyncdHash *hash, char ret_text[SYNCD_HASH_HEX_SIZE])
{
    syncd_hex_encode(hash->bytes, SYNCD_HASH_SIZE, ret_text);
}

bool syncd_hash_from_hex(const char *text, size_t size, SyncdHash *ret_hash)
{
    SyncdHash hash;
    if (!syncd_hex_decode(text, size, hash.bytes, SYNCD_HASH_SIZE))
        return false;
    *ret_hash = hash;
    return true;
}

void syncd_hash_to_digest(const SyncdHash *hash, char ret_text[SYNCD_DIGEST_SIZE])
{
    memcpy(ret_text, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
    syncd_hash_to_hex(hash, ret_text + strlen(DIGEST_PREFIX));
}

SyncdHash syncd_hash_canonical(SyncdJson value)
{
    g_autoptr(GString) text = g_string_sized_new(256);
    syncd_canonical_append(text, value);
    return syncd_hash(text->str, text->len);
}

static SyncdHash hmac_pass(const guint8 key_block[BLOCK_SIZE], guint8 mask, const SyncdBytes *parts,
                           size_t n_parts)
{
    guint8 pad[BLOCK_SIZE];
    for (size_t i = 0; i < BLOCK_SIZE; i++)
        pad[i] = key_block[i] ^ mask;

    EVP_MD_CTX *context = thread_context();
    add(context, pad, sizeof pad);
    for (size_t i = 0; i < n_parts; i++)
        add(context, parts[i].data, parts[i].size);
    OPENSSL_cleanse(pad, sizeof pad);
    return finish(context);
}

SyncdHash syncd_hmac(const void *key, size_t key_size, const SyncdBytes *parts, size_t n_parts)
{
    guint8 key_block[BLOCK_SIZE] = {0};
    if (key_size > BLOCK_SIZE) {
        SyncdHash short_key = syncd_hash(key, key_size);
        memcpy(key_block, short_key.bytes, SYNCD_HASH_SIZE);
        OPENSSL_cleanse(&short_key, sizeof short_key);
    } else if (key_size > 0) {
        memcpy(key_block, key, key_size);
    }

    SyncdHash inner = hmac_pass(key_block, 0x36, parts, n_parts);
    SyncdHash hash = hmac_pass(key_block, 0x5c, &SYNCD_BYTES(inner.bytes, SYNCD_HASH_SIZE), 1);
    OPENSSL_cleanse(key_block, sizeof key_block);
    return hash;
}
