/*
 * Text from the log on a terminal.
 *
 * Whoever writes into the log must not steer the terminal of whoever reads it: control characters
 * (C0, DEL, C1), line breaks, characters that reorder or hide text, and bytes that are not UTF-8
 * are shown, not obeyed. In text they appear as <U+001B>; in JSON as an escape that means the same.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* `size` -1 takes the text to its NUL. */
void syncd_text_append_safe(GString *out, const char *text, gssize size);
char *syncd_text_safe(const char *text);
/* Checked JSON text. On one line, the line breaks between its values become spaces. */
void syncd_text_append_json(GString *out, const char *json, size_t size, bool one_line);
/* Columns that safe text takes on a terminal. */
size_t syncd_text_width(const char *text);
/* Appends spaces until `out`, from the byte `start` on, is `width` columns wide. */
void syncd_text_pad(GString *out, size_t start, size_t width);
/* Appends safe text whose first character comes at the column `at`, broken at spaces so that no
 * line is wider than `width`; what is broken off begins at the column `indent`. A word is never
 * broken, be it wider than all of it: the first one, too, has a line of its own where there is no
 * room behind what is there. A `width` of 0 breaks nothing. */
void syncd_text_wrap(GString *out, const char *text, size_t at, size_t indent, size_t width);
