/*
 * Making an evidence envelope of what --file, --type and --subject say.
 */
#pragma once

#include "cli/cli.h"

#include <glib.h>

/* Appends the envelope, one JSON object. */
bool syncd_envelope_make(SyncdCli *cli, GString *out, GError **error);
