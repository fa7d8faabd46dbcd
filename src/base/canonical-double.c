#include "base/canonical.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Any double is one of the decimals with this many digits, and no decimal with MIN_DIGITS is lost
 * in a double that is not subnormal. */
#define MAX_DIGITS 17
#define MIN_DIGITS 15
/* Outside of these the spelling has an exponent. */
#define LEAST_PLAIN (-4)
#define MOST_PLAIN 15

/* digits[0].digits[1]... times ten to the exponent */
typedef struct {
    char digits[MAX_DIGITS + 1];
    int count;
    int exponent;
} Decimal;

static Decimal nearest_decimal(double value, int count)
{
    char format[8], text[SYNCD_CANONICAL_DOUBLE_SIZE];
    g_snprintf(format, sizeof format, "%%.%de", count - 1);
    g_ascii_formatd(text, sizeof text, format, value);

    Decimal decimal = {.count = 0};
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.')
            decimal.digits[decimal.count++] = *at;
    decimal.exponent = (int)g_ascii_strtoll(at + 1, NULL, 10);
    return decimal;
}

static Decimal next_decimal(Decimal decimal)
{
    int i = decimal.count - 1;
    for (; i >= 0 && decimal.digits[i] == '9'; i--)
        decimal.digits[i] = '0';
    if (i >= 0) {
        decimal.digits[i]++;
    } else {
        decimal.digits[0] = '1';
        decimal.exponent++;
    }
    return decimal;
}

static bool reads_back(const Decimal *decimal, double value)
{
    char text[SYNCD_CANONICAL_DOUBLE_SIZE];
    g_snprintf(text, sizeof text, "%c.%.*se%d", decimal->digits[0], decimal->count - 1,
               decimal->digits + 1, decimal->exponent);
    return g_ascii_strtod(text, NULL) == value;
}

static Decimal shortest_decimal(double value)
{
    int count = value < DBL_MIN ? 1 : MIN_DIGITS;
    Decimal decimal = {.count = 0};
    for (; count <= MAX_DIGITS; count++) {
        decimal = nearest_decimal(value, count);
        if (reads_back(&decimal, value))
            break;
        /* Above a power of two doubles lie twice as far apart as below: the nearest decimal may
         * fall out below while the next one above still reads back. */
        decimal = next_decimal(decimal);
        if (reads_back(&decimal, value))
            break;
    }
    while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0')
        decimal.count--;
    return decimal;
}

static char *put(char *out, const char *digits, int count)
{
    memcpy(out, digits, (size_t)count);
    return out + count;
}

static char *put_zeros(char *out, int count)
{
    memset(out, '0', (size_t)count);
    return out + count;
}

static char *put_plain(char *out, const Decimal *decimal)
{
    int whole = decimal->exponent + 1; /* digits before the point */
    if (whole <= 0) {
        out = put(out, "0.", 2);
        out = put_zeros(out, -whole);
        return put(out, decimal->digits, decimal->count);
    }
    int known = MIN(whole, decimal->count);
    out = put(out, decimal->digits, known);
    out = put_zeros(out, whole - known);
    *out++ = '.';
    if (known == decimal->count)
        return put_zeros(out, 1);
    return put(out, decimal->digits + known, decimal->count - known);
}

static char *put_scientific(char *out, const Decimal *decimal)
{
    *out++ = decimal->digits[0];
    if (decimal->count > 1) {
        *out++ = '.';
        out = put(out, decimal->digits + 1, decimal->count - 1);
    }
    return out + g_snprintf(out, sizeof "e-308", "e%+03d", decimal->exponent);
}

size_t syncd_canonical_format_double(double value, char ret_text[SYNCD_CANONICAL_DOUBLE_SIZE])
{
    char *out = ret_text;
    if (!isfinite(value)) {
        *out = '\0';
        return 0;
    }
    if (signbit(value))
        *out++ = '-';
    if (value == 0) {
        out = put(out, "0.0", 3);
    } else {
        Decimal decimal = shortest_decimal(fabs(value));
        bool plain = decimal.exponent >= LEAST_PLAIN && decimal.exponent <= MOST_PLAIN;
        out = plain ? put_plain(out, &decimal) : put_scientific(out, &decimal);
    }
    *out = '\0';
    return (size_t)(out - ret_text);
}
