/*
 * The value of --set=MEMBER=VALUE, as the contract of the record wants it: a text where a text is
 * wanted, whatever it looks like (`schema_version=1` is "1"), a list from words between commas.
 *
 * A member that the contract does not know is kept as it is said, unless it is nearly the name of
 * one that it knows. Objects have members of their own, whatever they are near to.
 */
#pragma once

#include "domain/family.h"

#include <glib.h>

/* JSON text. Usage when the member can have no such value, or was meant to be another one. */
char *syncd_setting_value(const SyncdFamily *family, const char *member, const char *text,
                          GError **error);
