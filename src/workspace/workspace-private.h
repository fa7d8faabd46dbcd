/* A workspace's inside, shared by the files that make it up. */
#pragma once

#include "domain/ignore.h"
#include "workspace/keeping.h"
#include "workspace/names.h"
#include "workspace/recorder.h"
#include "workspace/workspace.h"

/* A folder that exists in the log. */
typedef struct {
    guint64 id;
    char object[SYNCD_FILE_ID_SIZE];
    char *path;
    bool fresh;   /* nothing of what is in it is in the log yet */
    bool hashing; /* all its files are to be read */
} SyncdFolder;

/* A question that is out. */
typedef struct {
    guint32 request;
    SyncdWireType type;
    SyncdFolder folder; /* of LIST the one to look into, of LOOK the one with the name */
    bool hashing;       /* the digest is asked for too */
    bool deep;          /* … though nothing says that it has changed: deep.c */
    bool copying;       /* … and the bytes, which are about to be replaced: copying.c */
    GArray *found;      /* of LIST: the numbers (guint64) of what is still there */
    guint unread;       /* of LIST: files that have to be read */
    guint ignored;      /* of LIST: names that are ignored */
} SyncdQuestion;

/* What may have come from elsewhere in the workspace. */
typedef struct {
    SyncdFolder folder;
    SyncdBytes name, target; /* owned */
    SyncdFileStat stat;
    bool hashed;
    SyncdHash hash;
    SyncdKept *kept;
    bool unread;    /* it cannot be read now: it is recorded only as what it was */
    bool replaces;  /* something of another kind is by that name in the log */
    guint64 origin; /* what it was, once that is judged; 0: it is new */
} SyncdArrival;

typedef struct SyncdCopying SyncdCopying;
typedef struct SyncdRestoring SyncdRestoring;
typedef struct SyncdDeep SyncdDeep;
typedef struct SyncdLineage SyncdLineage;

typedef enum {
    SYNCD_PASS_NONE,
    SYNCD_PASS_ROOT,    /* its directory is being opened */
    SYNCD_PASS_NAMES,   /* what it was told of is looked at */
    SYNCD_PASS_FOLDERS, /* folders are looked into */
} SyncdPass;

/*
 * Work goes in passes, and a pass begins when all that the one before recorded is durable: so
 * everything that is compared is compared with all that is known. Within a pass a name is looked at
 * once, and what is told of it meanwhile is for the next one. A new folder alone is looked into in
 * the pass that found it, as nothing in it can be known.
 *
 * When there is neither a name nor a folder to look at, what has come and what is missing is
 * judged.
 */
struct SyncdWorkspace {
    SyncdService *service;
    SyncdRoot *root;
    SyncdReaderProcess *process;
    SyncdRecorder *recorder;
    SyncdKeeping *keeping; /* of the file that is told of next */
    SyncdFileStat hidden;
    void (*changed)(void *data);
    void *data;

    SyncdPass pass;
    bool whole;          /* a pass of folders that began with the workspace's own … */
    bool cancelled;      /* … and ends with those that are asked for */
    GQueue questions;    /* SyncdQuestion, in the order of their answers */
    GHashTable *looking; /* names of this pass that are not asked for yet */
    GHashTable *names;   /* for the next one */
    GHashTable *later;   /* names for the one at `later_at` */
    GArray *folders; /* SyncdFolder: of this pass that are not asked for yet, the next one last */
    GArray *next_folders; /* for the next one */
    GHashTable *listed;   /* numbers of those that were in either, unless all are */
    GHashTable *unlinked; /* numbers of folders that are no longer watched */
    GHashTable *linked;   /* inodes of this pass whose other names are to be looked at */
    guint name_passes;    /* since something was judged */

    GHashTable *missing;       /* numbers of files that are not where they were */
    GHashTable *arrivals;      /* name -> SyncdArrival */
    SyncdRestoring *restoring; /* restore.c: NULL for none */
    SyncdCopying *copying;     /* copying.c: NULL for none */
    SyncdDeep *deep;           /* deep.c: NULL for none */
    size_t held;               /* bytes of content that wait with them, or did */
    GHashTable *troubles;      /* names that cannot be read */
    /* Numbers of files that are ignored, and are not in the log as that yet. */
    GHashTable *ignoring;
    GHashTable *ignored; /* number of a folder -> how many names in it are ignored */
    SyncdIgnore *rules;  /* as the reader has them */
    GHashTable *unruled; /* paths of folders with rules that do not hold */
    bool unshared;       /* the shared ones do not hold */
    bool ruled;          /* some rules have changed: folders come before names */
    GArray *departed;    /* when how many were deleted, within the last minute */

    SyncdWorkspaceStanding standing;
    bool busy;          /* it is at work, whoever calls */
    bool opened;        /* the reader has the directory … */
    SyncdFileStat own;  /* … which was this then */
    bool accepts;       /* what is missing was meant to be deleted */
    bool rescan;        /* every folder is to be looked into … */
    bool lost;          /* … but not too soon after the last time */
    guint64 scanned_at; /* when that was done */
    guint64 later_at;
};

/* For the sets of numbers. */
#define SYNCD_NUMBER(id) GSIZE_TO_POINTER(id)

void syncd_folder_clear(SyncdFolder *folder);
SyncdFolder syncd_folder_copy(const SyncdFolder *folder);
/* The path of a name in it. */
char *syncd_folder_path(const SyncdFolder *folder, SyncdBytes name);

/* ask.c: what is to be looked at, and asking for it. */

/* To be looked into, in this pass or the next. */
void syncd_workspace_add_folder(SyncdWorkspace *workspace, guint64 id, const char *object,
                                const char *path, bool fresh);
void syncd_workspace_add_name(SyncdWorkspace *workspace, guint64 folder, SyncdBytes name,
                              bool hashing);
void syncd_workspace_add_later(SyncdWorkspace *workspace, guint64 folder, SyncdBytes name);
/* The folder itself by its name, to be looked into wherever it is found. */
bool syncd_workspace_add_unlinked(SyncdWorkspace *workspace, guint64 folder, bool later,
                                  GError **error);
/* Asks for one name, perhaps with its digest. */
void syncd_workspace_look(SyncdWorkspace *workspace, const SyncdFolder *folder, SyncdBytes name,
                          bool hashing);
/* The same, only to see whether it is what was recorded. */
void syncd_workspace_look_deep(SyncdWorkspace *workspace, const SyncdFolder *folder,
                               SyncdBytes name);
/* Asks for the bytes of a file, of `max` at most. */
void syncd_workspace_look_copying(SyncdWorkspace *workspace, const SyncdFolder *folder,
                                  SyncdBytes name, guint64 max);
/* Has something put in place; the number of the request. */
guint32 syncd_workspace_place(SyncdWorkspace *workspace, SyncdWireMessage *request);
void syncd_workspace_open(SyncdWorkspace *workspace);
void syncd_workspace_forget(SyncdWorkspace *workspace, guint64 folder);
/* As much of this pass as may be out at once. */
bool syncd_workspace_ask(SyncdWorkspace *workspace, GError **error);
void syncd_workspace_question_free(void *question);

/* As the log has it; not when it is not beneath the workspace any more. */
bool syncd_workspace_find_folder(SyncdWorkspace *workspace, guint64 id, SyncdFolder *ret_folder,
                                 bool *ret_found, GError **error);

/* rules.c: which names are ignored. */

bool syncd_workspace_ignores(const SyncdWorkspace *workspace, const SyncdFolder *folder,
                             SyncdBytes name, SyncdFileKind kind);
/* Whatever it is, it is ignored: there is no need to look. */
bool syncd_workspace_ignores_any(const SyncdWorkspace *workspace, const SyncdFolder *folder,
                                 SyncdBytes name);
/* What the ignore file of a folder that is being looked into says. */
void syncd_workspace_take_rules(SyncdWorkspace *workspace, const SyncdQuestion *question,
                                const SyncdWireMessage *ruled);
/* What is told of a name may change the rules: then all that they are about is looked at again. */
bool syncd_workspace_check_rules(SyncdWorkspace *workspace, guint64 folder, SyncdBytes name,
                                 GError **error);
/* A folder has another path, and its rules with it. */
void syncd_workspace_move_rules(SyncdWorkspace *workspace, const char *from, const char *to);
/* The shared ones, to the reader. */
void syncd_workspace_tell_rules(SyncdWorkspace *workspace);
void syncd_workspace_count_ignored(SyncdWorkspace *workspace, guint64 folder, guint n);

/* attribution.c: what was found goes to the recorder with whoever did it. `folder` is the path of
 * the folder that it is in now; `path` of one that is to be looked into, NULL for none. `kept` is
 * taken over, also on failure. */
bool syncd_workspace_record_new(SyncdWorkspace *workspace, const char *folder,
                                SyncdFileChange *change, const SyncdFileStat *stat, SyncdKept *kept,
                                const char *path, GError **error);
bool syncd_workspace_record_change(SyncdWorkspace *workspace, const char *folder, guint64 file,
                                   SyncdFileChange *change, const SyncdFileStat *stat,
                                   SyncdKept *kept, GError **error);
bool syncd_workspace_record_deleted(SyncdWorkspace *workspace, SyncdLineage *lineage,
                                    const SyncdFileRow *row, GError **error);

/* lineage.c: the folders from the workspace's own down to the one that a deleted file was in, which
 * of them are deleted too, and who announced that. Files that are deleted one after another lie
 * near each other: it goes from one to the next by as few steps as there are, so what the way costs
 * does not depend on how deep they lie. Good for one judgement; `moving` is borrowed. */
SyncdLineage *syncd_lineage_new(SyncdWorkspace *workspace, GHashTable *moving);
void syncd_lineage_free(SyncdLineage *lineage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdLineage, syncd_lineage_free)
/* How many folders were looked up so far. */
guint64 syncd_lineage_climbed(const SyncdLineage *lineage);
/* Who announced the deletion of a file that is deleted, and does so no more; or that of a folder
 * that it is in and that is deleted as well. NULL: nobody. */
bool syncd_lineage_take(SyncdLineage *lineage, const SyncdFileRow *row, char **ret_author,
                        GError **error);

/* compare.c: one name in a folder, as it was found, with its content, which is taken if it is
 * needed; and a folder when all names in it were. */
bool syncd_workspace_compare(SyncdWorkspace *workspace, SyncdQuestion *question,
                             const SyncdWireMessage *found, SyncdKept **kept, GError **error);
/* That is what was found before. */
bool syncd_file_is_mismatch(const SyncdFileRow *row, const SyncdHash *hash);
/* The same of one that is read though nothing says that it has changed. */
bool syncd_workspace_compare_deep(SyncdWorkspace *workspace, SyncdQuestion *question,
                                  const SyncdWireMessage *found, GError **error);
/* Why it cannot be read; 0 for nothing. */
void syncd_workspace_end_look_deep(SyncdWorkspace *workspace, const SyncdQuestion *question,
                                   guint32 problem);
bool syncd_workspace_end_list(SyncdWorkspace *workspace, SyncdQuestion *question,
                              const SyncdWireMessage *done, GError **error);

/* accept.c: whether that is the very file, with the very bytes, that are to be a version; and
 * making them one. `kept` is taken over. */
bool syncd_workspace_accepts(const SyncdWorkspace *workspace, const SyncdQuestion *question,
                             const SyncdFileRow *row, const SyncdWireMessage *found);
void syncd_workspace_accept(SyncdWorkspace *workspace, const SyncdFileRow *row,
                            const SyncdWireMessage *found, SyncdKept *kept);

/* restore.c: a file that is brought back. One step, when nothing is left to be looked at;
 * `*ret_more`: there is something to do now. */
bool syncd_workspace_step_restore(SyncdWorkspace *workspace, bool *ret_more, GError **error);
/* The reader has put something in place, or not. */
void syncd_workspace_placed(SyncdWorkspace *workspace, const SyncdWireMessage *done);
/* What is about to be replaced is kept, or `problem` says why not. */
void syncd_workspace_copied(SyncdWorkspace *workspace, const GError *problem);
bool syncd_workspace_is_recording_restore(const SyncdWorkspace *workspace);
void syncd_workspace_end_restore(SyncdWorkspace *workspace, const GError *why);
/* restore-source.c: sends a chunk of what is brought back to the reader. `kept` holds what is not
 * in chunks, and is NULL at first. */
bool syncd_workspace_send_chunk(SyncdWorkspace *workspace, const SyncdRestore *what, guint64 chunk,
                                size_t size, GBytes **kept, GError **error);
/* copying.c: what a file holds, whole, goes into the ledger of repairs under a name, if it is what
 * was expected; or its bytes are offered to a repair that lacks some of them. Then
 * syncd_workspace_copied(). */
void syncd_workspace_copy(SyncdWorkspace *workspace, const SyncdFolder *folder,
                          const SyncdRestore *what);
bool syncd_workspace_take_copied(SyncdWorkspace *workspace, const SyncdWireMessage *message,
                                 GError **error);
void syncd_workspace_end_copy(SyncdWorkspace *workspace);
/* deep.c: every file is read and held against its record. The next ones, when there is nothing else
 * to do. */
bool syncd_workspace_step_deep(SyncdWorkspace *workspace, bool *ret_more, GError **error);
/* The next step is due though nothing has been asked for. */
bool syncd_workspace_defers_deep(const SyncdWorkspace *workspace);
/* What is being read is read no further. */
void syncd_workspace_end_deep(SyncdWorkspace *workspace);
/* workspace.c: does what there is to do, unless it is at it. */
void syncd_workspace_go_on(SyncdWorkspace *workspace);

/* standing.c: nothing more is recorded … */
bool syncd_workspace_is_stopped(const SyncdWorkspace *workspace);
/* … as its directory is not there, for a reason that people are told … */
void syncd_workspace_set_missing(SyncdWorkspace *workspace, const char *reason);
/* … or as something went wrong. */
void syncd_workspace_fail(SyncdWorkspace *workspace, const GError *error);

/* judge.c: nothing is left to be looked at. */
bool syncd_workspace_judge(SyncdWorkspace *workspace, GError **error);
void syncd_arrival_free(void *arrival);
GArray *syncd_departures_new(void);
