/*
 * Each flipped bit of a journal is found by verification or harmless.
 *
 *   test-flips [--each=N | --bits=N] [--random=N] [--served=N] [--from=SEED]
 *
 * --each: of the small journal each so-manyth bit instead of every one, --bits: N at random;
 * --random: how many in the large one; --served: how many in one that is opened as a daemon does;
 * --from: the seed of all places.
 */
#include "flip-journals.h"
#include "flips.h"

#include "../unit/store-fixture.h"
#include "crypto/seal.h"

#include <sqlite3.h>

#define CONTROL_FLIPS 2000u

static int option_each = 1;
static int option_bits;
static int option_random = 10000;
static int option_served = 500;
static int option_from = 1;

static void sweep(const FlipSweep *what, FlipCounts *ret_counts)
{
    gint64 start = g_get_monotonic_time();
    g_autofree char *problem = flip_sweep(what, ret_counts);
    guint64 n =
        ret_counts->found_opening + ret_counts->found + ret_counts->harmless + ret_counts->silent;
    g_test_message("%" G_GUINT64_FORMAT " flips from %" G_GUINT64_FORMAT
                   ": found on opening %" G_GUINT64_FORMAT ", found %" G_GUINT64_FORMAT
                   ", harmless %" G_GUINT64_FORMAT ", silent %" G_GUINT64_FORMAT " (%.1f s)",
                   n, what->seed, ret_counts->found_opening, ret_counts->found,
                   ret_counts->harmless, ret_counts->silent,
                   (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
    g_assert_cmpstr(problem, ==, NULL);
}

static void assert_none_is_silent(const FlipSweep *what)
{
    FlipCounts counts;
    sweep(what, &counts);
    if (counts.silent > 0)
        g_test_message("one of them: bit %" G_GUINT64_FORMAT, counts.a_silent_one);
    g_assert_cmpuint(counts.silent, ==, 0);
    g_assert_cmpuint(counts.found_opening + counts.found, >, counts.harmless);
}

static void every_bit_of_a_small_journal(void)
{
    g_autofree char *state = flip_small_journal();
    FlipSweep what = {.directory = state,
                      .n = (guint64)option_bits,
                      .each = (guint64)option_each,
                      .seed = (guint64)option_from};
    assert_none_is_silent(&what);
    fixture_remove(state);
}

static void random_bits_of_a_large_journal(void)
{
    g_autofree char *state = flip_large_journal();
    FlipSweep what = {
        .directory = state, .n = (guint64)option_random, .seed = (guint64)option_from};
    assert_none_is_silent(&what);
    fixture_remove(state);
}

/* A daemon looks at less before it serves, and may write: what it serves is the same or found. */
static void bits_of_a_served_journal(void)
{
    g_autofree char *state = flip_small_journal();
    FlipSweep what = {.directory = state,
                      .n = (guint64)option_served,
                      .seed = (guint64)option_from,
                      .serving = true};
    assert_none_is_silent(&what);
    fixture_remove(state);
}

/* ---- controls: what the sweep can tell ---- */

static void weaker_checks_miss_flips(void)
{
    static const struct {
        FlipCheck check;
        const char *name;
    } weaker[] = {{FLIP_HEADS, "verification of heads"},
                  {FLIP_STRUCTURE, "SQLite's integrity check"},
                  {FLIP_UNCHECKED, "opening"}};
    g_autofree char *state = flip_small_journal();
    for (size_t i = 0; i < G_N_ELEMENTS(weaker); i++) {
        FlipCounts counts;
        FlipSweep what = {.directory = state,
                          .check = weaker[i].check,
                          .n = CONTROL_FLIPS,
                          .seed = (guint64)option_from};
        sweep(&what, &counts);
        guint64 told = counts.found_opening + counts.found;
        g_test_message("%s alone misses %.0f %% of what can be read differently", weaker[i].name,
                       100.0 * (double)counts.silent / (double)(counts.silent + told));
        g_assert_cmpuint(counts.silent, >, CONTROL_FLIPS / 4);
    }
    fixture_remove(state);
}

/* The comparison sees every table: nothing but it tells these edits. */
static void each_table_is_compared(void)
{
    static const char *const edits[] = {
        "UPDATE meta SET value = 'none' WHERE name = 'machine'",
        "UPDATE feed SET scope = 'public-x' WHERE id = 2",
        "UPDATE entry SET header = CAST(replace(header, '\"a\"', '\"b\"') AS BLOB)",
        "UPDATE entry SET body = CAST(replace(body, 'enqueue', 'Enqueue') AS BLOB)",
        "UPDATE head SET note = replace(note, 'A', 'B')",
        "UPDATE checkpoint SET reason = 'x'",
        "UPDATE purge SET by = by + 1",
        "UPDATE lost SET leaf = zeroblob(32)",
        "UPDATE content SET bytes = zeroblob(length(bytes))",
        "UPDATE entry SET tiles = zeroblob(length(tiles)) WHERE tiles IS NOT NULL",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autofree char *state = flip_small_journal();
        g_autoptr(GString) before = flip_read_state(state);
        flip_edit(state, edits[i]);
        g_autoptr(GString) after = flip_read_state(state);
        if (g_string_equal(before, after))
            g_error("not noticed: %s", edits[i]);
        fixture_remove(state);
    }
}

int main(int argc, char **argv)
{
    GOptionEntry options[] = {
        {"each", 0, 0, G_OPTION_ARG_INT, &option_each, NULL, NULL},
        {"bits", 0, 0, G_OPTION_ARG_INT, &option_bits, NULL, NULL},
        {"random", 0, 0, G_OPTION_ARG_INT, &option_random, NULL, NULL},
        {"served", 0, 0, G_OPTION_ARG_INT, &option_served, NULL, NULL},
        {"from", 0, 0, G_OPTION_ARG_INT, &option_from, NULL, NULL},
        {0},
    };
    /* Nothing here is about the disk. */
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", FALSE);
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL) || !syncd_crypto_init(NULL))
        return 2;
    g_test_add_func("/flips/every-bit-of-a-small-journal", every_bit_of_a_small_journal);
    g_test_add_func("/flips/random-bits-of-a-large-journal", random_bits_of_a_large_journal);
    g_test_add_func("/flips/bits-of-a-served-journal", bits_of_a_served_journal);
    g_test_add_func("/flips/weaker-checks-miss-flips", weaker_checks_miss_flips);
    g_test_add_func("/flips/each-table-is-compared", each_table_is_compared);
    return g_test_run();
}
