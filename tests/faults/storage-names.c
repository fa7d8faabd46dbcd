/* The functions of libc by which files get their names, modes and owners, of those that
 * storage-calls.h speaks of. */
#include "storage-libc-private.h"

/* ---- names ---- */

static int do_rename(const char *function, int from_at, const char *from, int to_at, const char *to,
                     unsigned flags)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_RENAME, .function = function, .flags = (int)flags};
    if (!storage_is_name(&call, from_at, from))
        return real->renameat2(from_at, from, to_at, to, flags);
    storage_is_to(&call, to_at, to);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict)
                     ? made(&call, verdict, real->renameat2(from_at, from, to_at, to, flags))
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
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_LINK, .function = function, .flags = flags};
    if (!storage_is_name(&call, from_at, from))
        return real->linkat(from_at, from, to_at, to, flags);
    storage_is_to(&call, to_at, to);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict)
                     ? made(&call, verdict, real->linkat(from_at, from, to_at, to, flags))
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
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = (flags & AT_REMOVEDIR) != 0 ? STORAGE_RMDIR : STORAGE_UNLINK,
                        .function = function};
    if (!storage_is_name(&call, at, name))
        return real->unlinkat(at, name, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->unlinkat(at, name, flags))
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
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_MKDIR, .function = function};
    if (!storage_is_name(&call, at, name))
        return real->mkdirat(at, name, mode);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->mkdirat(at, name, mode))
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
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_MODE, .function = "fchmod", .flags = (int)mode};
    if (!storage_is_fd(&call, fd))
        return real->fchmod(fd, mode);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->fchmod(fd, mode))
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
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_MODE, .function = "fchmodat", .flags = (int)mode};
    if (!is_mode_of(&call, at, name))
        return real->fchmodat(at, name, mode, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->fchmodat(at, name, mode, flags))
                                  : unmade(&call, verdict));
}

int chmod(const char *name, mode_t mode)
{
    return fchmodat(AT_FDCWD, name, mode, 0);
}

/* ---- owners ---- */

int fchown(int fd, uid_t uid, gid_t gid)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_OWNER, .function = "fchown"};
    if (!storage_is_fd(&call, fd))
        return real->fchown(fd, uid, gid);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->fchown(fd, uid, gid))
                                  : unmade(&call, verdict));
}

int fchownat(int at, const char *name, uid_t uid, gid_t gid, int flags)
{
    const StorageLibc *real = storage_libc();
    StorageCall call = {.kind = STORAGE_OWNER, .function = "fchownat"};
    bool itself = (flags & AT_EMPTY_PATH) != 0 && *name == '\0';
    if (!(itself ? storage_is_fd(&call, at) : storage_is_name(&call, at, name)))
        return real->fchownat(at, name, uid, gid, flags);
    StorageVerdict verdict = storage_enter(&call);
    return (int)(is_made(verdict) ? made(&call, verdict, real->fchownat(at, name, uid, gid, flags))
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
