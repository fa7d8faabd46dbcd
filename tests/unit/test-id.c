#include "base/id-scan.h"
#include "base/id.h"

#include <string.h>

static guint64 fake_time(void *data)
{
    return *(guint64 *)data;
}

static void fake_random(void *data, void *bytes, size_t size)
{
    memset(bytes, 0xff, size);
}

static void later_ids_sort_later(void)
{
    guint64 now = 1;
    SyncdSources sources = {fake_time, fake_time, fake_random, &now};
    g_autofree char *last = syncd_id_new(&sources, "op");
    for (now = 1000; now < G_GUINT64_CONSTANT(250000000000000000); now *= 3) {
        g_autofree char *next = syncd_id_new(&sources, "op");
        g_assert_cmpstr(next, >, last);
        g_assert_cmpuint(strlen(next), ==, strlen("op-") + 26);
        g_assert_true(syncd_id_is_token(next, strlen(next)));
        g_free(last);
        last = g_steal_pointer(&next);
    }
}

static void tokens(void)
{
    const char *good[] = {"a", "object:alpha", "0.x_y-z:1"};
    const char *bad[] = {"", "-a", ":a", "a/b", "a b", "a\n", "\xc3\xa9"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(syncd_id_is_token(good[i], strlen(good[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(syncd_id_is_token(bad[i], strlen(bad[i])));
    g_assert_false(syncd_id_is_token("a\0b", 3));

    g_autofree char *longest = g_strnfill(SYNCD_ID_TOKEN_MAX, 'a');
    g_assert_true(syncd_id_is_token(longest, SYNCD_ID_TOKEN_MAX));
    g_autofree char *longer = g_strnfill(SYNCD_ID_TOKEN_MAX + 1, 'a');
    g_assert_false(syncd_id_is_token(longer, SYNCD_ID_TOKEN_MAX + 1));
}

/* The characters of a token are the same wherever they stand, in text of any length. */
static void a_span_ends_at_the_first_other_character(void)
{
    const char inner[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
    for (int byte = 0; byte < 256; byte++) {
        bool good = byte != 0 && strchr(inner, byte) != NULL;
        for (size_t size = 1; size < 40; size++) {
            char text[40];
            memset(text, 'x', sizeof text);
            for (size_t at = 0; at < size; at++) {
                text[at] = (char)byte;
                g_assert_cmpuint(syncd_id_token_span(text, size), ==, good ? size : at);
                text[at] = 'x';
            }
        }
    }
    g_assert_cmpuint(syncd_id_token_span("", 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/id/later-ids-sort-later", later_ids_sort_later);
    g_test_add_func("/id/tokens", tokens);
    g_test_add_func("/id/a-span-ends-at-the-first-other-character",
                    a_span_ends_at_the_first_other_character);
    return g_test_run();
}
