/*
 * Whoever reads for long asks now and then whether to go on; whoever is asked can do meanwhile what
 * must not wait for so long.
 */
#pragma once

#include <stdbool.h>

/* False: enough, the reading ends with ECANCELED. */
typedef bool (*SyncdPauseFunc)(void *data);
