/* What count-writes.c counts, in bytes. */
#pragma once

#include <stdint.h>

#define COUNTED_BLOCK 4096u

typedef struct {
    uint64_t journal;
    uint64_t index;
} WriteCounts;
