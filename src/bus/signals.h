/*
 * What everybody on the bus hears. One signal for the commits of a few milliseconds; changed
 * properties at most four times a second, and only those whose value is another one than was told
 * last. In the system instance signals carry numbers only, because every user of the machine can
 * listen.
 */
#pragma once

#include "bus/bus-private.h"

/* To be told with those before it. The types are words of a table, and stay. */
void syncd_signals_note_commit(SyncdBus *bus, const SyncdCommit *commit,
                               const char *const *event_types);
/* Tells all that was noted. Called at the pace of commits. */
void syncd_signals_tell_commits(SyncdBus *bus);
/* The PropertiesChanged that are due. Called at the bus's pace. */
void syncd_signals_tell_changes(SyncdBus *bus);
/* FindingsChanged, when there are more or fewer than it told last. Called at a slower pace. */
void syncd_signals_tell_findings(SyncdBus *bus);
/* A job has ended: its properties, then Finished. */
void syncd_signals_job_finished(SyncdObject *job);
