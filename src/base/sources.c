#include "base/sources.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

static guint64 system_realtime_usec(void *data)
{
    return (guint64)g_get_real_time();
}

static guint64 system_monotonic_usec(void *data)
{
    return (guint64)g_get_monotonic_time();
}

static void ask_the_kernel(guint8 *at, size_t size)
{
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

/* Ids of operations need to be like no others, and are asked for one by one: one call of the kernel
 * does for many. Keys and nonces are not taken from here, as a machine may be set back to a copy of
 * its memory. A child has none of its parent's. */
#define POOLED_MAX 16u
static _Thread_local struct {
    guint8 bytes[512];
    size_t left;
} pool;

static void drop_pool(void)
{
    explicit_bzero(&pool, sizeof pool);
}

static void fill_pool(void)
{
    static size_t registered;
    if (g_once_init_enter(&registered)) {
        if (pthread_atfork(NULL, NULL, drop_pool) != 0)
            g_error("No memory for dropping random bytes in children");
        g_once_init_leave(&registered, 1);
    }
    ask_the_kernel(pool.bytes, sizeof pool.bytes);
    pool.left = sizeof pool.bytes;
}

static void system_random_bytes(void *data, void *bytes, size_t size)
{
    if (size > POOLED_MAX) {
        ask_the_kernel(bytes, size);
        return;
    }
    if (size > pool.left)
        fill_pool();
    pool.left -= size;
    memcpy(bytes, pool.bytes + pool.left, size);
    explicit_bzero(pool.bytes + pool.left, size);
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
