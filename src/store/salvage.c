#include "store/salvage.h"

#include "store/database-private.h"
#include "store/journal-private.h"
#include "store/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define HEADER 100 /* of the file, before the rest of its first page */
#define WITH_WAL 2 /* of the formats */
#define INTERIOR_OF_TABLE 5
#define LEAF_OF_TABLE 13
#define LOOKED_AT 64
#define PAGES_A_STEP 512u
#define STEPS_A_SYNC 4u
#define WAL SYNCD_JOURNAL_FILE "-wal"

/* Places in the header (https://www.sqlite.org/fileformat.html). */
enum { FORMATS = 18, CHANGES = 24, N_PAGES = 28, FREE_FIRST = 32, N_FREE = 36, VALID_FOR = 92 };

static const char magic[16] = "SQLite format 3";

/* The kinds of B-tree pages that a database of ours has. */
static bool is_tree(guint8 kind)
{
    return kind == 2 || kind == INTERIOR_OF_TABLE || kind == 10 || kind == LEAF_OF_TABLE;
}

static void put_number(guint8 *at, guint32 number)
{
    guint32 big = GUINT32_TO_BE(number);
    memcpy(at, &big, sizeof big);
}

/* What a disk does not give at once it may give when it is asked again. */
static ssize_t read_some(int fd, guint8 *bytes, size_t size, off_t offset)
{
    ssize_t n = TEMP_FAILURE_RETRY(pread(fd, bytes, size, offset));
    return n >= 0 ? n : TEMP_FAILURE_RETRY(pread(fd, bytes, size, offset));
}

/* Less than was asked for only at the file's end. */
static ssize_t read_at(int fd, guint8 *bytes, size_t size, off_t offset)
{
    size_t all = 0;
    ssize_t n = 1;
    while (all < size && n > 0) {
        n = read_some(fd, bytes + all, size - all, offset + (off_t)all);
        all += (size_t)MAX(n, 0);
    }
    return n < 0 ? -1 : (ssize_t)all;
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

/* Whoever opens a pipe waits for somebody at its other end. */
static int open_file(SyncdDirectory *directory, const char *name, int flags)
{
    struct stat st;
    g_autofree char *path = syncd_directory_file(directory, name);
    int fd = (int)TEMP_FAILURE_RETRY(open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
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

/* ---- its schema ---- */

static guint32 number_at(const guint8 *at)
{
    guint32 big;
    memcpy(&big, at, sizeof big);
    return GUINT32_FROM_BE(big);
}

static guint short_at(const guint8 *at)
{
    return (guint)(at[0] << 8 | at[1]);
}

static bool has_cells(const guint8 page[PAGE], guint header, guint pointers)
{
    guint n = short_at(page + header + 3), end = pointers + 2 * n;
    bool ok = end <= PAGE;
    for (guint i = 0; ok && i < n; i++) {
        guint at = short_at(page + pointers + 2 * i);
        ok = at >= end && at + 4 <= PAGE;
    }
    return ok;
}

static bool is_leaf(const guint8 page[PAGE])
{
    return page[0] == LEAF_OF_TABLE && has_cells(page, 0, 8);
}

/* The pages beneath the first one, counted from 0; 0: none, or not only leaves that have room. */
static guint list_leaves(const guint8 first[PAGE], guint32 leaves[SYNCD_VFS_PAGES_MAX])
{
    const guint8 *header = first + HEADER;
    guint n = short_at(header + 3);
    if (header[0] != INTERIOR_OF_TABLE || n + 2 > SYNCD_VFS_PAGES_MAX ||
        !has_cells(first, HEADER, HEADER + 12))
        return 0;
    for (guint i = 0; i < n; i++)
        leaves[i] = number_at(first + short_at(header + 12 + 2 * i)) - 1;
    leaves[n] = number_at(header + 8) - 1;
    return n + 1;
}

static void add_page(SyncdVfsPages *pages, guint32 number, const guint8 page[PAGE])
{
    pages->pages[pages->n].number = number;
    memcpy(pages->pages[pages->n++].bytes, page, PAGE);
}

/* Of an empty journal: what all have in common. */
static void take_schema(const guint8 *bytes, guint64 n, SyncdVfsPages *ret_template)
{
    guint32 leaves[SYNCD_VFS_PAGES_MAX];
    guint n_leaves = list_leaves(bytes, leaves);
    ret_template->n = 0;
    add_page(ret_template, 0, bytes);
    for (guint i = 0; i < n_leaves; i++)
        if (leaves[i] < n && is_leaf(bytes + (gsize)leaves[i] * PAGE))
            add_page(ret_template, leaves[i], bytes + (gsize)leaves[i] * PAGE);
}

static bool make_template(SyncdVfsPages *ret_template, GError **error)
{
    sqlite3_int64 size = 0;
    g_autoptr(SyncdDatabase) db = syncd_database_open(
        SYNCD_DATABASE_IN_MEMORY, &syncd_journal_in_memory, SYNCD_DATABASE_CREATE, error);
    if (db == NULL)
        return false;
    unsigned char *bytes = sqlite3_serialize(db->handle, "main", &size, 0);
    bool ok = bytes != NULL && size >= PAGE;
    if (ok)
        take_schema(bytes, (guint64)size / PAGE, ret_template);
    sqlite3_free(bytes);
    /* In memory there is no WAL. */
    if (ok)
        memset(ret_template->pages[0].bytes + FORMATS, WITH_WAL, 2);
    if (!ok)
        syncd_database_set_error(db, SQLITE_NOMEM, error);
    return ok;
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

static bool lead_to_the_same(const guint8 one[PAGE], const guint8 other[PAGE])
{
    guint32 leaves[2][SYNCD_VFS_PAGES_MAX];
    guint n = list_leaves(one, leaves[0]);
    return n > 0 && list_leaves(other, leaves[1]) == n &&
           memcmp(leaves[0], leaves[1], n * sizeof leaves[0][0]) == 0;
}

/* What stands in for pages of it. Where the schema lies depends on nothing but the migrations that
 * made it; one that was made by other ones has it elsewhere, and keeps what it has. */
static SyncdVfsPages *make_pages(int from, GError **error)
{
    guint8 page[PAGE];
    g_autofree SyncdVfsPages *template = g_new(SyncdVfsPages, 1), *pages = g_new(SyncdVfsPages, 1);
    if (!make_template(template, error))
        return NULL;
    pages->n = 0;
    read_page(from, 0, page);
    mend_first(template->pages[0].bytes, count_pages(from), page);
    add_page(pages, 0, page);
    bool same = lead_to_the_same(page, template->pages[0].bytes);
    for (guint i = 1; same && i < template->n; i++) {
        read_page(from, template->pages[i].number, page);
        if (!is_leaf(page))
            add_page(pages, template->pages[i].number, template->pages[i].bytes);
    }
    return g_steal_pointer(&pages);
}

/* ---- making it ---- */

struct SyncdSalvage {
    int from, to;         /* the journal's file, and the copy */
    int wal_from, wal_to; /* -1 where it has none */
    SyncdVfsPages *instead;
    guint64 pages, wal_pages, at; /* the WAL's come behind the others */
    guint steps;
};

static int close_file(int fd)
{
    if (fd >= 0)
        close(fd);
    return -1;
}

void syncd_salvage_free(SyncdSalvage *self)
{
    if (self == NULL)
        return;
    close_file(self->from);
    close_file(self->to);
    close_file(self->wal_from);
    close_file(self->wal_to);
    g_free(self->instead);
    g_free(self);
}

static bool refuse(GError **error)
{
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                          "What can be read of the journal cannot be copied");
    return false;
}

static bool open_wal(SyncdSalvage *self, SyncdDirectory *directory)
{
    struct stat st;
    self->wal_from = open_file(directory, WAL, O_RDONLY);
    if (self->wal_from < 0)
        return errno == ENOENT;
    self->wal_to = open_file(directory, SYNCD_SALVAGE_FILE "-wal", O_WRONLY | O_CREAT | O_TRUNC);
    if (self->wal_to < 0 || fstat(self->wal_from, &st) < 0)
        return false;
    self->wal_pages = ((guint64)st.st_size + PAGE - 1) / PAGE;
    return true;
}

SyncdSalvage *syncd_salvage_new(SyncdDirectory *directory, GError **error)
{
    syncd_salvage_remove(directory);
    g_autoptr(SyncdSalvage) self = g_new0(SyncdSalvage, 1);
    self->wal_from = self->wal_to = -1;
    self->from = open_file(directory, SYNCD_JOURNAL_FILE, O_RDONLY);
    self->to = open_file(directory, SYNCD_SALVAGE_FILE, O_WRONLY | O_CREAT | O_EXCL);
    if (self->from < 0 || self->to < 0 || !open_wal(self, directory)) {
        refuse(error);
        return NULL;
    }
    self->instead = make_pages(self->from, error);
    if (self->instead == NULL)
        return NULL;
    self->pages = count_pages(self->from);
    return g_steal_pointer(&self);
}

static bool copy_page(SyncdSalvage *self)
{
    guint8 page[PAGE];
    const guint8 *instead = syncd_vfs_page(self->instead, (sqlite3_int64)self->at);
    if (instead == NULL)
        read_page(self->from, self->at, page);
    return write_page(self->to, self->at, instead != NULL ? instead : page);
}

/* However large a hole is that somebody left in it, it takes no room and no time. */
static void skip_hole(SyncdSalvage *self)
{
    guint64 at = self->at - self->pages;
    off_t data = lseek(self->wal_from, (off_t)(at * PAGE), SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        self->at = self->pages + self->wal_pages - 1;
    else if (data >= 0)
        self->at = self->pages + MAX(at, (guint64)data / PAGE);
}

/* Its frames have marks and sums of their own, which do not depend on the database. */
static bool copy_part_of_wal(SyncdSalvage *self)
{
    guint8 bytes[PAGE];
    skip_hole(self);
    off_t at = (off_t)((self->at - self->pages) * PAGE);
    ssize_t n = read_at(self->wal_from, bytes, sizeof bytes, at);
    return n >= 0 && TEMP_FAILURE_RETRY(pwrite(self->wal_to, bytes, (size_t)n, at)) == n;
}

/* It is thrown away when it was looked at, so it need not be durable; but what piles up to be
 * written holds up whoever syncs something else. */
static bool let_it_be_written(const SyncdSalvage *self)
{
    return TEMP_FAILURE_RETRY(fdatasync(self->to)) == 0;
}

bool syncd_salvage_step(SyncdSalvage *self, bool *ret_more, GError **error)
{
    guint64 all = self->pages + self->wal_pages;
    for (guint i = 0; i < PAGES_A_STEP && self->at < all; i++, self->at++)
        if (!(self->at < self->pages ? copy_page(self) : copy_part_of_wal(self)))
            return refuse(error);
    if (++self->steps % STEPS_A_SYNC == 0 && !let_it_be_written(self))
        return refuse(error);
    *ret_more = self->at < all;
    return true;
}

SyncdJournal *syncd_salvage_look(SyncdDirectory *directory, SyncdKeyring *keyring, GError **error)
{
    int fd = open_file(directory, SYNCD_JOURNAL_FILE, O_RDONLY);
    if (fd < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "It cannot be opened");
        return NULL;
    }
    g_autofree SyncdVfsPages *pages = make_pages(fd, error);
    close(fd);
    return pages != NULL ? syncd_journal_open_salvaged(directory, pages, keyring, error) : NULL;
}

double syncd_salvage_progress(const SyncdSalvage *self)
{
    guint64 all = self->pages + self->wal_pages;
    return all > 0 ? (double)self->at / (double)all : 1;
}

void syncd_salvage_remove(SyncdDirectory *directory)
{
    static const char *const names[] = {SYNCD_SALVAGE_FILE, SYNCD_SALVAGE_FILE "-wal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (syncd_directory_has(directory, names[i]))
            syncd_directory_remove(directory, names[i], NULL);
}
