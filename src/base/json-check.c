#include "base/json-fault.h"
#include "base/json-keys.h"
#include "base/json-scan.h"
#include "base/json.h"

#include <math.h>

/* A double that is not finite needs an exponent of at least this, and from the next on is never. */
#define LAST_EXPONENT 308
/* So many digits are the integer part of a number with that exponent, and decide alone whether it
 * is rounded up to infinity: the bound is an integer. */
#define LAST_DIGITS (LAST_EXPONENT + 1)
/* Beyond any shift that 32 MiB of digits can make up for. */
#define EXPONENT_CEILING 100000000

#define ARRAY G_MAXUINT32

typedef struct {
    const char *text;
    const char *end;
    SyncdJsonFlags flags;
    unsigned depth;
    guint32 open[SYNCD_JSON_MAX_DEPTH]; /* the number of the object's first key, or ARRAY */
    SyncdJsonKeys keys;
    SyncdJsonFault fault;
    const char *fault_at;
    const char *known; /* text before it is free of faults */
} Check;

/* All steps below return where to go on, or NULL after this. */
static const char *fail(Check *check, SyncdJsonFault fault, const char *at)
{
    bool early = at == check->end && fault != SYNCD_JSON_FAULT_EMPTY;
    check->fault = early ? SYNCD_JSON_FAULT_ENDS_EARLY : fault;
    check->fault_at = at;
    check->known = at;
    return NULL;
}

/* The four hexadecimal digits at `at`, or -1. */
static int hex_unit(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static const char *check_escape(Check *check, const char *at)
{
    const char *end = check->end;
    if (end - at < 2)
        return fail(check, SYNCD_JSON_FAULT_ENDS_EARLY, end);
    if (at[1] != 'u') {
        bool known = at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL;
        return known ? at + 2 : fail(check, SYNCD_JSON_FAULT_ESCAPE, at);
    }

    int unit = hex_unit(at + 2, end);
    if (unit < 0)
        return fail(check, SYNCD_JSON_FAULT_ESCAPE, at);
    if (unit < 0xd800 || unit > 0xdfff)
        return at + 6;
    if (unit >= 0xdc00 || end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return fail(check, SYNCD_JSON_FAULT_SURROGATE, at);
    int low = hex_unit(at + 8, end);
    if (low < 0xdc00 || low > 0xdfff)
        return fail(check, SYNCD_JSON_FAULT_SURROGATE, at);
    return at + 12;
}

static inline bool continues(const char *at, guint8 from, guint8 to)
{
    return (guint8)*at >= from && (guint8)*at <= to;
}

/* Past the characters beyond ASCII at `at`; NULL when one is malformed, overlong, a surrogate or
 * beyond U+10FFFF. */
static const char *skip_utf8(const char *at, const char *end, const char **ret_bad)
{
    while (at != end && (guint8)*at >= 0x80) {
        guint8 lead = (guint8)*at;
        ptrdiff_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        guint8 from = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        guint8 to = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        bool good = lead >= 0xc2 && lead <= 0xf4 && end - at >= size && continues(at + 1, from, to);
        for (ptrdiff_t i = 2; good && i < size; i++)
            good = continues(at + i, 0x80, 0xbf);
        if (!good) {
            *ret_bad = at;
            return NULL;
        }
        at += size;
    }
    return at;
}

/* The rest of a string, from its first byte that is not plain, to the closing quote. */
static const char *check_unusual(Check *check, const char *at, bool *ret_escaped)
{
    while (at != NULL && at != check->end && *at != '"') {
        guint8 byte = (guint8)*at;
        const char *bad;
        if (byte < 0x20) {
            return fail(check, SYNCD_JSON_FAULT_CONTROL, at);
        } else if (byte == '\\') {
            *ret_escaped = true;
            at = check_escape(check, at);
        } else if (byte >= 0x80) {
            at = skip_utf8(at, check->end, &bad);
            if (at == NULL)
                return fail(check, SYNCD_JSON_FAULT_UTF8, bad);
        } else {
            at = syncd_json_skip_plain(at + 1, check->end);
        }
    }
    return at == check->end ? fail(check, SYNCD_JSON_FAULT_ENDS_EARLY, at) : at;
}

/* From past the opening quote to the closing one. */
static inline const char *check_string(Check *check, const char *at, bool *ret_escaped)
{
    at = syncd_json_skip_plain(at, check->end);
    if (G_LIKELY(at != check->end && *at == '"'))
        return at;
    return check_unusual(check, at, ret_escaped);
}

static bool fits_int64(const char *digits, size_t size, bool negative)
{
    static const char *const limits[] = {"9223372036854775807", "9223372036854775808"};
    return size < 19 || (size == 19 && memcmp(digits, limits[negative], 19) <= 0);
}

/* The number's first digits as an integer of LAST_DIGITS digits. */
static bool rounds_to_infinity(const char *mantissa, const char *end)
{
    char digits[LAST_DIGITS + 1];
    size_t count = 0;
    for (; mantissa != end && count < LAST_DIGITS; mantissa++)
        if (*mantissa != '.')
            digits[count++] = *mantissa;
    memset(digits + count, '0', LAST_DIGITS - count);
    digits[LAST_DIGITS] = '\0';
    return isinf(g_ascii_strtod(digits, NULL)) != 0;
}

static bool fits_double(const char *digits, const char *point, const char *end, int exponent)
{
    const char *first = digits;
    while (first != end && (*first == '0' || *first == '.'))
        first++;
    if (first == end)
        return true;

    ptrdiff_t scale = first < point ? point - first - 1 : point - first;
    ptrdiff_t magnitude = scale + exponent;
    return magnitude < LAST_EXPONENT ||
           (magnitude == LAST_EXPONENT && !rounds_to_infinity(first, end));
}

static const char *check_exponent(Check *check, const char *at, int *ret_exponent)
{
    bool negative = at != check->end && *at == '-';
    at += at != check->end && (*at == '+' || *at == '-');
    const char *digits = at;
    int exponent = 0;
    for (; at != check->end && syncd_json_is_digit(*at); at++)
        exponent = MIN(exponent * 10 + (*at - '0'), EXPONENT_CEILING);
    if (at == digits)
        return fail(check, SYNCD_JSON_FAULT_NUMBER, at);
    *ret_exponent = negative ? -exponent : exponent;
    return at;
}

/* From the point or the exponent on. */
static const char *check_real(Check *check, const char *digits, const char *point)
{
    const char *at = point;
    if (*at == '.') {
        at = syncd_json_skip_digits(point + 1, check->end);
        if (at == point + 1)
            return fail(check, SYNCD_JSON_FAULT_NUMBER, at);
    }
    const char *mantissa_end = at;
    int exponent = 0;
    if (at != check->end && (*at == 'e' || *at == 'E')) {
        at = check_exponent(check, at + 1, &exponent);
        if (at == NULL)
            return NULL;
    }
    if (check->flags & SYNCD_JSON_INTEGERS_ONLY)
        return fail(check, SYNCD_JSON_FAULT_NOT_INTEGER, digits);
    if (!fits_double(digits, point, mantissa_end, exponent))
        return fail(check, SYNCD_JSON_FAULT_DOUBLE_RANGE, digits);
    return at;
}

static const char *check_number(Check *check, const char *at)
{
    bool negative = *at == '-';
    const char *digits = at + negative;
    at = syncd_json_skip_digits(digits, check->end);
    size_t size = (size_t)(at - digits);
    if (size == 0)
        return fail(check, SYNCD_JSON_FAULT_NUMBER, at);
    if (*digits == '0' && size > 1)
        return fail(check, SYNCD_JSON_FAULT_LEADING_ZERO, digits);
    if (at != check->end && (*at == '.' || *at == 'e' || *at == 'E'))
        return check_real(check, digits, at);
    if ((check->flags & SYNCD_JSON_INTEGERS_ONLY) && !fits_int64(digits, size, negative))
        return fail(check, SYNCD_JSON_FAULT_INTEGER_RANGE, digits);
    return at;
}

static const char *check_literal(Check *check, const char *at, const char *literal, size_t size)
{
    size_t left = (size_t)(check->end - at);
    if (memcmp(at, literal, MIN(left, size)) != 0)
        return fail(check, SYNCD_JSON_FAULT_NO_VALUE, at);
    return left < size ? fail(check, SYNCD_JSON_FAULT_ENDS_EARLY, check->end) : at + size;
}

/* Tells apart most names that differ. Names that do not are left to the table. */
static inline guint32 signature_of(const char *at, size_t size, const char *end)
{
    guint64 word = syncd_json_load_word(at, MIN(size, 8), end);
    if (size > 8)
        word ^= syncd_json_load_word(at + size - 8, 8, end) << 1;
    guint32 mixed = (guint32)((word + size) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 32);
    return mixed != SYNCD_JSON_KEYS_NO_SIGNATURE ? mixed : 1;
}

static const char *report_duplicate(Check *check, guint32 offset)
{
    bool escaped;
    const char *quote = check->text + offset;
    fail(check, SYNCD_JSON_FAULT_DUPLICATE, quote);
    check->known = syncd_json_skip_string(quote + 1, check->end, &escaped) + 1;
    return NULL;
}

/* Makes room for another name. So many names that they cannot all differ are judged before: memory
 * is for those that can. */
static const char *make_room(Check *check, const char *at)
{
    SyncdJsonKeys *keys = &check->keys;
    guint32 past = keys->count, offset;
    for (unsigned i = check->depth; i-- > 0 && keys->capacity >= SYNCD_JSON_KEYS_FULL;) {
        guint32 first = check->open[i];
        if (first == ARRAY)
            continue;
        if (!syncd_json_keys_differ(keys, first, past - first, check->text, check->end, &offset))
            return report_duplicate(check, offset);
        past = first;
    }
    syncd_json_keys_grow(keys);
    return at;
}

/* A name and its colon. */
static inline const char *check_name(Check *check, const char *at)
{
    if (at == check->end || *at != '"')
        return fail(check, SYNCD_JSON_FAULT_NO_NAME, at);

    bool escaped = false;
    const char *name = at + 1;
    const char *quote = check_string(check, name, &escaped);
    if (quote == NULL ||
        (G_UNLIKELY(syncd_json_keys_need_room(&check->keys)) && make_room(check, at) == NULL))
        return NULL;
    syncd_json_keys_add(&check->keys, (guint32)(at - check->text),
                        G_UNLIKELY(escaped)
                            ? SYNCD_JSON_KEYS_NO_SIGNATURE
                            : signature_of(name, (size_t)(quote - name), check->end));

    at = syncd_json_skip_space(quote + 1, check->end);
    if (at == check->end || *at != ':')
        return fail(check, SYNCD_JSON_FAULT_NO_COLON, at);
    return at + 1;
}

static const char *close_container(Check *check, const char *at)
{
    guint32 first = check->open[--check->depth], offset;
    if (first == ARRAY)
        return at + 1;
    if (!syncd_json_keys_differ(&check->keys, first, check->keys.count - first, check->text,
                                check->end, &offset))
        return report_duplicate(check, offset);
    check->keys.count = first;
    return at + 1;
}

/* Opens the container at `at`, up to its first value. An empty one is closed at once, then
 * `ret_value` is false: no value is to be read. */
static inline const char *open_container(Check *check, const char *at, bool *ret_value)
{
    bool object = *at == '{';
    if (check->depth == SYNCD_JSON_MAX_DEPTH)
        return fail(check, SYNCD_JSON_FAULT_TOO_DEEP, at);
    check->open[check->depth++] = object ? check->keys.count : ARRAY;

    at = syncd_json_skip_space(at + 1, check->end);
    *ret_value = at == check->end || *at != (object ? '}' : ']');
    if (!*ret_value)
        return close_container(check, at);
    return object ? check_name(check, at) : at;
}

/* A value that has no values inside. */
static inline const char *check_scalar(Check *check, const char *at)
{
    bool escaped;
    switch (*at) {
    case '"':
        at = check_string(check, at + 1, &escaped);
        return at == NULL ? NULL : at + 1;
    case 't':
        return check_literal(check, at, "true", 4);
    case 'f':
        return check_literal(check, at, "false", 5);
    case 'n':
        return check_literal(check, at, "null", 4);
    default:
        if (*at == '-' || syncd_json_is_digit(*at))
            return check_number(check, at);
        return fail(check, SYNCD_JSON_FAULT_NO_VALUE, at);
    }
}

/* From a value's first byte past the first value that is whole: down into containers until there is
 * a scalar or an empty container. */
static inline const char *check_value(Check *check, const char *at)
{
    bool inside = true;
    while (at != NULL && inside) {
        at = syncd_json_skip_space(at, check->end);
        if (at == check->end)
            return fail(check, SYNCD_JSON_FAULT_ENDS_EARLY, at);
        if (*at != '{' && *at != '[')
            return check_scalar(check, at);
        at = open_container(check, at, &inside);
    }
    return at;
}

/* Past a comma, to the next value. */
static inline const char *check_next(Check *check, const char *at, bool object)
{
    at = syncd_json_skip_space(at, check->end);
    if (at != check->end && *at == (object ? '}' : ']'))
        return fail(check, SYNCD_JSON_FAULT_TRAILING_COMMA, at);
    return object ? check_name(check, at) : at;
}

/* From past a value to the next one, closing what ends here. `ret_value` is false when the document
 * is complete. */
static inline const char *check_after(Check *check, const char *at, bool *ret_value)
{
    while (at != NULL && check->depth > 0) {
        bool object = check->open[check->depth - 1] != ARRAY;
        at = syncd_json_skip_space(at, check->end);
        if (at == check->end)
            return fail(check, SYNCD_JSON_FAULT_ENDS_EARLY, at);
        if (*at == ',')
            return check_next(check, at + 1, object);
        if (*at != (object ? '}' : ']'))
            return fail(check, SYNCD_JSON_FAULT_NO_COMMA, at);
        at = close_container(check, at);
    }
    *ret_value = false;
    return at;
}

static void check_document(Check *check)
{
    const char *at = check->text;
    const char *end = check->end;
    if (end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        fail(check, SYNCD_JSON_FAULT_BYTE_ORDER_MARK, at);
        return;
    }
    const char *start = syncd_json_skip_space(at, end);
    if (start == end) {
        fail(check, SYNCD_JSON_FAULT_EMPTY, start);
        return;
    }

    bool more = true;
    for (at = start; at != NULL && more;) {
        at = check_value(check, at);
        if (at != NULL)
            at = check_after(check, at, &more);
    }
    if (at == NULL)
        return;
    at = syncd_json_skip_space(at, end);
    if (at != end)
        fail(check, SYNCD_JSON_FAULT_MORE_TEXT, at);
    else if ((check->flags & SYNCD_JSON_MUST_BE_OBJECT) && *start != '{')
        fail(check, SYNCD_JSON_FAULT_NOT_OBJECT, start);
}

bool syncd_json_check(const char *text, size_t size, SyncdJsonFlags flags, GError **error)
{
    if (size > SYNCD_JSON_MAX_SIZE) {
        syncd_json_fault_report(SYNCD_JSON_FAULT_TOO_LARGE, text, text + SYNCD_JSON_MAX_SIZE, text,
                                error);
        return false;
    }

    if (size == 0)
        text = ""; /* the data of an empty buffer may be NULL */

    Check check;
    check.text = text;
    check.end = text + size;
    check.flags = flags;
    check.depth = 0;
    check.fault = SYNCD_JSON_FAULT_NONE;
    syncd_json_keys_init(&check.keys);
    check_document(&check);
    syncd_json_keys_clear(&check.keys);

    if (check.fault == SYNCD_JSON_FAULT_NONE)
        return true;
    syncd_json_fault_report(check.fault, text, check.fault_at, check.known, error);
    return false;
}
