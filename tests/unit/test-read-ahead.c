/*
 * Whatever is read, written and cut in whatever order: the file reads as if nothing were fetched
 * ahead; a walk takes few reads of the system; an error is that of the page it belongs to.
 */
#include "store/read-ahead.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#define PAGE 4096
#define PAGES 256
#define STEPS 20000

/* Below it: counts what reaches the system, and fails at one page. */
static sqlite3_vfs watching, *real;
static sqlite3_io_methods watching_methods;
static const sqlite3_io_methods *real_methods;
static unsigned n_reads;
static sqlite3_int64 bad_at;

static int read_watched(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    n_reads++;
    if (bad_at >= offset && bad_at < offset + size)
        return SQLITE_IOERR_READ;
    return real_methods->xRead(file, data, size, offset);
}

static int open_watched(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                        int *ret_flags)
{
    int rc = real->xOpen(real, name, file, flags, ret_flags);
    if (file->pMethods == NULL || (flags & SQLITE_OPEN_MAIN_DB) == 0)
        return rc;
    real_methods = file->pMethods;
    watching_methods = *real_methods;
    watching_methods.xRead = read_watched;
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

static void place_init(Place *p)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(syncd_read_ahead());
    g_assert_nonnull(vfs);
    g_assert_nonnull(syncd_read_ahead());
    g_autofree char *directory = g_dir_make_tmp("syncd-ahead-XXXXXX", NULL);
    p->path = g_build_filename(directory, "a.db", NULL);
    p->file = g_malloc0((gsize)vfs->szOsFile);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
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

static void any_order_reads_the_same(void)
{
    g_autofree Place *p = g_new0(Place, 1);
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261128);
    place_init(p);
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
    place_init(p);
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
    place_init(p);
    fill(p);
    bad_at = 100 * PAGE;
    for (int page = 0; page < PAGES; page++) {
        guint8 data[PAGE];
        g_assert_cmpint(read_page(p, page, data), ==, page == 100 ? SQLITE_IOERR_READ : SQLITE_OK);
    }
    place_clear(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    watch();
    g_test_add_func("/read-ahead/any-order-reads-the-same", any_order_reads_the_same);
    g_test_add_func("/read-ahead/a-walk-takes-few-reads", a_walk_takes_few_reads);
    g_test_add_func("/read-ahead/an-error-is-that-of-its-page", an_error_is_that_of_its_page);
    return g_test_run();
}
