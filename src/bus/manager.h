/* What bus/signals.c needs to know of org.sourceos.Sync.Manager. */
#pragma once

#include "service/service.h"

#include <glib.h>

/* Names of the properties whose values differ, NULL-terminated. */
GPtrArray *syncd_manager_changed_properties(const SyncdState *before, const SyncdState *after);
