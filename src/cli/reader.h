/*
 * `sourceos-syncd reader`: not a verb, and for nobody but the daemon, which begins it for each
 * workspace with a socket as descriptor 3. See reader/reader.h.
 */
#pragma once

#include <stdbool.h>

bool syncd_cli_is_reader(int argc, char **argv);
/* Returns the exit code. */
int syncd_cli_reader(void);
