#include "store/vfs-private.h"

#include <string.h>

#define NAME "syncd"
#define SORTED_AT_LEAST_PAGES 64u

gboolean syncd_file_has_buffer(SyncdFile *file)
{
    if (file->memory == NULL)
        file->memory = sqlite3_malloc(SYNCD_FILE_BUFFER + SYNCD_READ_ALIGNMENT);
    if (file->memory == NULL)
        return FALSE;
    file->bytes = (guint8 *)file->memory + SYNCD_READ_ALIGNMENT -
                  GPOINTER_TO_SIZE(file->memory) % SYNCD_READ_ALIGNMENT;
    return TRUE;
}

/* ---- being watched ---- */

gboolean syncd_file_may_read(const SyncdFile *file)
{
    return file->watch == NULL || file->watch(file->watcher);
}

/* NULL: it lies in memory, or there is none. */
static SyncdFile *own_file(sqlite3 *handle, int which, const sqlite3_io_methods *methods)
{
    sqlite3_file *file = NULL;
    sqlite3_file_control(handle, "main", which, &file);
    return file != NULL && file->pMethods == methods ? (SyncdFile *)file : NULL;
}

static void watch(sqlite3 *handle, int which, const sqlite3_io_methods *methods, SyncdReadFunc func,
                  void *data)
{
    SyncdFile *own = own_file(handle, which, methods);
    if (own == NULL)
        return;
    own->watch = func;
    own->watcher = data;
}

void syncd_vfs_watch_reads(sqlite3 *handle, SyncdReadFunc func, void *data)
{
    watch(handle, SQLITE_FCNTL_FILE_POINTER, &syncd_read_ahead_methods, func, data);
    watch(handle, SQLITE_FCNTL_JOURNAL_POINTER, &syncd_gather_methods, func, data);
}

const unsigned char *syncd_vfs_page(const SyncdVfsPages *pages, sqlite3_int64 number)
{
    for (unsigned i = 0; i < pages->n; i++)
        if (pages->pages[i].number == number)
            return pages->pages[i].bytes;
    return NULL;
}

bool syncd_vfs_salvage(sqlite3 *handle, const SyncdVfsPages *pages)
{
    SyncdFile *own = own_file(handle, SQLITE_FCNTL_FILE_POINTER, &syncd_read_ahead_methods);
    if (own == NULL)
        return false;
    own->salvaged = sqlite3_malloc(sizeof *pages);
    if (own->salvaged != NULL)
        memcpy(own->salvaged, pages, sizeof *pages);
    own->unlocked = true;
    return own->salvaged != NULL;
}

void syncd_vfs_leave_unlocked(sqlite3 *handle)
{
    SyncdFile *own = own_file(handle, SQLITE_FCNTL_FILE_POINTER, &syncd_read_ahead_methods);
    if (own != NULL)
        own->unlocked = true;
}

/* ---- what the file below does ---- */

static const sqlite3_io_methods *methods_below(sqlite3_file *file)
{
    return syncd_file_below(file)->pMethods;
}

int syncd_file_close(sqlite3_file *file)
{
    sqlite3_free(((SyncdFile *)file)->memory);
    sqlite3_free(((SyncdFile *)file)->salvaged);
    return methods_below(file)->xClose(syncd_file_below(file));
}

int syncd_file_sync(sqlite3_file *file, int flags)
{
    return methods_below(file)->xSync(syncd_file_below(file), flags);
}

int syncd_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return methods_below(file)->xFileSize(syncd_file_below(file), ret_size);
}

/* One that is salvaged is only read, and may be open as what it was: that holds the lock. */
static bool is_unlocked(const sqlite3_file *file)
{
    return ((const SyncdFile *)file)->unlocked;
}

int syncd_file_lock(sqlite3_file *file, int level)
{
    if (is_unlocked(file))
        return SQLITE_OK;
    return methods_below(file)->xLock(syncd_file_below(file), level);
}

int syncd_file_unlock(sqlite3_file *file, int level)
{
    if (is_unlocked(file))
        return SQLITE_OK;
    return methods_below(file)->xUnlock(syncd_file_below(file), level);
}

int syncd_file_check_lock(sqlite3_file *file, int *ret_locked)
{
    return methods_below(file)->xCheckReservedLock(syncd_file_below(file), ret_locked);
}

int syncd_file_control(sqlite3_file *file, int operation, void *argument)
{
    return methods_below(file)->xFileControl(syncd_file_below(file), operation, argument);
}

int syncd_file_sector_size(sqlite3_file *file)
{
    return methods_below(file)->xSectorSize(syncd_file_below(file));
}

int syncd_file_characteristics(sqlite3_file *file)
{
    return methods_below(file)->xDeviceCharacteristics(syncd_file_below(file));
}

/* ---- the VFS ---- */

static const sqlite3_io_methods *methods_for(int flags)
{
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
        return &syncd_read_ahead_methods;
    return (flags & SQLITE_OPEN_WAL) != 0 ? &syncd_gather_methods : NULL;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    const sqlite3_io_methods *methods = methods_for(flags);
    file->pMethods = NULL;
    if (methods == NULL)
        return system->xOpen(system, name, file, flags, ret_flags);

    memset(file, 0, sizeof(SyncdFile));
    if (methods == &syncd_gather_methods)
        ((SyncdFile *)file)->gather.hole = -1;
    int rc = system->xOpen(system, name, syncd_file_below(file), flags, ret_flags);
    /* A file that has methods is closed, also after it could not be opened. */
    if (methods_below(file) != NULL)
        file->pMethods = methods;
    return rc;
}

/* Nobody asks SQLite how much memory it has, and counting it costs each allocation. And where the
 * page cache is small it may sort little at once (database-steps.c). Where it began before us, it
 * goes on as it did. */
static void configure_once(void)
{
    static gboolean done;
    if (!done) {
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        sqlite3_config(SQLITE_CONFIG_PMASZ, SORTED_AT_LEAST_PAGES);
    }
    done = TRUE;
}

const char *syncd_vfs(void)
{
    static sqlite3_vfs vfs;
    configure_once();
    if (sqlite3_vfs_find(NAME) != NULL)
        return NAME;
    const sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (system == NULL)
        return NULL;
    vfs = *system;
    vfs.zName = NAME;
    vfs.szOsFile += (int)sizeof(SyncdFile);
    vfs.xOpen = open_file;
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? NAME : NULL;
}
