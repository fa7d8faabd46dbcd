/*
 * What everybody on the bus hears. One signal a commit; changed properties at most four times a
 * second, and only those whose value is another one than was told last. In the system instance
 * signals carry numbers only, because every user of the machine can listen.
 */
#pragma once

#include "bus/bus-private.h"

void syncd_signals_committed(SyncdBus *bus, const SyncdCommit *commit,
                             const char *const *event_types);
/* The PropertiesChanged that are due. Called at the bus's pace. */
void syncd_signals_tell_changes(SyncdBus *bus);
/* A job has ended: its properties, then Finished. */
void syncd_signals_job_finished(SyncdObject *job);
