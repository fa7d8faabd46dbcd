/*
 * Where time and chance come from.
 *
 * Nothing below the daemon asks the system for the time or for random bytes: it is handed a
 * SyncdSources. The daemon hands out the real ones; tests hand out clocks that jump and bytes that
 * repeat, so that a history can be replayed from its seed. The struct is owned by whoever made it
 * and outlives all its users.
 */
#pragma once

#include <glib.h>

typedef struct SyncdSources SyncdSources;

struct SyncdSources {
    guint64 (*realtime_usec)(void *data);                       /* may jump either way */
    guint64 (*monotonic_usec)(void *data);                      /* never goes back */
    void (*random_bytes)(void *data, void *bytes, size_t size); /* never fails */
    void *data;
};

/* The system's clocks and its random number generator. */
const SyncdSources *syncd_sources_system(void);

guint64 syncd_sources_realtime_usec(const SyncdSources *sources);
guint64 syncd_sources_monotonic_usec(const SyncdSources *sources);
void syncd_sources_random(const SyncdSources *sources, void *bytes, size_t size);
