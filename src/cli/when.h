/*
 * Points in time, as people write and read them.
 *
 * Printed in local time; JSON has RFC 3339 in UTC.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "2026-05-05 09:30:00" in local time; the text itself when it is no RFC 3339 time. */
char *syncd_when_local(const char *rfc3339);
char *syncd_when_local_usec(guint64 usec);
/* The same for each such time that is a word of a text. */
char *syncd_when_local_within(const char *text);
/* RFC 3339 with a zone; "YYYY-MM-DD", with or without "HH:MM" or "HH:MM:SS", in local time; "now",
 * "today", "yesterday"; or a number and s, m, h, d or w: that long ago. Microseconds since 1970. */
bool syncd_when_parse(const char *text, guint64 now_usec, guint64 *ret_usec);
