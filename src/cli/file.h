/*
 * Files that a person names on the command line.
 */
#pragma once

#include "base/error.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

/* "-" is standard input. TooLarge beyond `max`. The result ends in a NUL that is not counted. */
char *syncd_file_read(const char *path, size_t max, size_t *ret_size, GError **error);
/* The digest of its bytes, however many; "-" is standard input. */
bool syncd_file_hash(const char *path, SyncdHash *ret_hash, GError **error);
/* Publishes the whole text or nothing. */
bool syncd_file_write(const char *path, const char *text, size_t size, GError **error);
/* Publishes a new file that only its owner reads; one that is there already stays, and is no error.
 */
bool syncd_file_create(const char *path, const char *text, size_t size, bool *ret_existed,
                       GError **error);
