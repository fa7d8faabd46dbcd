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
#define WITH_WAL 2 /* of the formats */
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
    return kind == 2 || kind == 5 || kind == 10 || kind == 13;
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

/* ---- its first page ---- */

/* That of an empty journal: what all have in common. */
static bool make_template(guint8 template[PAGE], GError **error)
{
    sqlite3_int64 size = 0;
    g_autoptr(SyncdDatabase) db = syncd_database_open(
        SYNCD_DATABASE_IN_MEMORY, &syncd_journal_in_memory, SYNCD_DATABASE_CREATE, error);
    if (db == NULL)
        return false;
    unsigned char *bytes = sqlite3_serialize(db->handle, "main", &size, 0);
    bool ok = bytes != NULL && size >= PAGE;
    if (ok)
        memcpy(template, bytes, PAGE);
    sqlite3_free(bytes);
    /* In memory there is no WAL. */
    memset(template + FORMATS, WITH_WAL, 2);
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

static bool make_first(int from, guint8 page[PAGE], GError **error)
{
    guint8 template[PAGE];
    if (!make_template(template, error))
        return false;
    read_page(from, 0, page);
    mend_first(template, count_pages(from), page);
    return true;
}

/* ---- making it ---- */

struct SyncdSalvage {
    int from, to;         /* the journal's file, and the copy */
    int wal_from, wal_to; /* -1 where it has none */
    guint8 first[PAGE];
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
    if (!make_first(self->from, self->first, error))
        return NULL;
    self->pages = count_pages(self->from);
    return g_steal_pointer(&self);
}

static bool copy_page(SyncdSalvage *self)
{
    guint8 page[PAGE];
    if (self->at > 0)
        read_page(self->from, self->at, page);
    return write_page(self->to, self->at, self->at > 0 ? page : self->first);
}

/* Its frames have marks and sums of their own, which do not depend on the database. */
static bool copy_part_of_wal(SyncdSalvage *self)
{
    guint8 bytes[PAGE];
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
    guint8 first[PAGE];
    int fd = open_file(directory, SYNCD_JOURNAL_FILE, O_RDONLY);
    if (fd < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "It cannot be opened");
        return NULL;
    }
    bool ok = make_first(fd, first, error);
    close(fd);
    return ok ? syncd_journal_open_salvaged(directory, first, keyring, error) : NULL;
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
