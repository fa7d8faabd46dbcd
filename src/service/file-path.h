/*
 * Paths of files within their workspace: bytes, names with "/" between them, "" for the workspace
 * itself. They are bounded, as every path that a reader is given is.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

#define SYNCD_FILE_PATH_MAX (32u * 1024u)

/* The next name of a path, which loses it; false at its end. */
bool syncd_file_path_take(SyncdBytes *path, SyncdBytes *ret_name);
/* Whether it has one spelling alone: no name is empty, "." or "..", or longer than names are. */
bool syncd_file_path_is(SyncdBytes path);
/* InvalidArgs. */
bool syncd_file_path_check(SyncdBytes path, GError **error);
