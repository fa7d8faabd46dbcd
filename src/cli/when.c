#include "cli/when.h"

#include "base/timestamp.h"

#include <stdio.h>
#include <string.h>

char *syncd_when_local_usec(guint64 usec)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local((gint64)(usec / G_USEC_PER_SEC));
    return when != NULL ? g_date_time_format(when, "%Y-%m-%d %H:%M:%S") : g_strdup("-");
}

char *syncd_when_local(const char *rfc3339)
{
    gint64 usec;
    if (!syncd_time_parse(rfc3339, strlen(rfc3339), &usec) || usec < 0)
        return g_strdup(rfc3339);
    return syncd_when_local_usec((guint64)usec);
}

/* What ends a part of a sentence is no part of the time. */
char *syncd_when_local_within(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        size_t size = strlen(*word);
        while (size > 0 && strchr(".,:;)", (*word)[size - 1]) != NULL)
            size--;
        gint64 usec;
        if (!syncd_time_parse(*word, size, &usec) || usec < 0)
            continue;
        g_autofree char *local = syncd_when_local_usec((guint64)usec);
        char *said = g_strconcat(local, *word + size, NULL);
        g_free(*word);
        *word = said;
    }
    return g_strjoinv(" ", words);
}

static bool take(GDateTime *when, guint64 *ret_usec)
{
    if (when == NULL)
        return false;
    gint64 seconds = g_date_time_to_unix(when);
    g_date_time_unref(when);
    if (seconds < 0)
        return false;
    *ret_usec = (guint64)seconds * G_USEC_PER_SEC;
    return true;
}

/* 0 for what is not there. */
typedef struct {
    int year, month, day, hour, minute, second;
} Calendar;

static bool parse_calendar(const char *text, guint64 *ret_usec)
{
    Calendar c = {0};
    int date_end = 0;
    int time_end = 0;
    int second_end = 0;
    sscanf(text, "%4d-%2d-%2d%n%*1[ T]%2d:%2d%n:%2d%n", &c.year, &c.month, &c.day, &date_end,
           &c.hour, &c.minute, &time_end, &c.second, &second_end);
    int end = MAX(date_end, MAX(time_end, second_end));
    if (end == 0 || text[end] != '\0')
        return false;
    return take(g_date_time_new_local(c.year, c.month, c.day, c.hour, c.minute, c.second),
                ret_usec);
}

static bool parse_day(const char *text, guint64 now_usec, guint64 *ret_usec)
{
    bool yesterday = strcmp(text, "yesterday") == 0;
    if (!yesterday && strcmp(text, "today") != 0)
        return false;
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local((gint64)(now_usec / G_USEC_PER_SEC));
    g_autoptr(GDateTime) day = g_date_time_add_days(now, yesterday ? -1 : 0);
    return take(g_date_time_new_local(g_date_time_get_year(day), g_date_time_get_month(day),
                                      g_date_time_get_day_of_month(day), 0, 0, 0),
                ret_usec);
}

static bool parse_ago(const char *text, guint64 now_usec, guint64 *ret_usec)
{
    static const struct {
        char unit;
        guint64 seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end = NULL;
    guint64 number = g_ascii_isdigit(text[0]) ? g_ascii_strtoull(text, &end, 10) : 0;
    if (end == NULL || end[0] == '\0' || end[1] != '\0' || number > G_MAXUINT32)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (units[i].unit == end[0]) {
            guint64 unit = units[i].seconds * G_USEC_PER_SEC;
            *ret_usec = number <= now_usec / unit ? now_usec - number * unit : 0;
            return true;
        }
    return false;
}

bool syncd_when_parse(const char *text, guint64 now_usec, guint64 *ret_usec)
{
    gint64 usec;
    if (syncd_time_parse(text, strlen(text), &usec)) {
        *ret_usec = (guint64)MAX(usec, 0);
        return true;
    }
    if (strcmp(text, "now") == 0) {
        *ret_usec = now_usec;
        return true;
    }
    return parse_calendar(text, ret_usec) || parse_day(text, now_usec, ret_usec) ||
           parse_ago(text, now_usec, ret_usec);
}
