/*
 * A failure that repeats more than three times in a minute is one storm, in which every one of
 * them is counted: whatever else fails meanwhile, and however the times fall.
 */
#include "domain/storms.h"
#include "hurried.h"

#include <stdbool.h>
#include <string.h>

#define SECOND G_USEC_PER_SEC
#define KINDS 5u

typedef struct {
    guint n;
    guint64 count, first_ms, last_ms;
    guint samples;
} Told;

static void tell(void *data, const SyncdStorm *storm)
{
    Told *told = data;
    told->n++;
    told->count = storm->count;
    told->first_ms = storm->first_ms;
    told->last_ms = storm->last_ms;
    told->samples = g_strv_length((char **)storm->samples);
}

static void is_sample(void *data, const SyncdStorm *storm)
{
    g_assert_cmpstr(storm->samples[0], ==, data);
    g_assert_null(storm->samples[1]);
}

static Told told_at(SyncdStorms *storms, guint64 now)
{
    Told told = {0};
    syncd_storms_walk(storms, now, tell, &told);
    return told;
}

static void three_are_none_and_four_are_one(void)
{
    g_autoptr(SyncdStorms) storms = syncd_storms_new();
    for (guint i = 1; i <= 3; i++)
        syncd_storms_note(storms, "disk", "it failed", i * SECOND, i);
    g_assert_cmpuint(told_at(storms, 4 * SECOND).n, ==, 0);
    syncd_storms_note(storms, "disk", "it failed otherwise", 60 * SECOND, 60);
    Told told = told_at(storms, 61 * SECOND);
    g_assert_cmpuint(told.n, ==, 1);
    g_assert_cmpuint(told.count, ==, 4);
    g_assert_cmpuint(told.first_ms, ==, 1);
    g_assert_cmpuint(told.last_ms, ==, 60);
    g_assert_cmpuint(told.samples, ==, 2);
    g_assert_cmpuint(told_at(storms, 60 * SECOND + SYNCD_STORM_KEPT_USEC).n, ==, 1);
    g_assert_cmpuint(told_at(storms, 61 * SECOND + SYNCD_STORM_KEPT_USEC).n, ==, 0);
}

static void what_is_rare_is_none(void)
{
    g_autoptr(SyncdStorms) storms = syncd_storms_new();
    for (guint i = 1; i <= 100; i++) {
        syncd_storms_note(storms, "disk", "it failed", i * 21 * SECOND, i);
        g_assert_cmpuint(told_at(storms, i * 21 * SECOND).n, ==, 0);
    }
}

static void the_table_is_bounded(void)
{
    g_autoptr(SyncdStorms) storms = syncd_storms_new();
    g_autofree char *sample = g_strnfill(100 * 1024, 'x');
    for (guint i = 0; i < 10 * SYNCD_STORM_KINDS_MAX; i++) {
        g_autofree char *kind = g_strdup_printf("kind %u", i);
        for (guint j = 0; j < 4; j++)
            syncd_storms_note(storms, kind, sample, SECOND, 1);
    }
    g_assert_cmpuint(told_at(storms, SECOND).n, ==, SYNCD_STORM_KINDS_MAX);
}

/* Whoever reads it sees that there was more, and no half of a word or letter. */
static void assert_sample(const char *text, const char *expected)
{
    g_autoptr(SyncdStorms) storms = syncd_storms_new();
    for (guint i = 0; i < 4; i++)
        syncd_storms_note(storms, "disk", text, SECOND, 1);
    syncd_storms_walk(storms, SECOND, is_sample, (void *)expected);
}

static void what_is_long_ends_after_a_word(void)
{
    g_autofree char *words = NULL, *short_of_it = NULL;
    g_autofree char *whole = g_strnfill(SYNCD_STORM_SAMPLE_MAX, 'x');
    GString *text = g_string_new("it"), *letters = g_string_new("x");
    while (text->len < 2 * SYNCD_STORM_SAMPLE_MAX)
        g_string_append(text, " failed");
    words = g_string_free(text, FALSE);
    /* "it" and 35 times 7 bytes are 247, and three are the mark's. */
    short_of_it = g_strdup_printf("%.*s…", 2 + 35 * 7, words);
    assert_sample("it failed", "it failed");
    assert_sample(whole, whole);
    assert_sample(words, short_of_it);
    while (letters->len < 2 * SYNCD_STORM_SAMPLE_MAX)
        g_string_append(letters, "ü");
    g_autofree char *one = g_string_free(letters, FALSE);
    g_autofree char *part = g_strdup_printf("%.*s…", SYNCD_STORM_SAMPLE_MAX - 3, one);
    assert_sample(one, part);
}

/* What it is about is often one long word, and nearly all that there is to say. */
static void what_is_one_long_word_is_cut(void)
{
    g_autofree char *path = g_strnfill(2 * SYNCD_STORM_SAMPLE_MAX, 'x'),
                    *text = g_strconcat("Failed: /", path, NULL),
                    *part = g_strdup_printf("%.*s…", SYNCD_STORM_SAMPLE_MAX - 3, text),
                    *bytes = g_strnfill(2 * SYNCD_STORM_SAMPLE_MAX, '\x80'),
                    *some = g_strdup_printf("%.*s…", SYNCD_STORM_SAMPLE_MAX / 2, bytes);
    assert_sample(text, part);
    assert_sample(bytes, some);
}

/* Whoever copied half of a command would run another one. */
static void a_command_is_shown_whole_or_not_at_all(void)
{
    g_autofree char *words = g_strnfill(SYNCD_STORM_SAMPLE_MAX - 50, 'x'),
                    *text = g_strconcat("It failed: ", words,
                                        ". Next: see `sourceos-syncd workspace show notes`.", NULL),
                    *before = g_strconcat("It failed: ", words, ". Next: see…", NULL),
                    *whole = g_strconcat("See `ls`. It failed: ", words,
                                         " and failed again and once more", NULL),
                    *kept = g_strconcat("See `ls`. It failed: ", words,
                                        " and failed again and once…", NULL);
    assert_sample(text, before);
    assert_sample(whole, kept);
}

/* ---- any history ---- */

/* The same by the definition alone, with all times. */
typedef struct {
    GArray *times; /* of the present series */
    bool is_storm;
    guint64 forgotten; /* those of the series before */
} Naive;

static void naive_expire(Naive *self, guint64 now)
{
    guint64 last =
        self->times->len > 0 ? g_array_index(self->times, guint64, self->times->len - 1) : 0;
    guint64 after = self->is_storm ? SYNCD_STORM_KEPT_USEC : SYNCD_STORM_WINDOW_USEC;
    if (self->times->len == 0 || now - last <= after)
        return;
    self->forgotten += self->times->len;
    self->is_storm = false;
    g_array_set_size(self->times, 0);
}

static void naive_note(Naive *self, guint64 now)
{
    naive_expire(self, now);
    g_array_append_val(self->times, now);
    guint within = 0;
    for (guint i = 0; i < self->times->len; i++)
        within += now - g_array_index(self->times, guint64, i) <= SYNCD_STORM_WINDOW_USEC;
    self->is_storm |= within > SYNCD_STORM_REPEATS;
}

typedef struct {
    Naive *naive;
    guint n;
} Compared;

static void compare(void *data, const SyncdStorm *storm)
{
    Compared *compared = data;
    const Naive *naive = &compared->naive[g_ascii_digit_value(storm->kind[0])];
    g_assert_true(naive->is_storm);
    g_assert_cmpuint(storm->count, ==, naive->times->len);
    g_assert_cmpuint(storm->first_ms, ==, g_array_index(naive->times, guint64, 0) / 1000);
    g_assert_cmpuint(storm->last_ms, ==,
                     g_array_index(naive->times, guint64, naive->times->len - 1) / 1000);
    compared->n++;
}

static void the_counts_of_any_history_add_up(void)
{
    for (guint run = 0; run < (is_hurried() ? 5 : 50); run++) {
        g_autoptr(SyncdStorms) storms = syncd_storms_new();
        Naive naive[KINDS] = {0};
        guint64 noted[KINDS] = {0}, now = SECOND;
        for (guint i = 0; i < KINDS; i++)
            naive[i].times = g_array_new(FALSE, FALSE, sizeof(guint64));
        for (guint step = 0; step < 400; step++) {
            guint storms_now = 0, kind = (guint)g_test_rand_int_range(0, KINDS);
            char name[] = {(char)('0' + kind), '\0'};
            gint32 most = g_test_rand_int_range(0, 20) == 0 ? 900 : 1 << (kind + 2);
            now += (guint64)g_test_rand_int_range(0, most + 1) * SECOND;
            syncd_storms_note(storms, name, "it failed", now, now / 1000);
            naive_note(&naive[kind], now);
            noted[kind]++;
            for (guint i = 0; i < KINDS; i++) {
                naive_expire(&naive[i], now);
                storms_now += naive[i].is_storm;
                g_assert_cmpuint(naive[i].forgotten + naive[i].times->len, ==, noted[i]);
            }
            Compared compared = {naive, 0};
            syncd_storms_walk(storms, now, compare, &compared);
            g_assert_cmpuint(compared.n, ==, storms_now);
        }
        for (guint i = 0; i < KINDS; i++)
            g_array_unref(naive[i].times);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/storms/three-are-none-and-four-are-one", three_are_none_and_four_are_one);
    g_test_add_func("/storms/what-is-rare-is-none", what_is_rare_is_none);
    g_test_add_func("/storms/the-table-is-bounded", the_table_is_bounded);
    g_test_add_func("/storms/what-is-long-ends-after-a-word", what_is_long_ends_after_a_word);
    g_test_add_func("/storms/what-is-one-long-word-is-cut", what_is_one_long_word_is_cut);
    g_test_add_func("/storms/commands", a_command_is_shown_whole_or_not_at_all);
    g_test_add_func("/storms/the-counts-of-any-history-add-up", the_counts_of_any_history_add_up);
    return g_test_run();
}
