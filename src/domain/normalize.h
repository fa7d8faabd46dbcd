/*
 * From an observation of policy at work to the canonical event that tells of it.
 *
 * An observation names an explanation code. The code decides what the event says: an observation
 * that claims another result, outcome or risk than its code has, or a severity that the code does
 * not allow, is refused, as is one about an operation or a target that the code is not for.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_OBSERVATION_SCHEMA "sourceos.policy-observation.v0.1"
#define SYNCD_EVENT_V01_SCHEMA "sourceos.event.v0.1"

/* Appends the event, one JSON object; or adds what is wrong and returns false. Any value may be
 * given. */
bool syncd_observation_normalize(SyncdJson observation, gint64 now_usec, GString *out,
                                 GPtrArray *problems);
