/*
 * Text for people, in their language. JSON, names and messages of the daemon stay English.
 */
#pragma once

#include <libintl.h>

#define _(text) gettext(text)
#define N_(text) (text) /* marks the text of a table, translated where it is printed */
