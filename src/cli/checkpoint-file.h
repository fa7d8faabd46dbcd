/*
 * A checkpoint that somebody kept: a signed note, or the JSON document that holds one.
 */
#pragma once

#include "base/error.h"
#include "crypto/note.h"

#include <glib.h>

/* The note of a file; it was parsed, its signatures were not judged. */
char *syncd_checkpoint_read(const char *path, SyncdCheckpoint **ret_checkpoint, GError **error);
