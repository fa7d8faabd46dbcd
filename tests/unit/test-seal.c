#include "crypto/seal.h"

static const guint8 some_nonce[SYNCD_SEAL_NONCE_SIZE] = "a nonce of 24 bytes....";

static void from_hex(const char *hex, void *ret_bytes, size_t size)
{
    g_assert_true(syncd_hex_decode(hex, strlen(hex), ret_bytes, size));
}

static SyncdSealKey *key_counting_from(guint8 first)
{
    guint8 bytes[SYNCD_SEAL_KEY_SIZE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (guint8)(first + i);
    g_autoptr(GError) error = NULL;
    SyncdSealKey *key = syncd_seal_key_new(bytes, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(syncd_seal_key_bytes(key), SYNCD_SEAL_KEY_SIZE, bytes, sizeof bytes);
    return key;
}

static SyncdBoxKey *box_key_of(guint8 fill)
{
    guint8 seed[32];
    memset(seed, fill, sizeof seed);
    g_autoptr(GError) error = NULL;
    SyncdBoxKey *key = syncd_box_key_new(seed, &error);
    g_assert_no_error(error);
    return key;
}

/* draft-irtf-cfrg-xchacha-03, A.3.1. */
static void the_vector_of_the_xchacha_draft(void)
{
    static const char plain[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
                                "only one tip for the future, sunscreen would be it.";
    static const char sealed[] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                                 "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                                 "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                                 "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                                 "21f9664c97637da9768812f615c68b13b52e"
                                 "c0875924c1c7987947deafd8780acf49";
    size_t size = sizeof plain - 1;
    guint8 nonce[SYNCD_SEAL_NONCE_SIZE], ad[12], blob[200], expected[200], opened[200];
    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = (guint8)(0x40 + i);
    from_hex("50515253c0c1c2c3c4c5c6c7", ad, sizeof ad);
    from_hex(sealed, expected, size + SYNCD_SEAL_OVERHEAD);

    g_autoptr(SyncdSealKey) key = key_counting_from(0x80);
    syncd_seal(key, nonce, SYNCD_BYTES(ad, sizeof ad), plain, size, blob);
    g_assert_cmpmem(blob, size + SYNCD_SEAL_OVERHEAD, expected, size + SYNCD_SEAL_OVERHEAD);
    g_assert_true(
        syncd_unseal(key, SYNCD_BYTES(ad, sizeof ad), blob, size + SYNCD_SEAL_OVERHEAD, opened));
    g_assert_cmpmem(opened, size, plain, size);
}

static void any_changed_bit_fails(void)
{
    g_autoptr(SyncdSealKey) key = key_counting_from(0);
    static const char secret[] = "a secret";
    char ad[] = "associated";
    guint8 blob[sizeof secret + SYNCD_SEAL_OVERHEAD], opened[sizeof secret];
    SyncdBytes associated = SYNCD_BYTES(ad, sizeof ad);
    syncd_seal(key, some_nonce, associated, secret, sizeof secret, blob);
    struct {
        void *bytes;
        size_t size;
    } parts[] = {{blob, sizeof blob}, {ad, sizeof ad}};

    for (size_t part = 0; part < G_N_ELEMENTS(parts); part++) {
        for (size_t bit = 0; bit < 8 * parts[part].size; bit++) {
            guint8 *byte = (guint8 *)parts[part].bytes + bit / 8;
            *byte ^= (guint8)(1 << bit % 8);
            g_assert_false(syncd_unseal(key, associated, blob, sizeof blob, opened));
            *byte ^= (guint8)(1 << bit % 8);
        }
    }
    for (size_t size = 0; size < sizeof blob; size++)
        g_assert_false(syncd_unseal(key, associated, blob, size, opened));
    g_assert_false(syncd_unseal(key, SYNCD_BYTES(ad, sizeof ad - 1), blob, sizeof blob, opened));
    g_assert_true(syncd_unseal(key, associated, blob, sizeof blob, opened));
}

static void another_key_fails_and_shows_nothing(void)
{
    g_autoptr(SyncdSealKey) key = key_counting_from(0);
    g_autoptr(SyncdSealKey) other = key_counting_from(1);
    static const char secret[] = "a secret";
    guint8 blob[sizeof secret + SYNCD_SEAL_OVERHEAD], opened[sizeof secret];
    syncd_seal(key, some_nonce, SYNCD_BYTES(NULL, 0), secret, sizeof secret, blob);

    static const guint8 zeros[sizeof secret];
    memset(opened, 0xff, sizeof opened);
    g_assert_false(syncd_unseal(other, SYNCD_BYTES(NULL, 0), blob, sizeof blob, opened));
    g_assert_cmpmem(opened, sizeof opened, zeros, sizeof zeros);
}

static void nothing_can_be_sealed_too(void)
{
    g_autoptr(SyncdSealKey) key = key_counting_from(0);
    guint8 blob[SYNCD_SEAL_OVERHEAD];
    syncd_seal(key, some_nonce, SYNCD_BYTES(NULL, 0), NULL, 0, blob);
    g_assert_true(syncd_unseal(key, SYNCD_BYTES(NULL, 0), blob, sizeof blob, NULL));
    blob[SYNCD_SEAL_OVERHEAD - 1] ^= 1;
    g_assert_false(syncd_unseal(key, SYNCD_BYTES(NULL, 0), blob, sizeof blob, NULL));
}

/* docs/format.md, sections 3 and 4.3: stored blobs and key ids mean the same in every version. */
static void key_id_and_nonce_are_what_they_always_were(void)
{
    SyncdHash id;
    guint8 nonce[SYNCD_SEAL_NONCE_SIZE], expected[SYNCD_SEAL_NONCE_SIZE];
    from_hex("0ad59ecde59e222a7e7a231c599bb400735ad854d30da4c8dad2b3039d19c279", id.bytes, 32);
    from_hex("df77dda99cbb633812cf5c6357b040a1fc02b77aa38b9213", expected, sizeof expected);

    g_autoptr(SyncdSealKey) key = key_counting_from(0);
    g_assert_true(syncd_hash_equal(syncd_seal_key_id(key), &id));
    syncd_seal_nonce_of(key, "content", 7, nonce);
    g_assert_cmpmem(nonce, sizeof nonce, expected, sizeof expected);
}

static void a_nonce_belongs_to_one_key_and_content(void)
{
    g_autoptr(SyncdSealKey) key = key_counting_from(0);
    g_autoptr(SyncdSealKey) other = key_counting_from(1);
    struct {
        const SyncdSealKey *key;
        const char *content;
    } cases[] = {{key, ""}, {key, "a"}, {key, "b"}, {key, "ab"}, {other, "a"}};
    guint8 nonces[G_N_ELEMENTS(cases)][SYNCD_SEAL_NONCE_SIZE], again[SYNCD_SEAL_NONCE_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t size = strlen(cases[i].content);
        syncd_seal_nonce_of(cases[i].key, cases[i].content, size, nonces[i]);
        syncd_seal_nonce_of(cases[i].key, cases[i].content, size, again);
        g_assert_cmpmem(again, sizeof again, nonces[i], sizeof nonces[i]);
        for (size_t j = 0; j < i; j++)
            g_assert_cmpint(memcmp(nonces[i], nonces[j], sizeof nonces[i]), !=, 0);
    }
}

static void a_box_opens_only_for_its_device(void)
{
    g_autoptr(SyncdBoxKey) key = box_key_of(1);
    g_autoptr(SyncdBoxKey) other = box_key_of(2);
    static const char secret[] = "a scope key";
    guint8 box[sizeof secret + SYNCD_BOX_OVERHEAD], opened[sizeof secret];
    g_assert_true(syncd_box_seal(syncd_box_key_public(key), secret, sizeof secret, box));
    g_assert_true(syncd_box_open(key, box, sizeof box, opened));
    g_assert_cmpmem(opened, sizeof opened, secret, sizeof secret);
    g_assert_false(syncd_box_open(other, box, sizeof box, opened));

    for (size_t i = 0; i < sizeof box; i++) {
        box[i] ^= 1;
        g_assert_false(syncd_box_open(key, box, sizeof box, opened));
        box[i] ^= 1;
    }
    for (size_t size = 0; size < sizeof box; size++)
        g_assert_false(syncd_box_open(key, box, size, opened));
}

static void a_box_key_comes_from_its_seed(void)
{
    g_autoptr(SyncdBoxKey) key = box_key_of(1);
    g_autoptr(SyncdBoxKey) same = box_key_of(1);
    g_autoptr(SyncdBoxKey) other = box_key_of(2);
    const guint8 *bytes = syncd_box_key_public(key);
    g_assert_cmpmem(bytes, 32, syncd_box_key_public(same), 32);
    g_assert_cmpint(memcmp(bytes, syncd_box_key_public(other), 32), !=, 0);
}

static void no_box_is_sealed_to_a_key_of_small_order(void)
{
    static const char *const keys[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        guint8 key[SYNCD_BOX_PUBLIC_SIZE], box[1 + SYNCD_BOX_OVERHEAD];
        from_hex(keys[i], key, sizeof key);
        g_assert_false(syncd_box_seal(key, "x", 1, box));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/seal/the-vector-of-the-xchacha-draft", the_vector_of_the_xchacha_draft);
    g_test_add_func("/seal/any-changed-bit-fails", any_changed_bit_fails);
    g_test_add_func("/seal/another-key-fails-and-shows-nothing",
                    another_key_fails_and_shows_nothing);
    g_test_add_func("/seal/nothing-can-be-sealed-too", nothing_can_be_sealed_too);
    g_test_add_func("/seal/key-id-and-nonce-are-what-they-always-were",
                    key_id_and_nonce_are_what_they_always_were);
    g_test_add_func("/seal/a-nonce-belongs-to-one-key-and-content",
                    a_nonce_belongs_to_one_key_and_content);
    g_test_add_func("/seal/a-box-opens-only-for-its-device", a_box_opens_only_for_its_device);
    g_test_add_func("/seal/a-box-key-comes-from-its-seed", a_box_key_comes_from_its_seed);
    g_test_add_func("/seal/no-box-is-sealed-to-a-key-of-small-order",
                    no_box_is_sealed_to_a_key_of_small_order);
    return g_test_run();
}
