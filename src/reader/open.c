#include "reader/open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ALWAYS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
#define BENEATH (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
#define ATTEMPTS 8 /* while somebody renames on the way */
#define NSEC_PER_SEC 1000000000

static int open_at(int at, const char *path, int flags, guint64 resolve)
{
    /* With O_PATH the kernel takes no flags that are about reading. */
    struct open_how how = {
        .flags = (guint64)((flags & O_PATH) != 0 ? flags | O_CLOEXEC | O_NOFOLLOW : flags | ALWAYS),
        .resolve = resolve,
    };
    int fd = -1;
    for (int i = 0; i < ATTEMPTS; i++) {
        fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
        /* EXDEV is also said of what was moved away in the same moment. */
        if (fd >= 0 || (errno != EAGAIN && errno != EXDEV && errno != EINTR))
            return fd;
    }
    return fd;
}

static int open_beneath(int at, const char *path, int flags)
{
    return open_at(at, path, flags, BENEATH);
}

static SyncdOpened opened(int fd)
{
    return fd >= 0 ? (SyncdOpened){fd, 0} : (SyncdOpened){-1, (guint32)errno};
}

void syncd_opened_close(SyncdOpened *opened)
{
    if (opened->fd >= 0)
        close(opened->fd);
    opened->fd = -1;
}

SyncdOpened syncd_open_root(SyncdBytes path)
{
    g_autofree char *text = g_strndup(path.data, path.size);
    return opened(open_at(AT_FDCWD, text, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
}

SyncdOpened syncd_open_in(int folder, const char *name, int flags)
{
    /* Reading changes nothing, not even when a file was last read; but only its owner may say so.
     */
    int fd = (flags & O_PATH) != 0 ? -1 : open_beneath(folder, name, flags | O_NOATIME);
    if (fd < 0 && ((flags & O_PATH) != 0 || errno == EPERM))
        fd = open_beneath(folder, name, flags);
    return opened(fd);
}

/* How much of the path the kernel takes at once: it ends before a slash. */
static size_t piece(SyncdBytes path)
{
    if (path.size < PATH_MAX)
        return path.size;
    const char *slash = memrchr(path.data, '/', PATH_MAX);
    return slash != NULL ? (size_t)(slash - (const char *)path.data) : path.size;
}

SyncdOpened syncd_open_folder(int root, SyncdBytes path, int flags)
{
    int at = root;
    SyncdOpened folder;
    do {
        size_t size = piece(path);
        bool last = size == path.size;
        g_autofree char *text = g_strndup(path.data, size);
        folder = syncd_open_in(at, size > 0 ? text : ".", (last ? flags : O_PATH) | O_DIRECTORY);
        if (at != root)
            close(at);
        at = folder.fd;
        if (last)
            break;
        path = SYNCD_BYTES((const char *)path.data + size + 1, path.size - size - 1);
    } while (folder.fd >= 0);
    return folder;
}

/* ---- what something is ---- */

static SyncdFileKind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return SYNCD_FILE_REGULAR;
    if (S_ISDIR(mode))
        return SYNCD_FILE_FOLDER;
    return S_ISLNK(mode) ? SYNCD_FILE_SYMLINK : SYNCD_FILE_SPECIAL;
}

/* Times that do not fit are the first or the last that do. */
static gint64 nanoseconds(gint64 seconds, gint64 nsec)
{
    gint64 time;
    if (__builtin_mul_overflow(seconds, (gint64)NSEC_PER_SEC, &time) ||
        __builtin_add_overflow(time, nsec, &time))
        return seconds < 0 ? G_MININT64 : G_MAXINT64;
    return time;
}

static guint32 stat_at(int fd, const char *name, int flags, SyncdFileStat *ret_stat,
                       bool *ret_mounted)
{
    struct statx st;
    if (statx(fd, name, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
        return (guint32)errno;
    *ret_stat = (SyncdFileStat){
        .kind = kind_of(st.stx_mode),
        .mode = st.stx_mode & SYNCD_FILE_MODE_BITS,
        .uid = st.stx_uid,
        .links = st.stx_nlink,
        .device = makedev(st.stx_dev_major, st.stx_dev_minor),
        .inode = st.stx_ino,
        .size = st.stx_size,
        .mtime = nanoseconds(st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec),
        .ctime = nanoseconds(st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec),
        .born = (st.stx_mask & STATX_BTIME) != 0
                    ? nanoseconds(st.stx_btime.tv_sec, st.stx_btime.tv_nsec)
                    : 0,
    };
    *ret_mounted = (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return 0;
}

guint32 syncd_stat_of(int fd, SyncdFileStat *ret_stat)
{
    bool mounted;
    return stat_at(fd, "", AT_EMPTY_PATH, ret_stat, &mounted);
}

guint32 syncd_stat_in(int folder, const char *name, SyncdFileStat *ret_stat, bool *ret_mounted)
{
    return stat_at(folder, name, AT_SYMLINK_NOFOLLOW, ret_stat, ret_mounted);
}
