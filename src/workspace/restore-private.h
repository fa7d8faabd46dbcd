/* A file that is being brought back: restore.c goes through its steps, restore-folder.c finds and
 * makes the way to it. */
#pragma once

#include "workspace/workspace-private.h"

typedef enum {
    SYNCD_RESTORE_LOCATE,
    SYNCD_RESTORE_MAKE,
    SYNCD_RESTORE_ENTER,
    SYNCD_RESTORE_LOOK,
    SYNCD_RESTORE_CHECK,
    SYNCD_RESTORE_COPY,
    SYNCD_RESTORE_SEND,
    SYNCD_RESTORE_PLACE,
    SYNCD_RESTORE_RECORD
} SyncdRestoreStage;

struct SyncdRestoring {
    SyncdWorkspace *workspace; /* NULL: it has ended before the commit */
    SyncdRestore *what;
    SyncdRestoreStage stage;
    guint32 request;    /* that puts something in place */
    bool commits;       /* what it did last, and is told whether that is durable */
    SyncdFolder folder; /* that it goes to, or the deepest on the way that is there */
    guint depth;        /* how many on the way are … */
    guint tried;        /* … when the next one was to be made last, and one more */
    char *missing;      /* its name */
    SyncdFolder made;   /* the last one that was made; no path: none was */
    guint64 file;       /* what is there; 0: nothing */
    guint64 version;    /* that it is afterwards */
    bool accepted;      /* what was there became a version on the way */
    guint64 chunk;      /* the next one to be sent */
    GBytes *kept;       /* what comes back, where that is not in chunks */
    char *operation;
    SyncdRestoreDone done;
    void *data;
};

void syncd_restoring_free(SyncdRestoring *restoring);
/* End it: nothing is in its place, and what is there is not what was shown. */
void syncd_restoring_fail(SyncdWorkspace *workspace, SyncdErrorCode code, const char *next,
                          const char *why);
void syncd_restoring_fail_stale(SyncdWorkspace *workspace);
/* It is done, and ends with the commit: what the file is now was seen by that entry. */
void syncd_restoring_wait(SyncdWorkspace *workspace, guint64 file, guint64 pos,
                          const SyncdFileStat *stat);

/* restore-folder.c */
/* Finds the folder that it goes to, and has the next one on the way made that is not there. */
bool syncd_restoring_locate(SyncdWorkspace *workspace, bool *ret_more, GError **error);
/* The one that the reader has made is recorded … */
bool syncd_restoring_enter(SyncdWorkspace *workspace, const SyncdFileStat *stat, GError **error);
/* … or was there: somebody else has made it meanwhile, and that is his. */
void syncd_restoring_take_made(SyncdWorkspace *workspace);
