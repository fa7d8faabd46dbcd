#include "base/id.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define TIME_DIGITS 10
#define RANDOM_DIGITS 16

static const char crockford[] = "0123456789abcdefghjkmnpqrstvwxyz";

char *syncd_id_new(const SyncdSources *sources, const char *prefix)
{
    char digits[TIME_DIGITS + RANDOM_DIGITS + 1];
    guint64 ms = syncd_sources_realtime_usec(sources) / 1000;
    for (int i = TIME_DIGITS - 1; i >= 0; i--, ms >>= 5)
        digits[i] = crockford[ms & 31];

    guint8 chance[RANDOM_DIGITS];
    syncd_sources_random(sources, chance, sizeof chance);
    for (int i = 0; i < RANDOM_DIGITS; i++)
        digits[TIME_DIGITS + i] = crockford[chance[i] & 31];
    digits[sizeof digits - 1] = '\0';

    return g_strconcat(prefix, "-", digits, NULL);
}

#ifdef __SSE2__

#define BLOCK 16

/* Marks the bytes at least `first` and less than `first + count`. Moved down to the least signed
 * numbers, one compare finds them. */
static inline __m128i in_range(__m128i block, char first, int count)
{
    __m128i moved = _mm_add_epi8(block, _mm_set1_epi8((char)(G_MININT8 - first)));
    return _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(G_MININT8 + count)));
}

/* How many of the sixteen bytes, from the first on, may stand within a token. */
static inline size_t block_span(const char *text)
{
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i letters = in_range(_mm_or_si128(block, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i digits = in_range(block, '0', 11); /* and the colon */
    __m128i marks =
        _mm_or_si128(in_range(block, '-', 2), _mm_cmpeq_epi8(block, _mm_set1_epi8('_')));
    __m128i good = _mm_or_si128(_mm_or_si128(letters, digits), marks);
    return (size_t)__builtin_ctz(~(unsigned)_mm_movemask_epi8(good));
}

#endif

static inline bool is_inner(char byte)
{
    return g_ascii_isalnum(byte) || (byte != '\0' && strchr("._:-", byte) != NULL);
}

size_t syncd_id_token_span(const char *text, size_t size)
{
    size_t span = 0;
#ifdef __SSE2__
    while (size - span >= BLOCK) {
        size_t more = block_span(text + span);
        span += more;
        if (more < BLOCK)
            return span;
    }
#endif
    while (span < size && is_inner(text[span]))
        span++;
    return span;
}

bool syncd_id_is_token(const char *text, size_t size)
{
    return size > 0 && size <= SYNCD_ID_TOKEN_MAX && g_ascii_isalnum(text[0]) &&
           syncd_id_token_span(text, size) == size;
}
