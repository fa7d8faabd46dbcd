/*
 * Regular expressions of JSON Schema: ECMA-262 with the flag `u`, in the part that schemas use.
 *
 * A pattern is translated into PCRE2's language, so that both mean the same: `$` is the end of the
 * text only, `\d` and `\w` are ASCII, `\s` and `.` know the line ends and spaces of Unicode, and
 * what only PCRE2 knows (recursion, verbs, possessive quantifiers, options) is refused. Matching is
 * bounded: a first try with few steps, a second with many, which is charged as such, and no third.
 *
 * A pattern keeps its scratch memory: one thread may use it at a time.
 */
#pragma once

#include "base/error.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_PATTERN_MAX_SIZE 4096u

typedef struct SyncdPattern SyncdPattern;

/* InvalidContract when it is no pattern of the language, too long or too large. */
SyncdPattern *syncd_pattern_new(const char *text, size_t size, GError **error);
void syncd_pattern_free(SyncdPattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPattern, syncd_pattern_free)

/* Bytes that it takes, compiled. */
size_t syncd_pattern_size(const SyncdPattern *pattern);

/* True when it is found anywhere in the text, which is valid UTF-8. What it cost is taken from
 * *budget; a match that is given up takes all of it. */
bool syncd_pattern_matches(const SyncdPattern *pattern, const char *text, size_t size,
                           gint64 *budget);
/* Whether the text is a pattern: the format `regex`. */
bool syncd_pattern_is(const char *text, size_t size);
