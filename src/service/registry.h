/*
 * Private to service/: one change of one registry record, on its way through the checks.
 *
 * A change is taken apart, looked up, checked by its family and then written, in this order, and
 * nothing is written before all of it is known to be right. What the caller's document says of
 * members that only the daemon sets counts for nothing.
 */
#pragma once

#include "contract/schema.h"
#include "domain/migration.h"
#include "service/internal.h"
#include "service/registries.h"

typedef struct {
    SyncdService *service;
    const SyncdCaller *caller;
    const SyncdRegistryRequest *request;
    SyncdRegistryVerb verb;
    bool migrates; /* an object to another version of its schema: not the caller's own words */
    const SyncdFamily *family;
    SyncdMandate *mandate;
    char *actor;

    SyncdRecordRow row; /* of the record as it is; the id is NULL when there is none */
    bool present;
    SyncdBody body;     /* its document; empty when there is none */
    SyncdJson previous; /* a view of it */
    SyncdJson record;   /* what the new document is made from: the request's or the previous one */
    char *id;
    char *state; /* that it will have */
    const SyncdTransition *step;
    char *scope_text;       /* "workspace:notes"; NULL when `scope_id` is known */
    char *scope_id;         /* NULL when the scope is not open yet */
    const char *lane;       /* NULL: that of its family and verb */
    const char *data_class; /* a word of its vocabulary */
} SyncdChange;

void syncd_change_clear(SyncdChange *change);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdChange, syncd_change_clear)

/* The document of a record, as the log has it. */
/* The member of a root's record that says which content is kept. */
#define SYNCD_ROOT_KEEP "keep"
bool syncd_registry_read(SyncdService *service, const SyncdRecordRow *row, SyncdBody *ret_body,
                         SyncdJson *ret_record, GError **error);
/* A record that is there and has not ended. `*ret_found` false for any other. */
bool syncd_registry_find_live(SyncdService *service, SyncdFamilyId family, const char *id,
                              SyncdRecordRow *ret_row, bool *ret_found, GError **error);

/* Asks about each active record of a family that names this schema, those of the open turn too,
 * until one is what is looked for. What `func` gives besides is its own affair. */
typedef bool (*SyncdRecordFunc)(SyncdService *service, const SyncdRecordRow *row, void *data,
                                bool *ret_is, GError **error);
bool syncd_registry_find_active(SyncdService *service, SyncdFamilyId family, const char *schema_id,
                                SyncdRecordFunc func, void *data, bool *ret_found, GError **error);

/* What can be known without asking whether the change may be made: who, what and where
 * (registry-request.c). Its parts: the record as it is; the scope that it belongs to; that it is
 * there, or is not, as the verb has it. */
bool syncd_registry_take_apart(SyncdChange *change, GError **error);
bool syncd_registry_look_up(SyncdChange *change, GError **error);
bool syncd_registry_find_home(SyncdChange *change, GError **error);
bool syncd_registry_check_presence(const SyncdChange *change, GError **error);

/* What the family demands of the change, beyond what all do (registry-check.c). May set `state`
 * and `data_class`. */
bool syncd_registry_check_family(SyncdChange *change, GError **error);

/* Whether a record is there for whoever makes the change. */
bool syncd_registry_reaches(const SyncdChange *change, const SyncdRecordRow *row, bool *ret_reaches,
                            GError **error);
/* NotFound, and how to list those that there are. */
/* Whether somebody with this view may see it. */
bool syncd_registry_shows(const SyncdView *view, const SyncdRecordRow *row);
/* Appends what Show answers. */
bool syncd_registry_append_row(SyncdService *service, const SyncdView *view,
                               const SyncdRecordRow *row, GString *out, GError **error);
void syncd_registry_refuse_absent(const SyncdFamily *family, const char *id, GError **error);
/* Parts of it: what the record names is not there (NotFound, always false), and whether it may lie
 * in the workspace and the profile that it names. */
bool syncd_registry_refuse_missing(const SyncdChange *change, const char *member,
                                   const char *family, const char *id, GError **error);
bool syncd_registry_check_place(SyncdChange *change, GError **error);

/* Plans (registry-plan.c): what a plan is about, whom it is for and what it waits for is there, and
 * nothing of it leaves its workspace and profile. */
bool syncd_registry_check_plan(SyncdChange *change, GError **error);
/* Whether it takes its objects elsewhere. */
bool syncd_registry_plan_sends(const SyncdChange *change);
/* Whether policy lets its objects go where the plan sends them; `asked` is about the plan. */
bool syncd_registry_may_replicate(const SyncdChange *change, const SyncdPolicyRequest *asked,
                                  GError **error);

/* Roots (registry-root.c): the workspace is there and has no other one, and no two overlap. */
bool syncd_registry_check_root(SyncdChange *change, GError **error);
/* That no root stands on the workspace, or the profile, that is to end. InvalidContract. */
bool syncd_registry_check_no_root(const SyncdChange *change, SyncdFamilyId family, GError **error);

/* A change by itself, without idempotency key: everything up to the entry, then the entry. Between
 * the two nothing may be committed. */
bool syncd_registry_prepare(SyncdChange *change, SyncdDecisions **ret_decisions, GError **error);
bool syncd_registry_write(SyncdChange *change, SyncdDecisions *decisions,
                          SyncdRegistered *ret_registered, GError **error);

/* How it is written (registry-write.c): whether it is the deletion of an object, in which lane, and
 * the entry alone, for whoever sees to the rest. */
bool syncd_registry_is_deletion(const SyncdChange *change);
const char *syncd_registry_lane(const SyncdChange *change);
bool syncd_registry_write_entry(SyncdChange *change, const char *decision,
                                SyncdReceipt *ret_receipt, GError **error);
/* As syncd_registry_write(), with the scope that is still to be opened. */
bool syncd_registry_write_whole(SyncdChange *change, SyncdDecisions *decisions,
                                SyncdRegistered *ret_registered, GError **error);

/* ---- schemas and their objects (object-schema.c) ---- */

/* What it asks of objects can be asked. */
bool syncd_registry_check_schema(SyncdChange *change, GError **error);
/* Sets the state of an object by its schema, and demands that it keeps to it. */
bool syncd_registry_judge_object(SyncdChange *change, GError **error);
/* What it demands of operations; `*ret_schema` NULL: nothing (operation-schema.c). */
bool syncd_operation_schema_compile(SyncdJson record, SyncdSchema **ret_schema, GError **error);
/* Whether an object's record keeps to the schema of this row. `errors` may be NULL. */
bool syncd_registry_keeps_to(SyncdService *service, const SyncdRecordRow *schema, SyncdJson record,
                             SyncdSchemaErrors *errors, bool *ret_keeps, GError **error);
/* Why an object is not as it should be, as far as this viewer may know: schema_unknown,
 * migration_required; NULL: it is. */
bool syncd_registry_standing(SyncdService *service, const SyncdView *view,
                             const SyncdRecordRow *row, SyncdJson record, const char **ret_reason,
                             GError **error);

/* ---- migrations (migration-check.c) ---- */

/* A manifest as the registry has it. */
typedef struct {
    SyncdRecordRow row;
    SyncdBody body;
    SyncdJson record; /* a view of it */
    SyncdMigration *migration;
} SyncdManifest;

void syncd_manifest_clear(SyncdManifest *manifest);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdManifest, syncd_manifest_clear)

bool syncd_registry_check_migration(SyncdChange *change, GError **error);
/* By its id; NotFound. Also one that was revoked. */
bool syncd_manifest_read(SyncdService *service, const char *id, SyncdManifest *ret_manifest,
                         GError **error);
/* NotFound; always false. */
bool syncd_manifest_refuse_absent(const char *id, GError **error);
/* The manifest that leads on from a version, is not revoked and is reached. */
bool syncd_manifest_find(SyncdService *service, const SyncdReach *reach,
                         const SyncdMigrationEnd *from, SyncdManifest *ret_manifest,
                         bool *ret_found, GError **error);
/* Whether its author has signed it, and may still migrate schemas. AccessDenied, noted as a
 * refusal. */
bool syncd_manifest_check_signature(SyncdService *service, const SyncdCaller *caller,
                                    SyncdJson record, const char *author, GError **error);

/* ---- idempotency keys (registry-key.c) ---- */

/* Meta data with a key (NULL: none) and what it stands for, the digest of the request. */
char *syncd_registry_keyed_meta(const char *key, const char *digest);
/* The entry that carried a key first; InvalidArgs when that stood for another request. */
bool syncd_registry_read_first(SyncdService *service, guint64 pos, const char *digest,
                               SyncdEntry *entry, SyncdBody *body, GError **error);
/* The meta data of the entry of a change. */
char *syncd_registry_make_meta(const SyncdChange *change);
/* The entry that carried the request's key first; `*ret_pos` 0 when there is none. */
bool syncd_registry_find_first(SyncdChange *change, guint64 *ret_pos, GError **error);
/* Its result; InvalidArgs when it was another request. */
bool syncd_registry_take_first(SyncdChange *change, guint64 pos, SyncdRegistered *ret_registered,
                               GError **error);

/* Names of members that neither the contract nor, of an object, its schema knows; a bounded number
 * (registry-unknown.c). */
bool syncd_registry_find_unknown(const SyncdChange *change, char ***ret_unknown, GError **error);
/* Whether syncd_registry_write_whole() would be let (registry-write.c). */
bool syncd_registry_may_write(const SyncdChange *change, GError **error);

/* The new document (registry-document.c). */
void syncd_registry_compose(const SyncdChange *change, const char *decision, GString *out);
