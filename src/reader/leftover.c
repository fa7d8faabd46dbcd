#include "reader/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS 16

static bool is_named_so(const char *name)
{
    size_t prefix = strlen(SYNCD_PLACE_PREFIX);
    return strncmp(name, SYNCD_PLACE_PREFIX, prefix) == 0 && strlen(name) == prefix + DIGITS &&
           strspn(name + prefix, "0123456789abcdef") == DIGITS;
}

bool syncd_leftover_is(int folder, const char *name)
{
    struct stat st;
    return is_named_so(name) && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

void syncd_leftover_remove(int folder, const char *name)
{
    int fd =
        (int)TEMP_FAILURE_RETRY(openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && syncd_leftover_is(folder, name))
        unlinkat(folder, name, 0);
    close(fd);
}

int syncd_leftover_begin(int folder, char **ret_name)
{
    guint64 number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return -1;
    *ret_name = g_strdup_printf(SYNCD_PLACE_PREFIX "%016" G_GINT64_MODIFIER "x", number);
    int fd = openat(folder, *ret_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    /* Where a file system knows no locks it is removed by nobody else but another reader. */
    if (fd >= 0)
        (void)flock(fd, LOCK_EX | LOCK_NB);
    return fd;
}

char *syncd_leftover_replaced(const char *name)
{
    return g_strconcat(SYNCD_REPLACED_PREFIX, name + strlen(SYNCD_PLACE_PREFIX), NULL);
}
