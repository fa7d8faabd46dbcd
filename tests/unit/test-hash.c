#include "crypto/hash.h"

static void assert_hash(SyncdHash hash, const char *expected)
{
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&hash, hex);
    g_assert_cmpstr(hex, ==, expected);
}

static SyncdHash hash_text(const char *text)
{
    return syncd_hash(text, strlen(text));
}

/* The examples that NIST publishes with FIPS 180-4. */
static void fips_180(void)
{
    assert_hash(syncd_hash(NULL, 0),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash(hash_text("abc"),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(hash_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters_in_pieces(void)
{
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    g_autofree char *thousand = g_strnfill(1000, 'a');
    for (int i = 0; i < 1000; i++)
        syncd_hasher_update(hasher, thousand, 1000);
    assert_hash(syncd_hasher_finish(hasher),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

    syncd_hasher_update(hasher, "abc", 3);
    assert_hash(syncd_hasher_finish(hasher),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void parts_hash_like_their_concatenation(void)
{
    const char *text = "one text, cut wherever one likes";
    SyncdHash whole = hash_text(text);
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        SyncdBytes parts[] = {
            SYNCD_BYTES(text, cut), {NULL, 0}, SYNCD_BYTES(text + cut, strlen(text) - cut)};
        SyncdHash hash = syncd_hash_parts(parts, G_N_ELEMENTS(parts));
        g_assert_true(syncd_hash_equal(&hash, &whole));
    }
}

static void a_hasher_and_other_hashes_do_not_disturb_each_other(void)
{
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    syncd_hasher_update(hasher, "ab", 2);
    hash_text("something else");
    syncd_hasher_update(hasher, "c", 1);
    assert_hash(syncd_hasher_finish(hasher),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static gpointer hash_many(gpointer expected)
{
    for (int i = 0; i < 2000; i++) {
        SyncdHash hash = hash_text("abc");
        if (!syncd_hash_equal(&hash, expected))
            return GINT_TO_POINTER(1);
    }
    return NULL;
}

static void threads(void)
{
    SyncdHash expected = hash_text("abc");
    GThread *threads[4];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("hash", hash_many, &expected);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_null(g_thread_join(threads[i]));
}

static void hex_and_digests_read_back(void)
{
    SyncdHash hash = hash_text("abc"), read = {0};
    char hex[SYNCD_HASH_HEX_SIZE], digest[SYNCD_DIGEST_SIZE];
    syncd_hash_to_hex(&hash, hex);
    g_assert_true(syncd_hash_from_hex(hex, strlen(hex), &read));
    g_assert_true(syncd_hash_equal(&hash, &read));

    syncd_hash_to_digest(&hash, digest);
    g_assert_true(g_str_has_prefix(digest, "sha256:"));
    g_assert_cmpstr(digest + strlen("sha256:"), ==, hex);
}

static void other_spellings_of_a_hash_are_refused(void)
{
    SyncdHash hash = hash_text("abc"), untouched = {0}, read = {0};
    char hex[SYNCD_HASH_HEX_SIZE + 1] = {0};
    syncd_hash_to_hex(&hash, hex);
    for (size_t size = 0; size < SYNCD_HASH_HEX_SIZE - 1; size++)
        g_assert_false(syncd_hash_from_hex(hex, size, &read));
    g_assert_false(syncd_hash_from_hex(hex, SYNCD_HASH_HEX_SIZE, &read));

    struct {
        size_t at;
        char with;
    } changes[] = {{0, 'B'}, {1, 'g'}, {63, ' '}, {63, '\0'}};
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        char changed[SYNCD_HASH_HEX_SIZE];
        memcpy(changed, hex, sizeof changed);
        changed[changes[i].at] = changes[i].with;
        g_assert_false(syncd_hash_from_hex(changed, SYNCD_HASH_HEX_SIZE - 1, &read));
    }
    g_assert_true(syncd_hash_equal(&read, &untouched));
}

static void canonical_means_content_not_spelling(void)
{
    const char *spelled = "{ \"b\" : 1, \"a\" : [true , null] }";
    g_assert_true(syncd_json_check(spelled, strlen(spelled), SYNCD_JSON_ANY, NULL));
    SyncdHash hash = syncd_hash_canonical(syncd_json_root(spelled, strlen(spelled)));
    SyncdHash expected = hash_text("{\"a\":[true,null],\"b\":1}");
    g_assert_true(syncd_hash_equal(&hash, &expected));
}

static void rfc_4231(void)
{
    guint8 key[131];
    memset(key, 0x0b, 20);
    assert_hash(syncd_hmac(key, 20, &SYNCD_BYTES_TEXT("Hi There"), 1),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");

    SyncdBytes parts[] = {SYNCD_BYTES_TEXT("what do ya want "), SYNCD_BYTES_TEXT("for nothing?")};
    assert_hash(syncd_hmac("Jefe", 4, parts, 2),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";
    memset(key, 0xaa, sizeof key);
    assert_hash(syncd_hmac(key, sizeof key, &SYNCD_BYTES_TEXT(text), 1),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/hash/fips-180", fips_180);
    g_test_add_func("/hash/a-million-letters-in-pieces", a_million_letters_in_pieces);
    g_test_add_func("/hash/parts-hash-like-their-concatenation",
                    parts_hash_like_their_concatenation);
    g_test_add_func("/hash/a-hasher-and-other-hashes-do-not-disturb-each-other",
                    a_hasher_and_other_hashes_do_not_disturb_each_other);
    g_test_add_func("/hash/threads", threads);
    g_test_add_func("/hash/hex-and-digests-read-back", hex_and_digests_read_back);
    g_test_add_func("/hash/other-spellings-of-a-hash-are-refused",
                    other_spellings_of_a_hash_are_refused);
    g_test_add_func("/hash/canonical-means-content-not-spelling",
                    canonical_means_content_not_spelling);
    g_test_add_func("/hash/rfc-4231", rfc_4231);
    return g_test_run();
}
