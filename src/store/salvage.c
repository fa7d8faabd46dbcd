#include "store/salvage.h"

#include "store/database-private.h"
#include "store/journal-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define HEADER 100 /* of the file, before the rest of its first page */
#define LOOKED_AT 64
#define WAL SYNCD_JOURNAL_FILE "-wal"

/* Places in the header (https://www.sqlite.org/fileformat.html). */
enum { CHANGES = 24, N_PAGES = 28, FREE_FIRST = 32, N_FREE = 36, VALID_FOR = 92 };

static const char magic[16] = "SQLite format 3";

/* The kinds of B-tree pages that a database of ours has. */
static bool is_tree(guint8 kind)
{
    return kind == 2 || kind == 5 || kind == 10 || kind == 13;
}

static void put_number(guint8 *at, guint32 number)
{
    guint32 big = GUINT32_TO_BE(number);
    memcpy(at, &big, sizeof big);
}

/* What a disk does not give at once it may give when it is asked again. */
static ssize_t read_at(int fd, void *bytes, size_t size, off_t offset)
{
    ssize_t n = TEMP_FAILURE_RETRY(pread(fd, bytes, size, offset));
    return n >= 0 ? n : TEMP_FAILURE_RETRY(pread(fd, bytes, size, offset));
}

/* A page that the disk does not give is an empty one. */
static bool read_page(int fd, guint64 number, guint8 page[PAGE])
{
    ssize_t n = read_at(fd, page, PAGE, (off_t)(number * PAGE));
    if (n < PAGE)
        memset(page + MAX(n, 0), 0, PAGE - (size_t)MAX(n, 0));
    return n == PAGE;
}

static bool write_page(int fd, guint64 number, const guint8 page[PAGE])
{
    return TEMP_FAILURE_RETRY(pwrite(fd, page, PAGE, (off_t)(number * PAGE))) == PAGE;
}

static int open_file(SyncdDirectory *directory, const char *name, int flags)
{
    g_autofree char *path = syncd_directory_file(directory, name);
    return (int)TEMP_FAILURE_RETRY(open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600));
}

static guint64 count_pages(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (guint64)st.st_size / PAGE : 0;
}

bool syncd_salvage_is_possible(SyncdDirectory *directory)
{
    guint8 page[PAGE];
    int fd = open_file(directory, SYNCD_JOURNAL_FILE, O_RDONLY);
    if (fd < 0)
        return false;
    guint64 pages = MIN(count_pages(fd), LOOKED_AT);
    bool found = false;
    for (guint64 i = 1; i < pages && !found; i++)
        found = read_page(fd, i, page) && is_tree(page[0]);
    close(fd);
    return found;
}

/* ---- making it ---- */

/* An empty journal: what all have in common is its first page. */
static bool make_template(SyncdDirectory *directory, GError **error)
{
    g_autofree char *path = syncd_directory_file(directory, SYNCD_SALVAGE_FILE);
    syncd_salvage_remove(directory);
    g_autoptr(SyncdDatabase) db =
        syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_CREATE, error);
    return db != NULL && syncd_database_empty_wal(db, error);
}

static void mend_first(const guint8 template[PAGE], guint64 pages, guint8 page[PAGE])
{
    if (memcmp(page, magic, sizeof magic) != 0 || memcmp(page + 16, template + 16, 8) != 0)
        memcpy(page, template, HEADER);
    if (!is_tree(page[HEADER]))
        memcpy(page, template, PAGE);
    put_number(page + N_PAGES, (guint32)pages);
    memcpy(page + VALID_FOR, page + CHANGES, 4);
    /* Free pages may be among those that are gone: they stay unused. */
    put_number(page + FREE_FIRST, 0);
    put_number(page + N_FREE, 0);
}

static bool copy_pages(int from, int to)
{
    guint8 template[PAGE], page[PAGE];
    guint64 pages = count_pages(from);
    if (!read_page(to, 0, template) || ftruncate(to, 0) < 0)
        return false;
    read_page(from, 0, page);
    mend_first(template, pages, page);
    for (guint64 i = 0; i < pages; i++) {
        if (i > 0)
            read_page(from, i, page);
        if (!write_page(to, i, page))
            return false;
    }
    return true;
}

/* Its frames have marks and sums of their own, which do not depend on the database. */
static bool copy_wal(SyncdDirectory *directory)
{
    guint8 page[PAGE];
    ssize_t n = PAGE;
    off_t at = 0;
    int from = open_file(directory, WAL, O_RDONLY);
    if (from < 0)
        return errno == ENOENT;
    int to = open_file(directory, SYNCD_SALVAGE_FILE "-wal", O_WRONLY | O_CREAT | O_TRUNC);
    bool ok = to >= 0;
    for (; ok && n > 0; at += n) {
        n = read_at(from, page, sizeof page, at);
        ok = n >= 0 && TEMP_FAILURE_RETRY(pwrite(to, page, (size_t)n, at)) == n;
    }
    int problem = errno;
    close(from);
    if (to >= 0)
        close(to);
    errno = problem;
    return ok;
}

bool syncd_salvage_make(SyncdDirectory *directory, GError **error)
{
    if (!make_template(directory, error))
        return false;
    int from = open_file(directory, SYNCD_JOURNAL_FILE, O_RDONLY),
        to = open_file(directory, SYNCD_SALVAGE_FILE, O_RDWR);
    bool ok = from >= 0 && to >= 0 && copy_pages(from, to) && copy_wal(directory);
    int problem = errno;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    if (!ok)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                              "What can be read of the journal cannot be copied");
    return ok;
}

void syncd_salvage_remove(SyncdDirectory *directory)
{
    static const char *const names[] = {SYNCD_SALVAGE_FILE, SYNCD_SALVAGE_FILE "-wal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (syncd_directory_has(directory, names[i]))
            syncd_directory_remove(directory, names[i], NULL);
}
