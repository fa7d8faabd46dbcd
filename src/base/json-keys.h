/*
 * Finds a name that an object has twice.
 *
 * Private to the JSON door. Names are noted as they pass, on one stack for all open objects, and
 * judged together when their object closes: only then is their number known, so the table they are
 * put into never has to grow. A few names with different signatures need no table at all. The cost
 * is linear in the text whatever the names are: they are hashed with a secret of this process.
 *
 * Memory: eight bytes for each name of an open object and at most seventeen for each name of the
 * object that closes; text of 32 MiB has fewer than 4 Mi names, which is 64 MiB.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_JSON_KEYS_AT_HAND 128u
/* The signature of a name with escapes, which may be the same as any other. */
#define SYNCD_JSON_KEYS_NO_SIGNATURE 0u

typedef struct {
    guint32 *offsets; /* of the names' opening quotes */
    guint32 *signatures;
    guint32 count;
    guint32 capacity;
    guint64 *table;
    size_t table_capacity;
    guint32 offsets_at_hand[SYNCD_JSON_KEYS_AT_HAND];
    guint32 signatures_at_hand[SYNCD_JSON_KEYS_AT_HAND];
} SyncdJsonKeys;

void syncd_json_keys_init(SyncdJsonKeys *keys);
void syncd_json_keys_clear(SyncdJsonKeys *keys);
void syncd_json_keys_grow(SyncdJsonKeys *keys);

/* Forgets the names from number `first` on, those of the object that closes. False when two of them
 * are the same; then `ret_offset` is where the later one is. */
bool syncd_json_keys_close(SyncdJsonKeys *keys, guint32 first, const char *text, const char *end,
                           guint32 *ret_offset);

static inline void syncd_json_keys_add(SyncdJsonKeys *keys, guint32 offset, guint32 signature)
{
    if (G_UNLIKELY(keys->count == keys->capacity))
        syncd_json_keys_grow(keys);
    keys->offsets[keys->count] = offset;
    keys->signatures[keys->count++] = signature;
}
