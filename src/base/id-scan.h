/*
 * The characters of tokens, for who reads many of them: sixteen at once with SSE2, and without a
 * call for each. base/id.h says which they are.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#ifdef __SSE2__

#include <emmintrin.h>

#define SYNCD_ID_BLOCK 16

/* Marks the bytes at least `first` and less than `first + count`. Moved down to the least signed
 * numbers, one compare finds them. */
G_ALWAYS_INLINE static inline __m128i syncd_id_in_range(__m128i block, char first, int count)
{
    __m128i moved = _mm_add_epi8(block, _mm_set1_epi8((char)(G_MININT8 - first)));
    return _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(G_MININT8 + count)));
}

/* Has a bit for each of the sixteen bytes that may not stand within a token. */
G_ALWAYS_INLINE static inline unsigned syncd_id_others(const char *text)
{
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i letters = syncd_id_in_range(_mm_or_si128(block, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i digits = syncd_id_in_range(block, '0', 11); /* and the colon */
    __m128i marks =
        _mm_or_si128(syncd_id_in_range(block, '-', 2), _mm_cmpeq_epi8(block, _mm_set1_epi8('_')));
    __m128i good = _mm_or_si128(_mm_or_si128(letters, digits), marks);
    return (unsigned)_mm_movemask_epi8(good) ^ 0xffff;
}

#endif

static inline bool syncd_id_is_inner(char byte)
{
    return g_ascii_isalnum(byte) || (byte != '\0' && strchr("._:-", byte) != NULL);
}

/* How many characters from here on may stand within a token. */
G_ALWAYS_INLINE static inline size_t syncd_id_token_span(const char *text, size_t size)
{
    const char *at = text, *end = text + size;
#ifdef __SSE2__
    for (; end - at >= SYNCD_ID_BLOCK; at += SYNCD_ID_BLOCK) {
        unsigned others = syncd_id_others(at);
        if (others != 0)
            return (size_t)(at - text) + (unsigned)__builtin_ctz(others);
    }
#endif
    while (at != end && syncd_id_is_inner(*at))
        at++;
    return (size_t)(at - text);
}
