/*
 * Gathering: a frame of the WAL is two writes, and a transaction many frames, one behind the other.
 * They are collected and leave in few writes: when the buffer is full, when SQLite goes on
 * elsewhere or wants to know anything of the file, and at the latest with the frame that commits.
 * So the transaction whose frames could not be written is the one that fails, as without this file.
 *
 * Frames that could not be written are dropped, and are missing: until SQLite begins again before
 * them, as it does after the transaction is rolled back, every further write fails as they did. A
 * page that is written again in place, in a frame that lies before them, is no such beginning:
 * SQLite may have heard of the loss when it read, and then its transaction stands and could commit
 * around it.
 */
#include "store/vfs-private.h"

#include <string.h>

/* Of a frame; its second word, big-endian, is 0 unless the frame commits. */
#define FRAME_HEADER 24
#define COMMIT_WORD 4

static int flush(SyncdFile *file)
{
    if (file->end <= file->begin)
        return SQLITE_OK;
    sqlite3_file *below = syncd_file_below(&file->file);
    int rc =
        below->pMethods->xWrite(below, file->bytes, (int)(file->end - file->begin), file->begin);
    if (rc != SQLITE_OK) {
        file->gather.hole = file->begin;
        file->gather.why = rc;
    }
    file->end = file->begin;
    return rc;
}

static gboolean goes_on(const SyncdFile *file, int size, sqlite3_int64 offset)
{
    return file->end > file->begin && offset == file->end &&
           offset + size - file->begin <= SYNCD_FILE_BUFFER;
}

static int take(SyncdFile *file, const void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *below = syncd_file_below(&file->file);
    if (!goes_on(file, size, offset)) {
        int rc = flush(file);
        if (rc != SQLITE_OK)
            return rc;
        if (size > SYNCD_FILE_BUFFER || !syncd_file_has_buffer(file))
            return below->pMethods->xWrite(below, data, size, offset);
        file->begin = file->end = offset;
    }
    memcpy(file->bytes + (offset - file->begin), data, (size_t)size);
    file->end = offset + size;
    return SQLITE_OK;
}

static gboolean commits(const guint8 *header)
{
    static const guint8 none[4];
    return memcmp(header + COMMIT_WORD, none, sizeof none) != 0;
}

/* The header of the WAL, or of a frame, at or before what is lost: all behind it is written anew.
 */
static gboolean begins_again(const SyncdFile *file, int size, sqlite3_int64 offset)
{
    return offset <= file->gather.hole && (offset == 0 || size == FRAME_HEADER);
}

static int write_file(sqlite3_file *self, const void *data, int size, sqlite3_int64 offset)
{
    SyncdFile *file = (SyncdFile *)self;
    if (file->gather.hole >= 0) {
        if (!begins_again(file, size, offset))
            return file->gather.why;
        file->gather.hole = -1;
    }
    gboolean last = file->gather.commits && size != FRAME_HEADER;
    file->gather.commits = size == FRAME_HEADER && commits(data);
    int rc = take(file, data, size, offset);
    return rc == SQLITE_OK && last ? flush(file) : rc;
}

static int read_file(sqlite3_file *self, void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *below = syncd_file_below(self);
    if (!syncd_file_may_read((SyncdFile *)self))
        return SQLITE_IOERR_READ;
    int rc = flush((SyncdFile *)self);
    return rc == SQLITE_OK ? below->pMethods->xRead(below, data, size, offset) : rc;
}

static int truncate_file(sqlite3_file *self, sqlite3_int64 size)
{
    sqlite3_file *below = syncd_file_below(self);
    int rc = flush((SyncdFile *)self);
    return rc == SQLITE_OK ? below->pMethods->xTruncate(below, size) : rc;
}

static int sync_file(sqlite3_file *self, int flags)
{
    int rc = flush((SyncdFile *)self);
    return rc == SQLITE_OK ? syncd_file_sync(self, flags) : rc;
}

static int file_size(sqlite3_file *self, sqlite3_int64 *ret_size)
{
    int rc = flush((SyncdFile *)self);
    return rc == SQLITE_OK ? syncd_file_size(self, ret_size) : rc;
}

static int control_file(sqlite3_file *self, int operation, void *argument)
{
    int rc = flush((SyncdFile *)self);
    return rc == SQLITE_OK ? syncd_file_control(self, operation, argument) : rc;
}

const sqlite3_io_methods syncd_gather_methods = {
    .iVersion = 1,
    .xClose = syncd_file_close, /* what did not leave did not commit */
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = syncd_file_lock,
    .xUnlock = syncd_file_unlock,
    .xCheckReservedLock = syncd_file_check_lock,
    .xFileControl = control_file,
    .xSectorSize = syncd_file_sector_size,
    .xDeviceCharacteristics = syncd_file_characteristics,
};
