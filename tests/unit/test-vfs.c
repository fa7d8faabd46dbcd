/*
 * Whatever is read, written and cut in whatever order: a file reads as if nothing were held in
 * memory. A walk through a database takes few reads of the system and is lent its pages, which stay
 * as they are until they are taken back, and an error is that of the page it belongs to. A
 * transaction takes few writes of the WAL, has left with the frame that commits, and is the one
 * that fails when they cannot be written.
 */
#include "store/vfs.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#define PAGE 4096
#define PAGES 256
#define STEPS 20000

/* Below it: counts what reaches the system, and fails at one byte. */
static sqlite3_vfs watching, *real;
static sqlite3_io_methods watching_methods;
static const sqlite3_io_methods *real_methods;
static unsigned n_reads, n_writes;
static sqlite3_int64 bad_at, mapped;

static int read_watched(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    n_reads++;
    if (bad_at >= offset && bad_at < offset + size)
        return SQLITE_IOERR_READ;
    return real_methods->xRead(file, data, size, offset);
}

static int write_watched(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    n_writes++;
    if (bad_at >= offset && bad_at < offset + size)
        return SQLITE_FULL;
    return real_methods->xWrite(file, data, size, offset);
}

static int control_watched(sqlite3_file *file, int operation, void *argument)
{
    if (operation == SQLITE_FCNTL_MMAP_SIZE)
        mapped = *(sqlite3_int64 *)argument;
    return real_methods->xFileControl(file, operation, argument);
}

static int open_watched(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                        int *ret_flags)
{
    int rc = real->xOpen(real, name, file, flags, ret_flags);
    if (file->pMethods == NULL)
        return rc;
    real_methods = file->pMethods;
    watching_methods = *real_methods;
    watching_methods.xRead = read_watched;
    watching_methods.xWrite = write_watched;
    watching_methods.xFileControl = control_watched;
    file->pMethods = &watching_methods;
    return rc;
}

static void watch(void)
{
    real = sqlite3_vfs_find(NULL);
    watching = *real;
    watching.zName = "watching";
    watching.xOpen = open_watched;
    sqlite3_vfs_register(&watching, 1);
}

typedef struct {
    char *path;
    sqlite3_file *file;
    guint8 model[PAGES * PAGE];
    sqlite3_int64 size;
} Place;

static void place_init(Place *p, int kind)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(syncd_vfs());
    g_assert_nonnull(vfs);
    g_assert_nonnull(syncd_vfs());
    g_autofree char *directory = g_dir_make_tmp("syncd-vfs-XXXXXX", NULL);
    p->path = g_build_filename(directory, "a.db", NULL);
    p->file = g_malloc0((gsize)vfs->szOsFile);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | kind;
    g_assert_cmpint(vfs->xOpen(vfs, p->path, p->file, flags, &flags), ==, SQLITE_OK);
    bad_at = -1;
}

static void place_clear(Place *p)
{
    g_autofree char *directory = g_path_get_dirname(p->path);
    g_assert_cmpint(p->file->pMethods->xClose(p->file), ==, SQLITE_OK);
    g_unlink(p->path);
    g_rmdir(directory);
    g_free(p->file);
    g_free(p->path);
}

static void write_page(Place *p, GRand *rand, int page)
{
    guint8 *at = p->model + page * PAGE;
    memset(at, g_rand_int_range(rand, 1, 256), PAGE);
    g_assert_cmpint(p->file->pMethods->xWrite(p->file, at, PAGE, page * PAGE), ==, SQLITE_OK);
    p->size = MAX(p->size, (page + 1) * PAGE);
}

static void cut(Place *p, int pages)
{
    p->size = MIN(p->size, pages * PAGE);
    memset(p->model + p->size, 0, sizeof p->model - (size_t)p->size);
    g_assert_cmpint(p->file->pMethods->xTruncate(p->file, p->size), ==, SQLITE_OK);
}

static int read_page(Place *p, int page, guint8 data[PAGE])
{
    return p->file->pMethods->xRead(p->file, data, PAGE, page * PAGE);
}

static void assert_page(Place *p, int page)
{
    guint8 data[PAGE];
    bool within = (page + 1) * PAGE <= p->size;
    g_assert_cmpint(read_page(p, page, data), ==, within ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
    g_assert_cmpmem(data, PAGE, p->model + page * PAGE, PAGE);
}

static void fill(Place *p)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (int page = 0; page < PAGES; page++)
        write_page(p, rand, page);
}

static void any_order_reads_the_same(const void *kind)
{
    g_autofree Place *p = g_new0(Place, 1);
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261128);
    place_init(p, GPOINTER_TO_INT(kind));
    for (unsigned i = 0, page = 0; i < STEPS; i++) {
        guint32 what = g_rand_int(rand) % 100;
        if (what < 3)
            page = g_rand_int(rand) % PAGES;
        if (what < 6)
            write_page(p, rand, g_rand_int_range(rand, 0, PAGES));
        else if (what == 6)
            cut(p, g_rand_int_range(rand, 0, PAGES));
        assert_page(p, (int)page);
        page = (page + 1 + (what > 90)) % PAGES;
    }
    place_clear(p);
}

static void a_walk_takes_few_reads(void)
{
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_MAIN_DB);
    fill(p);
    n_reads = 0;
    for (int page = 0; page < PAGES; page++)
        assert_page(p, page);
    g_assert_cmpuint(n_reads, <, PAGES / 8);

    /* The control: what is no walk is read page by page, but for what is still there of the walk.
     */
    n_reads = 0;
    for (int page = PAGES; page > 0; page--)
        assert_page(p, page - 1);
    g_assert_cmpuint(n_reads, >, PAGES - PAGES / 8);
    place_clear(p);
}

static void an_error_is_that_of_its_page(void)
{
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_MAIN_DB);
    fill(p);
    bad_at = 100 * PAGE;
    for (int page = 0; page < PAGES; page++) {
        guint8 data[PAGE];
        g_assert_cmpint(read_page(p, page, data), ==, page == 100 ? SQLITE_IOERR_READ : SQLITE_OK);
    }
    place_clear(p);
}

/* ---- pages that are lent ---- */

/* The page where it lies, or NULL. */
static guint8 *lend(Place *p, int page)
{
    void *lent;
    g_assert_cmpint(p->file->pMethods->xFetch(p->file, page * PAGE, PAGE, &lent), ==, SQLITE_OK);
    return lent;
}

static void take_back(Place *p, int page, guint8 *lent)
{
    g_assert_cmpint(p->file->pMethods->xUnfetch(p->file, page * PAGE, lent), ==, SQLITE_OK);
}

/* As SQLite does it: what is not lent is read. */
static guint8 *get_page(Place *p, int page, guint8 data[PAGE])
{
    guint8 *lent = lend(p, page);
    if (lent == NULL)
        assert_page(p, page);
    else
        memcpy(data, lent, PAGE);
    return lent;
}

static void a_walk_is_lent_what_it_reads(void)
{
    guint8 data[PAGE];
    unsigned n_lent = 0;
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_MAIN_DB);
    fill(p);
    n_reads = 0;
    for (int page = 0; page < PAGES; page++) {
        guint8 *lent = get_page(p, page, data);
        if (lent == NULL)
            continue;
        g_assert_cmpmem(lent, PAGE, p->model + page * PAGE, PAGE);
        take_back(p, page, lent);
        n_lent++;
    }
    g_assert_cmpuint(n_reads, <, PAGES / 8);
    g_assert_cmpuint(n_lent, >, PAGES - PAGES / 8);

    /* The control: what is no walk. */
    for (int page = PAGES; page > 0; page--)
        g_assert_null(lend(p, page - 1));
    place_clear(p);
}

/* A page above the leaves would keep all others from being fetched. */
static void what_a_walk_holds_on_to_is_not_lent(void)
{
    guint8 data[PAGE];
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_MAIN_DB);
    fill(p);
    for (int page = 50; page < PAGES; page += 7) {
        memset(p->model + page * PAGE, page % 2 == 0 ? 2 : 5, PAGE);
        g_assert_cmpint(
            p->file->pMethods->xWrite(p->file, p->model + page * PAGE, PAGE, page * PAGE), ==,
            SQLITE_OK);
    }
    for (int page = 0; page < PAGES; page++) {
        guint8 *lent = get_page(p, page, data);
        g_assert_true(lent == NULL || page < 50 || page % 7 != 1);
        if (lent != NULL)
            take_back(p, page, lent);
    }
    place_clear(p);
}

/* Whatever is read, written and cut meanwhile: it stays as it was when it was lent, and nobody is
 * lent what is not in the file any more. */
static void what_is_lent_stays(void)
{
    guint8 data[PAGE], before[PAGE], *held = NULL;
    g_autofree Place *p = g_new0(Place, 1);
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261129);
    unsigned n_held = 0;
    int held_page = 0;
    place_init(p, SQLITE_OPEN_MAIN_DB);
    fill(p);
    for (unsigned i = 0, page = 0; i < STEPS; i++) {
        guint32 what = g_rand_int(rand) % 100;
        if (what < 3)
            write_page(p, rand, g_rand_int_range(rand, 0, PAGES));
        else if (what == 3)
            cut(p, g_rand_int_range(rand, PAGES / 2, PAGES));
        guint8 *lent = get_page(p, (int)page, data);
        if (lent != NULL) {
            g_assert_cmpmem(lent, PAGE, p->model + page * PAGE, PAGE);
            g_assert_cmpint((page + 1) * PAGE, <=, p->size);
        }
        if (held != NULL)
            g_assert_cmpmem(held, PAGE, before, PAGE);
        if (held != NULL && what > 80) {
            take_back(p, held_page, held);
            held = NULL;
        }
        if (lent != NULL && held == NULL && what < 20) {
            held = lent;
            held_page = (int)page;
            memcpy(before, lent, PAGE);
            n_held++;
        } else if (lent != NULL) {
            take_back(p, (int)page, lent);
        }
        page = (page + 1) % PAGES;
    }
    g_assert_cmpuint(n_held, >, 20);
    if (held != NULL)
        take_back(p, held_page, held);
    place_clear(p);
}

/* It is not lent, and reading it tells. */
static void a_page_that_cannot_be_read_is_not_lent(void)
{
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_MAIN_DB);
    fill(p);
    bad_at = 100 * PAGE;
    for (int page = 0; page < PAGES; page++) {
        guint8 data[PAGE], *lent = lend(p, page);
        if (lent != NULL)
            take_back(p, page, lent);
        else
            g_assert_cmpint(read_page(p, page, data), ==,
                            page == 100 ? SQLITE_IOERR_READ : SQLITE_OK);
        g_assert_true(lent == NULL || page != 100);
    }
    place_clear(p);
}

/* A file that is mapped tells of errors by a signal. */
static void no_file_is_mapped(void)
{
    sqlite3_int64 size = PAGES * PAGE;
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_MAIN_DB);
    mapped = -1;
    const sqlite3_io_methods *methods = p->file->pMethods;
    g_assert_cmpint(methods->xFileControl(p->file, SQLITE_FCNTL_MMAP_SIZE, &size), ==, SQLITE_OK);
    g_assert_cmpint(mapped, ==, 0);
    place_clear(p);
}

/* ---- the frames of a WAL ---- */

#define FRAME (24 + PAGE)

static int write_frame(Place *p, int number, guint8 value, bool commits)
{
    guint8 frame[FRAME];
    memset(frame, value, sizeof frame);
    memset(frame + 4, commits ? 1 : 0, 4);
    sqlite3_int64 at = 32 + (sqlite3_int64)number * FRAME;
    int rc = p->file->pMethods->xWrite(p->file, frame, 24, at);
    return rc == SQLITE_OK ? p->file->pMethods->xWrite(p->file, frame + 24, PAGE, at + 24) : rc;
}

static void assert_frames(Place *p, const char *values)
{
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(p->path, &bytes, &size, NULL));
    g_assert_cmpuint(size, ==, 32 + strlen(values) * FRAME);
    for (size_t i = 0; values[i] != '\0'; i++)
        for (size_t at = 24; at < FRAME; at++)
            g_assert_cmpint(bytes[32 + i * FRAME + at], ==, values[i]);
}

static void a_transaction_leaves_with_its_commit(void)
{
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_WAL);
    n_writes = 0;
    for (int i = 0; i < 7; i++)
        g_assert_cmpint(write_frame(p, i, 'a', i == 6), ==, SQLITE_OK);
    g_assert_cmpuint(n_writes, ==, 1);
    assert_frames(p, "aaaaaaa");

    /* One that is larger than the buffer does not wait for its end. */
    for (int i = 0; i < 100; i++)
        g_assert_cmpint(write_frame(p, i, 'b', i == 99), ==, SQLITE_OK);
    g_assert_cmpuint(n_writes, <, 1 + 10);
    g_autofree char *values = g_strnfill(100, 'b');
    assert_frames(p, values);
    place_clear(p);
}

/* What did not commit is in memory only, until SQLite wants to know anything of the file. */
static void what_is_asked_for_has_left(void)
{
    guint8 byte;
    sqlite3_int64 size;
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_WAL);
    const sqlite3_io_methods *methods = p->file->pMethods;
    n_writes = 0;
    g_assert_cmpint(write_frame(p, 0, 'a', false), ==, SQLITE_OK);
    g_assert_cmpuint(n_writes, ==, 0);
    g_assert_cmpint(methods->xRead(p->file, &byte, 1, 32 + 24), ==, SQLITE_OK);
    g_assert_cmpint(byte, ==, 'a');
    g_assert_cmpint(write_frame(p, 1, 'b', false), ==, SQLITE_OK);
    g_assert_cmpint(methods->xFileSize(p->file, &size), ==, SQLITE_OK);
    g_assert_cmpint(size, ==, 32 + 2 * FRAME);
    g_assert_cmpint(write_frame(p, 2, 'c', false), ==, SQLITE_OK);
    g_assert_cmpint(methods->xSync(p->file, SQLITE_SYNC_NORMAL), ==, SQLITE_OK);
    assert_frames(p, "abc");
    g_assert_cmpuint(n_writes, ==, 3);
    place_clear(p);
}

static void the_transaction_that_is_lost_fails(void)
{
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_WAL);
    g_assert_cmpint(write_frame(p, 0, 'a', true), ==, SQLITE_OK);
    bad_at = 32 + 2 * FRAME;
    g_assert_cmpint(write_frame(p, 1, 'b', false), ==, SQLITE_OK);
    g_assert_cmpint(write_frame(p, 2, 'b', true), ==, SQLITE_FULL);

    /* Frames behind those that are missing would never be read. */
    bad_at = -1;
    g_assert_cmpint(write_frame(p, 3, 'b', true), ==, SQLITE_FULL);
    assert_frames(p, "a");

    g_assert_cmpint(write_frame(p, 1, 'c', false), ==, SQLITE_OK);
    g_assert_cmpint(write_frame(p, 2, 'c', true), ==, SQLITE_OK);
    assert_frames(p, "acc");
    place_clear(p);
}

/* A read hears of the loss first, and does not end SQLite's transaction: what it then writes again
 * in place, before the frames that are missing, must not let it commit. */
static void a_loss_is_not_written_around(void)
{
    guint8 page[PAGE] = {0};
    g_autofree Place *p = g_new0(Place, 1);
    place_init(p, SQLITE_OPEN_WAL);
    const sqlite3_io_methods *methods = p->file->pMethods;
    g_assert_cmpint(write_frame(p, 0, 'a', false), ==, SQLITE_OK);
    g_assert_cmpint(methods->xSync(p->file, SQLITE_SYNC_NORMAL), ==, SQLITE_OK);
    g_assert_cmpint(write_frame(p, 1, 'a', false), ==, SQLITE_OK);
    bad_at = 32 + 1 * FRAME;
    g_assert_cmpint(methods->xRead(p->file, page, PAGE, 32 + 24), ==, SQLITE_FULL);

    bad_at = -1;
    g_assert_cmpint(methods->xWrite(p->file, page, PAGE, 32 + 24), ==, SQLITE_FULL);
    g_assert_cmpint(write_frame(p, 2, 'a', true), ==, SQLITE_FULL);

    /* After the rollback it begins again. */
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(write_frame(p, i, 'b', i == 2), ==, SQLITE_OK);
    assert_frames(p, "bbb");
    place_clear(p);
}

/* ---- who watches ---- */

static bool refuse_read(void *data)
{
    ++*(unsigned *)data;
    return false;
}

/* Whoever may cut work short by that is asked wherever a page is. */
static void reads_of_a_wal_are_watched_too(void)
{
    static const char sql[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                              "CREATE TABLE t (a); INSERT INTO t VALUES (1)";
    sqlite3 *db;
    unsigned asked = 0;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "vfs-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_assert_cmpint(fd, >=, 0);
    g_close(fd, NULL);
    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, syncd_vfs()), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_db_release_memory(db), ==, SQLITE_OK);
    syncd_vfs_watch_reads(db, refuse_read, &asked);
    g_assert_cmpint(sqlite3_exec(db, "SELECT a FROM t", NULL, NULL, NULL), ==, SQLITE_IOERR);
    g_assert_cmpuint(asked, >, 0);
    syncd_vfs_watch_reads(db, NULL, NULL);
    g_assert_cmpint(sqlite3_exec(db, "SELECT a FROM t", NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_remove(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    watch();
    g_test_add_data_func("/vfs/databases-read-the-same", GINT_TO_POINTER(SQLITE_OPEN_MAIN_DB),
                         any_order_reads_the_same);
    g_test_add_data_func("/vfs/wals-read-the-same", GINT_TO_POINTER(SQLITE_OPEN_WAL),
                         any_order_reads_the_same);
    g_test_add_func("/vfs/a-walk-takes-few-reads", a_walk_takes_few_reads);
    g_test_add_func("/vfs/an-error-is-that-of-its-page", an_error_is_that_of_its_page);
    g_test_add_func("/vfs/a-walk-is-lent-what-it-reads", a_walk_is_lent_what_it_reads);
    g_test_add_func("/vfs/what-a-walk-holds-on-to-is-not-lent",
                    what_a_walk_holds_on_to_is_not_lent);
    g_test_add_func("/vfs/what-is-lent-stays", what_is_lent_stays);
    g_test_add_func("/vfs/a-page-that-cannot-be-read-is-not-lent",
                    a_page_that_cannot_be_read_is_not_lent);
    g_test_add_func("/vfs/no-file-is-mapped", no_file_is_mapped);
    g_test_add_func("/vfs/a-transaction-leaves-with-its-commit",
                    a_transaction_leaves_with_its_commit);
    g_test_add_func("/vfs/what-is-asked-for-has-left", what_is_asked_for_has_left);
    g_test_add_func("/vfs/the-transaction-that-is-lost-fails", the_transaction_that_is_lost_fails);
    g_test_add_func("/vfs/a-loss-is-not-written-around", a_loss_is_not_written_around);
    g_test_add_func("/vfs/reads-of-a-wal-are-watched-too", reads_of_a_wal_are_watched_too);
    return g_test_run();
}
