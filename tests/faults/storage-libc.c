/* The functions of libc by which bytes are read, written and made to last, of those that
 * storage-calls.h speaks of. */
#include "storage-libc-private.h"

#include <dlfcn.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/uio.h>

const StorageLibc *storage_libc(void)
{
    static StorageLibc real;
    if (real.mkdirat != NULL)
        return &real;
#define FIND(name) *(void **)&real.name = dlsym(RTLD_NEXT, #name)
    FIND(openat);
    FIND(close);
    FIND(read);
    FIND(pread);
    FIND(write);
    FIND(pwrite);
    FIND(ftruncate);
    FIND(fallocate);
    FIND(posix_fallocate);
    FIND(fsync);
    FIND(syncfs);
    FIND(sync_file_range);
    FIND(renameat2);
    FIND(linkat);
    FIND(unlinkat);
    FIND(fchmodat);
    FIND(fchmod);
    FIND(fchownat);
    FIND(fchown);
    FIND(syscall);
    FIND(mkdirat);
#undef FIND
    return &real;
}

/* ---- opening and closing ---- */

static int do_open(const char *function, int at, const char *name, int flags, mode_t mode)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_OPEN, .function = function, .flags = flags};
    if (!storage_is_name(&call, at, name))
        return real->openat(at, name, flags, mode);
    StorageVerdict verdict = storage_enter(&call);
    if (!is_made(verdict))
        return (int)unmade(&call, verdict);
    int fd = real->openat(at, name, flags, mode);
    int problem = errno;
    if (fd >= 0)
        storage_opened(fd, call.path);
    return (int)storage_leave(&call, verdict, fd, fd < 0 ? problem : 0);
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = (mode_t)va_arg(rest, int);                                                          \
        va_end(rest);                                                                              \
    }

int open(const char *name, int flags, ...)
{
    MODE_OF(flags)
    return do_open("open", AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
    MODE_OF(flags)
    return do_open("open64", AT_FDCWD, name, flags, mode);
}

int openat(int at, const char *name, int flags, ...)
{
    MODE_OF(flags)
    return do_open("openat", at, name, flags, mode);
}

int openat64(int at, const char *name, int flags, ...)
{
    MODE_OF(flags)
    return do_open("openat64", at, name, flags, mode);
}

/* openat2(2) has no function; all others go on as they came. */
long syscall(long number, ...)
{
    long a[6];
    va_list rest;
    va_start(rest, number);
    for (size_t i = 0; i < G_N_ELEMENTS(a); i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    const StorageLibc *real = storage_libc();
    const struct open_how *how = number == SYS_openat2 ? (const struct open_how *)a[2] : NULL;
    StorageCall call = {.kind = STORAGE_OPEN, .function = "openat2"};
    if (how == NULL || !storage_is_name(&call, (int)a[0], (const char *)a[1]))
        return real->syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    call.flags = (int)how->flags;
    StorageVerdict verdict = storage_enter(&call);
    if (!is_made(verdict))
        return unmade(&call, verdict);
    long fd = real->syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    int problem = errno;
    if (fd >= 0)
        storage_opened((int)fd, call.path);
    return storage_leave(&call, verdict, fd, fd < 0 ? problem : 0);
}

/* What open() becomes under _FORTIFY_SOURCE where the flags are not constant. */
int __open_2(const char *name, int flags);
int __open64_2(const char *name, int flags);
int __openat_2(int at, const char *name, int flags);
int __openat64_2(int at, const char *name, int flags);

int __open_2(const char *name, int flags)
{
    return do_open("open", AT_FDCWD, name, flags, 0);
}

int __open64_2(const char *name, int flags)
{
    return do_open("open64", AT_FDCWD, name, flags, 0);
}

int __openat_2(int at, const char *name, int flags)
{
    return do_open("openat", at, name, flags, 0);
}

int __openat64_2(int at, const char *name, int flags)
{
    return do_open("openat64", at, name, flags, 0);
}

int close(int fd)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_CLOSE, .function = "close"};
    if (!storage_is_fd(&call, fd))
        return real->close(fd);
    StorageVerdict verdict = storage_enter(&call);
    storage_closed(fd);
    /* On Linux the descriptor is gone also where close() failed. */
    int result = real->close(fd);
    return (int)(is_made(verdict) ? made(&call, verdict, result) : unmade(&call, verdict));
}

/* ---- bytes ---- */

/* Where a transfer without an offset begins. */
static gint64 position_of(int fd, int flags)
{
    return (flags & O_APPEND) != 0 ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
}

ssize_t read(int fd, void *bytes, size_t size)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_READ, .function = "read", .size = size};
    if (!storage_is_fd(&call, fd))
        return real->read(fd, bytes, size);
    call.offset = position_of(fd, 0);
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real->read(fd, bytes, call.size))
                            : unmade(&call, verdict);
}

static ssize_t do_pread(const char *function, int fd, void *bytes, size_t size, off_t offset)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_READ, .function = function, .size = size, .offset = offset};
    if (!storage_is_fd(&call, fd))
        return real->pread(fd, bytes, size, offset);
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real->pread(fd, bytes, call.size, offset))
                            : unmade(&call, verdict);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return do_pread("pread", fd, bytes, size, offset);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
    return do_pread("pread64", fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_WRITE, .function = "write", .size = size, .bytes = bytes};
    if (!storage_is_fd(&call, fd))
        return real->write(fd, bytes, size);
    call.offset = position_of(fd, fcntl(fd, F_GETFL));
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real->write(fd, bytes, call.size))
                            : unmade(&call, verdict);
}

static ssize_t do_pwrite(const char *function, int fd, const void *bytes, size_t size, off_t offset)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_WRITE,
                        .function = function,
                        .size = size,
                        .bytes = bytes,
                        .offset = offset};
    if (!storage_is_fd(&call, fd))
        return real->pwrite(fd, bytes, size, offset);
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real->pwrite(fd, bytes, call.size, offset))
                            : unmade(&call, verdict);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return do_pwrite("pwrite", fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return do_pwrite("pwrite64", fd, bytes, size, offset);
}

/* As one write a part: a caller must expect less than all of it anyway. */
ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
    ssize_t total = 0;
    for (int i = 0; i < n_parts; i++) {
        ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (n < 0)
            return total > 0 ? total : n;
        total += n;
        if ((size_t)n < parts[i].iov_len)
            break;
    }
    return total;
}

/* ---- sizes ---- */

static int do_ftruncate(const char *function, int fd, off_t size)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_TRUNCATE, .function = function, .offset = size};
    if (!storage_is_fd(&call, fd))
        return real->ftruncate(fd, size);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->ftruncate(fd, size))
                                  : unmade(&call, verdict));
}

int ftruncate(int fd, off_t size)
{
    return do_ftruncate("ftruncate", fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return do_ftruncate("ftruncate64", fd, size);
}

/* Through a descriptor, so that there is one kind of truncation. */
static int do_truncate(const char *name, off_t size)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : ftruncate(fd, size);
    int problem = errno;
    if (fd >= 0)
        close(fd);
    errno = problem;
    return result;
}

int truncate(const char *name, off_t size)
{
    return do_truncate(name, size);
}

int truncate64(const char *name, off64_t size)
{
    return do_truncate(name, size);
}

static int do_fallocate(const char *function, int fd, int mode, off_t offset, off_t size)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_ALLOCATE,
                        .function = function,
                        .flags = mode,
                        .offset = offset,
                        .size = (size_t)size};
    if (!storage_is_fd(&call, fd))
        return real->fallocate(fd, mode, offset, size);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->fallocate(fd, mode, offset, size))
                                  : unmade(&call, verdict));
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    return do_fallocate("fallocate", fd, mode, offset, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
    return do_fallocate("fallocate64", fd, mode, offset, size);
}

/* Answers with the errno itself. */
static int do_posix_fallocate(const char *function, int fd, off_t offset, off_t size)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {
        .kind = STORAGE_ALLOCATE, .function = function, .offset = offset, .size = (size_t)size};
    if (!storage_is_fd(&call, fd))
        return real->posix_fallocate(fd, offset, size);
    StorageVerdict verdict = storage_enter(&call);
    if (!is_made(verdict))
        return unmade(&call, verdict) < 0 ? verdict.problem : 0;
    int problem = real->posix_fallocate(fd, offset, size);
    storage_leave(&call, verdict, problem != 0 ? -1 : 0, problem);
    return problem;
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    return do_posix_fallocate("posix_fallocate", fd, offset, size);
}

int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
    return do_posix_fallocate("posix_fallocate64", fd, offset, size);
}

/* ---- syncs ---- */

static int do_sync(StorageKind kind, const char *function, int (*sync)(int fd), int fd)
{
    StorageCall call = {.kind = kind, .function = function};
    if (!storage_is_fd(&call, fd))
        return sync(fd);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, sync(fd)) : unmade(&call, verdict));
}

int fsync(int fd)
{
    const StorageLibc *real = storage_libc();
    return do_sync(STORAGE_SYNC, "fsync", real->fsync, fd);
}

int syncfs(int fd)
{
    const StorageLibc *real = storage_libc();
    return do_sync(STORAGE_SYNC_ALL, "syncfs", real->syncfs, fd);
}

/* What it leaves out (times) is nothing that the store reads. */
int fdatasync(int fd)
{
    const StorageLibc *real = storage_libc();
    return do_sync(STORAGE_SYNC, "fdatasync", real->fsync, fd);
}

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_SYNC_RANGE,
                        .function = "sync_file_range",
                        .offset = offset,
                        .size = (size_t)size};
    if (!storage_is_fd(&call, fd))
        return real->sync_file_range(fd, offset, size, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict)
                     ? made(&call, verdict, real->sync_file_range(fd, offset, size, flags))
                     : unmade(&call, verdict));
}
