#include "base/bytes.h"
#include "base/log.h"
#include "crypto/seal.h"
#include "crypto/sign.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static void from_hex(const char *hex, void *ret_bytes, size_t size)
{
    g_assert_true(syncd_hex_decode(hex, strlen(hex), ret_bytes, size));
}

static SyncdSigner *signer_of(guint8 fill)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE];
    memset(seed, fill, sizeof seed);
    g_autoptr(GError) error = NULL;
    SyncdSigner *signer = syncd_signer_new(seed, &error);
    g_assert_no_error(error);
    return signer;
}

/* RFC 8032, 7.1, tests 1 to 3. */
static void rfc_8032(void)
{
    static const struct {
        const char *seed, *key, *message, *signature;
    } vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9b"
         "46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0f11"
         "d8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "84dc"
         "6594a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        guint8 seed[SYNCD_SIGN_SEED_SIZE], message[2];
        size_t size = strlen(vectors[i].message) / 2;
        SyncdPublicKey key;
        SyncdSignature expected;
        from_hex(vectors[i].seed, seed, sizeof seed);
        from_hex(vectors[i].key, key.bytes, sizeof key.bytes);
        from_hex(vectors[i].message, message, size);
        from_hex(vectors[i].signature, expected.bytes, sizeof expected.bytes);

        g_autoptr(SyncdSigner) signer = syncd_signer_new(seed, NULL);
        SyncdSignature signature = syncd_signer_sign(signer, message, size);
        g_assert_cmpmem(syncd_signer_public_key(signer)->bytes, 32, key.bytes, 32);
        g_assert_cmpmem(signature.bytes, 64, expected.bytes, 64);
        g_assert_true(syncd_signature_verify(&expected, &key, message, size));
    }
}

static void any_changed_bit_fails(void)
{
    g_autoptr(SyncdSigner) signer = signer_of(1);
    char message[] = "what is signed";
    SyncdPublicKey key = *syncd_signer_public_key(signer);
    SyncdSignature signature = syncd_signer_sign(signer, message, sizeof message);
    struct {
        void *bytes;
        size_t size;
    } parts[] = {{message, sizeof message}, {key.bytes, 32}, {signature.bytes, 64}};

    for (size_t part = 0; part < G_N_ELEMENTS(parts); part++) {
        for (size_t bit = 0; bit < 8 * parts[part].size; bit++) {
            guint8 *byte = (guint8 *)parts[part].bytes + bit / 8;
            *byte ^= (guint8)(1 << bit % 8);
            g_assert_false(syncd_signature_verify(&signature, &key, message, sizeof message));
            *byte ^= (guint8)(1 << bit % 8);
        }
    }
    g_assert_true(syncd_signature_verify(&signature, &key, message, sizeof message));
    g_assert_false(syncd_signature_verify(&signature, &key, message, sizeof message - 1));
}

/* S and S + L satisfy the same equation; only the smaller one is a signature. */
static void a_second_spelling_of_a_signature_is_refused(void)
{
    guint8 order[32];
    from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", order, 32);
    g_autoptr(SyncdSigner) signer = signer_of(2);
    SyncdSignature signature = syncd_signer_sign(signer, "m", 1);
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof order; i++) {
        carry += signature.bytes[32 + i] + order[i];
        signature.bytes[32 + i] = (guint8)carry;
        carry >>= 8;
    }
    g_assert_cmpuint(carry, ==, 0);
    g_assert_false(syncd_signature_verify(&signature, syncd_signer_public_key(signer), "m", 1));
}

/* Under such a key a constant "signature" would be good for many messages. */
static void keys_of_small_order_are_refused(void)
{
    static const char *const keys[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        /* the first and the third again, spelled with the field's prime added */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        SyncdPublicKey key;
        from_hex(keys[i], key.bytes, sizeof key.bytes);
        g_assert_false(syncd_public_key_is_usable(&key));
        for (size_t j = 0; j < G_N_ELEMENTS(keys); j++) {
            SyncdSignature signature = {0}; /* S = 0, R of small order */
            from_hex(keys[j], signature.bytes, 32);
            for (guint8 message = 0; message < 16; message++)
                g_assert_false(syncd_signature_verify(&signature, &key, &message, 1));
        }
    }
}

static void keys_of_signers_are_usable(void)
{
    for (guint8 fill = 1; fill < 32; fill++) {
        g_autoptr(SyncdSigner) signer = signer_of(fill);
        g_assert_true(syncd_public_key_is_usable(syncd_signer_public_key(signer)));
    }
}

static unsigned n_warnings;

static void count_warning(SyncdLogLevel level, const char *message_id, const char *message)
{
    g_assert_cmpint(level, ==, SYNCD_LOG_WARNING);
    n_warnings++;
}

static bool a_page_can_be_locked(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(page != MAP_FAILED);
    bool locked = mlock(page, size) == 0;
    munmap(page, size);
    return locked;
}

static void without_locked_memory(void)
{
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
        return;
    }

    /* Root may lock whatever the limit says. */
    struct rlimit none = {0, 0};
    g_assert_cmpint(setrlimit(RLIMIT_MEMLOCK, &none), ==, 0);
    if (geteuid() == 0)
        g_assert_cmpint(setuid(65534), ==, 0);
    unsigned expected = a_page_can_be_locked() ? 0 : 1; /* sanitizers ignore mlock() */

    syncd_log_set_sink(count_warning);
    for (guint8 fill = 1; fill <= 2; fill++) {
        g_autoptr(SyncdSigner) signer = signer_of(fill);
        SyncdSignature signature = syncd_signer_sign(signer, "m", 1);
        g_assert_true(syncd_signature_verify(&signature, syncd_signer_public_key(signer), "m", 1));
    }
    g_assert_cmpuint(n_warnings, ==, expected);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/sign/rfc-8032", rfc_8032);
    g_test_add_func("/sign/any-changed-bit-fails", any_changed_bit_fails);
    g_test_add_func("/sign/a-second-spelling-of-a-signature-is-refused",
                    a_second_spelling_of_a_signature_is_refused);
    g_test_add_func("/sign/keys-of-small-order-are-refused", keys_of_small_order_are_refused);
    g_test_add_func("/sign/keys-of-signers-are-usable", keys_of_signers_are_usable);
    g_test_add_func("/sign/without-locked-memory", without_locked_memory);
    return g_test_run();
}
