#include "reader/leftover.h"

#include "domain/filling.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

bool syncd_is_named(int folder, const char *name, int fd)
{
    struct stat file, named;
    return fstat(fd, &file) == 0 && fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           file.st_dev == named.st_dev && file.st_ino == named.st_ino;
}

void syncd_remove_named(int folder, const char *name, int fd, int flags)
{
    if (syncd_is_named(folder, name, fd))
        unlinkat(folder, name, flags);
}

bool syncd_leftover_is(int folder, const char *name)
{
    struct stat st;
    return syncd_filling_is_name(SYNCD_BYTES_TEXT(name)) &&
           fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           st.st_uid == geteuid();
}

static int open_it(int folder, const char *name, int flags)
{
    return (int)TEMP_FAILURE_RETRY(
        openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

/* It may have the mode already that it was to have in its place. */
void syncd_leftover_remove(int folder, const char *name)
{
    int fd = open_it(folder, name, O_RDWR);
    if (fd < 0 && errno == EACCES)
        fd = open_it(folder, name, O_RDONLY);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && syncd_leftover_is(folder, name))
        syncd_remove_named(folder, name, fd, 0);
    close(fd);
}

int syncd_leftover_begin(int folder, char **ret_name)
{
    guint64 number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return -1;
    *ret_name = g_strdup_printf(SYNCD_FILLING_PREFIX "%016" G_GINT64_MODIFIER "x", number);
    int fd = openat(folder, *ret_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    /* Where a file system knows no locks it is removed by nobody else but another reader. */
    if (fd >= 0)
        (void)flock(fd, LOCK_EX | LOCK_NB);
    return fd;
}

char *syncd_leftover_replaced(const char *name)
{
    return g_strconcat(SYNCD_REPLACED_PREFIX, name + strlen(SYNCD_FILLING_PREFIX), NULL);
}
