/*
 * What it costs that a process of its own reads the files of a workspace, safely, beside a loop
 * that does nothing but open, read, hash and close them; and how much to read at a time.
 *
 *   bench-reader [--files N] [--bytes N] [--large BYTES] [--rounds N] [--directory DIR]
 *
 * N files of N bytes each (0: of 1 to 8 KiB) in folders of 1,000, and one large file, are made in a
 * folder in DIR and removed. They are warm: what is measured is not the disk.
 */
#include "../unit/reader-fixture.h"
#include "measure.h"
#include "reader/content.h"
#include "reader/open.h"
#include "tree.h"

static int option_files = 20000;
static int option_bytes;
static gint64 option_large = (gint64)512 * 1024 * 1024;
static int option_rounds = 3;
static char *option_directory;

static const size_t buffers[] = {64 * 1024, 128 * 1024, 256 * 1024, 512 * 1024, 1024 * 1024};

/* ---- the ways ---- */

static volatile guint8 sink;

/* As a daemon does: asked for all folders at once, and everything that is said taken apart. */
static double reader_seconds(Reader *reader, bool large)
{
    gint64 begin = g_get_monotonic_time();
    guint found = 0;
    for (int i = 0; i < (large ? 1 : (int)tree_folders((unsigned)option_files)); i++) {
        g_autofree char *path = large ? g_strdup("large") : g_strdup_printf("f%d", i);
        reader_send_list(reader, path, SYNCD_WIRE_HASH, 0);
    }
    for (bool done = false; !done;) {
        g_array_set_size(reader->messages, 0);
        g_ptr_array_set_size(reader->packets, 0);
        g_assert_true(reader_take(reader, -1));
        for (guint i = 0; i < reader_n(reader); i++) {
            const SyncdWireMessage *message = reader_message(reader, i);
            found += (message->flags & SYNCD_WIRE_HASHED) != 0;
            done =
                done || (message->type == SYNCD_WIRE_DONE && message->request == reader->request);
        }
    }
    g_assert_cmpuint(found, ==, large ? 1 : option_files);
    return seconds_since(begin);
}

static bool go_on(void *data)
{
    return true;
}

/* In this process, so that what is read at a time can be chosen. */
static double content_seconds(const Reader *reader, bool large, size_t buffer)
{
    g_autoptr(SyncdContent) content = syncd_content_new(go_on, NULL, buffer);
    gint64 begin = g_get_monotonic_time();
    for (int i = 0; i < (large ? 1 : (int)tree_folders((unsigned)option_files)); i++) {
        g_autofree char *path = large ? g_strdup("large") : g_strdup_printf("f%d", i);
        SyncdOpened folder = syncd_open_folder(reader->root, SYNCD_BYTES_TEXT(path), O_PATH);
        for (int j = 0; j < (large ? 1 : (int)tree_files_in((unsigned)option_files, (unsigned)i));
             j++) {
            char name[32];
            SyncdFileStat stat;
            SyncdHash hash;
            g_snprintf(name, sizeof name, large ? "file" : "file-%04d", j);
            SyncdOpened file = syncd_open_in(folder.fd, name, O_RDONLY);
            g_assert_cmpuint(syncd_stat_of(file.fd, &stat), ==, 0);
            g_assert_cmpuint(syncd_content_hash(content, file.fd, &stat, NULL, &hash), ==, 0);
            sink ^= hash.bytes[0];
            syncd_opened_close(&file);
        }
        syncd_opened_close(&folder);
    }
    return seconds_since(begin);
}

static double loop_seconds(const Reader *reader, bool large)
{
    return large ? tree_loop_large(reader->root) : tree_loop(reader->root, (unsigned)option_files);
}

static void figures(Reader *reader, bool large, const char *unit, double amount)
{
    Rounds loop = {0}, whole = {0}, with[G_N_ELEMENTS(buffers)] = {0};
    loop_seconds(reader, large);
    for (int i = 0; i < option_rounds; i++) {
        rounds_add(&loop, amount / loop_seconds(reader, large));
        rounds_add(&whole, amount / reader_seconds(reader, large));
        for (size_t j = 0; j < G_N_ELEMENTS(buffers); j++)
            rounds_add(&with[j], amount / content_seconds(reader, large, buffers[j]));
    }
    tell(large ? "one large file, by the reader" : "small files, by the reader", unit, &whole,
         "open, read, SHA-256, close", &loop, large ? "" : "60,000/s");
    for (size_t j = 0; j < G_N_ELEMENTS(buffers); j++) {
        g_autofree char *name = g_strdup_printf(
            "%s, %zu KiB at a time", large ? "one large file" : "small files", buffers[j] / 1024);
        tell(name, unit, &with[j], "open, read, SHA-256, close", &loop, "");
    }
}

int main(int argc, char **argv)
{
    GOptionEntry options[] = {
        {"files", 0, 0, G_OPTION_ARG_INT, &option_files, NULL, NULL},
        {"bytes", 0, 0, G_OPTION_ARG_INT, &option_bytes, NULL, NULL},
        {"large", 0, 0, G_OPTION_ARG_INT64, &option_large, NULL, NULL},
        {"rounds", 0, 0, G_OPTION_ARG_INT, &option_rounds, NULL, NULL},
        {"directory", 0, 0, G_OPTION_ARG_FILENAME, &option_directory, NULL, NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL) || !syncd_crypto_init(NULL) ||
        option_files < 1 || option_bytes < 0 || option_large < 1 || option_rounds < 1)
        return 2;
    if (option_directory != NULL)
        g_setenv("TMPDIR", option_directory, TRUE);
    Reader reader;
    reader_init(&reader);
    tree_make(reader.root, (unsigned)option_files, (unsigned)option_bytes);
    tree_make_large(reader.root, (guint64)option_large);
    tell_heading();
    figures(&reader, false, "/s", option_files);
    figures(&reader, true, "MB/s", (double)option_large / 1e6);
    reader_clear(&reader);
    return 0;
}
