/*
 * Canonical JSON: one spelling of every document, so that a digest of it means its content.
 *
 * Keys sorted by code point, no spaces, ASCII only with lower-case \u escapes, integers in full,
 * numbers written with fraction or exponent as the shortest double that reads back the same.
 * docs/format.md has the rule in full.
 */
#pragma once

#include "base/json.h"

#include <glib.h>

/* Appends the canonical text of a value of checked text. */
void syncd_canonical_append(GString *out, SyncdJson value);
/* The same with ", " and ": " as separators: the spelling some derived ids are computed from. */
void syncd_canonical_append_spaced(GString *out, SyncdJson value);
/* True when the checked text already is its own canonical form. One pass, no allocation. */
bool syncd_canonical_is(const char *text, size_t size);

#define SYNCD_CANONICAL_DOUBLE_SIZE 32
/* Writes the canonical spelling and a NUL, and returns its length; 0 when the value is not finite
 * and has none. */
size_t syncd_canonical_format_double(double value, char ret_text[SYNCD_CANONICAL_DOUBLE_SIZE]);
