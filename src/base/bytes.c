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

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool syncd_hex_decode(const char *text, size_t text_size, void *ret_bytes, size_t size)
{
    guint8 *out = ret_bytes;
    if (text_size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (guint8)(high << 4 | low);
    }
    return true;
}
