/*
 * What no program of ours leaves where the journal is: pipes, devices, links, directories, and
 * files that are nothing but a hole. Nobody waits for them, nothing is filled with them, and what
 * they are is said with what to do.
 */
#include "store-fixture.h"
#include "store/salvage.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PATIENCE 60u /* seconds, after which this is killed: it hangs */
#define HUGE_SIZE ((off_t)1 << 40)
#define FEW_BLOCKS 4096 /* of 512 bytes */

typedef struct {
    const char *words;
    bool (*make)(const char *path);
} Odd;

static bool make_pipe(const char *path)
{
    return mkfifo(path, 0600) == 0;
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0700) == 0;
}

static bool make_link(const char *path)
{
    g_autofree char *other = g_strconcat(path, ".elsewhere", NULL);
    return g_file_set_contents(other, "bytes", -1, NULL) && symlink(other, path) == 0;
}

static bool make_link_to_device(const char *path)
{
    return symlink("/dev/zero", path) == 0;
}

/* Only root may. */
static bool make_device(const char *path)
{
    return mknod(path, S_IFCHR | 0600, makedev(1, 5)) == 0;
}

static const Odd odds[] = {
    {"a named pipe", make_pipe},    {"a directory", make_folder},
    {"a symbolic link", make_link}, {"a symbolic link", make_link_to_device},
    {"a device", make_device},
};

static SyncdStore *try_to_open(Fixture *f, SyncdStoreMode mode, bool stands_in, GError **error)
{
    SyncdStoreOptions options = {.directory = f->directory,
                                 .mode = mode,
                                 .sources = &f->sources,
                                 .machine = f->machine,
                                 .stands_in = stands_in};
    return syncd_store_open(&options, error);
}

static void expect_said(Fixture *f, SyncdStoreMode mode, const char *name, const char *words)
{
    for (unsigned stands_in = 0; stands_in < 2; stands_in++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *sentence = NULL, *next = NULL;
        g_assert_null(try_to_open(f, mode, stands_in, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
        syncd_error_split(error->message, &sentence, &next);
        g_assert_nonnull(strstr(sentence, name));
        g_assert_nonnull(strstr(sentence, words));
        g_assert_nonnull(strstr(next, "place") != NULL ? next : strstr(next, "move it away"));
        g_assert_null(strstr(next, "idempotency"));
    }
}

static void what_is_no_file_is_said(void)
{
    static const char *const names[] = {"journal.db", "journal.db-wal", "journal.db-journal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names) * G_N_ELEMENTS(odds); i++) {
        const char *name = names[i % G_N_ELEMENTS(names)];
        const Odd *odd = &odds[i / G_N_ELEMENTS(names)];
        Fixture f;
        fixture_init(&f, i);
        fixture_open(&f);
        fixture_fill(&f, 3);
        fixture_close(&f);
        g_autofree char *path = g_build_filename(f.directory, name, NULL);
        g_remove(path);
        if (odd->make(path)) {
            expect_said(&f, SYNCD_STORE_CREATE, name, odd->words);
            expect_said(&f, SYNCD_STORE_INSPECT, name, odd->words);
        } else {
            g_assert_cmpint(errno, ==, EPERM);
        }
        fixture_clear(&f);
    }
}

static void expect_few_blocks(const Fixture *f, const char *name)
{
    struct stat st;
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    if (lstat(path, &st) == 0)
        g_assert_cmpint(st.st_blocks, <, FEW_BLOCKS);
}

static bool make_hole(const Fixture *f)
{
    g_autofree char *path = g_build_filename(f->directory, "journal.db-wal", NULL);
    g_assert_true(g_file_set_contents(path, "x", -1, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    if (truncate(path, HUGE_SIZE) == 0)
        return true;
    g_test_skip("the file system has no file of that size");
    return false;
}

static void a_hole_is_not_filled(void)
{
    Fixture f;
    fixture_init(&f, 50);
    fixture_open(&f);
    fixture_fill(&f, 3);
    guint64 committed = syncd_store_sequence(f.store);
    fixture_close(&f);
    if (make_hole(&f)) {
        fixture_open(&f);
        expect_few_blocks(&f, "journal.db-wal");
        g_assert_cmpuint(syncd_store_sequence(f.store), ==, committed);
        g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
        fixture_fill(&f, 3);
        fixture_assert_sound(&f);
        expect_few_blocks(&f, "journal.db-wal");
    }
    fixture_clear(&f);
}

static void a_hole_is_not_salvaged(void)
{
    Fixture f;
    bool more = true;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 51);
    fixture_open(&f);
    fixture_fill(&f, 3);
    fixture_close(&f);
    if (make_hole(&f)) {
        g_autoptr(SyncdDirectory) directory =
            syncd_directory_open(f.directory, SYNCD_DIRECTORY_EXISTING, NULL);
        g_autoptr(SyncdSalvage) salvage = syncd_salvage_new(directory, &error);
        while (error == NULL && more)
            syncd_salvage_step(salvage, &more, &error);
        g_assert_no_error(error);
        expect_few_blocks(&f, SYNCD_SALVAGE_FILE "-wal");
    }
    fixture_clear(&f);
}

/* One that came there while somebody looked for what can be salvaged. */
static void nobody_waits_for_a_pipe(void)
{
    Fixture f;
    fixture_init(&f, 52);
    fixture_open(&f);
    fixture_close(&f);
    g_autofree char *path = g_build_filename(f.directory, "journal.db", NULL);
    g_remove(path);
    g_assert_true(make_pipe(path));
    g_autoptr(SyncdDirectory) directory =
        syncd_directory_open(f.directory, SYNCD_DIRECTORY_EXISTING, NULL);
    g_assert_false(syncd_salvage_is_possible(directory));
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    alarm(PATIENCE);
    g_test_add_func("/odd-files/what-is-no-file-is-said", what_is_no_file_is_said);
    g_test_add_func("/odd-files/a-hole-is-not-filled", a_hole_is_not_filled);
    g_test_add_func("/odd-files/a-hole-is-not-salvaged", a_hole_is_not_salvaged);
    g_test_add_func("/odd-files/nobody-waits-for-a-pipe", nobody_waits_for_a_pipe);
    return g_test_run();
}
