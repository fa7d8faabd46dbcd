/*
 * Publishes a file as it should be done, or with one slip: what the fsync lint must find.
 * usage: careless SLIP DIRECTORY
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *slip;

static bool slips(const char *name)
{
    return strcmp(slip, name) == 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    slip = argv[1];
    int folder = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags = O_WRONLY | O_CREAT;
    flags |= slips("inherited") ? 0 : O_CLOEXEC;
    flags |= slips("followed") ? 0 : O_EXCL | O_NOFOLLOW;
    const char *name = slips("in-place") ? "file" : ".file.new";
    int fd = openat(folder, name, flags, slips("readable") ? 0644 : 0600);

    bool ok = folder >= 0 && fd >= 0 && write(fd, "text", 4) == 4;
    if (slips("told-early"))
        ok = ok && write(STDOUT_FILENO, "done", 4) == 4;
    if (!slips("unsynced") && !slips("published-unsynced"))
        ok = ok && fsync(fd) == 0;
    if (!slips("in-place") && !slips("unsynced"))
        ok = ok && renameat(folder, name, folder, "file") == 0;
    if (slips("published-unsynced"))
        ok = ok && fsync(fd) == 0;
    if (!slips("entry"))
        ok = ok && fsync(folder) == 0;
    if (slips("entry-removed"))
        ok = ok && unlinkat(folder, "file", 0) == 0;
    if (slips("folder-readable"))
        ok = ok && mkdirat(folder, "inside", 0755) == 0 && fsync(folder) == 0;
    return ok ? 0 : 1;
}
