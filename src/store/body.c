#include "store/body.h"

#define ENTRY_AD "sourceos-entry-v1"

static GByteArray *associated_data(const SyncdSealKey *key, const char *feed, guint64 seq)
{
    guint8 number[8];
    syncd_put_be64(number, seq);
    GByteArray *ad = g_byte_array_sized_new(256);
    g_byte_array_append(ad, (const guint8 *)ENTRY_AD, sizeof ENTRY_AD); /* with its NUL */
    g_byte_array_append(ad, (const guint8 *)feed, (guint)strlen(feed) + 1);
    g_byte_array_append(ad, number, sizeof number);
    g_byte_array_append(ad, syncd_seal_key_id(key)->bytes, SYNCD_HASH_SIZE);
    return ad;
}

GByteArray *syncd_body_seal(const SyncdSealKey *key, const SyncdSources *sources, const char *feed,
                            guint64 seq, SyncdBytes meta, SyncdBytes content)
{
    size_t plain_size = meta.size + 1 + content.size;
    GByteArray *stored = g_byte_array_sized_new((guint)(plain_size + SYNCD_SEAL_OVERHEAD));
    guint8 nonce[SYNCD_SEAL_NONCE_SIZE];
    syncd_sources_random(sources, nonce, sizeof nonce);
    g_byte_array_append(stored, nonce, sizeof nonce);
    g_byte_array_append(stored, meta.data, (guint)meta.size);
    g_byte_array_append(stored, (const guint8 *)"\n", 1);
    g_byte_array_append(stored, content.data, (guint)content.size);
    if (key == NULL)
        return stored;

    g_autoptr(GByteArray) ad = associated_data(key, feed, seq);
    g_autoptr(GByteArray) plain = g_steal_pointer(&stored);
    stored = g_byte_array_new();
    g_byte_array_set_size(stored, (guint)(plain_size + SYNCD_SEAL_OVERHEAD));
    syncd_seal(key, nonce, SYNCD_BYTES(ad->data, ad->len), plain->data + SYNCD_SEAL_NONCE_SIZE,
               plain_size, stored->data);
    return stored;
}

static bool damaged(const SyncdHeader *header, const char *what, GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The body of %.*s %s", (int)header->op.size,
                    (const char *)header->op.data, what);
    return false;
}

bool syncd_body_open(const SyncdSealKey *key, const char *feed, const SyncdHeader *header,
                     SyncdBytes stored, SyncdBody *ret_body, GError **error)
{
    size_t overhead = key != NULL ? SYNCD_SEAL_OVERHEAD : SYNCD_SEAL_NONCE_SIZE;
    SyncdHash digest = syncd_hash(stored.data, stored.size);
    if (stored.size != header->body_size || !syncd_hash_equal(&digest, &header->body_digest) ||
        stored.size < overhead)
        return damaged(header, "is not the one its header names", error);

    size_t plain_size = stored.size - overhead;
    g_autofree char *plain = g_malloc(plain_size + 1);
    if (key == NULL) {
        memcpy(plain, (const char *)stored.data + overhead, plain_size);
    } else {
        g_autoptr(GByteArray) ad = associated_data(key, feed, header->seq);
        if (!syncd_unseal(key, SYNCD_BYTES(ad->data, ad->len), stored.data, stored.size,
                          (guint8 *)plain))
            return damaged(header, "does not open with its key", error);
    }
    plain[plain_size] = '\0';

    char *end = memchr(plain, '\n', plain_size);
    if (end == NULL)
        return damaged(header, "has no meta line", error);
    *end = '\0';
    ret_body->meta_size = (size_t)(end - plain);
    ret_body->meta = g_malloc(ret_body->meta_size + 1);
    memcpy(ret_body->meta, plain, ret_body->meta_size + 1);
    ret_body->content_size = plain_size - ret_body->meta_size - 1;
    ret_body->content = g_malloc(ret_body->content_size + 1);
    memcpy(ret_body->content, end + 1, ret_body->content_size + 1);
    return true;
}

void syncd_body_clear(SyncdBody *body)
{
    g_clear_pointer(&body->meta, g_free);
    g_clear_pointer(&body->content, g_free);
    body->meta_size = body->content_size = 0;
}
