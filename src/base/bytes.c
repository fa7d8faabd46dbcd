#include "base/bytes.h"

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

/* The value of a digit plus one, 0 for what is none. */
static const guint8 digit_values[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

bool syncd_hex_decode(const char *text, size_t text_size, void *ret_bytes, size_t size)
{
    const guint8 *in = (const guint8 *)text;
    guint8 *out = ret_bytes;
    int any_bad = 0; /* negative when a digit was none: looked at once, not at each of them */
    if (text_size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit_values[in[2 * i]] - 1, low = digit_values[in[2 * i + 1]] - 1;
        any_bad |= high | low;
        out[i] = (guint8)((unsigned)high << 4 | (unsigned)low);
    }
    return any_bad >= 0;
}
