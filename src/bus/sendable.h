/*
 * What the bus carries: libsystemd takes and gives no text with one of Unicode's noncharacters, and
 * whoever sends something that is no UTF-8 is thrown out by the bus.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether the text can be sent as it is. */
bool syncd_is_sendable(const char *text);
/* The same text with each noncharacter as an escape of JSON ("\ufffe"), so that a JSON document
 * stays the same one, and with U+FFFD for each byte of what is no UTF-8. Newly allocated. */
char *syncd_sendable(const char *text);
