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

#define FOLDER_FILES 1000
#define LOOP_BUFFER (128 * 1024)

static int option_files = 20000;
static int option_bytes;
static gint64 option_large = (gint64)512 * 1024 * 1024;
static int option_rounds = 3;
static char *option_directory;

static const size_t buffers[] = {64 * 1024, 128 * 1024, 256 * 1024, 512 * 1024, 1024 * 1024};

/* ---- the tree ---- */

static int n_folders(void)
{
    return (option_files + FOLDER_FILES - 1) / FOLDER_FILES;
}

static int files_in(int folder)
{
    return MIN(FOLDER_FILES, option_files - folder * FOLDER_FILES);
}

static void make_file(int at, const char *name, guint64 size)
{
    static guint8 fill[1024 * 1024];
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    for (guint64 done = 0; done < size;) {
        size_t piece = (size_t)MIN(size - done, sizeof fill);
        for (size_t i = 0; i < piece; i += 512)
            fill[i] = (guint8)g_random_int();
        g_assert_cmpint(write(fd, fill, piece), ==, piece);
        done += piece;
    }
    close(fd);
}

static void make_tree(const Reader *reader)
{
    for (int i = 0; i < n_folders(); i++) {
        g_autofree char *folder = g_strdup_printf("f%d", i);
        tree_folder(reader, folder);
        for (int j = 0; j < files_in(i); j++) {
            g_autofree char *name = g_strdup_printf("%s/file-%04d", folder, j);
            make_file(reader->root, name,
                      option_bytes > 0 ? (guint64)option_bytes : 1024 + g_random_int() % 7169);
        }
    }
    tree_folder(reader, "large");
    make_file(reader->root, "large/file", (guint64)option_large);
}

/* ---- the ways ---- */

static guint8 loop_file(int folder, const char *name, guint8 *buffer, SyncdHasher *hasher)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    ssize_t size = read(fd, buffer, LOOP_BUFFER);
    if (size < LOOP_BUFFER) {
        close(fd);
        return syncd_hash(buffer, (size_t)size).bytes[0];
    }
    for (; size > 0; size = read(fd, buffer, LOOP_BUFFER))
        syncd_hasher_update(hasher, buffer, (size_t)size);
    close(fd);
    return syncd_hasher_finish(hasher).bytes[0];
}

static volatile guint8 sink;

static double loop_seconds(const Reader *reader, bool large)
{
    g_autofree guint8 *buffer = g_malloc(LOOP_BUFFER);
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    gint64 begin = g_get_monotonic_time();
    for (int i = 0; i < (large ? 1 : n_folders()); i++) {
        g_autofree char *path = large ? g_strdup("large") : g_strdup_printf("f%d", i);
        int folder = openat(reader->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (int j = 0; j < (large ? 1 : files_in(i)); j++) {
            char name[32];
            g_snprintf(name, sizeof name, large ? "file" : "file-%04d", j);
            sink ^= loop_file(folder, name, buffer, hasher);
        }
        close(folder);
    }
    return seconds_since(begin);
}

/* As a daemon does: asked for all folders at once, and everything that is said taken apart. */
static double reader_seconds(Reader *reader, bool large)
{
    gint64 begin = g_get_monotonic_time();
    guint found = 0;
    for (int i = 0; i < (large ? 1 : n_folders()); i++) {
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
    for (int i = 0; i < (large ? 1 : n_folders()); i++) {
        g_autofree char *path = large ? g_strdup("large") : g_strdup_printf("f%d", i);
        SyncdOpened folder = syncd_open_folder(reader->root, SYNCD_BYTES_TEXT(path), O_PATH);
        for (int j = 0; j < (large ? 1 : files_in(i)); j++) {
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
    make_tree(&reader);
    tell_heading();
    figures(&reader, false, "/s", option_files);
    figures(&reader, true, "MB/s", (double)option_large / 1e6);
    reader_clear(&reader);
    return 0;
}
