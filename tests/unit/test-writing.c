/* A file that comes in pieces is there whole or not at all, and no sync has much to do. */
#include "store-fixture.h"
#include "store/repair-store.h"
#include "store/store-private.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME "plan-1.0.bytes"
#define PIECE (60u * 1024u)

/* In the place of the system's: how much is written and not synced, at most. */
static size_t unsynced, most;
static int sync_problem;

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    ssize_t n = (ssize_t)syscall(SYS_pwrite64, fd, bytes, size, at);
    unsynced += n > 0 ? (size_t)n : 0;
    most = MAX(most, unsynced);
    return n;
}

int fdatasync(int fd)
{
    if (sync_problem != 0) {
        errno = sync_problem;
        return -1;
    }
    unsynced = 0;
    return 0;
}

static char *path_in(const Fixture *f, const char *name)
{
    return g_build_filename(f->directory, "repair", name, NULL);
}

static bool is_there(const Fixture *f, const char *name)
{
    g_autofree char *path = path_in(f, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void start(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    fixture_init(f, 5);
    fixture_open(f);
    syncd_store_put_repair(f->store, "x", SYNCD_BYTES("", 0), &error);
    g_assert_no_error(error);
    unsynced = most = 0;
    sync_problem = 0;
}

static char *pieces(guint n)
{
    char *all = g_malloc((size_t)n * PIECE);
    for (guint i = 0; i < n; i++)
        memset(all + (size_t)i * PIECE, 'a' + (int)(i % 26), PIECE);
    return all;
}

static void it_is_written_in_parts_and_there_whole(void)
{
    enum { MANY = 100 };
    Fixture f;
    g_autoptr(GError) error = NULL;
    size_t size;
    start(&f);
    g_autofree char *all = pieces(MANY);
    g_autoptr(SyncdWriting) writing = syncd_store_begin_repair(f.store, NAME, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < MANY; i++) {
        syncd_store_add_repair(f.store, writing, SYNCD_BYTES(all + (size_t)i * PIECE, PIECE),
                               &error);
        g_assert_no_error(error);
        g_assert_false(is_there(&f, NAME));
    }
    g_assert_cmpuint(most, <=, 1024 * 1024 + PIECE);
    syncd_writing_publish(writing, &error);
    g_assert_no_error(error);
    g_autofree char *text =
        syncd_store_get_repair(f.store, NAME, (size_t)MANY * PIECE, &size, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(text, size, all, (size_t)MANY * PIECE);
    g_assert_false(is_there(&f, NAME ".part"));
    fixture_clear(&f);
}

static void what_is_not_published_is_not_there(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    start(&f);
    SyncdWriting *writing = syncd_store_begin_repair(f.store, NAME, &error);
    g_assert_true(syncd_store_add_repair(f.store, writing, SYNCD_BYTES("abc", 3), &error));
    g_assert_true(is_there(&f, NAME ".part"));
    syncd_writing_free(writing);
    g_assert_false(is_there(&f, NAME ".part"));
    g_assert_false(is_there(&f, NAME));
    fixture_clear(&f);
}

/* As a crash leaves it. */
static void another_beginning_is_a_new_one(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    size_t size;
    start(&f);
    g_autofree char *part = path_in(&f, NAME ".part");
    g_assert_true(g_file_set_contents(part, "what was there before", -1, NULL));
    g_autoptr(SyncdWriting) writing = syncd_store_begin_repair(f.store, NAME, &error);
    g_assert_true(syncd_store_add_repair(f.store, writing, SYNCD_BYTES("abc", 3), &error));
    g_assert_true(syncd_writing_publish(writing, &error));
    g_autofree char *text = syncd_store_get_repair(f.store, NAME, 100, &size, &error);
    g_assert_cmpmem(text, size, "abc", 3);
    fixture_clear(&f);
}

/* The pages may count as clean by then. */
static void after_a_sync_that_failed_nothing_is_published(void)
{
    Fixture f;
    start(&f);
    g_autofree char *all = pieces(20);
    g_autoptr(SyncdWriting) writing = syncd_store_begin_repair(f.store, NAME, NULL);
    sync_problem = EIO;
    for (guint tried = 0; tried < 2; tried++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(
            syncd_store_add_repair(f.store, writing, SYNCD_BYTES(all, (size_t)20 * PIECE), &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
        sync_problem = 0;
    }
    g_assert_false(syncd_writing_publish(writing, NULL));
    g_assert_false(is_there(&f, NAME));
    g_clear_pointer(&writing, syncd_writing_free);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/writing/parts", it_is_written_in_parts_and_there_whole);
    g_test_add_func("/writing/ended", what_is_not_published_is_not_there);
    g_test_add_func("/writing/again", another_beginning_is_a_new_one);
    g_test_add_func("/writing/sync", after_a_sync_that_failed_nothing_is_published);
    return g_test_run();
}
