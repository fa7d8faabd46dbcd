/* What both kinds of repair plans say alike. */
#pragma once

#include "domain/repair-plan.h"

#define SYNCD_REPAIR_CHECKPOINT "last-known-good-generation"

/* What SYNCD_REPAIR_PURGE_PREVIEW is. */
#define SYNCD_PURGE_PREVIEW_KIND "purge-preview"
#define SYNCD_PURGE_PREVIEW_DONE                                                                   \
    "List what policy would allow to purge, with sizes and reasons. Nothing is deleted."
#define SYNCD_PURGE_PREVIEW_RESULT                                                                 \
    "The operator sees how much room a purge would make, and what it would cost."

/* `engine` NULL: the usual one. */
void syncd_repair_write_policy(SyncdJsonWriter *writer, const char *engine, bool destroys);
/* An element of `preconditions`. */
void syncd_repair_write_precondition(SyncdJsonWriter *writer, const char *id, const char *check);
/* Within `blocked_steps`: what would destroy needs more than a preview says. */
void syncd_repair_write_blocked(SyncdJsonWriter *writer);
/* All that comes behind the steps, the blocked ones too; `rollback` says how, or why not. */
void syncd_repair_write_after(SyncdJsonWriter *writer, bool available, const char *rollback);
