/*
 * Reading ahead: a walk over a long log asks for one page after the other, and each would be a
 * system call. While a database is read forwards more is fetched than was asked for, and serves the
 * next pages; each write drops it. When more cannot be had (the end of the file, a sector that
 * fails) just what was asked for is read, so that an error is that of the page it belongs to.
 *
 * Where the database asks for it (PRAGMA mmap_size) pages that were fetched are lent instead of
 * copied: to SQLite it looks as if the file were mapped, but it is memory that was read into, in
 * which no error of the disk comes as a signal. While a page is lent nothing else is fetched.
 */
#include "store/vfs-private.h"

#include <stdbool.h>
#include <string.h>

/* Pages of other tables lie between those of a walk. */
#define GAP_BYTES (32 * 1024)
/* So many reads that go forwards make a walk. */
#define WALK_READS 3u
/* The first bytes of pages above the leaves. */
#define INTERIOR_OF_INDEX 2
#define INTERIOR_OF_TABLE 5

static void drop(SyncdFile *file)
{
    file->end = file->begin;
}

static bool has(const SyncdFile *file, sqlite3_int64 offset, int size)
{
    return offset >= file->begin && offset + size <= file->end;
}

static bool goes_on(const SyncdFile *file, sqlite3_int64 offset)
{
    return offset >= file->ahead.next && offset - file->ahead.next <= GAP_BYTES;
}

static bool is_walk(const SyncdFile *file)
{
    return file->ahead.forwards >= WALK_READS && file->ahead.lent == 0;
}

static void fetch(SyncdFile *file, sqlite3_int64 offset)
{
    drop(file);
    sqlite3_file *below = syncd_file_below(&file->file);
    sqlite3_int64 size;
    if (!syncd_file_has_buffer(file) || below->pMethods->xFileSize(below, &size) != SQLITE_OK ||
        size <= offset)
        return;
    int bytes = (int)MIN(SYNCD_FILE_BUFFER, size - offset);
    if (below->pMethods->xRead(below, file->bytes, bytes, offset) == SQLITE_OK) {
        file->begin = offset;
        file->end = offset + bytes;
    }
}

static int read_salvaged(sqlite3_file *self, void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *below = syncd_file_below(self);
    int within = (int)(offset % SYNCD_VFS_PAGE);
    const guint8 *page = syncd_vfs_page(((SyncdFile *)self)->salvaged, offset / SYNCD_VFS_PAGE);
    if (page != NULL && within + size <= SYNCD_VFS_PAGE)
        memcpy(data, page + within, (size_t)size);
    else if (below->pMethods->xRead(below, data, size, offset) != SQLITE_OK)
        memset(data, 0, (size_t)size);
    return SQLITE_OK;
}

static int read_file(sqlite3_file *self, void *data, int size, sqlite3_int64 offset)
{
    SyncdFile *file = (SyncdFile *)self;
    if (!syncd_file_may_read(file))
        return SQLITE_IOERR_READ;
    if (file->salvaged != NULL)
        return read_salvaged(self, data, size, offset);
    file->ahead.forwards = goes_on(file, offset) ? file->ahead.forwards + 1 : 0;
    file->ahead.next = offset + size;
    if (is_walk(file) && size < SYNCD_FILE_BUFFER && !has(file, offset, size))
        fetch(file, offset);
    if (!has(file, offset, size)) {
        sqlite3_file *below = syncd_file_below(self);
        return below->pMethods->xRead(below, data, size, offset);
    }
    memcpy(data, file->bytes + (offset - file->begin), (size_t)size);
    return SQLITE_OK;
}

/* ---- lending ---- */

/* A walk holds on to the pages above the leaves, and while it does nothing could be fetched. */
static bool is_leaf(const guint8 *page)
{
    return page[0] != INTERIOR_OF_INDEX && page[0] != INTERIOR_OF_TABLE;
}

static int lend_page(sqlite3_file *self, sqlite3_int64 offset, int size, void **ret_data)
{
    SyncdFile *file = (SyncdFile *)self;
    *ret_data = NULL; /* then it is read */
    if (!goes_on(file, offset) || file->salvaged != NULL)
        return SQLITE_OK;
    if (is_walk(file) && !has(file, offset, size))
        fetch(file, offset);
    if (!has(file, offset, size))
        return SQLITE_OK;
    guint8 *page = file->bytes + (offset - file->begin);
    if (!is_leaf(page) || !syncd_file_may_read(file))
        return SQLITE_OK;
    file->ahead.next = offset + size;
    file->ahead.lent++;
    *ret_data = page;
    return SQLITE_OK;
}

/* No page: whatever was fetched may have grown old. */
static int take_back(sqlite3_file *self, sqlite3_int64 offset, void *page)
{
    SyncdFile *file = (SyncdFile *)self;
    if (page != NULL)
        file->ahead.lent--;
    else
        drop(file);
    return SQLITE_OK;
}

/* Pages are lent; the file below is never mapped, and whoever asks hears so. */
static int control_file(sqlite3_file *self, int operation, void *argument)
{
    if (operation == SQLITE_FCNTL_MMAP_SIZE)
        *(sqlite3_int64 *)argument = 0;
    return syncd_file_control(self, operation, argument);
}

/* ---- writing ---- */

static int write_file(sqlite3_file *self, const void *data, int size, sqlite3_int64 offset)
{
    drop((SyncdFile *)self);
    sqlite3_file *below = syncd_file_below(self);
    return below->pMethods->xWrite(below, data, size, offset);
}

static int truncate_file(sqlite3_file *self, sqlite3_int64 size)
{
    drop((SyncdFile *)self);
    sqlite3_file *below = syncd_file_below(self);
    return below->pMethods->xTruncate(below, size);
}

/* Without the functions for shared memory, which a WAL in exclusive mode does not need. */
const sqlite3_io_methods syncd_read_ahead_methods = {
    .iVersion = 3,
    .xClose = syncd_file_close,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = syncd_file_sync,
    .xFileSize = syncd_file_size,
    .xLock = syncd_file_lock,
    .xUnlock = syncd_file_unlock,
    .xCheckReservedLock = syncd_file_check_lock,
    .xFileControl = control_file,
    .xSectorSize = syncd_file_sector_size,
    .xDeviceCharacteristics = syncd_file_characteristics,
    .xFetch = lend_page,
    .xUnfetch = take_back,
};
