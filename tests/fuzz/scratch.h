/*
 * What targets need that keep state: a directory that goes with the process, and clocks and chance
 * that are the same in every run.
 */
#pragma once

#include "base/sources.h"

/* The same one each time. It is removed when the process ends by itself. */
const char *scratch_directory(void);
const SyncdSources *scratch_sources(void);
