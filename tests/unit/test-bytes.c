/*
 * Hexadecimal text stands for bytes in one spelling, and nothing else is taken for it.
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/each-byte-has-one-spelling", each_byte_has_one_spelling);
    g_test_add_func("/bytes/what-was-written-is-read", what_was_written_is_read);
    g_test_add_func("/bytes/only-lower-case-digits-are-read", only_lower_case_digits_are_read);
    g_test_add_func("/bytes/the-size-is-exact", the_size_is_exact);
    return g_test_run();
}
