/*
 * The configuration: one table of keys, read from syncd.conf and the drop-ins syncd.conf.d/
 * beside it, in the order of their names; the last assignment counts.
 *
 * A mistake (an unknown group or key, a bad value, a line that is none) is reported with file and
 * line, and what it would have set stays as it was: the daemon starts nevertheless, and
 * `daemon --check-config` fails.
 */
#pragma once

#include "base/log.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    SyncdLogLevel log_level;
    guint32 reserve_mib;
    guint32 calls_in_flight;
    guint32 repair_automatic; /* a bit for each repair kind, by its place in their table */
} SyncdConfig;

void syncd_config_init(SyncdConfig *config); /* the defaults */
/* `name` is what the mistakes call the text; they are added to `mistakes` (char *). */
void syncd_config_read_text(SyncdConfig *config, const char *name, const char *text,
                            GPtrArray *mistakes);
/* A file that must be there. */
bool syncd_config_read_file(SyncdConfig *config, const char *path, GPtrArray *mistakes,
                            GError **error);
/* syncd.conf and drop-ins of a directory, as far as they are there. */
void syncd_config_read_directory(SyncdConfig *config, const char *directory, GPtrArray *mistakes);
/* What is in effect, as a file. */
char *syncd_config_to_text(const SyncdConfig *config);
/* Names of repair kinds: free the array, not the names. */
const char **syncd_config_automatic(const SyncdConfig *config);
