/*
 * Finds a name that an object has twice.
 *
 * Private to the JSON door. Names are noted as they pass, on one stack for all open objects, and
 * judged together when their object closes: only then is their number known, so the table they are
 * put into never has to grow. A few names with different signatures need no table at all. The cost
 * is linear in the text whatever the names are: they are hashed with a secret of this process.
 *
 * Memory: eight bytes for each name of an open object, and four for each slot of the table. Names
 * that differ take more than eight bytes of text each in the long run, so that 32 MiB have hardly
 * 4 Mi of them: 32 MiB and a table of 16, or of 32 when it fills. Text with more names than that
 * repeats some and is judged as soon as it reaches that number.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_JSON_KEYS_AT_HAND 128u
/* When so many names are on the stack, the open objects are judged early. */
#define SYNCD_JSON_KEYS_FULL (1u << 22)
/* The signature of a name with escapes, which may be the same as any other. */
#define SYNCD_JSON_KEYS_NO_SIGNATURE 0u

typedef struct {
    guint32 *offsets; /* of the names' opening quotes */
    guint32 *signatures;
    guint32 count;
    guint32 capacity;
    guint32 *table;
    size_t table_capacity;
    guint32 offsets_at_hand[SYNCD_JSON_KEYS_AT_HAND];
    guint32 signatures_at_hand[SYNCD_JSON_KEYS_AT_HAND];
} SyncdJsonKeys;

void syncd_json_keys_init(SyncdJsonKeys *keys);
void syncd_json_keys_clear(SyncdJsonKeys *keys);
void syncd_json_keys_grow(SyncdJsonKeys *keys);

/* False when two of the `count` names from number `first` on are the same; then `ret_offset` is
 * where the later one is. */
bool syncd_json_keys_differ(SyncdJsonKeys *keys, guint32 first, guint32 count, const char *text,
                            const char *end, guint32 *ret_offset);

static inline bool syncd_json_keys_need_room(const SyncdJsonKeys *keys)
{
    return keys->count == keys->capacity;
}

/* There is room. */
static inline void syncd_json_keys_add(SyncdJsonKeys *keys, guint32 offset, guint32 signature)
{
    keys->offsets[keys->count] = offset;
    keys->signatures[keys->count++] = signature;
}
