/*
 * Preloaded into a process, makes each fsync and fdatasync last two milliseconds longer: what a
 * laptop's disk does, on a machine whose disk is fast.
 */
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

typedef int (*SyncFunc)(int fd);

static int sync_slowly(const char *name, int fd)
{
    const struct timespec longer = {.tv_nsec = 2 * 1000 * 1000};
    SyncFunc sync_now;
    *(void **)&sync_now = dlsym(RTLD_NEXT, name);
    int result = sync_now(fd);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &longer, NULL);
    return result;
}

int fsync(int fd)
{
    return sync_slowly("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_slowly("fdatasync", fd);
}
