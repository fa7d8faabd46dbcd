/*
 * Hexadecimal text stands for bytes in one spelling, and nothing else is taken for it. The hash of
 * bytes depends on them alone, and spreads what is alike.
 */
#include "base/bytes.h"

static void each_byte_has_one_spelling(void)
{
    for (int byte = 0; byte < 256; byte++) {
        guint8 in = (guint8)byte, out = (guint8)~byte;
        char text[3];
        syncd_hex_encode(&in, 1, text);
        g_assert_cmpuint(strlen(text), ==, 2);
        g_assert_cmpuint(strspn(text, "0123456789abcdef"), ==, 2);
        g_assert_true(syncd_hex_decode(text, 2, &out, 1));
        g_assert_cmpuint(out, ==, in);
    }
}

/* Each size up to some words, with what does not fill one at the end. */
static void what_was_written_is_read(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(1);
    for (size_t size = 0; size <= 40; size++) {
        guint8 in[40] = {0}, out[41];
        char text[81];
        for (size_t i = 0; i < size; i++)
            in[i] = (guint8)g_rand_int(chance);
        memset(out, 0xee, sizeof out);
        syncd_hex_encode(in, size, text);
        g_assert_true(syncd_hex_decode(text, 2 * size, out, size));
        g_assert_cmpmem(out, size, in, size);
        g_assert_cmpuint(out[size], ==, 0xee);
    }
}

/* Every byte at every place of a text that is good but for it. */
static void only_lower_case_digits_are_read(void)
{
    const char good[] = "0123456789abcdef0f1e2d";
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof good];
            guint8 out[sizeof good / 2];
            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            bool digit = byte != 0 && strchr("0123456789abcdef", byte) != NULL;
            g_assert_cmpint(syncd_hex_decode(text, sizeof good - 1, out, sizeof good / 2), ==,
                            digit);
        }
    }
}

static void the_size_is_exact(void)
{
    guint8 out[4];
    g_assert_false(syncd_hex_decode("0011223", 7, out, 4));
    g_assert_false(syncd_hex_decode("001122334", 9, out, 4));
    g_assert_false(syncd_hex_decode("0011", 4, out, 4));
    g_assert_true(syncd_hex_decode("", 0, out, 0));
}

/* Wherever they lie, and whatever is around them. */
static void the_same_bytes_hash_the_same(void)
{
    const char text[] = "operation.enqueue-and-some-more";
    for (size_t size = 0; size < sizeof text; size++) {
        guint32 hash = syncd_bytes_hash(SYNCD_BYTES(text, size));
        for (size_t at = 0; at < 9; at++) {
            char around[64];
            memset(around, (int)at, sizeof around);
            memcpy(around + at, text, size);
            g_assert_cmpuint(syncd_bytes_hash(SYNCD_BYTES(around + at, size)), ==, hash);
        }
    }
    g_assert_cmpuint(syncd_bytes_hash(SYNCD_BYTES(NULL, 0)), ==,
                     syncd_bytes_hash(SYNCD_BYTES("", 0)));
}

/* Texts that differ at their end alone, as ids do, fill a table about as chance would: with as many
 * places as texts 63 of a hundred are taken. */
static void texts_that_are_alike_are_spread(void)
{
    enum { PLACES = 4096 };
    for (unsigned shift = 0; shift <= 20; shift += 4) {
        bool taken[PLACES] = {false};
        unsigned n_taken = 0;
        for (unsigned i = 0; i < PLACES; i++) {
            g_autofree char *text = g_strdup_printf("object:of-some-length-%u", i);
            unsigned place = syncd_bytes_hash(SYNCD_BYTES_TEXT(text)) >> shift & (PLACES - 1);
            n_taken += !taken[place];
            taken[place] = true;
        }
        g_assert_cmpuint(n_taken, >, PLACES * 55 / 100);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/each-byte-has-one-spelling", each_byte_has_one_spelling);
    g_test_add_func("/bytes/what-was-written-is-read", what_was_written_is_read);
    g_test_add_func("/bytes/only-lower-case-digits-are-read", only_lower_case_digits_are_read);
    g_test_add_func("/bytes/the-size-is-exact", the_size_is_exact);
    g_test_add_func("/bytes/hash-same", the_same_bytes_hash_the_same);
    g_test_add_func("/bytes/hash-spread", texts_that_are_alike_are_spread);
    return g_test_run();
}
