#include "base/timestamp.h"

#include <string.h>

#define SECOND G_GINT64_CONSTANT(1000000)

static const struct {
    const char *text;
    gint64 usec;
} readings[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-05-05T00:00:00Z", 1777939200 * SECOND},
    {"2026-05-05t00:00:00z", 1777939200 * SECOND},
    {"2026-05-05T02:00:00+02:00", 1777939200 * SECOND},
    {"2026-05-04T16:30:00-07:30", 1777939200 * SECOND},
    {"2026-05-05T00:00:00-00:00", 1777939200 * SECOND},
    {"2026-05-05T23:59:00+23:59", 1777939200 * SECOND},
    {"1970-01-01T00:00:00.5Z", SECOND / 2},
    {"1970-01-01T00:00:00.000001Z", 1},
    {"1970-01-01T00:00:00.0000019999999999999999Z", 1},
    {"1969-12-31T23:59:59.75Z", -SECOND / 4},
    {"2000-02-29T12:00:00Z", 951825600 * SECOND},
    {"2024-02-29T00:00:00Z", 1709164800 * SECOND},
    {"0001-01-01T00:00:00Z", G_GINT64_CONSTANT(-62135596800) * SECOND},
    {"9999-12-31T23:59:59Z", G_GINT64_CONSTANT(253402300799) * SECOND},
    /* leap seconds, in UTC and as seen from a zone */
    {"2016-12-31T23:59:60Z", 1483228800 * SECOND},
    {"1990-12-31T15:59:60-08:00", 662688000 * SECOND},
    {"2016-12-31T23:59:60.5Z", 1483228800 * SECOND + SECOND / 2},
};

static void reads(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(readings); i++) {
        gint64 usec = -1;
        g_autofree char *text = g_memdup2(readings[i].text, strlen(readings[i].text));
        g_assert_true(syncd_time_parse(text, strlen(readings[i].text), &usec));
        g_assert_cmpint(usec, ==, readings[i].usec);
    }
}

static void refuses(void)
{
    static const char *const texts[] = {
        "",
        "2026-05-05",
        "2026-05-05T00:00:00",   /* no zone */
        "2026-05-05T00:00:00.5", /* no zone */
        "2026-05-05 00:00:00Z",  /* no T */
        "2026-05-05T00:00Z",     /* no seconds */
        "2026-05-05T00:00:00.Z", /* a point without a fraction */
        "2026-05-05T00:00:00,5Z",
        "2026-05-05T24:00:00Z",
        "2026-05-05T00:60:00Z",
        "2026-05-05T00:00:61Z",
        "2026-13-05T00:00:00Z",
        "2026-00-05T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-04-00T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "26-05-05T00:00:00Z",
        "+2026-05-05T00:00:00Z",
        "12026-05-05T00:00:00Z",
        "20260505T000000Z",
        "2026-5-5T00:00:00Z",
        "2026-05-05T00:00:00+2",
        "2026-05-05T00:00:00+02",
        "2026-05-05T00:00:00+0200",
        "2026-05-05T00:00:00+24:00",
        "2026-05-05T00:00:00+02:60",
        "2026-05-05T00:00:00 Z",
        "2026-05-05T00:00:00Z ",
        " 2026-05-05T00:00:00Z",
        "2026-05-05T00:00:00ZZ",
        "2026-05-05T00:00:00UTC",
        "2026-05-05T00:00:60Z",     /* no leap second: not the end of a day */
        "2026-05-05T23:59:60Z",     /* nor of a month */
        "2016-12-31T23:59:60+01:00" /* nor in UTC */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        gint64 usec = 42;
        if (syncd_time_parse(texts[i], strlen(texts[i]), &usec))
            g_error("read: %s", texts[i]);
        g_assert_cmpint(usec, ==, 42);
    }
    gint64 usec;
    g_assert_false(syncd_time_parse("2026-05-05T00:00:00Z\0", 21, &usec));
}

static void writes(void)
{
    static const struct {
        guint64 ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {G_GUINT64_CONSTANT(1777939200000), "2026-05-05T00:00:00Z"},
        {G_GUINT64_CONSTANT(1709164800120), "2024-02-29T00:00:00.120Z"},
        {G_GUINT64_CONSTANT(253402300799999), "9999-12-31T23:59:59.999Z"},
        {G_MAXUINT64, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char text[SYNCD_TIME_SIZE];
        syncd_time_format_ms(cases[i].ms, text);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void what_is_written_reads_back(void)
{
    /* every day of thirteen centuries, each at another time of day */
    for (guint64 day = 0; day < 475000; day++) {
        guint64 ms = day * 86400000 + day * 7919 % 86400000;
        char text[SYNCD_TIME_SIZE];
        gint64 usec;
        syncd_time_format_ms(ms, text);
        g_assert_true(syncd_time_parse(text, strlen(text), &usec));
        g_assert_cmpint(usec, ==, (gint64)ms * 1000);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timestamp/reads", reads);
    g_test_add_func("/timestamp/refuses", refuses);
    g_test_add_func("/timestamp/writes", writes);
    g_test_add_func("/timestamp/what-is-written-reads-back", what_is_written_reads_back);
    return g_test_run();
}
