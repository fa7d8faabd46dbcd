/*
 * What a workspace's files are, for the adapter that watches them: which directories are governed,
 * what the log says lies there, and writing down what was found instead.
 *
 * A directory is a root (docs/format.md 6, the kind `root.added`). What is found in it is
 * attributed to whoever did it (workspace/attribution.c), passes through policy like every write,
 * and is durable with the commit of its turn.
 */
#pragma once

#include "service/service.h"
#include "store/files.h"

typedef struct {
    char *id;        /* of the root's record */
    char *workspace; /* "workspace:notes" */
    char *directory;
    char *scope_id;
    guint64 since; /* the entry that registered it */
    bool paused;
    bool asks;           /* it was paused as much was deleted: whoever resumes it agrees */
    char *pause_reason;  /* for people; "": nobody said why, or it is not paused */
    bool keeps;          /* content of files … */
    guint keep_versions; /* … the present one and so many older ones … */
    guint64 keep_max;    /* … of files of at most so many bytes */
    guint deleted_days;  /* so long all that is kept stays when the file is deleted or ignored */
    char *ignore;        /* the shared rules of the workspace: domain/ignore.h */
} SyncdRoot;

#define SYNCD_PAUSE_DELETIONS "mass_deletion"

SyncdRoot *syncd_root_copy(const SyncdRoot *root);
/* Whether content is kept by the same rule. */
bool syncd_root_keeps_as(const SyncdRoot *root, const SyncdRoot *other);
/* Whether content of that size stays kept once it is a version and no longer the newest. */
bool syncd_root_keeps_replaced(const SyncdRoot *root, guint64 size);
void syncd_root_free(SyncdRoot *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRoot, syncd_root_free)

/* The records of those that have not ended. */
typedef bool (*SyncdRootFunc)(SyncdService *service, const SyncdRecordRow *row, void *data,
                              GError **error);
bool syncd_service_each_root(SyncdService *service, SyncdRootFunc take, void *data, GError **error);
/* The same: SyncdRoot. */
bool syncd_service_list_roots(SyncdService *service, GPtrArray **ret_roots, GError **error);
/* Pauses it and says why, as the daemon's own decision: `cause` for programs, `reason` for people.
 * The rest of its record stays as it is. */
bool syncd_service_pause_root(SyncdService *service, const SyncdRoot *root, const char *cause,
                              const char *reason, GError **error);

/* Whether a file at that path of it would be ignored, as far as anybody knows now. */
bool syncd_service_ignores(SyncdService *service, const SyncdRoot *root, SyncdBytes path);

/* The permission bits that are brought back: no program is given back another one's rights. */
#define SYNCD_RESTORE_MODE_BITS 01777u
/* Of that file: what nobody may run is no program, and gets all of them. */
guint32 syncd_restore_mode(guint32 mode);

/* A version of a file that is to be brought back, as it was shown to whoever wants it. */
struct SyncdRestore {
    char *workspace;
    char *folder, *name; /* where to, beneath the workspace */
    char *from;          /* the id of the file … */
    guint64 version;     /* … whose version it is */
    GArray *modes; /* guint32, of the folders on the way that are known, as they were; 0 else */
    guint32 mode;
    gint64 mtime; /* 0: when it comes back */
    guint64 size;
    SyncdHash hash;
    GBytes *chunks;     /* store/chunks.h */
    bool over;          /* there is a file … */
    SyncdHash expected; /* … of that content */
    SyncdCaller caller; /* who wants it */
    char *unit;         /* what it points to */
    /* Files of the ledger of repairs (store/repair-store.h); NULL else. What is there is kept in
     * the first before it is replaced. What is in the second comes back, instead of chunks: it is
     * no version, and is recorded as what was found there. */
    char *keep_as, *kept_as;
    /* Nothing is put in place: the bytes that are there are offered to a repair that lacks some of
     * them (store/refill.h). */
    bool offers;
    /* What is there, if it is `expected`, becomes a version, whose content is kept by the rule of
     * the workspace; else nothing is recorded. Only then what is in `chunks` is put in place, if
     * there are any. */
    bool accepts;
};

/* What is there stays there. */
bool syncd_restore_only_accepts(const SyncdRestore *restore);

/* Bytes of a file that are kept so. */
#define SYNCD_RESTORE_KEPT_MAX (16u * 1024u * 1024u)

void syncd_restore_free(SyncdRestore *restore);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRestore, syncd_restore_free)

/* Whether the caller may write to files of a workspace, or delete them; and as which actor, where
 * that is asked for. AccessDenied or PolicyDenied, noted as a refusal. */
bool syncd_service_may_write_files(SyncdService *service, const SyncdCaller *caller,
                                   const char *workspace, bool deletes, char **ret_actor,
                                   GError **error);
/* Whose instance it is: what is found is his doing, when nothing says otherwise. */
uid_t syncd_service_owner(const SyncdService *service);
/* The daemon's own actor: it stands for whoever did what it only found. */
const char *syncd_service_nobody(SyncdService *service);

/* The id that an entry may be written with: what it makes can be named before. */
char *syncd_service_new_operation(SyncdService *service);
typedef struct {
    const char
        *kind; /* "object.created", "object.changed", "object.deleted", SYNCD_FILES_IGNORED */
    const char *operation;
    SyncdBytes content; /* domain/file-changes.h */
    const SyncdDraftRow *rows;
    guint n_rows;
    const SyncdCaller *caller; /* who did it; NULL: */
    /* The id of who did it, NULL: whose instance it is. He is also asked for when it is nobody. */
    const char *actor;
} SyncdFilesDraft;

/* Writes a document about files. PolicyDenied or AccessDenied, noted as a refusal. */
bool syncd_service_record_files(SyncdService *service, const SyncdRoot *root,
                                const SyncdFilesDraft *files, guint64 *ret_pos, GError **error);
/* Monotonic microseconds. */
guint64 syncd_service_clock(const SyncdService *service);
/* The store that answers what is recorded: store/files.h. */
SyncdStore *syncd_service_store(SyncdService *service);
