#include "base/hlc.h"

int syncd_hlc_compare(SyncdHlc a, SyncdHlc b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    if (a.counter != b.counter)
        return a.counter < b.counter ? -1 : 1;
    return 0;
}

SyncdHlc syncd_hlc_tick(SyncdHlc *clock, guint64 now_ms)
{
    if (now_ms > clock->ms)
        *clock = (SyncdHlc){now_ms, 0};
    else if (clock->counter < SYNCD_HLC_COUNTER_MAX)
        clock->counter++;
    else
        *clock = (SyncdHlc){clock->ms + 1, 0};
    return *clock;
}

bool syncd_hlc_observe(SyncdHlc *clock, SyncdHlc seen, guint64 now_ms)
{
    if (seen.counter > SYNCD_HLC_COUNTER_MAX ||
        (seen.ms > now_ms && seen.ms - now_ms > SYNCD_HLC_MAX_AHEAD_MS))
        return false;
    if (syncd_hlc_compare(seen, *clock) > 0)
        *clock = seen;
    return true;
}
