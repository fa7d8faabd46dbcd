/*
 * Paths as text: absolute, without "." and "..", and without a slash at the end.
 */
#pragma once

#include <stdbool.h>

/* How a path goes on from a folder: "" when it is the folder, NULL when it does not lie in it.
 * Borrows from `path`. */
const char *syncd_path_below(const char *path, const char *folder);
/* Whether it is the folder or lies in it. */
bool syncd_path_lies_in(const char *path, const char *folder);
