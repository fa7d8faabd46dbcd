/*
 * What the calls on a state directory have in common: its inside, and the system's calls on what is
 * open. A signal is no failure of the disk: what it interrupts is done again. Private to
 * directory.c (who may use it), directory-files.c (how files get into it) and directory-reserve.c
 * (how much room there is).
 */
#pragma once

#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct SyncdDirectory {
    char *path;
    int fd;
    int lock_fd;
};

static inline int syncd_fd_open_at(int at, const char *name, int flags)
{
    return (int)TEMP_FAILURE_RETRY(openat(at, name, flags | O_CLOEXEC, 0600));
}

static inline bool syncd_fd_sync(int fd)
{
    return TEMP_FAILURE_RETRY(fsync(fd)) == 0;
}

static inline bool syncd_fd_truncate(int fd, off_t size)
{
    return TEMP_FAILURE_RETRY(ftruncate(fd, size)) == 0;
}

/* On Linux an interrupted close has closed. One that is not open is no failure. */
static inline bool syncd_fd_close(int *fd)
{
    bool ok = *fd < 0 || close(*fd) == 0 || errno == EINTR;
    *fd = -1;
    return ok;
}
