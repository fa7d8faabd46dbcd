/*
 * What is known of this run and of the one before it: when things happened.
 *
 * Some of it outlives the process, in `runtime.json` (docs/format.md 1), which is published whole
 * at the beginning of a run, when a verification accounted for the one before, and at a clean end.
 * It says whether the last run ended cleanly. It is no part of the log, and where it cannot be
 * written (the disk is full, the state takes no writing) everything else goes on; it is tried again
 * with the next of these occasions.
 *
 * A run that began after one that did not end cleanly is a dirty open. It is reported until a
 * verification that began after it found the log sound; then it is accounted for.
 */
#pragma once

#include "service/service.h"

/* Times in microseconds since 1970; 0: never, or not known. */
typedef struct {
    bool begun; /* a daemon runs; else somebody only looks at the state */
    bool unkept;
    char *previous_version; /* that ran before; NULL: not known */
    guint64 process_started, opened, ready;
    guint64 first_heartbeat;
    guint64 replay_started, replay_completed; /* of the index, up to the log */
    guint64 clean_end;                        /* of an earlier run */
    guint64 dirty_open;                       /* that is not accounted for */
    guint64 settled_open, settled;            /* the last one that is, and since when */
} SyncdRuntime;

/* Reads what was kept. */
void syncd_runtime_init(SyncdService *service);
void syncd_runtime_clear(SyncdRuntime *runtime);
/* A step of work: the loop answers. */
void syncd_runtime_beat(SyncdService *service);

/* A verification that found nothing accounts for a dirty open before it. */
void syncd_runtime_found_sound(SyncdService *service);
