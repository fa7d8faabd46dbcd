/*
 * Memory for secret keys.
 *
 * Each block lies between guard pages, stays out of core dumps, is wiped when it is freed and is
 * locked into RAM so that it never reaches a swap device. Where the limit on locked memory is too
 * small (containers set tiny ones) the block serves unlocked and one warning is logged per process:
 * a device that cannot lock its keys is better than one that cannot sign.
 *
 * A block holds bytes only: it is not aligned for wider types unless its size is a multiple of
 * them.
 */
#pragma once

#include "base/error.h"

#include <glib.h>

/* NULL when there is no memory. The content is undefined. */
void *syncd_secret_new(size_t size, GError **error);
void syncd_secret_free(void *secret);
