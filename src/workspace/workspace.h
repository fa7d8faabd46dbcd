/*
 * A workspace: one directory, and the log that says the same as what is there.
 *
 * It asks its reader (workspace/process.h) what lies in the directory, holds that against what the
 * log has (store/files.h) and records the difference. First it looks into every folder, and has it
 * watched from before that on; from then on it looks at what it is told of. Either way a name is
 * compared as it is found, and what is missing is judged only when nothing is left to be looked at:
 * by then it is known whether it was renamed.
 *
 * A file is known to be unchanged by its inode, size and times; one that has others is read, and is
 * another version only when its bytes are. What is written into a file that stays open is looked at
 * some seconds later. Symlinks are recorded and never followed.
 *
 * What is ignored (domain/ignore.h) is not looked at, and an ignored folder not looked into. A file
 * that was recorded and is ignored now is recorded as that, which is no deletion; once it is not
 * ignored any more it comes back as what it was. A folder whose ignore file may have changed is
 * looked into before anything else, with all that is in it.
 *
 * What deletes more than a hundred files, or a third of the workspace, within a minute is not
 * recorded: the workspace is paused (the root's record says so) and somebody has to decide. One
 * whose directory is not there, or is another one than it was, is left alone.
 *
 * A file whose bytes are not those of its record, although its inode, size and times are as they
 * were when it was read, was not changed by anybody who said so. It is found when it is read for
 * another reason, or by a deep scan, which reads everything while there is nothing else to do; it
 * is recorded as that, and its record stays what it was.
 *
 * When its reader ends, or what it wrote was not committed, it has failed: it does nothing more,
 * and is to be made anew.
 */
#pragma once

#include "domain/ignore.h"
#include "service/files.h"
#include "workspace/process.h"

typedef struct SyncdWorkspace SyncdWorkspace;

#define SYNCD_WORKSPACE_DELETIONS_MAX 100u
#define SYNCD_WORKSPACE_DELETIONS_MIN 3u /* fewer never pause it, however small it is */
#define SYNCD_WORKSPACE_DELETIONS_USEC (60u * G_USEC_PER_SEC)
/* What is still being written, or cannot be read at the moment, is looked at after so long. */
#define SYNCD_WORKSPACE_LATER_USEC (5u * G_USEC_PER_SEC)

typedef enum {
    SYNCD_WORKSPACE_SCANNING,
    SYNCD_WORKSPACE_WATCHING, /* nothing is left to be looked at */
    SYNCD_WORKSPACE_MISSING,  /* its directory is not there, or another one is */
    SYNCD_WORKSPACE_PAUSED,
    SYNCD_WORKSPACE_FAILED,
} SyncdWorkspaceState;

typedef struct {
    SyncdWorkspaceState state;
    const char *reason;                /* why it is as it is, NULL when there is nothing to say */
    guint64 folders;                   /* looked into by the present scan or the last one */
    guint64 waiting;                   /* what is known and not looked at yet */
    guint64 created, changed, deleted; /* recorded since it was made */
    bool durable;                      /* some of that */
    guint64 skipped;                   /* devices, pipes, sockets, what is mounted there */
    guint64 unreadable;
    guint64 ignored; /* names, each folder as it was looked into last; none beneath such a one */
    guint64 unruled; /* rules that do not hold: of so many folders, and the shared ones */
    struct {
        bool running;
        guint64 files, bytes; /* that were read by it … */
        guint64 to_read;      /* … of so many bytes */
        guint64 differing;    /* of the files */
    } deep;                   /* the deep scan, or the last one */
    bool unwatched; /* some folders are not watched: their changes are found by the next scan */
} SyncdWorkspaceStanding;

/* Takes root and process over. Begins to scan. The folder `hidden`, by its device and inode, is
 * never looked into. `changed` is called whenever its standing or syncd_workspace_due() may be
 * another one; it may not free the workspace. */
SyncdWorkspace *syncd_workspace_new(SyncdService *service, SyncdRoot *root,
                                    SyncdReaderProcess *process, const SyncdFileStat *hidden,
                                    void (*changed)(void *data), void *data);
void syncd_workspace_free(SyncdWorkspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdWorkspace, syncd_workspace_free)

int syncd_workspace_fd(const SyncdWorkspace *workspace);
short syncd_workspace_events(const SyncdWorkspace *workspace); /* to poll for */
/* What the reader has said is taken in. */
void syncd_workspace_dispatch(SyncdWorkspace *workspace);
/* When syncd_workspace_tick() is to be called; G_MAXUINT64 for never. */
guint64 syncd_workspace_due(const SyncdWorkspace *workspace);
void syncd_workspace_tick(SyncdWorkspace *workspace);
/* Looks into every folder once more. */
void syncd_workspace_scan(SyncdWorkspace *workspace);
/* Looks into every folder once more, and then reads every file: `standing.deep.running` from now
 * on. */
void syncd_workspace_scan_deep(SyncdWorkspace *workspace);
/* The shared ignore rules are these from now on. */
void syncd_workspace_set_rules(SyncdWorkspace *workspace, const char *text);
/* All that it knows; of files in folders that have been looked into. */
const SyncdIgnore *syncd_workspace_rules(const SyncdWorkspace *workspace);
/* Ends a scan after the folders that are being looked into, and a deep one at once. The rest is not
 * watched until the next one, which comes by itself after a while. */
void syncd_workspace_cancel_scan(SyncdWorkspace *workspace);
/* What the next scan finds missing was meant to be deleted, however much it is. */
void syncd_workspace_accept_deletions(SyncdWorkspace *workspace);
/* `result` is a JSON object, NULL when `error` says why it was not restored. */
typedef void (*SyncdRestoreDone)(void *data, const char *result, const GError *error);
/* Not while it is at it already, or is not being recorded. */
bool syncd_workspace_may_restore(const SyncdWorkspace *workspace);
/* Takes `what` over, when it may. */
void syncd_workspace_restore(SyncdWorkspace *workspace, SyncdRestore *what, SyncdRestoreDone done,
                             void *data);
/* Whether something is being put in place or recorded at this moment: it is done whole, or not at
 * all, and that is known soon, as the reader is told to do it no more. */
bool syncd_workspace_hurry_restore(SyncdWorkspace *workspace);
void syncd_workspace_standing(const SyncdWorkspace *workspace,
                              SyncdWorkspaceStanding *ret_standing);
