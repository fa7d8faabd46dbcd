/*
 * Private to service/: one page of a migration or of its rollback, planned.
 *
 * Planning puts every object through all checks that its change would go through, and writes
 * nothing. What passed is kept ready to be written; what did not is a failure, and stays as it is.
 * The same function plans what is shown and what is applied, so that both are the same whenever
 * nothing has changed: the digest of the report says whether.
 */
#pragma once

#include "service/registry.h"

/* ---- what becomes of an object (migration-object.c) ---- */

typedef struct {
    char *path; /* into the new document */
    char *sentence;
} SyncdMigrationError;

typedef struct {
    char *object;
    guint64 sequence; /* of its record now */
    char before[SYNCD_DIGEST_SIZE];
    char after[SYNCD_DIGEST_SIZE];
    bool reversible;
    char *operation; /* once it is written */

    const char *reason; /* of a failure; NULL: it is none */
    GArray *errors;     /* SyncdMigrationError */

    GString *document; /* the new one, before the registry says who and when */
    SyncdRegistryRequest request;
    SyncdChange change;
    SyncdDecisions *decisions;
} SyncdMigrationObject;

void syncd_migration_object_free(SyncdMigrationObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdMigrationObject, syncd_migration_object_free)

/* A word for an error that concerns one object and no other; NULL for all others. */
const char *syncd_migration_reason(const GError *error);

typedef struct {
    SyncdService *service;
    SyncdCaller caller; /* who asks, as one who rehearses */
    char *actor;
    SyncdMandate *mandate;
    SyncdManifest manifest;
    SyncdMigration *back;                 /* NULL: something is lost */
    const SyncdMigrationEnd *from, *to;   /* as the direction is */
    SyncdRecordRow target;                /* the schema's row */
    const SyncdMigrationRequest *request; /* borrowed */
    char *next_cursor;
    guint examined;
    GPtrArray *objects; /* SyncdMigrationObject, in the order of their ids */
    char digest[SYNCD_DIGEST_SIZE];
} SyncdMigrationPlan;

/* Whether a record is there for whoever asks. */
bool syncd_migration_reaches(const SyncdMigrationPlan *plan, const SyncdRecordRow *row,
                             bool *ret_reaches, GError **error);
/* The object as it is, and what the migration would make of it. `*ret_object` NULL when it is of
 * another version. False only for what concerns more than this object. */
bool syncd_migration_object_plan(SyncdMigrationPlan *plan, const SyncdRecordRow *row,
                                 SyncdMigrationObject **ret_object, GError **error);
/* What a row of the report of a migration says was made of it, undone. */
bool syncd_migration_object_undo(SyncdMigrationPlan *plan, SyncdJson done,
                                 SyncdMigrationObject **ret_object, GError **error);

/* ---- a page of them (migration-plan.c) ---- */

void syncd_migration_plan_free(SyncdMigrationPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdMigrationPlan, syncd_migration_plan_free)

/* NotFound, AccessDenied. */
SyncdMigrationPlan *syncd_migration_plan_new(SyncdService *service, const SyncdCaller *caller,
                                             const SyncdMigrationRequest *request, GError **error);
guint syncd_migration_plan_failures(const SyncdMigrationPlan *plan);
/* The report of a migration that was applied, and its entry. NotFound. */
bool syncd_migration_read_run(SyncdService *service, const SyncdCaller *caller,
                              const char *operation, SyncdBody *ret_body, SyncdJson *ret_report,
                              GError **error);

/* ---- signatures and idempotency keys (migration-key.c) ---- */

/* The caller as the agent that signed; see syncd_service_heed_claim(). */
bool syncd_migration_heed_claim(SyncdService *service, const SyncdCaller *caller,
                                const SyncdMigrationRequest *request, bool applies,
                                SyncdCaller *ret_caller, GError **error);
char *syncd_migration_make_meta(const SyncdMigrationRequest *request);
/* The entry that carried the request's key first, of a caller who may migrate; 0: none. */
bool syncd_migration_find_first(SyncdService *service, const SyncdCaller *caller,
                                const SyncdMigrationRequest *request, guint64 *ret_pos,
                                GError **error);
bool syncd_migration_take_first(SyncdService *service, const SyncdMigrationRequest *request,
                                guint64 pos, SyncdMigrated *ret_migrated, GError **error);

/* ---- as a document (migration-report.c) ---- */

void syncd_migration_report_digest(SyncdMigrationPlan *plan);
char *syncd_migration_report_write(const SyncdMigrationPlan *plan, const char *status);
