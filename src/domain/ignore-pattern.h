/*
 * One pattern of gitignore(5), compiled.
 *
 * It says the same as git does: `*` and `?` and a `[...]` never are a "/", `**` between slashes is
 * any number of folders, a backslash takes away what the byte behind it would mean. Names are
 * bytes, and a class such as [[:alpha:]] has ASCII only. A pattern that cannot be understood, as a
 * bracket that is never closed, matches nothing.
 *
 * Matching never goes back further than to the last star and the last `**`, so that its time is at
 * most the product of the two lengths; whoever calls gives it a number of steps, and one that has
 * used them up matches nothing.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdIgnorePattern SyncdIgnorePattern;

/* `text` is without "!", and without the "/" before and behind it. With `is_path` it is about a
 * path, without it about one name. NULL: it matches nothing. */
SyncdIgnorePattern *syncd_ignore_pattern_new(SyncdBytes text, bool is_path);
void syncd_ignore_pattern_free(SyncdIgnorePattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdIgnorePattern, syncd_ignore_pattern_free)

/* `*steps` goes down by what it took, to 0 at the least. */
bool syncd_ignore_pattern_matches(const SyncdIgnorePattern *pattern, SyncdBytes text,
                                  guint32 *steps);
