/*
 * A disk that takes nothing: from one call to the other no file grows past a KiB.
 */
#pragma once

#include <glib.h>
#include <signal.h>
#include <sys/resource.h>

static inline struct rlimit keep_files_small(void)
{
    struct rlimit old, low;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    signal(SIGXFSZ, SIG_IGN);
    low = old;
    low.rlim_cur = 1024;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
    return old;
}

static inline void let_files_grow(const struct rlimit *old)
{
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, old), ==, 0);
}
