#include "store/read-ahead.h"

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#define NAME "syncd-read-ahead"
#define AHEAD_BYTES (64 * 1024)
/* Pages of other tables lie between those of a walk. */
#define GAP_BYTES (32 * 1024)
/* So many reads that go forwards make a walk. */
#define WALK_READS 3u

/* The file of the VFS below lies behind it. */
typedef struct {
    sqlite3_file file;
    void *fetched; /* NULL until there was a walk */
    sqlite3_int64 begin;
    sqlite3_int64 end;  /* of what was fetched; not greater than `begin` for nothing */
    sqlite3_int64 next; /* where the last read ended */
    unsigned forwards;  /* reads that went on from the one before */
} Ahead;

G_STATIC_ASSERT(sizeof(Ahead) % 8 == 0);

static sqlite3_file *below(sqlite3_file *file)
{
    return (sqlite3_file *)((Ahead *)file + 1);
}

/* ---- reading and writing ---- */

static void drop(Ahead *ahead)
{
    ahead->end = ahead->begin;
}

static bool has(const Ahead *ahead, sqlite3_int64 offset, int size)
{
    return offset >= ahead->begin && offset + size <= ahead->end;
}

static bool is_walk(Ahead *ahead, sqlite3_int64 offset)
{
    bool forwards = offset >= ahead->next && offset - ahead->next <= GAP_BYTES;
    ahead->forwards = forwards ? ahead->forwards + 1 : 0;
    return ahead->forwards >= WALK_READS;
}

static void fetch(Ahead *ahead, sqlite3_int64 offset)
{
    drop(ahead);
    if (ahead->fetched == NULL)
        ahead->fetched = sqlite3_malloc(AHEAD_BYTES);
    sqlite3_file *file = below(&ahead->file);
    sqlite3_int64 size;
    if (ahead->fetched == NULL || file->pMethods->xFileSize(file, &size) != SQLITE_OK ||
        size <= offset)
        return;
    int bytes = (int)MIN(AHEAD_BYTES, size - offset);
    if (file->pMethods->xRead(file, ahead->fetched, bytes, offset) == SQLITE_OK) {
        ahead->begin = offset;
        ahead->end = offset + bytes;
    }
}

static int read_file(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    Ahead *ahead = (Ahead *)file;
    bool walk = is_walk(ahead, offset);
    ahead->next = offset + size;
    if (walk && size < AHEAD_BYTES && !has(ahead, offset, size))
        fetch(ahead, offset);
    if (!has(ahead, offset, size))
        return below(file)->pMethods->xRead(below(file), data, size, offset);
    memcpy(data, (const char *)ahead->fetched + (offset - ahead->begin), (size_t)size);
    return SQLITE_OK;
}

static int write_file(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    drop((Ahead *)file);
    return below(file)->pMethods->xWrite(below(file), data, size, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    drop((Ahead *)file);
    return below(file)->pMethods->xTruncate(below(file), size);
}

static int close_file(sqlite3_file *file)
{
    sqlite3_free(((Ahead *)file)->fetched);
    return below(file)->pMethods->xClose(below(file));
}

/* ---- what the VFS below does ---- */

static int sync_file(sqlite3_file *file, int flags)
{
    return below(file)->pMethods->xSync(below(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return below(file)->pMethods->xFileSize(below(file), ret_size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xLock(below(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xUnlock(below(file), level);
}

static int check_lock(sqlite3_file *file, int *ret_locked)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), ret_locked);
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
    return below(file)->pMethods->xFileControl(below(file), operation, argument);
}

static int sector_size(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

static int characteristics(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

/* The first version has no shared memory, which a WAL in exclusive mode does not need, and no
 * mapping of files, which would turn a read error into a signal. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

/* ---- the VFS ---- */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    bool database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    file->pMethods = NULL;
    if (!database)
        return system->xOpen(system, name, file, flags, ret_flags);

    memset(file, 0, sizeof(Ahead));
    int rc = system->xOpen(system, name, below(file), flags, ret_flags);
    /* A file that has methods is closed, also after it could not be opened. */
    if (below(file)->pMethods != NULL)
        file->pMethods = &methods;
    return rc;
}

const char *syncd_read_ahead(void)
{
    static sqlite3_vfs vfs;
    if (sqlite3_vfs_find(NAME) != NULL)
        return NAME;
    const sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (system == NULL)
        return NULL;
    vfs = *system;
    vfs.zName = NAME;
    vfs.szOsFile += (int)sizeof(Ahead);
    vfs.xOpen = open_file;
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? NAME : NULL;
}
