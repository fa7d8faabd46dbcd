#include "base/timestamp.h"

#define USEC_PER_SEC G_GINT64_CONSTANT(1000000)

typedef struct {
    const char *at;
    const char *end;
} Reader;

/* Days since 1970-01-01 of a date of the Gregorian calendar. Years are counted from March, so that
 * the leap day is the last of its year. */
static gint64 days_from_date(int year, int month, int day)
{
    year -= month <= 2;
    int era = year / 400, year_of_era = year % 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (gint64)era * 146097 + day_of_era - 719468;
}

static void date_from_days(gint64 days, int *ret_year, int *ret_month, int *ret_day)
{
    gint64 shifted = days + 719468;
    int era = (int)(shifted / 146097), day_of_era = (int)(shifted % 146097);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * day_of_year + 2) / 153;
    *ret_day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *ret_month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *ret_year = era * 400 + year_of_era + (*ret_month <= 2);
}

static int days_in_month(int year, int month)
{
    static const guint8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Exactly `count` digits and what follows them; gives the place after that. */
static char *put_number(char *at, unsigned number, int count, char next)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        at[i] = (char)('0' + number % 10);
    at[count] = next;
    return at + count + 1;
}

void syncd_time_format_ms(guint64 ms, char ret_text[SYNCD_TIME_SIZE])
{
    /* 9999-12-31T23:59:59.999Z: nothing later can be written in RFC 3339. */
    ms = MIN(ms, G_GUINT64_CONSTANT(253402300799999));
    guint64 seconds = ms / 1000;
    unsigned of_day = (unsigned)(seconds % 86400), fraction = (unsigned)(ms % 1000);
    int year, month, day;
    date_from_days((gint64)(seconds / 86400), &year, &month, &day);

    char *at = put_number(ret_text, (unsigned)year, 4, '-');
    at = put_number(at, (unsigned)month, 2, '-');
    at = put_number(at, (unsigned)day, 2, 'T');
    at = put_number(at, of_day / 3600, 2, ':');
    at = put_number(at, of_day / 60 % 60, 2, ':');
    at = put_number(at, of_day % 60, 2, fraction != 0 ? '.' : 'Z');
    if (fraction != 0)
        at = put_number(at, fraction, 3, 'Z');
    *at = '\0';
}

/* Exactly `count` digits whose value is in the range. */
static bool read_number(Reader *reader, int count, int from, int to, int *ret_value)
{
    if (reader->end - reader->at < count)
        return false;
    int value = 0;
    for (int i = 0; i < count; i++, reader->at++) {
        if (!g_ascii_isdigit(*reader->at))
            return false;
        value = value * 10 + (*reader->at - '0');
    }
    *ret_value = value;
    return value >= from && value <= to;
}

static bool read_mark(Reader *reader, char mark)
{
    if (reader->at == reader->end || g_ascii_toupper(*reader->at) != mark)
        return false;
    reader->at++;
    return true;
}

static bool read_date(Reader *reader, gint64 *ret_days)
{
    int year, month, day;
    if (!read_number(reader, 4, 1, 9999, &year) || !read_mark(reader, '-') ||
        !read_number(reader, 2, 1, 12, &month) || !read_mark(reader, '-') ||
        !read_number(reader, 2, 1, days_in_month(year, month), &day))
        return false;
    *ret_days = days_from_date(year, month, day);
    return true;
}

/* Digits past microseconds are read and dropped. */
static bool read_fraction(Reader *reader, gint64 *ret_usec)
{
    *ret_usec = 0;
    if (!read_mark(reader, '.'))
        return true;
    const char *first = reader->at;
    gint64 unit = USEC_PER_SEC;
    for (; reader->at != reader->end && g_ascii_isdigit(*reader->at); reader->at++) {
        unit /= 10;
        *ret_usec += unit * (*reader->at - '0');
    }
    return reader->at != first;
}

static bool read_zone(Reader *reader, int *ret_minutes)
{
    int hours, minutes;
    if (read_mark(reader, 'Z')) {
        *ret_minutes = 0;
        return true;
    }
    bool west = read_mark(reader, '-');
    if ((!west && !read_mark(reader, '+')) || !read_number(reader, 2, 0, 23, &hours) ||
        !read_mark(reader, ':') || !read_number(reader, 2, 0, 59, &minutes))
        return false;
    *ret_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
    return true;
}

/* A leap second is the last of a month in UTC, whatever the zone it is written in. */
static bool may_be_leap_second(gint64 seconds)
{
    if (seconds % 86400 != 0)
        return false;
    int year, month, day;
    date_from_days(seconds / 86400, &year, &month, &day);
    return day == 1;
}

bool syncd_time_parse(const char *text, size_t size, gint64 *ret_usec)
{
    Reader reader = {text, text + size};
    gint64 days, fraction;
    int hour, minute, second, offset;
    if (!read_date(&reader, &days) || !read_mark(&reader, 'T') ||
        !read_number(&reader, 2, 0, 23, &hour) || !read_mark(&reader, ':') ||
        !read_number(&reader, 2, 0, 59, &minute) || !read_mark(&reader, ':') ||
        !read_number(&reader, 2, 0, 60, &second) || !read_fraction(&reader, &fraction) ||
        !read_zone(&reader, &offset) || reader.at != reader.end)
        return false;

    gint64 seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset * 60;
    if (second == 60 && !may_be_leap_second(seconds))
        return false;
    *ret_usec = seconds * USEC_PER_SEC + fraction;
    return true;
}
