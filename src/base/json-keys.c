#include "base/json-keys.h"

#include "base/json-scan.h"
#include "base/sources.h"

/* Up to here comparing every signature with every other is cheaper than a table. */
#define FEW_KEYS 32u
/* How far ahead of its use a slot of the table is fetched: far enough to hide main memory. */
#define AHEAD 16u

typedef struct {
    guint64 v[4];
} HashState;

void syncd_json_keys_init(SyncdJsonKeys *keys)
{
    keys->offsets = keys->offsets_at_hand;
    keys->signatures = keys->signatures_at_hand;
    keys->count = 0;
    keys->capacity = SYNCD_JSON_KEYS_AT_HAND;
    keys->table = NULL;
    keys->table_capacity = 0;
}

void syncd_json_keys_clear(SyncdJsonKeys *keys)
{
    if (keys->offsets != keys->offsets_at_hand) {
        g_free(keys->offsets);
        g_free(keys->signatures);
    }
    g_free(keys->table);
}

void syncd_json_keys_grow(SyncdJsonKeys *keys)
{
    bool at_hand = keys->offsets == keys->offsets_at_hand;
    keys->capacity *= 2;
    keys->offsets = g_renew(guint32, at_hand ? NULL : keys->offsets, keys->capacity);
    keys->signatures = g_renew(guint32, at_hand ? NULL : keys->signatures, keys->capacity);
    if (at_hand) {
        memcpy(keys->offsets, keys->offsets_at_hand, sizeof keys->offsets_at_hand);
        memcpy(keys->signatures, keys->signatures_at_hand, sizeof keys->signatures_at_hand);
    }
}

/* The secret keeps a sender from choosing names that meet in the table. It decides how long a check
 * takes, never what it says, so that it need not come from the injected sources. */
static const guint64 *hash_secret(void)
{
    static guint64 secret[2];
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        syncd_sources_random(syncd_sources_system(), secret, sizeof secret);
        g_once_init_leave(&ready, 1);
    }
    return secret;
}

static inline guint64 rotate(guint64 value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static inline void hash_round(HashState *state)
{
    guint64 *v = state->v;
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline void hash_word(HashState *state, guint64 word)
{
    state->v[3] ^= word;
    hash_round(state);
    state->v[0] ^= word;
}

static inline guint64 load_word(const char *at, size_t size)
{
    guint64 word = 0;
    memcpy(&word, at, size);
    return GUINT64_FROM_LE(word);
}

static void hash_plain(HashState *state, const char *at, const char *end)
{
    guint64 size = (guint64)(end - at);
    for (; end - at >= 8; at += 8)
        hash_word(state, load_word(at, 8));
    hash_word(state, load_word(at, (size_t)(end - at)) | size << 56);
}

/* Gives what hash_plain() gives for the same name written without escapes. */
static void hash_escaped(HashState *state, const char *at, const char *end)
{
    guint64 word = 0, size = 0;
    while (at != end) {
        char meant[4];
        int meant_size = g_unichar_to_utf8(syncd_json_next_char(&at), meant);
        for (int i = 0; i < meant_size; i++) {
            word |= (guint64)(guint8)meant[i] << (8 * (size++ % 8));
            if (size % 8 == 0) {
                hash_word(state, word);
                word = 0;
            }
        }
    }
    hash_word(state, word | size << 56);
}

/* SipHash with one round for each word and three at the end. */
static guint64 hash_key(const guint64 secret[2], const char *quote, const char *end)
{
    HashState state = {{
        secret[0] ^ G_GUINT64_CONSTANT(0x736f6d6570736575),
        secret[1] ^ G_GUINT64_CONSTANT(0x646f72616e646f6d),
        secret[0] ^ G_GUINT64_CONSTANT(0x6c7967656e657261),
        secret[1] ^ G_GUINT64_CONSTANT(0x7465646279746573),
    }};
    bool escaped;
    const char *past = syncd_json_skip_string(quote + 1, end, &escaped);
    if (escaped)
        hash_escaped(&state, quote + 1, past);
    else
        hash_plain(&state, quote + 1, past);
    state.v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        hash_round(&state);
    return state.v[0] ^ state.v[1] ^ state.v[2] ^ state.v[3];
}

static bool signatures_differ(const guint32 *signatures, guint32 count)
{
    guint32 same = 0;
    for (guint32 i = 0; i < count; i++) {
        same |= signatures[i] == SYNCD_JSON_KEYS_NO_SIGNATURE;
        for (guint32 j = 0; j < i; j++)
            same |= signatures[i] == signatures[j];
    }
    return same == 0;
}

static bool same_key(const char *text, const char *end, guint32 a, guint32 b)
{
    bool escaped;
    const char *left = text + a, *right = text + b;
    const char *left_end = syncd_json_skip_string(left + 1, end, &escaped);
    const char *right_end = syncd_json_skip_string(right + 1, end, &escaped);
    return syncd_json_compare_strings((SyncdJson){SYNCD_JSON_STRING, left, left_end + 1},
                                      (SyncdJson){SYNCD_JSON_STRING, right, right_end + 1}) == 0;
}

/* A power of two that `count` names fill to fifteen sixteenths at most: more room would break the
 * promise on memory. */
static size_t make_table(SyncdJsonKeys *keys, guint32 count)
{
    size_t capacity = 64;
    while (capacity - capacity / 16 < count)
        capacity *= 2;
    if (capacity > keys->table_capacity) {
        g_free(keys->table);
        keys->table = g_new0(guint64, capacity);
        keys->table_capacity = capacity;
    } else {
        memset(keys->table, 0, capacity * sizeof *keys->table);
    }
    return capacity;
}

/* A slot is 0, or one half of a name's hash and the offset of the name; no name is at offset 0. */
static bool keys_differ(SyncdJsonKeys *keys, guint32 first, const char *text, const char *end,
                        guint32 *ret_offset)
{
    const guint32 *offsets = keys->offsets + first;
    guint32 count = keys->count - first;
    size_t mask = make_table(keys, count) - 1;
    const guint64 *secret = hash_secret();
    guint64 *table = keys->table;
    guint64 hashes[AHEAD];

    for (guint32 i = 0; i < count + AHEAD; i++) {
        guint64 hash = hashes[i % AHEAD];
        if (i < count) {
            hashes[i % AHEAD] = hash_key(secret, text + offsets[i], end);
            __builtin_prefetch(&table[hashes[i % AHEAD] & mask], 1);
        }
        if (i < AHEAD)
            continue;

        guint32 offset = offsets[i - AHEAD];
        size_t slot = hash & mask;
        for (; table[slot] != 0; slot = (slot + 1) & mask) {
            if (table[slot] >> 32 == hash >> 32 &&
                same_key(text, end, (guint32)table[slot], offset)) {
                *ret_offset = offset;
                return false;
            }
        }
        table[slot] = (hash >> 32) << 32 | offset;
    }
    return true;
}

bool syncd_json_keys_close(SyncdJsonKeys *keys, guint32 first, const char *text, const char *end,
                           guint32 *ret_offset)
{
    guint32 count = keys->count - first;
    bool differ =
        count < 2 || (count <= FEW_KEYS && signatures_differ(keys->signatures + first, count));
    if (!differ && !keys_differ(keys, first, text, end, ret_offset))
        return false;
    keys->count = first;
    return true;
}
