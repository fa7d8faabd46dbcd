/*
 * Preloaded: the clocks of a process are elsewhere, and can be moved while it runs.
 *
 * SHIFTED_CLOCK names a file of two 64-bit numbers of nanoseconds, which are added to what the
 * kernel says: the first to the wall clock, the second to the clock that goes on while a machine
 * sleeps. The clock that timers run by is left alone, as a jump or a sleep leaves it alone.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NSEC 1000000000

enum { SHIFT_WALL, SHIFT_BOOT, N_SHIFTS };

static const volatile int64_t none[N_SHIFTS];
static const volatile int64_t *shifts = none;

__attribute__((constructor)) static void map_shifts(void)
{
    const char *path = getenv("SHIFTED_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        shifts = mapped;
    close(fd);
}

static void shift(struct timespec *time, int64_t by)
{
    int64_t nsec = time->tv_nsec + by % NSEC;
    time->tv_sec += by / NSEC + (nsec >= NSEC) - (nsec < 0);
    time->tv_nsec = nsec + (nsec < 0 ? NSEC : nsec >= NSEC ? -NSEC : 0);
}

/* The declarations that libc gives with attributes of its own are taken as they are. */
int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    long r = syscall(SYS_clock_gettime, clock, ret_time);
    if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        shift(ret_time, shifts[SHIFT_WALL]);
    if (r == 0 && clock == CLOCK_BOOTTIME)
        shift(ret_time, shifts[SHIFT_BOOT]);
    return (int)r;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -1;
    *ret_time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret_time)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -1;
    if (ret_time != NULL)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}
