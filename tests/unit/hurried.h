/*
 * SYNCD_TEST_HURRIED says what makes everything slow: "valgrind", thirty times, where there are
 * fewer cases of the same, or "sanitizers", some times, where there are fewer of what takes
 * longest.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

static inline bool is_hurried(void)
{
    return g_strcmp0(g_getenv("SYNCD_TEST_HURRIED"), "valgrind") == 0;
}

static inline bool is_slowed(void)
{
    return g_getenv("SYNCD_TEST_HURRIED") != NULL;
}
