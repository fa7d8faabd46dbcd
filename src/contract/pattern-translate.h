/*
 * From ECMA-262's regular expressions to PCRE2's: the same meaning in the other language.
 *
 * Private to the patterns.
 */
#pragma once

#include "base/error.h"

#include <glib.h>

/* NULL with InvalidContract when the text is not of the language. `text` is valid UTF-8. */
GString *syncd_pattern_translate(const char *text, size_t size, GError **error);
