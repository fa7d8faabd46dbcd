#include "store/directory-private.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define RESERVE_FILE "reserve"

/* Gives an errno. */
static int allocate_fd(int fd, off_t size)
{
    int problem;
    do
        problem = posix_fallocate(fd, 0, size);
    while (problem == EINTR);
    return problem;
}

bool syncd_directory_reserve(SyncdDirectory *self, guint64 bytes, GError **error)
{
    struct stat st = {0};
    int fd = syncd_fd_open_at(self->fd, RESERVE_FILE, O_RDWR | O_CREAT | O_NOFOLLOW);
    int problem = fd < 0 || fstat(fd, &st) < 0 ? errno : allocate_fd(fd, (off_t)bytes);
    if (problem == 0 && !syncd_fd_truncate(fd, (off_t)bytes))
        problem = errno;
    /* What could be had of it must not be kept: it would be the last of the space that others need.
     */
    if (problem != 0 && fd >= 0 &&
        !(st.st_size == 0 ? unlinkat(self->fd, RESERVE_FILE, 0) == 0
                          : syncd_fd_truncate(fd, st.st_size)))
        g_debug("cannot take the reserve back: %s", g_strerror(errno));
    syncd_fd_close(&fd);
    if (problem == 0)
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                          "Cannot set space aside in %s", self->path);
    return false;
}

bool syncd_directory_release_reserve(SyncdDirectory *self)
{
    return unlinkat(self->fd, RESERVE_FILE, 0) == 0;
}

/* Of the reserve only what is not there yet has to be kept for it. */
bool syncd_directory_room(SyncdDirectory *self, guint64 reserve, guint64 *ret_bytes, GError **error)
{
    struct statvfs fs;
    struct stat st = {0};
    if (fstatvfs(self->fd, &fs) < 0 ||
        (fstatat(self->fd, RESERVE_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot find how much room there is in %s", self->path);
        return false;
    }
    guint64 free = (guint64)fs.f_bavail * fs.f_frsize;
    guint64 missing = reserve - MIN(reserve, (guint64)st.st_size);
    *ret_bytes = free - MIN(free, missing);
    return true;
}
