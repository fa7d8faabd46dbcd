/* A workspace's inside, shared by the files that make it up. */
#pragma once

#include "workspace/recorder.h"
#include "workspace/workspace.h"

/* A folder that exists in the log. */
typedef struct {
    guint64 id;
    char object[SYNCD_FILE_ID_SIZE];
    char *path;
    bool fresh; /* nothing of what is in it is in the log yet */
} SyncdFolder;

/* A question that is out. */
typedef struct {
    guint32 request;
    SyncdWireType type;
    SyncdFolder folder; /* of LIST the one to look into, of LOOK the one with the name */
    bool hashing;       /* the digest is asked for too */
    GArray *found;      /* of LIST: the numbers (guint64) of what is still there */
} SyncdQuestion;

/* A name that something was told of. */
typedef struct {
    guint64 folder;
    size_t size;
    char name[];
} SyncdDirty;

/* What may have come from elsewhere in the workspace. */
typedef struct {
    guint64 file; /* that it would be */
    SyncdFolder folder;
    SyncdBytes name, target; /* owned */
    SyncdFileStat stat;
    bool hashed;
    SyncdHash hash;
} SyncdArrival;

/*
 * Work goes in rounds: what is to be looked at is asked for; what is found is compared as it comes;
 * when nothing is left, what is missing is judged, and all is committed. Only then the next round
 * begins, so that every comparison knows all that was recorded before.
 */
struct SyncdWorkspace {
    SyncdService *service;
    SyncdRoot *root;
    SyncdReaderProcess *process;
    char *hidden; /* path of what is never looked into; NULL: nothing */
    SyncdRecorder *recorder;
    GQueue questions;  /* SyncdQuestion, in the order of their answers */
    GArray *folders;   /* SyncdFolder: to be looked into, the next one last */
    GHashTable *dirty; /* SyncdDirty, a set: for the next round */
    GArray *missing;   /* guint64: files that are not where they were */
    GArray *arrivals;  /* SyncdArrival */
    GArray *departed;  /* when how many were deleted, within the last minute */
    SyncdWorkspaceStanding standing;
    bool in_round;
    bool opened;               /* the reader has the directory … */
    SyncdFileStat own;         /* … which was this then */
    bool accepts;              /* what is missing was meant to be deleted */
    bool rescan;               /* the next round looks into every folder */
    struct SyncdWaiter *waits; /* for the commit of the last round; NULL: for none */
};

void syncd_folder_clear(SyncdFolder *folder);
SyncdFolder syncd_folder_copy(const SyncdFolder *folder);
/* To be looked into. */
void syncd_workspace_add_folder(SyncdWorkspace *workspace, guint64 id, const char *object,
                                const char *path, bool fresh);
/* Asks for one name, perhaps with its digest. */
void syncd_workspace_look(SyncdWorkspace *workspace, const SyncdFolder *folder, SyncdBytes name,
                          bool hashing);

/* compare.c: one name in a folder, as it was found. */
bool syncd_workspace_compare(SyncdWorkspace *workspace, SyncdQuestion *question,
                             const SyncdWireMessage *found, GError **error);

/* departures.c: nothing is left to be looked at: what is missing was renamed or deleted. */
bool syncd_workspace_judge_missing(SyncdWorkspace *workspace, GError **error);
void syncd_arrival_clear(SyncdArrival *arrival);
GArray *syncd_departures_new(void);
