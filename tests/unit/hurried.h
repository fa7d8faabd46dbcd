/*
 * SYNCD_TEST_HURRIED is set where everything takes thirty times as long, as under valgrind: fewer
 * cases of the same.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

static inline bool is_hurried(void)
{
    return g_getenv("SYNCD_TEST_HURRIED") != NULL;
}
