/*
 * What is known of one object that somebody asks about: a file of a workspace, a record of a
 * registry, or what operations are about and no record.
 *
 * It is gathered by a bounded number of lookups, whatever the object has been through: rows of the
 * index, the entry that changed it last, and the records that it depends on. Of its content, which
 * may be large, no more is looked at than has room in one answer. What one may not see is not
 * there.
 */
#pragma once

#include "service/internal.h"
#include "service/subject-faults.h"
#include "store/files.h"

typedef enum {
    SYNCD_SUBJECT_FILE,
    SYNCD_SUBJECT_RECORD,
    SYNCD_SUBJECT_OPERATIONS,
} SyncdSubjectKind;

typedef struct {
    SyncdService *service;
    SyncdSubjectKind kind;
    char *id;
    bool view_all;   /* whoever asks may see what others did */
    SyncdEntry last; /* what changed it last */
    char *scope;     /* "workspace:notes" */
    const char *scope_class;
    char *workspace, *profile; /* NULL: it lies in none */
    const char *data_class;
    char *schema;                  /* as people call it */
    char *actor_name, *actor_type; /* of who changed it last */

    SyncdEntry finding; /* of a file that is mismatched */
    SyncdFileRow file;  /* of a file; its path from the workspace's folder, "" for that itself */
    char *path;
    size_t path_size;

    SyncdRecordRow row; /* of a record, and its document */
    SyncdBody body;
    SyncdJson record;
    const char *schema_reason; /* schema_unknown, migration_required; NULL: all is well */

    bool was_deleted; /* an object: it is deleted, or was and is again */
    SyncdDeletion deletion;
    SyncdObjectTasks tasks; /* of the newest operations about it */

    bool has_root; /* of a file and of a workspace: how it stands with the directory */
    SyncdRecordRow root;
    char *pause_cause, *pause_reason; /* "": there is none */
    bool is_looked_after;             /* `standing` is known */
    SyncdRootStanding standing;

    SyncdPolicyDecision replication; /* what policy says to it */
    SyncdSubjectFaults faults;       /* what is found wrong that bears on it */
} SyncdSubject;

/* By the id of a file, of a record, or what operations call their object. NotFound. */
bool syncd_subject_find(SyncdService *service, const SyncdCaller *caller, const char *id,
                        SyncdSubject *ret_subject, GError **error);
/* Its `faults`, once all else is known of it. */
bool syncd_subject_find_faults(SyncdSubject *subject, GError **error);
void syncd_subject_clear(SyncdSubject *subject);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdSubject, syncd_subject_clear)
