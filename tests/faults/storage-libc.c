/* The functions of libc that storage-calls.h speaks of. Here each of them has its own name and is
 * neither checked nor renamed by the headers. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include "storage-calls-private.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

G_STATIC_ASSERT(sizeof(off_t) == sizeof(off64_t));

static struct {
    __typeof__(openat) *openat;
    __typeof__(close) *close;
    __typeof__(read) *read;
    __typeof__(pread) *pread;
    __typeof__(write) *write;
    __typeof__(pwrite) *pwrite;
    __typeof__(ftruncate) *ftruncate;
    __typeof__(fallocate) *fallocate;
    __typeof__(posix_fallocate) *posix_fallocate;
    __typeof__(fsync) *fsync;
    __typeof__(syncfs) *syncfs;
    __typeof__(sync_file_range) *sync_file_range;
    __typeof__(renameat2) *renameat2;
    __typeof__(linkat) *linkat;
    __typeof__(unlinkat) *unlinkat;
    __typeof__(fchmodat) *fchmodat;
    __typeof__(fchmod) *fchmod;
    __typeof__(fchownat) *fchownat;
    __typeof__(fchown) *fchown;
    __typeof__(syscall) *syscall;
    __typeof__(mkdirat) *mkdirat;
} real;

/* Called by whoever comes first: other libraries open files before main() begins. */
static void find_real(void)
{
    if (real.mkdirat != NULL)
        return;
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
}

static bool is_made(StorageVerdict verdict)
{
    return verdict.act != STORAGE_FAIL && verdict.act != STORAGE_PRETEND;
}

/* The outcome of a call that was not made. */
static gint64 unmade(StorageCall *call, StorageVerdict verdict)
{
    bool fails = verdict.act == STORAGE_FAIL;
    return storage_leave(call, verdict, fails ? -1 : 0, fails ? verdict.problem : 0);
}

static gint64 made(StorageCall *call, StorageVerdict verdict, gint64 result)
{
    return storage_leave(call, verdict, result, result < 0 ? errno : 0);
}

/* ---- opening and closing ---- */

static int do_open(const char *function, int at, const char *name, int flags, mode_t mode)
{
    find_real();
    StorageCall call = {.kind = STORAGE_OPEN, .function = function, .flags = flags};
    if (!storage_is_name(&call, at, name))
        return real.openat(at, name, flags, mode);
    StorageVerdict verdict = storage_enter(&call);
    if (!is_made(verdict))
        return (int)unmade(&call, verdict);
    int fd = real.openat(at, name, flags, mode);
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
    find_real();
    const struct open_how *how = number == SYS_openat2 ? (const struct open_how *)a[2] : NULL;
    StorageCall call = {.kind = STORAGE_OPEN, .function = "openat2"};
    if (how == NULL || !storage_is_name(&call, (int)a[0], (const char *)a[1]))
        return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    call.flags = (int)how->flags;
    StorageVerdict verdict = storage_enter(&call);
    if (!is_made(verdict))
        return unmade(&call, verdict);
    long fd = real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
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
    find_real();
    StorageCall call = {.kind = STORAGE_CLOSE, .function = "close"};
    if (!storage_is_fd(&call, fd))
        return real.close(fd);
    StorageVerdict verdict = storage_enter(&call);
    storage_closed(fd);
    /* On Linux the descriptor is gone also where close() failed. */
    int result = real.close(fd);
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
    find_real();
    StorageCall call = {.kind = STORAGE_READ, .function = "read", .size = size};
    if (!storage_is_fd(&call, fd))
        return real.read(fd, bytes, size);
    call.offset = position_of(fd, 0);
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real.read(fd, bytes, call.size))
                            : unmade(&call, verdict);
}

static ssize_t do_pread(const char *function, int fd, void *bytes, size_t size, off_t offset)
{
    find_real();
    StorageCall call = {.kind = STORAGE_READ, .function = function, .size = size, .offset = offset};
    if (!storage_is_fd(&call, fd))
        return real.pread(fd, bytes, size, offset);
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real.pread(fd, bytes, call.size, offset))
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
    find_real();
    StorageCall call = {.kind = STORAGE_WRITE, .function = "write", .size = size, .bytes = bytes};
    if (!storage_is_fd(&call, fd))
        return real.write(fd, bytes, size);
    call.offset = position_of(fd, fcntl(fd, F_GETFL));
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real.write(fd, bytes, call.size))
                            : unmade(&call, verdict);
}

static ssize_t do_pwrite(const char *function, int fd, const void *bytes, size_t size, off_t offset)
{
    find_real();
    StorageCall call = {.kind = STORAGE_WRITE,
                        .function = function,
                        .size = size,
                        .bytes = bytes,
                        .offset = offset};
    if (!storage_is_fd(&call, fd))
        return real.pwrite(fd, bytes, size, offset);
    StorageVerdict verdict = storage_enter(&call);
    return is_made(verdict) ? made(&call, verdict, real.pwrite(fd, bytes, call.size, offset))
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
    find_real();
    StorageCall call = {.kind = STORAGE_TRUNCATE, .function = function, .offset = size};
    if (!storage_is_fd(&call, fd))
        return real.ftruncate(fd, size);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.ftruncate(fd, size))
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
    find_real();
    StorageCall call = {.kind = STORAGE_ALLOCATE,
                        .function = function,
                        .flags = mode,
                        .offset = offset,
                        .size = (size_t)size};
    if (!storage_is_fd(&call, fd))
        return real.fallocate(fd, mode, offset, size);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.fallocate(fd, mode, offset, size))
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
    find_real();
    StorageCall call = {
        .kind = STORAGE_ALLOCATE, .function = function, .offset = offset, .size = (size_t)size};
    if (!storage_is_fd(&call, fd))
        return real.posix_fallocate(fd, offset, size);
    StorageVerdict verdict = storage_enter(&call);
    if (!is_made(verdict))
        return unmade(&call, verdict) < 0 ? verdict.problem : 0;
    int problem = real.posix_fallocate(fd, offset, size);
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
    find_real();
    return do_sync(STORAGE_SYNC, "fsync", real.fsync, fd);
}

int syncfs(int fd)
{
    find_real();
    return do_sync(STORAGE_SYNC_ALL, "syncfs", real.syncfs, fd);
}

/* What it leaves out (times) is nothing that the store reads. */
int fdatasync(int fd)
{
    find_real();
    return do_sync(STORAGE_SYNC, "fdatasync", real.fsync, fd);
}

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    find_real();
    StorageCall call = {.kind = STORAGE_SYNC_RANGE,
                        .function = "sync_file_range",
                        .offset = offset,
                        .size = (size_t)size};
    if (!storage_is_fd(&call, fd))
        return real.sync_file_range(fd, offset, size, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict)
                     ? made(&call, verdict, real.sync_file_range(fd, offset, size, flags))
                     : unmade(&call, verdict));
}

/* ---- names ---- */

static int do_rename(const char *function, int from_at, const char *from, int to_at, const char *to,
                     unsigned flags)
{
    find_real();
    StorageCall call = {.kind = STORAGE_RENAME, .function = function, .flags = (int)flags};
    if (!storage_is_name(&call, from_at, from))
        return real.renameat2(from_at, from, to_at, to, flags);
    storage_is_to(&call, to_at, to);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict)
                     ? made(&call, verdict, real.renameat2(from_at, from, to_at, to, flags))
                     : unmade(&call, verdict));
}

int rename(const char *from, const char *to)
{
    return do_rename("rename", AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return do_rename("renameat", from_at, from, to_at, to, 0);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return do_rename("renameat2", from_at, from, to_at, to, flags);
}

static int do_link(const char *function, int from_at, const char *from, int to_at, const char *to,
                   int flags)
{
    find_real();
    StorageCall call = {.kind = STORAGE_LINK, .function = function, .flags = flags};
    if (!storage_is_name(&call, from_at, from))
        return real.linkat(from_at, from, to_at, to, flags);
    storage_is_to(&call, to_at, to);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict)
                     ? made(&call, verdict, real.linkat(from_at, from, to_at, to, flags))
                     : unmade(&call, verdict));
}

int link(const char *from, const char *to)
{
    return do_link("link", AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    return do_link("linkat", from_at, from, to_at, to, flags);
}

static int do_unlink(const char *function, int at, const char *name, int flags)
{
    find_real();
    StorageCall call = {.kind = (flags & AT_REMOVEDIR) != 0 ? STORAGE_RMDIR : STORAGE_UNLINK,
                        .function = function};
    if (!storage_is_name(&call, at, name))
        return real.unlinkat(at, name, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.unlinkat(at, name, flags))
                                  : unmade(&call, verdict));
}

int unlink(const char *name)
{
    return do_unlink("unlink", AT_FDCWD, name, 0);
}

int unlinkat(int at, const char *name, int flags)
{
    return do_unlink("unlinkat", at, name, flags);
}

int rmdir(const char *name)
{
    return do_unlink("rmdir", AT_FDCWD, name, AT_REMOVEDIR);
}

static int do_mkdir(const char *function, int at, const char *name, mode_t mode)
{
    find_real();
    StorageCall call = {.kind = STORAGE_MKDIR, .function = function};
    if (!storage_is_name(&call, at, name))
        return real.mkdirat(at, name, mode);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.mkdirat(at, name, mode))
                                  : unmade(&call, verdict));
}

int mkdir(const char *name, mode_t mode)
{
    return do_mkdir("mkdir", AT_FDCWD, name, mode);
}

int mkdirat(int at, const char *name, mode_t mode)
{
    return do_mkdir("mkdirat", at, name, mode);
}

/* ---- modes ---- */

int fchmod(int fd, mode_t mode)
{
    find_real();
    StorageCall call = {.kind = STORAGE_MODE, .function = "fchmod", .flags = (int)mode};
    if (!storage_is_fd(&call, fd))
        return real.fchmod(fd, mode);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.fchmod(fd, mode))
                                  : unmade(&call, verdict));
}

/* A file that is open may be named by its descriptor. */
static bool is_mode_of(StorageCall *call, int at, const char *name)
{
    int fd;
    return sscanf(name, "/proc/self/fd/%d", &fd) == 1 ? storage_is_fd(call, fd)
                                                      : storage_is_name(call, at, name);
}

int fchmodat(int at, const char *name, mode_t mode, int flags)
{
    find_real();
    StorageCall call = {.kind = STORAGE_MODE, .function = "fchmodat", .flags = (int)mode};
    if (!is_mode_of(&call, at, name))
        return real.fchmodat(at, name, mode, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.fchmodat(at, name, mode, flags))
                                  : unmade(&call, verdict));
}

int chmod(const char *name, mode_t mode)
{
    return fchmodat(AT_FDCWD, name, mode, 0);
}

/* ---- owners ---- */

int fchown(int fd, uid_t uid, gid_t gid)
{
    find_real();
    StorageCall call = {.kind = STORAGE_OWNER, .function = "fchown"};
    if (!storage_is_fd(&call, fd))
        return real.fchown(fd, uid, gid);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.fchown(fd, uid, gid))
                                  : unmade(&call, verdict));
}

int fchownat(int at, const char *name, uid_t uid, gid_t gid, int flags)
{
    find_real();
    StorageCall call = {.kind = STORAGE_OWNER, .function = "fchownat"};
    bool itself = (flags & AT_EMPTY_PATH) != 0 && *name == '\0';
    if (!(itself ? storage_is_fd(&call, at) : storage_is_name(&call, at, name)))
        return real.fchownat(at, name, uid, gid, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real.fchownat(at, name, uid, gid, flags))
                                  : unmade(&call, verdict));
}

int chown(const char *name, uid_t uid, gid_t gid)
{
    return fchownat(AT_FDCWD, name, uid, gid, 0);
}

int lchown(const char *name, uid_t uid, gid_t gid)
{
    return fchownat(AT_FDCWD, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}
