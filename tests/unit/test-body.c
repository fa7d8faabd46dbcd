/*
 * A body opens with its own key, in its own place, as the bytes that its header names; else it is
 * refused.
 */
#include "store-fixture.h"
#include "store/body.h"

#include <sodium.h>

#define FEED "device-a/scope-a/1"

typedef struct {
    Fixture f;
    SyncdSealKey *key;
} Place;

static void place_init(Place *p)
{
    static const guint8 bytes[SYNCD_SEAL_KEY_SIZE] = {7};
    fixture_init(&p->f, 81);
    p->key = syncd_seal_key_new(bytes, NULL);
}

static void place_clear(Place *p)
{
    syncd_seal_key_free(p->key);
    fixture_clear(&p->f);
}

static SyncdHeader header_of(const GByteArray *stored, guint64 seq)
{
    return (SyncdHeader){.op = SYNCD_BYTES_TEXT("op-a"),
                         .seq = seq,
                         .body_size = stored->len,
                         .body_digest = syncd_hash(stored->data, stored->len)};
}

static bool opens(const SyncdSealKey *key, const char *feed, const SyncdHeader *header,
                  const GByteArray *stored, SyncdBody *ret_body)
{
    g_autoptr(GError) error = NULL;
    bool ok = syncd_body_open(key, feed, header, SYNCD_BYTES(stored->data, stored->len), ret_body,
                              &error);
    if (!ok)
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    return ok;
}

static void what_was_sealed_opens(void)
{
    static const SyncdBytes contents[] = {{"", 0}, {"{}", 2}, {"a\nb", 3}, {"\0\0", 2}, {"\n", 1}};
    Place p;
    place_init(&p);
    for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
        for (int open = 0; open < 2; open++) {
            const SyncdSealKey *key = open ? NULL : p.key;
            g_auto(SyncdBody) body = {0};
            g_autoptr(GByteArray) stored = syncd_body_seal(
                key, &p.f.sources, FEED, 5, SYNCD_BYTES_TEXT("{\"a\":1}"), contents[i]);
            SyncdHeader header = header_of(stored, 5);
            g_assert_true(opens(key, FEED, &header, stored, &body));
            g_assert_cmpstr(body.meta, ==, "{\"a\":1}");
            g_assert_cmpuint(body.meta_size, ==, 7);
            g_assert_cmpmem(body.content, body.content_size, contents[i].data, contents[i].size);
        }
    }
    place_clear(&p);
}

/* Whether a meta line is one is judged by others: they must see what is there. */
static void a_meta_line_is_given_as_it_stands(void)
{
    static const SyncdBytes meta = {"{}\0x\xff", 5};
    Place p;
    place_init(&p);
    g_auto(SyncdBody) body = {0};
    g_autoptr(GByteArray) stored =
        syncd_body_seal(NULL, &p.f.sources, FEED, 5, meta, SYNCD_BYTES_TEXT("{}"));
    SyncdHeader header = header_of(stored, 5);
    g_assert_true(opens(NULL, FEED, &header, stored, &body));
    g_assert_cmpmem(body.meta, body.meta_size + 1, "{}\0x\xff", 6); /* with its NUL */
    place_clear(&p);
}

/* Written from docs/format.md 4.2 with libsodium alone. */
static void the_bytes_are_those_of_the_format(void)
{
    Place p;
    place_init(&p);
    g_autoptr(GByteArray) open = syncd_body_seal(NULL, &p.f.sources, FEED, 258,
                                                 SYNCD_BYTES_TEXT("{}"), SYNCD_BYTES_TEXT("text"));
    g_assert_cmpuint(open->len, ==, 24 + 7);
    g_assert_cmpmem(open->data + 24, 7, "{}\ntext", 7);

    g_autoptr(GByteArray) stored = syncd_body_seal(
        p.key, &p.f.sources, FEED, 258, SYNCD_BYTES_TEXT("{}"), SYNCD_BYTES_TEXT("text"));
    guint8 key[32] = {7}, key_id[32], text[20 + 32], plain[7];
    memcpy(text, "sourceos-seal-key-v1", 20);
    memcpy(text + 20, key, 32);
    crypto_hash_sha256(key_id, text, sizeof text);
    g_autoptr(GByteArray) ad = g_byte_array_new();
    g_byte_array_append(ad, (const guint8 *)"sourceos-entry-v1\0" FEED "\0\0\0\0\0\0\0\1\2",
                        18 + sizeof FEED + 8);
    g_byte_array_append(ad, key_id, 32);
    unsigned long long size = 0;
    g_assert_cmpuint(stored->len, ==, 24 + 7 + 16);
    g_assert_cmpint(crypto_aead_xchacha20poly1305_ietf_decrypt(
                        plain, &size, NULL, stored->data + 24, stored->len - 24, ad->data, ad->len,
                        stored->data, key),
                    ==, 0);
    g_assert_cmpmem(plain, size, "{}\ntext", 7);
    place_clear(&p);
}

static void anything_else_is_refused(void)
{
    static const guint8 other_bytes[SYNCD_SEAL_KEY_SIZE] = {8};
    Place p;
    SyncdBody none = {0};
    place_init(&p);
    g_autoptr(SyncdSealKey) other = syncd_seal_key_new(other_bytes, NULL);
    g_autoptr(GByteArray) stored = syncd_body_seal(
        p.key, &p.f.sources, FEED, 5, SYNCD_BYTES_TEXT("{}"), SYNCD_BYTES_TEXT("content"));
    SyncdHeader header = header_of(stored, 5), moved = header_of(stored, 6);

    g_assert_false(opens(other, FEED, &header, stored, &none));
    g_assert_false(opens(p.key, "device-a/scope-a/2", &header, stored, &none));
    g_assert_false(opens(p.key, FEED, &moved, stored, &none));
    for (guint i = 0; i < stored->len; i++) {
        stored->data[i] ^= 0x10;
        g_assert_false(opens(p.key, FEED, &header, stored, &none)); /* by the digest */
        SyncdHeader forged = header_of(stored, 5);
        g_assert_false(opens(p.key, FEED, &forged, stored, &none)); /* by the seal */
        stored->data[i] ^= 0x10;
    }
    for (guint size = stored->len; size-- > 0;) {
        g_byte_array_set_size(stored, size);
        g_assert_false(opens(p.key, FEED, &header, stored, &none));
        SyncdHeader forged = header_of(stored, 5);
        g_assert_false(opens(p.key, FEED, &forged, stored, &none));
        if (size < 24)
            g_assert_false(opens(NULL, FEED, &forged, stored, &none));
    }

    /* Without its end the meta line is none. */
    g_autoptr(GByteArray) lineless = g_byte_array_new();
    g_byte_array_append(lineless, (const guint8 *)"------------------------no line", 31);
    SyncdHeader header_lineless = header_of(lineless, 5);
    g_assert_false(opens(NULL, FEED, &header_lineless, lineless, &none));
    g_assert_null(none.meta);
    g_assert_null(none.content);
    place_clear(&p);
}

static void equal_content_seals_differently(void)
{
    Place p;
    place_init(&p);
    for (int open = 0; open < 2; open++) {
        g_autoptr(GByteArray) a = syncd_body_seal(open ? NULL : p.key, &p.f.sources, FEED, 5,
                                                  SYNCD_BYTES_TEXT("{}"), SYNCD_BYTES_TEXT("same"));
        g_autoptr(GByteArray) b = syncd_body_seal(open ? NULL : p.key, &p.f.sources, FEED, 5,
                                                  SYNCD_BYTES_TEXT("{}"), SYNCD_BYTES_TEXT("same"));
        SyncdHash first = syncd_hash(a->data, a->len), second = syncd_hash(b->data, b->len);
        g_assert_false(syncd_hash_equal(&first, &second));
    }
    place_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/body/what-was-sealed-opens", what_was_sealed_opens);
    g_test_add_func("/body/a-meta-line-is-given-as-it-stands", a_meta_line_is_given_as_it_stands);
    g_test_add_func("/body/the-bytes-are-those-of-the-format", the_bytes_are_those_of_the_format);
    g_test_add_func("/body/anything-else-is-refused", anything_else_is_refused);
    g_test_add_func("/body/equal-content-seals-differently", equal_content_seals_differently);
    return g_test_run();
}
