/*
 * Reading JSON text byte by byte: what the door, the views and the canonical form share.
 *
 * Private to src/base. The skip functions never read at or past `end` and stop there, so they are
 * safe over text that was not checked; syncd_json_next_char() and syncd_json_compare_strings()
 * trust that the string passed the check. Text is looked at in blocks: sixteen bytes with SSE2,
 * eight without.
 */
#pragma once

#include "base/json.h"

#include <string.h>

#if defined(__SSE2__) && !defined(SYNCD_JSON_PORTABLE)

#include <emmintrin.h>

#define SYNCD_JSON_BLOCK 16
typedef unsigned SyncdJsonMask;

static inline unsigned syncd_json_mask_first(SyncdJsonMask mask)
{
    return (unsigned)__builtin_ctz(mask);
}

static inline __m128i syncd_json_load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline __m128i syncd_json_equal(__m128i block, char byte)
{
    return _mm_cmpeq_epi8(block, _mm_set1_epi8(byte));
}

/* Marks quotes, backslashes and every byte outside 0x20..0x7e. */
static inline SyncdJsonMask syncd_json_mask_not_plain(const char *at)
{
    __m128i block = syncd_json_load(at);
    /* Moved up by one, the bytes 0x7f..0xff are negative or zero: one signed compare finds them
     * together with the control characters. */
    __m128i moved = _mm_add_epi8(block, _mm_set1_epi8(1));
    __m128i odd = _mm_cmplt_epi8(moved, _mm_set1_epi8(0x21));
    __m128i ends = _mm_or_si128(syncd_json_equal(block, '"'), syncd_json_equal(block, '\\'));
    return (SyncdJsonMask)_mm_movemask_epi8(_mm_or_si128(odd, ends));
}

static inline SyncdJsonMask syncd_json_mask_quote(const char *at)
{
    __m128i block = syncd_json_load(at);
    return (SyncdJsonMask)_mm_movemask_epi8(
        _mm_or_si128(syncd_json_equal(block, '"'), syncd_json_equal(block, '\\')));
}

/* Marks quotes and brackets of both kinds: bit 0x20 is all that tells '[' from '{'. */
static inline SyncdJsonMask syncd_json_mask_bracket(const char *at)
{
    __m128i block = syncd_json_load(at);
    __m128i folded = _mm_or_si128(block, _mm_set1_epi8(0x20));
    __m128i brackets = _mm_or_si128(syncd_json_equal(folded, '{'), syncd_json_equal(folded, '}'));
    return (SyncdJsonMask)_mm_movemask_epi8(_mm_or_si128(brackets, syncd_json_equal(block, '"')));
}

static inline SyncdJsonMask syncd_json_mask_not_space(const char *at)
{
    __m128i block = syncd_json_load(at);
    __m128i space = _mm_or_si128(syncd_json_equal(block, ' '), syncd_json_equal(block, '\n'));
    return (SyncdJsonMask)_mm_movemask_epi8(space) ^ 0xffffu;
}

#else

#define SYNCD_JSON_BLOCK 8
typedef guint64 SyncdJsonMask;

#define SYNCD_JSON_ONES G_GUINT64_CONSTANT(0x0101010101010101)
#define SYNCD_JSON_HIGHS G_GUINT64_CONSTANT(0x8080808080808080)

/* The arithmetic below borrows and carries between bytes, so marks above the first may be wrong;
 * only the first is ever used. */
static inline unsigned syncd_json_mask_first(SyncdJsonMask mask)
{
    return (unsigned)__builtin_ctzll(mask) / 8;
}

static inline guint64 syncd_json_load(const char *at)
{
    guint64 block;
    memcpy(&block, at, sizeof block);
    return GUINT64_FROM_LE(block);
}

static inline SyncdJsonMask syncd_json_equal(guint64 block, char byte)
{
    guint64 other = block ^ (SYNCD_JSON_ONES * (guint8)byte);
    return (other - SYNCD_JSON_ONES) & ~other & SYNCD_JSON_HIGHS;
}

static inline SyncdJsonMask syncd_json_mask_not_plain(const char *at)
{
    guint64 block = syncd_json_load(at);
    guint64 odd = (block + SYNCD_JSON_ONES) | block | (block - SYNCD_JSON_ONES * 0x20);
    return (odd & SYNCD_JSON_HIGHS) | syncd_json_equal(block, '"') | syncd_json_equal(block, '\\');
}

static inline SyncdJsonMask syncd_json_mask_quote(const char *at)
{
    guint64 block = syncd_json_load(at);
    return syncd_json_equal(block, '"') | syncd_json_equal(block, '\\');
}

static inline SyncdJsonMask syncd_json_mask_bracket(const char *at)
{
    guint64 block = syncd_json_load(at);
    guint64 folded = block | (SYNCD_JSON_ONES * 0x20);
    return syncd_json_equal(folded, '{') | syncd_json_equal(folded, '}') |
           syncd_json_equal(block, '"');
}

static inline SyncdJsonMask syncd_json_mask_not_space(const char *at)
{
    guint64 other = syncd_json_load(at) ^ (SYNCD_JSON_ONES * ' ');
    guint64 low = ~SYNCD_JSON_HIGHS;
    return (((other & low) + low) | other) & SYNCD_JSON_HIGHS;
}

#endif

static inline bool syncd_json_is_plain(char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static inline bool syncd_json_is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static inline bool syncd_json_is_digit(char byte)
{
    return (guint8)(byte - '0') <= 9;
}

static inline const char *syncd_json_skip_space(const char *at, const char *end)
{
    while (at != end && syncd_json_is_space(*at)) {
        at++;
        /* More than one is indentation: a run of spaces. */
        while (end - at >= SYNCD_JSON_BLOCK && *at == ' ') {
            SyncdJsonMask mask = syncd_json_mask_not_space(at);
            if (mask != 0) {
                at += syncd_json_mask_first(mask);
                break;
            }
            at += SYNCD_JSON_BLOCK;
        }
    }
    return at;
}

static inline const char *syncd_json_skip_digits(const char *at, const char *end)
{
    while (at != end && syncd_json_is_digit(*at))
        at++;
    return at;
}

/* The up to eight bytes at `at` as a number, the first lowest. Reads beyond them, never past `end`.
 */
static inline guint64 syncd_json_load_word(const char *at, size_t size, const char *end)
{
    guint64 word = 0;
    if (G_UNLIKELY((size_t)(end - at) < sizeof word)) {
        memcpy(&word, at, size);
        return GUINT64_FROM_LE(word);
    }
    memcpy(&word, at, sizeof word);
    word = GUINT64_FROM_LE(word);
    return size < sizeof word ? word & ((G_GUINT64_CONSTANT(1) << (8 * size)) - 1) : word;
}

/* To the first byte that is not printable ASCII, or is a quote or a backslash. */
static inline const char *syncd_json_skip_plain(const char *at, const char *end)
{
    for (; end - at >= SYNCD_JSON_BLOCK; at += SYNCD_JSON_BLOCK) {
        SyncdJsonMask mask = syncd_json_mask_not_plain(at);
        if (mask != 0)
            return at + syncd_json_mask_first(mask);
    }
    while (at != end && syncd_json_is_plain(*at))
        at++;
    return at;
}

/* From inside a string to its closing quote, or `end` when it has none. */
static inline const char *syncd_json_skip_string(const char *at, const char *end, bool *ret_escaped)
{
    *ret_escaped = false;
    for (;;) {
        SyncdJsonMask mask = 0;
        while (end - at >= SYNCD_JSON_BLOCK && (mask = syncd_json_mask_quote(at)) == 0)
            at += SYNCD_JSON_BLOCK;
        if (mask != 0)
            at += syncd_json_mask_first(mask);
        else
            while (at != end && *at != '"' && *at != '\\')
                at++;
        if (at == end || *at == '"')
            return at;
        *ret_escaped = true;
        at += end - at > 1 ? 2 : 1;
    }
}

/* One piece of JSON text: a string, a number, a literal or a punctuation mark. */
typedef struct {
    char kind; /* its first byte; 0 when there is no further (whole) piece */
    const char *at;
    const char *end;
} SyncdJsonToken;

/* The piece at or after `at`. Takes each apart by its first byte only; the text was checked, at
 * least up to `end`. */
SyncdJsonToken syncd_json_token(const char *at, const char *end);

/* The character at *at inside a string, unescaped; moves *at past it. */
guint32 syncd_json_next_char(const char **at);

/* Compares two strings, both with their quotes, by the code points they mean. */
int syncd_json_compare_strings(SyncdJson a, SyncdJson b);
