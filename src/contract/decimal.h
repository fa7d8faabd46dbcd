/*
 * Numbers of JSON text as exact decimals: compared by their digits, so that neither size nor
 * fraction loses anything.
 *
 * A SyncdDecimal is a view into the number's text, which was checked. No allocation.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *at;   /* the first digit that is not zero; a point may be among the digits */
    const char *end;  /* past the last such digit; equal to `at` for zero */
    gint64 magnitude; /* the first digit's power of ten */
    gint64 count;     /* digits */
    bool negative;
} SyncdDecimal;

/* `number` is an integer or a real. Exponents beyond 2^40 are taken for 2^40. */
SyncdDecimal syncd_decimal_read(SyncdJson number);
int syncd_decimal_compare(const SyncdDecimal *one, const SyncdDecimal *other);
bool syncd_decimal_is_integer(const SyncdDecimal *decimal);
guint64 syncd_decimal_hash(const SyncdDecimal *decimal);
/* False when it is negative, no integer, or does not fit. */
bool syncd_decimal_get_uint64(const SyncdDecimal *decimal, guint64 *ret_value);

/* A divisor that remainders are taken by: at most 18 digits. */
typedef struct {
    guint64 digits;
    gint64 exponent;
} SyncdDivisor;

/* False when it is not above zero or has more digits. */
bool syncd_divisor_read(const SyncdDecimal *decimal, SyncdDivisor *ret_divisor);
bool syncd_decimal_is_multiple(const SyncdDecimal *decimal, const SyncdDivisor *divisor);
