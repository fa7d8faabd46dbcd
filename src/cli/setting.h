/*
 * The value of --set=MEMBER=VALUE, as the contract of the record wants it: a text where a text is
 * wanted, whatever it looks like (`schema_version=1` is "1"), a list from words between commas.
 */
#pragma once

#include "domain/family.h"

#include <glib.h>

/* JSON text. Usage when the member can have no such value. */
char *syncd_setting_value(const SyncdFamily *family, const char *member, const char *text,
                          GError **error);
