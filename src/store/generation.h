/*
 * Which generation of the log a journal is (docs/format.md 7.3): a repair writes the next one
 * beside it. As no entry says so, check digits tell that the number is as it was written.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_GENERATION_META "generation"

/* What `meta` has of one that is not the first. */
char *syncd_generation_describe(const char *device, guint64 generation);
/* `described` NULL: the first. False for what is no generation of this device's log. */
bool syncd_generation_parse(const char *device, const char *described, guint64 *ret_generation);
