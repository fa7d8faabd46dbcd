/*
 * Reading ahead: a walk over a long log asks for one page after the other, and each would be a
 * system call. While a database is read forwards more is fetched than was asked for, and serves the
 * next pages; each write drops it. When more cannot be had (the end of the file, a sector that
 * fails) just what was asked for is read, so that an error is that of the page it belongs to.
 */
#include "store/vfs-private.h"

#include <stdbool.h>
#include <string.h>

/* Pages of other tables lie between those of a walk. */
#define GAP_BYTES (32 * 1024)
/* So many reads that go forwards make a walk. */
#define WALK_READS 3u

static void drop(SyncdFile *file)
{
    file->end = file->begin;
}

static bool has(const SyncdFile *file, sqlite3_int64 offset, int size)
{
    return offset >= file->begin && offset + size <= file->end;
}

static bool is_walk(SyncdFile *file, sqlite3_int64 offset)
{
    sqlite3_int64 next = file->ahead.next;
    bool forwards = offset >= next && offset - next <= GAP_BYTES;
    file->ahead.forwards = forwards ? file->ahead.forwards + 1 : 0;
    return file->ahead.forwards >= WALK_READS;
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

static int read_file(sqlite3_file *self, void *data, int size, sqlite3_int64 offset)
{
    SyncdFile *file = (SyncdFile *)self;
    sqlite3_file *below = syncd_file_below(self);
    bool walk = is_walk(file, offset);
    file->ahead.next = offset + size;
    if (walk && size < SYNCD_FILE_BUFFER && !has(file, offset, size))
        fetch(file, offset);
    if (!has(file, offset, size))
        return below->pMethods->xRead(below, data, size, offset);
    memcpy(data, file->bytes + (offset - file->begin), (size_t)size);
    return SQLITE_OK;
}

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

/* The first version has no shared memory, which a WAL in exclusive mode does not need, and no
 * mapping of files, which would turn a read error into a signal. */
const sqlite3_io_methods syncd_read_ahead_methods = {
    .iVersion = 1,
    .xClose = syncd_file_close,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = syncd_file_sync,
    .xFileSize = syncd_file_size,
    .xLock = syncd_file_lock,
    .xUnlock = syncd_file_unlock,
    .xCheckReservedLock = syncd_file_check_lock,
    .xFileControl = syncd_file_control,
    .xSectorSize = syncd_file_sector_size,
    .xDeviceCharacteristics = syncd_file_characteristics,
};
