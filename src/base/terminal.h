/*
 * What is written for whoever reads it at a terminal: how wide that is, where lines are broken, and
 * words that a shell takes as they stand.
 *
 * Text is safe when it is UTF-8 and nothing in it steers the terminal (cli/text.h).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Columns; 0 of what is no terminal, or knows no size. */
unsigned syncd_terminal_width(int fd);
/* As a shell takes it: quoted where it has to be. */
char *syncd_shell_word(const char *text);

/* Columns that safe text takes on a terminal. */
size_t syncd_text_width(const char *text);
/* Appends spaces until `out`, from the byte `start` on, is `width` columns wide. */
void syncd_text_pad(GString *out, size_t start, size_t width);
/* Appends safe text whose first character comes at the column `at`, broken at spaces so that no
 * line is wider than `width`; what is broken off begins at the column `indent`. A word is never
 * broken, be it wider than all of it: the first one, too, has a line of its own where there is no
 * room behind what is there. A command between ` is one word, but for where a shell goes on in the
 * next line: behind && and ;. A `width` of 0 breaks nothing. */
void syncd_text_wrap(GString *out, const char *text, size_t at, size_t indent, size_t width);
