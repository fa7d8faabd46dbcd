#include "base/bytes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void syncd_hex_encode(const void *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const guint8 *in = bytes;
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digits[in[i] >> 4];
        ret_text[2 * i + 1] = digits[in[i] & 15];
    }
    ret_text[2 * size] = '\0';
}

#ifdef __SSE2__

#define BLOCK 16u

/* Sixteen digits at once, each in its byte. */
static bool decode_block(const char *text, guint8 *out)
{
    __m128i digits = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i letters = _mm_cmpgt_epi8(digits, _mm_set1_epi8('9'));
    /* From the first digit, or from the first letter, and how far the last one is. */
    __m128i first =
        _mm_add_epi8(_mm_set1_epi8('0'), _mm_and_si128(letters, _mm_set1_epi8('a' - '0')));
    __m128i last = _mm_sub_epi8(_mm_set1_epi8(9), _mm_and_si128(letters, _mm_set1_epi8(4)));
    __m128i places = _mm_sub_epi8(digits, first);
    __m128i beyond = _mm_subs_epu8(places, last);
    bool good = _mm_movemask_epi8(_mm_cmpeq_epi8(beyond, _mm_setzero_si128())) == 0xffff;

    __m128i values = _mm_add_epi8(places, _mm_and_si128(letters, _mm_set1_epi8(10)));
    __m128i pairs = _mm_or_si128(_mm_slli_epi16(values, 4), _mm_srli_epi16(values, 8));
    pairs = _mm_and_si128(pairs, _mm_set1_epi16(0xff));
    _mm_storel_epi64((__m128i *)(void *)out, _mm_packus_epi16(pairs, pairs));
    return good;
}

#endif

#define ONES G_GUINT64_CONSTANT(0x0101010101010101)

/* Eight digits at once, each in its byte. They were digits if they are what their values are
 * written with, which costs less than looking at each. */
static bool decode_word(const char *text, guint8 *out)
{
    guint64 word;
    memcpy(&word, text, sizeof word);
    word = GUINT64_FROM_LE(word);
    guint64 values = (word & ONES * 0x0f) + (word >> 6 & ONES) * 9;
    guint64 letters = (values + ONES * 6) >> 4 & ONES;
    bool digits =
        (values & ONES * 0xf0) == 0 && values + ONES * '0' + letters * ('a' - '0' - 10) == word;

    guint64 bytes = (values << 4 | values >> 8) & G_GUINT64_CONSTANT(0x00ff00ff00ff00ff);
    bytes = (bytes | bytes >> 8) & G_GUINT64_CONSTANT(0x0000ffff0000ffff);
    guint32 packed = GUINT32_TO_LE((guint32)(bytes | bytes >> 16));
    memcpy(out, &packed, sizeof packed);
    return digits;
}

static bool decode_byte(const char *text, guint8 *out)
{
    char word[8] = {text[0], text[1], '0', '0', '0', '0', '0', '0'};
    guint8 bytes[4];
    bool digits = decode_word(word, bytes);
    *out = bytes[0];
    return digits;
}

bool syncd_hex_decode(const char *text, size_t text_size, void *ret_bytes, size_t size)
{
    guint8 *out = ret_bytes;
    bool good = text_size == 2 * size;
    size_t at = 0;
#ifdef __SSE2__
    for (; good && size - at >= BLOCK / 2; at += BLOCK / 2)
        good = decode_block(text + 2 * at, out + at);
#endif
    for (; good && size - at >= 4; at += 4)
        good = decode_word(text + 2 * at, out + at);
    for (; good && at < size; at++)
        good = decode_byte(text + 2 * at, out + at);
    return good;
}
