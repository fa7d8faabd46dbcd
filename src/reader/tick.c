#include "reader/tick.h"

#include <time.h>

#define NSEC_PER_SEC 1000000000
#define NSEC_PER_MSEC 1000000
#define TICKS_MSEC 20 /* a tick is shorter */

static gint64 tick(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (gint64)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void syncd_wait_for_a_later_tick(const SyncdFileStat *stat)
{
    static const struct timespec for_short = {.tv_nsec = NSEC_PER_MSEC};
    gint64 now = tick();
    if (stat->ctime < now || stat->ctime - now > (gint64)TICKS_MSEC * NSEC_PER_MSEC)
        return;
    for (int i = 0; i < TICKS_MSEC && tick() <= stat->ctime; i++)
        nanosleep(&for_short, NULL);
}
