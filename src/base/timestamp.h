/*
 * Points in time as text: RFC 3339 in UTC, and back.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "2026-05-05T00:00:00Z", with milliseconds only when they are not zero. The buffer holds any year
 * to 9999. */
#define SYNCD_TIME_SIZE 32
void syncd_time_format_ms(guint64 ms, char ret_text[SYNCD_TIME_SIZE]);
/* RFC 3339 with a zone (Z or an offset), years 0001 to 9999; false for everything else.
 * Microseconds since 1970, digits beyond them dropped. A leap second is taken only where UTC may
 * have one, as the second after it. */
bool syncd_time_parse(const char *text, size_t size, gint64 *ret_usec);
