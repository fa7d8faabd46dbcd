/*
 * The allocations of this very process, one by one. A test program that links allocations.c and
 * exports its symbols takes the place of libc's allocator for whoever calls it by name: GLib,
 * SQLite, libcrypto, and libsodium's anonymous mappings. Each is numbered from 1 and can be
 * refused; freeing is left to libc. Nothing that the callback does is counted. One thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whether an allocation is refused; `caller` is where it was asked for. May not allocate. */
typedef bool (*AllocationRefuse)(void *data, guint64 number, const void *caller);

void allocations_watch(AllocationRefuse refuse, void *data);
void allocations_unwatch(void);
