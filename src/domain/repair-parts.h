/* What both kinds of repair plans say alike. */
#pragma once

#include "domain/repair-plan.h"

#define SYNCD_REPAIR_CHECKPOINT "last-known-good-generation"

/* `engine` NULL: the usual one. */
void syncd_repair_write_policy(SyncdJsonWriter *writer, const char *engine, bool destroys);
/* An element of `preconditions`. */
void syncd_repair_write_precondition(SyncdJsonWriter *writer, const char *id, const char *check);
/* All that comes behind the steps. */
void syncd_repair_write_after(SyncdJsonWriter *writer, const char *rollback);
