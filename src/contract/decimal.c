#include "contract/decimal.h"

#define EXPONENT_CEILING (G_GINT64_CONSTANT(1) << 40)
#define DIVISOR_DIGITS 18

__extension__ typedef unsigned __int128 Wide;

static gint64 read_exponent(const char *at, const char *end)
{
    bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    gint64 exponent = 0;
    for (; at != end; at++)
        exponent = MIN(exponent * 10 + (*at - '0'), EXPONENT_CEILING);
    return negative ? -exponent : exponent;
}

SyncdDecimal syncd_decimal_read(SyncdJson number)
{
    SyncdDecimal decimal = {.negative = *number.at == '-'};
    const char *first = NULL, *last = NULL, *point = NULL, *at;
    gint64 before_point = 0, exponent = 0, first_place = 0, last_place = 0, place = 0;
    for (at = number.at + decimal.negative; at != number.end; at++) {
        if (*at == '.') {
            point = at;
            continue;
        }
        if (*at == 'e' || *at == 'E') {
            exponent = read_exponent(at + 1, number.end);
            break;
        }
        before_point += point == NULL;
        if (*at != '0') {
            if (first == NULL) {
                first = at;
                first_place = place;
            }
            last = at;
            last_place = place;
        }
        place++;
    }
    if (first == NULL) {
        decimal.at = decimal.end = number.at;
        decimal.negative = false;
        return decimal;
    }
    decimal.at = first;
    decimal.end = last + 1;
    decimal.count = last_place - first_place + 1;
    decimal.magnitude = before_point - 1 - first_place + exponent;
    return decimal;
}

static bool is_zero(const SyncdDecimal *decimal)
{
    return decimal->at == decimal->end;
}

/* The power of ten of the last digit that is not zero. */
static gint64 lowest(const SyncdDecimal *decimal)
{
    return decimal->magnitude - decimal->count + 1;
}

static int next_digit(const char **at, const char *end)
{
    if (*at != end && **at == '.')
        (*at)++;
    return *at == end ? -1 : *(*at)++ - '0';
}

static int compare_absolute(const SyncdDecimal *one, const SyncdDecimal *other)
{
    if (is_zero(one) || is_zero(other))
        return is_zero(other) - is_zero(one);
    if (one->magnitude != other->magnitude)
        return one->magnitude < other->magnitude ? -1 : 1;
    const char *left = one->at, *right = other->at;
    for (;;) {
        int x = next_digit(&left, one->end), y = next_digit(&right, other->end);
        if (x != y)
            return x < y ? -1 : 1;
        if (x < 0)
            return 0;
    }
}

int syncd_decimal_compare(const SyncdDecimal *one, const SyncdDecimal *other)
{
    if (one->negative != other->negative)
        return one->negative ? -1 : 1;
    return one->negative ? compare_absolute(other, one) : compare_absolute(one, other);
}

bool syncd_decimal_is_integer(const SyncdDecimal *decimal)
{
    return is_zero(decimal) || lowest(decimal) >= 0;
}

guint64 syncd_decimal_hash(const SyncdDecimal *decimal)
{
    guint64 hash = (guint64)decimal->magnitude * 2 + decimal->negative;
    const char *at = decimal->at;
    for (int digit; (digit = next_digit(&at, decimal->end)) >= 0;)
        hash = (hash ^ (guint64)(digit + 1)) * G_GUINT64_CONSTANT(0x100000001b3);
    return is_zero(decimal) ? 0 : hash;
}

bool syncd_decimal_get_uint64(const SyncdDecimal *decimal, guint64 *ret_value)
{
    guint64 value = 0;
    if (decimal->negative || !syncd_decimal_is_integer(decimal) || decimal->magnitude > 19)
        return false;
    const char *at = decimal->at;
    for (gint64 place = is_zero(decimal) ? -1 : decimal->magnitude; place >= 0; place--) {
        int next = next_digit(&at, decimal->end);
        guint64 digit = next > 0 ? (guint64)next : 0; /* zeros at the end are no digits here */
        if (value > (G_MAXUINT64 - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

bool syncd_divisor_read(const SyncdDecimal *decimal, SyncdDivisor *ret_divisor)
{
    if (is_zero(decimal) || decimal->negative || decimal->count > DIVISOR_DIGITS)
        return false;
    guint64 digits = 0;
    const char *at = decimal->at;
    for (int digit; (digit = next_digit(&at, decimal->end)) >= 0;)
        digits = digits * 10 + (guint64)digit;
    *ret_divisor = (SyncdDivisor){digits, lowest(decimal)};
    return true;
}

/* 10 to the power, modulo `modulus`. */
static guint64 power_of_ten(gint64 power, guint64 modulus)
{
    guint64 result = 1 % modulus, base = 10 % modulus;
    for (; power > 0; power >>= 1) {
        if (power & 1)
            result = (guint64)((Wide)result * base % modulus);
        base = (guint64)((Wide)base * base % modulus);
    }
    return result;
}

bool syncd_decimal_is_multiple(const SyncdDecimal *decimal, const SyncdDivisor *divisor)
{
    if (is_zero(decimal))
        return true;
    /* Its last digit is not zero, so no power of ten divides the digits. */
    gint64 power = lowest(decimal) - divisor->exponent;
    if (power < 0)
        return false;
    guint64 rest = 0;
    const char *at = decimal->at;
    for (int digit; (digit = next_digit(&at, decimal->end)) >= 0;)
        rest = (guint64)(((Wide)rest * 10 + (unsigned)digit) % divisor->digits);
    return (Wide)rest * power_of_ten(power, divisor->digits) % divisor->digits == 0;
}
