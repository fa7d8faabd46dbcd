#include "base/json-keys.h"

#include "base/json-scan.h"
#include "base/sources.h"

/* Up to here comparing every signature with every other is cheaper than a table. */
#define FEW_KEYS 32u
/* How far ahead of its use a slot of the table is fetched: far enough to hide main memory. */
#define AHEAD 16u
/* A slot of the table is 0, or the number of a name and above it some bits of the name's hash. */
#define NUMBER_BITS 22u
#define NUMBER_MASK ((1u << NUMBER_BITS) - 1)
G_STATIC_ASSERT(SYNCD_JSON_KEYS_FULL == 1u << NUMBER_BITS);

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

static void hash_plain(HashState *state, const char *at, const char *past, const char *end)
{
    guint64 size = (guint64)(past - at);
    for (; past - at >= 8; at += 8)
        hash_word(state, syncd_json_load_word(at, 8, end));
    hash_word(state, syncd_json_load_word(at, (size_t)(past - at), end) | size << 56);
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
        hash_plain(&state, quote + 1, past, end);
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

/* A power of two that `count` names fill to fifteen sixteenths at most: what costs time is a table
 * larger than the caches, not another look at the next slot. */
static size_t make_table(SyncdJsonKeys *keys, guint32 count)
{
    size_t capacity = 8;
    while (capacity - capacity / 16 < count)
        capacity *= 2;
    if (capacity > keys->table_capacity) {
        g_free(keys->table);
        keys->table = g_new0(guint32, capacity);
        keys->table_capacity = capacity;
    } else {
        memset(keys->table, 0, capacity * sizeof *keys->table);
    }
    return capacity;
}

/* Puts name number `number` into the table. False when it is there already. */
static bool insert(guint32 *table, size_t mask, guint64 hash, const guint32 *offsets,
                   guint32 number, const char *text, const char *end)
{
    guint32 tag = (guint32)(hash >> 32) & ~NUMBER_MASK;
    size_t slot = hash & mask;
    for (; table[slot] != 0; slot = (slot + 1) & mask)
        if ((table[slot] & ~NUMBER_MASK) == tag &&
            same_key(text, end, offsets[(table[slot] & NUMBER_MASK) - 1], offsets[number]))
            return false;
    table[slot] = tag | (number + 1);
    return true;
}

static bool keys_differ(SyncdJsonKeys *keys, const guint32 *offsets, guint32 count,
                        const char *text, const char *end, guint32 *ret_offset)
{
    size_t mask = make_table(keys, count) - 1;
    const guint64 *secret = hash_secret();
    guint64 hashes[AHEAD];
    guint32 ahead = MIN(count, AHEAD);

    for (guint32 i = 0; i < count + ahead; i++) {
        /* First, because the place of the name that goes in is taken by the one that comes. */
        if (i >= ahead && !insert(keys->table, mask, hashes[(i - ahead) % AHEAD], offsets,
                                  i - ahead, text, end)) {
            *ret_offset = offsets[i - ahead];
            return false;
        }
        if (i < count) {
            guint64 hash = hash_key(secret, text + offsets[i], end);
            __builtin_prefetch(&keys->table[hash & mask], 1);
            hashes[i % AHEAD] = hash;
        }
    }
    return true;
}

bool syncd_json_keys_differ(SyncdJsonKeys *keys, guint32 first, guint32 count, const char *text,
                            const char *end, guint32 *ret_offset)
{
    if (count < 2 || (count <= FEW_KEYS && signatures_differ(keys->signatures + first, count)))
        return true;
    /* More do not fit into a slot, nor can so many names of 32 MiB differ. */
    guint32 judged = MIN(count, NUMBER_MASK);
    return keys_differ(keys, keys->offsets + first, judged, text, end, ret_offset);
}
