/*
 * An example for each kind of record: words that register one, whole, and in their order one after
 * the other. Messages about a record that is not right end with it.
 */
#pragma once

#include "cli/cli.h"
#include "domain/family.h"

/* "sourceos-syncd profiles register --set=…", as a shell takes it; NULL where no verb makes one. */
char *syncd_cli_register_example(const SyncdFamily *family);
/* Adds the example to what to do next, when it is the record that was wrong; names the verb that
 * registers what was missing, when something was. */
void syncd_cli_explain_record(const SyncdFamily *family, GError **error);
