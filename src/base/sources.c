#include "base/sources.h"

#include <errno.h>
#include <sys/random.h>

static guint64 system_realtime_usec(void *data)
{
    return (guint64)g_get_real_time();
}

static guint64 system_monotonic_usec(void *data)
{
    return (guint64)g_get_monotonic_time();
}

static void system_random_bytes(void *data, void *bytes, size_t size)
{
    guint8 *at = bytes;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0) {
            /* Without randomness no key and no nonce is safe; there is nothing sensible to return.
             */
            if (errno != EINTR)
                g_error("getrandom failed: %s", g_strerror(errno));
            continue;
        }
        at += got;
        size -= (size_t)got;
    }
}

const SyncdSources *syncd_sources_system(void)
{
    static const SyncdSources sources = {
        .realtime_usec = system_realtime_usec,
        .monotonic_usec = system_monotonic_usec,
        .random_bytes = system_random_bytes,
    };
    return &sources;
}

guint64 syncd_sources_realtime_usec(const SyncdSources *sources)
{
    return sources->realtime_usec(sources->data);
}

guint64 syncd_sources_monotonic_usec(const SyncdSources *sources)
{
    return sources->monotonic_usec(sources->data);
}

void syncd_sources_random(const SyncdSources *sources, void *bytes, size_t size)
{
    sources->random_bytes(sources->data, bytes, size);
}
