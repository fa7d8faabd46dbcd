/*
 * How fast the strict JSON check is, beside memchr() over the same bytes in the same run: a figure
 * of the machine to judge the others by.
 */
#include "base/canonical.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 41u
#define BYTES_PER_ROUND (4u * 1024u * 1024u)

typedef void (*Work)(const char *text, size_t size);

/* Keeps the compiler from leaving the work out. */
static volatile gsize sink;

static void check(const char *text, size_t size)
{
    g_autoptr(GError) error = NULL;
    if (!syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, &error))
        g_error("%s", error->message);
}

static void find_byte(const char *text, size_t size)
{
    sink += (gsize)memchr(text, '\x7f', size);
}

static void is_canonical(const char *text, size_t size)
{
    if (!syncd_canonical_is(text, size))
        g_error("not canonical");
}

static void find_last_member(const char *text, size_t size)
{
    sink += syncd_json_size(syncd_json_member(syncd_json_root(text, size), "writer"));
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, Work work, const char *text, size_t size)
{
    double rates[ROUNDS];
    size_t times = MAX(BYTES_PER_ROUND / size, 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        gint64 start = g_get_monotonic_time();
        for (size_t i = 0; i < times; i++)
            work(text, size);
        double usec = (double)MAX(g_get_monotonic_time() - start, 1);
        rates[round] = (double)(times * size) / usec / 1000;
    }
    qsort(rates, ROUNDS, sizeof *rates, compare_doubles);
    double middle = rates[ROUNDS / 2];
    printf("%-22s %9zu bytes  GB/s min %6.2f  median %6.2f  max %6.2f  %10.0f ns each\n", name,
           size, rates[0], middle, rates[ROUNDS - 1], (double)size / middle);
}

/* A document like an operation's: an object of mixed members, text of 10 to 80 characters. */
static char *operation(size_t size)
{
    GString *text = g_string_new("{\"actor\":{\"id\":\"device-01hzx5m2c8v4\",\"kind\":\"user\"},"
                                 "\"changes\":[");
    for (unsigned i = 0; text->len < size - 200; i++)
        g_string_append_printf(
            text,
            "%s{\"field\":\"notes/%u/"
            "title\",\"from\":null,\"no\":%u,\"tags\":[\"draft\",\"shared\"],"
            "\"to\":\"The %u. line of a note, of ordinary length for a sentence\"}",
            i > 0 ? "," : "", i, i * 1117, i);
    g_string_append(
        text, "],\"lane\":\"interactive\",\"object\":\"object-01hzx5m2c8v4q7\",\"seq\":4711,"
              "\"time\":\"2026-05-05T00:00:00Z\",\"trusted\":true,\"writer\":\"sourceos-syncd\"}");
    return g_string_free(text, FALSE);
}

/* What a document made to be dear consists of. */
typedef enum {
    MANY_KEYS,
    LIKE_KEYS,
    PAIRS,
    ESCAPED_PAIRS,
    BRACKETS,
    UNICODE,
    HOSTILE_COUNT
} Hostile;

static const char *const hostile_names[] = {
    "shortest keys", "keys with same ends", "objects of two", "objects of two, esc",
    "brackets",      "beyond ASCII",
};

static void append_hostile(GString *text, Hostile hostile, unsigned number)
{
    switch (hostile) {
    case MANY_KEYS: {
        /* base 90 without the quote and the backslash */
        char name[8];
        int length = 0;
        for (unsigned rest = number; rest > 0 || length == 0; rest /= 90) {
            char digit = (char)('#' + rest % 90);
            name[length++] = digit == '\\' ? '!' : digit;
        }
        g_string_append_printf(text, ",\"%.*s\":1", length, name);
        break;
    }
    case LIKE_KEYS:
        g_string_append_printf(text, ",\"beginning%06xending...\":1", number);
        break;
    case PAIRS:
        g_string_append(text, ",{\"a\":1,\"b\":2}");
        break;
    case ESCAPED_PAIRS:
        g_string_append(text, ",{\"\\n\":1,\"b\":2}");
        break;
    case BRACKETS:
        g_string_append(text, ",[[[[{}]]]]");
        break;
    default:
        g_string_append(text, ",\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x94\x92\"");
    }
}

/* 32 MiB made to be dear. */
static char *hostile_document(Hostile hostile, size_t *ret_size)
{
    bool object = hostile <= LIKE_KEYS;
    g_autoptr(GString) text = g_string_sized_new(SYNCD_JSON_MAX_SIZE + 64);
    g_string_append(text, object ? "{\"\":0" : "{\"list\":[0");
    for (unsigned i = 0; text->len < SYNCD_JSON_MAX_SIZE - 64; i++)
        append_hostile(text, hostile, i);
    g_string_append(text, object ? "}" : "]}");
    *ret_size = text->len;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void measure_hostile(Hostile hostile)
{
    size_t size;
    g_autofree char *text = hostile_document(hostile, &size);
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        gint64 start = g_get_monotonic_time();
        check(text, size);
        best = MIN(best, (double)(g_get_monotonic_time() - start) / 1000);
    }
    printf("hostile, 32 MiB: %-22s %7.1f ms\n", hostile_names[hostile], best);
}

int main(void)
{
    static const size_t sizes[] = {600, 4096};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = operation(sizes[i]);
        size_t size = strlen(text);
        measure("check", check, text, size);
        measure("memchr", find_byte, text, size);
        measure("is canonical", is_canonical, text, size);
        measure("last member", find_last_member, text, size);
    }
    for (int hostile = 0; hostile < HOSTILE_COUNT; hostile++)
        measure_hostile((Hostile)hostile);
    return 0;
}
