/*
 * What was found of a workspace's files, gathered into documents and written to the log.
 *
 * What was checked, is ignored, deleted, changed and new are documents of their own, written in
 * this order, so that a name is free before it is taken. An entry has one actor, so what several
 * did is in documents of their own too: of whose instance it is, of one agent at a time, and of
 * nobody who can be named. A document goes out when it is full, when another agent comes, or when
 * syncd_recorder_flush() is called; only then the files in it have their numbers. An agent who may
 * not write any more by then is nobody who can be named.
 *
 * A document is in the turn in which it was written, and of every such turn is told whether it is
 * durable: there may be several until what was begun is done.
 */
#pragma once

#include "workspace/keeping.h"

typedef struct SyncdRecorder SyncdRecorder;

typedef struct {
    void *data;
    /* A folder that is in the log now, to be looked into. */
    void (*folder)(void *data, guint64 id, const char *object, const char *path);
    /* A turn with something of it was committed, or lost. */
    void (*settled)(void *data, const GError *error);
} SyncdRecorderListener;

/* Service and root are borrowed. */
SyncdRecorder *syncd_recorder_new(SyncdService *service, const SyncdRoot *root,
                                  const SyncdRecorderListener *listener);
void syncd_recorder_free(SyncdRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRecorder, syncd_recorder_free)

/* What became known by a scan, or by being watched: SYNCD_FOUND_SCAN, SYNCD_FOUND_WATCH. */
void syncd_recorder_set_found(SyncdRecorder *recorder, const char *found);
/* `author` is the id of the actor who did it, NULL for whose instance it is. `kept` is taken over,
 * also on failure; NULL where nothing is to be said of the content. `path` of a folder that is to
 * be looked into, NULL for none. */
bool syncd_recorder_create(SyncdRecorder *recorder, const char *author, SyncdFileChange *change,
                           const SyncdFileStat *stat, SyncdKept *kept, const char *path,
                           GError **error);
/* Versions that the workspace's rule keeps no longer are dropped with it. */
bool syncd_recorder_change(SyncdRecorder *recorder, const char *author, guint64 file,
                           SyncdFileChange *change, const SyncdFileStat *stat, SyncdKept *kept,
                           GError **error);
/* What the rule keeps no longer of a file once it has a version after this one. */
bool syncd_recorder_find_dropped(SyncdRecorder *recorder, guint64 file, guint64 version,
                                 GArray *dropped, GError **error);
bool syncd_recorder_delete(SyncdRecorder *recorder, const char *author, guint64 file,
                           GError **error);
/* By whoever made the rules: nobody is asked who that was. */
bool syncd_recorder_ignore(SyncdRecorder *recorder, guint64 file, GError **error);
/* What was found in one that nothing said had changed: other bytes than were recorded, or those
 * again. */
bool syncd_recorder_check(SyncdRecorder *recorder, guint64 file, const SyncdFileStat *stat,
                          const SyncdHash *hash, GError **error);
bool syncd_recorder_flush(SyncdRecorder *recorder, GError **error);
/* All that was flushed is durable. */
bool syncd_recorder_is_settled(const SyncdRecorder *recorder);

typedef struct {
    guint64 created, changed, deleted; /* what is ignored has changed */
} SyncdRecorded;

/* Since it was made. */
SyncdRecorded syncd_recorder_count(const SyncdRecorder *recorder);

SyncdFileSeen syncd_file_seen(const SyncdFileStat *stat);
/* As it is recorded. `object` of it and of its folder are not known here. */
SyncdFileChange syncd_file_change(const SyncdFileStat *stat, SyncdBytes folder, SyncdBytes name,
                                  SyncdBytes target, const SyncdHash *hash);
