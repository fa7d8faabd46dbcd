/*
 * Preloaded into a process, counts what its databases send to the device: blocks of 4 KiB that were
 * written to since the last sync of their file, each once. That is what a file system writes back,
 * whatever the kernel's own accounting rounds it to.
 *
 * The counts are in the file that SYNCD_BENCH_COUNTS names, for another process to read.
 */
#include "count-writes.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FDS_MAX 256
#define BLOCKS_MAX (1u << 20) /* of one file: 4 GiB */

typedef struct {
    uint64_t *count; /* NULL: not a database */
    size_t top;      /* blocks that may be marked */
    unsigned char *dirty;
} File;

static File files[FDS_MAX];
static WriteCounts *counts;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SYNCD_BENCH_COUNTS");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    counts = map != MAP_FAILED ? map : NULL;
    close(fd);
}

static void note_open(int fd, const char *path)
{
    if (counts == NULL || fd < 0 || fd >= FDS_MAX)
        return;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    File *file = &files[fd];
    file->count = strncmp(name, "journal.db", strlen("journal.db")) == 0 ? &counts->journal
                  : strncmp(name, "index.db", strlen("index.db")) == 0   ? &counts->index
                                                                         : NULL;
    if (file->count != NULL && file->dirty == NULL)
        file->dirty = calloc(BLOCKS_MAX, 1);
}

static void note_write(int fd, size_t size, off_t offset)
{
    File *file = fd >= 0 && fd < FDS_MAX ? &files[fd] : NULL;
    if (file == NULL || file->count == NULL || file->dirty == NULL || size == 0)
        return;
    size_t last = ((size_t)offset + size - 1) / COUNTED_BLOCK;
    for (size_t block = (size_t)offset / COUNTED_BLOCK; block <= last && block < BLOCKS_MAX;
         block++) {
        *file->count += file->dirty[block] ? 0 : COUNTED_BLOCK;
        file->dirty[block] = 1;
        file->top = block >= file->top ? block + 1 : file->top;
    }
}

static void note_sync(int fd)
{
    if (fd < 0 || fd >= FDS_MAX || files[fd].dirty == NULL)
        return;
    memset(files[fd].dirty, 0, files[fd].top);
    files[fd].top = 0;
}

/* ---- what the databases call ---- */

typedef int (*OpenFunc)(const char *path, int flags, ...);
typedef ssize_t (*WriteFunc)(int fd, const void *data, size_t size, off64_t offset);
typedef int (*SyncFunc)(int fd);

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    OpenFunc next;
    *(void **)&next = dlsym(RTLD_NEXT, "open64");
    int fd = next(path, flags, mode);
    note_open(fd, path);
    return fd;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    WriteFunc next;
    *(void **)&next = dlsym(RTLD_NEXT, "pwrite64");
    ssize_t wrote = next(fd, data, size, offset);
    if (wrote > 0)
        note_write(fd, (size_t)wrote, offset);
    return wrote;
}

int fsync(int fd)
{
    SyncFunc next;
    *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    note_sync(fd);
    return next(fd);
}

int fdatasync(int fd)
{
    SyncFunc next;
    *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    note_sync(fd);
    return next(fd);
}
