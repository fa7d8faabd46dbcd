/*
 * Hybrid logical clock: the order of entries when their parents do not decide it.
 *
 * A value is (milliseconds, counter). It is never behind anything it has seen: when the wall clock
 * stands still or goes back the counter grows, and a full counter carries into the milliseconds. It
 * orders; it never decides anything about security. A remote value more than ten minutes ahead of
 * the local wall clock is not observed: the caller delays what carries it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_HLC_COUNTER_MAX 0xffffu
#define SYNCD_HLC_MAX_AHEAD_MS (10u * 60u * 1000u)

typedef struct {
    guint64 ms;
    guint32 counter;
} SyncdHlc;

/* Advances the clock to a value later than all before, at `now_ms` if that is later. */
SyncdHlc syncd_hlc_tick(SyncdHlc *clock, guint64 now_ms);
/* Takes note of a value that was seen. False, and no change, when it is too far ahead. */
bool syncd_hlc_observe(SyncdHlc *clock, SyncdHlc seen, guint64 now_ms);
int syncd_hlc_compare(SyncdHlc a, SyncdHlc b);
