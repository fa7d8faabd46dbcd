/*
 * Text from the log on a terminal.
 *
 * Whoever writes into the log must not steer the terminal of whoever reads it: control characters
 * (C0, DEL, C1), line breaks, characters that reorder or hide text, and bytes that are not UTF-8
 * are shown, not obeyed. In text they appear as <U+001B>; in JSON as an escape that means the same.
 */
#pragma once

#include "base/terminal.h"

#include <glib.h>
#include <stdbool.h>

/* `size` -1 takes the text to its NUL. */
void syncd_text_append_safe(GString *out, const char *text, gssize size);
char *syncd_text_safe(const char *text);
/* Checked JSON text. On one line, the line breaks between its values become spaces. */
void syncd_text_append_json(GString *out, const char *json, size_t size, bool one_line);
