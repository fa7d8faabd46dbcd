/*
 * Scopes as people write them: "device", or a class and a name, "workspace:notes". One grammar for
 * requests, records and rules of policy.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_SCOPE_NAME_MAX 64u

/* Takes one apart; both results point into constants or `text`. InvalidContract. */
bool syncd_scope_parse(const char *text, const char **ret_class, const char **ret_name,
                       GError **error);
