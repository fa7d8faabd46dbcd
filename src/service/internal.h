/*
 * Private to service/: the state of one instance, and what its use cases share.
 */
#pragma once

#include "base/id.h"
#include "base/json-writer.h"
#include "contract/operation.h"
#include "crypto/sign.h"
#include "domain/announcements.h"
#include "domain/attestor.h"
#include "domain/kind.h"
#include "domain/mandate.h"
#include "domain/policy.h"
#include "domain/scope.h"
#include "domain/storms.h"
#include "service/ephemeral.h"
#include "service/health.h"
#include "service/leases.h"
#include "service/runtime.h"
#include "service/service.h"

#define SYNCD_IDENTITY_DAEMON "daemon"
#define SYNCD_LANE_AUDIT "audit"
#define SYNCD_LANE_TOMBSTONE "tombstone"
#define SYNCD_LANE_POLICY "policy"
#define SYNCD_LANE_NORMAL "normal"
#define SYNCD_LANE_EPHEMERAL "ephemeral"
#define SYNCD_LANE_MIGRATION "migration"

typedef struct SyncdDamage SyncdDamage;
typedef struct SyncdRefusals SyncdRefusals;
typedef struct SyncdRepairs SyncdRepairs;
typedef struct SyncdObjectSchema SyncdObjectSchema;
typedef struct SyncdOperationSchemas SyncdOperationSchemas;

/* What policy may answer; that it is allowed is the first. */
#define SYNCD_N_DECIDED 4u
extern const char *const syncd_decided[SYNCD_N_DECIDED];

struct SyncdService {
    SyncdInstance instance;
    uid_t uid;
    SyncdStore *store;
    const SyncdSources *sources; /* borrowed */
    SyncdListener listener;
    GArray *waiting;           /* those who wait for the commit of the open turn */
    const SyncdCommit *untold; /* the last commit, while those who waited for it are answered */
    SyncdAttestor *attestor;   /* the device, which signs what the daemon says */
    char *own_actor;           /* the daemon's; NULL until it was looked up */
    char **own_directories;    /* the daemon's; NULL: none */
    SyncdRefusals *refusals;
    SyncdRepairs *repairs;
    GPtrArray *jobs;        /* newest last */
    guint next_job;         /* whose turn it is to be stepped */
    SyncdDamage *damage;    /* what verifications found (damage.c) */
    SyncdStorms *storms;    /* failures that repeat (failures.c) */
    guint64 index_failures; /* of the store's index, that were noted */
    GHashTable *callers;    /* identity: KnownCaller (callers.c) */
    SyncdPolicySet *policy;
    guint64 policies; /* sets so far: what was decided by an earlier one points into it */
    SyncdPolicyStanding policy_standing;
    char *policy_fault;  /* what was refused of its rules; NULL for nothing */
    GHashTable *records; /* "family/id": SyncdRecordRow or NULL, as of `records_of` (place.c) */
    guint64 records_of;
    GHashTable *said; /* of operations that were built on: where they said they lie (parents.c) */
    SyncdOperationSchemas *operation_schemas;
    SyncdObjectSchema *object_schema; /* the one that was asked for last (object-schema.c) */
    GHashTable *standings; /* viewer, place and schema: the reason or NULL, as of the two numbers */
    guint64 standings_of, standings_sequence;
    GHashTable *decisions; /* SyncdDecisions, a set (decide.c) */
    GError *denial;        /* what the last denial says once its record is durable … */
    char *denial_said;     /* … and said until then; NULL: it says nothing else then */
    guint32 policy_blocked;
    guint64 policy_blocked_until; /* monotonic: how long the state shows it */
    guint64 pending_operations;   /* as counted at `pending_sequence` */
    guint64 pending_sequence;
    GPtrArray *roots; /* SyncdRoot, that there are, as of `roots_of`; NULL: none yet (state.c) */
    unsigned asking;  /* of them, those that ask about deletions */
    guint64 roots_of;
    guint64 mismatched; /* 1: there are files that are not what is recorded, as of … */
    guint64 mismatched_of;
    unsigned shown_state; /* a digest of the state that listeners were told of last */
    char policy_digest[SYNCD_DIGEST_SIZE];
    SyncdEphemerals *ephemerals;
    SyncdAnnouncements *announcements;
    SyncdLeases *leases;
    bool has_leases;     /* those of the log are among them */
    bool leases_moved;   /* in the open turn */
    guint64 leases_ms;   /* since when it is known how they were renewed */
    bool has_purges;     /* some may not be proven yet */
    SyncdScrub *scrub;   /* of the purge that is cleared up after; NULL: of none */
    guint64 scrubs;      /* the entry of that purge */
    bool scrubbed;       /* its bytes are gone everywhere */
    guint64 purge_retry; /* monotonic: not before */
    guint64 purge_delay; /* how long that was; 0: none failed */
    guint64 purge_after; /* up to this entry those that are left failed; 0: none has, since then */
    guint64 proving; /* the entry of the purge that the open turn proves, or that the last did */
    bool purge_lacks_room;  /* one of those that failed, when they were tried last */
    bool retains;           /* retention.c: it looks for content whose time has come … */
    guint64 retained;       /* … in files behind this one … */
    guint64 retention_usec; /* … and again not before: monotonic */
    char *retention_rules;  /* of the roots that there were last; NULL: nobody said */
    guint64 opened_ms;      /* of the log when the service began, or of the clock: it was empty */
    guint64 delay_ms;       /* when the next task that waits for its time is due; 0: none */
    guint64 begin_ms;       /* of the clock of tasks … */
    guint64 begin_usec;     /* … and of the monotonic clock then */
    SyncdRuntime runtime;
    SyncdProcess process;
    const SyncdPlaces *places;        /* borrowed; NULL: the system's */
    guint64 decided[SYNCD_N_DECIDED]; /* requests since the start, by syncd_decided */
};

guint64 syncd_service_now_ms(const SyncdService *service);
guint64 syncd_service_monotonic(const SyncdService *service);

/* Appends to the open turn, and tells the listener when that opened one. */
bool syncd_service_append(SyncdService *service, const char *scope_id, const SyncdDraft *draft,
                          SyncdReceipt *ret_receipt, GError **error);
/* The same for an entry of the daemon itself, in the device's scope. */
bool syncd_service_append_own(SyncdService *service, const char *kind, const char *lane,
                              const char *schema_id, const GString *content, GError **error);
/* As syncd_service_commit(), for those who go on from there. True when there was nothing to commit.
 */
bool syncd_service_commit_turn(SyncdService *service, GError **error);
/* Takes the open turn back and tells those who wait for it. */
void syncd_service_discard(SyncdService *service, const GError *why);
/* Tells the listener that there is something to do, now or when it is due. */
void syncd_service_ask_for_work(SyncdService *service);
/* Tells the listener when the state is another one than it was told last. */
void syncd_service_show_state(SyncdService *service, bool always);
/* The state as far as it is known: nothing is counted, and no index is brought up to the log. */
void syncd_service_known_state(SyncdService *service, SyncdState *ret_state);
/* Whether the caller may see what is not for everybody. */
bool syncd_service_may_inspect(const SyncdService *service, const SyncdCaller *caller);
/* A read may change it too: it makes an index where there was none. */
bool syncd_service_state_is_shown(const SyncdService *service);

/* ---- first entries and actors (actors.c) ---- */

bool syncd_service_begin_log(SyncdService *service, GError **error);
bool syncd_service_find_own(SyncdService *service, GError **error);
/* "uid:1000": what a caller is found by, and the subject of decisions about it. */
char *syncd_identity_of(uid_t uid);

/* ---- who calls, and what he may do (callers.c) ---- */

GHashTable *syncd_callers_known_new(void);
/* `*ret_actor` NULL when the caller is no actor, or one that may not act any more. */
bool syncd_service_find_caller(SyncdService *service, const SyncdCaller *caller, char **ret_actor,
                               GError **error);
/* AccessDenied for a caller who is not registered, is revoked or has expired; it is noted as a
 * refusal. */
SyncdMandate *syncd_service_require_mandate(SyncdService *service, const SyncdCaller *caller,
                                            GError **error);
/* The same, for the id alone. */
bool syncd_service_require_caller(SyncdService *service, const SyncdCaller *caller,
                                  char **ret_actor, GError **error);
/* AccessDenied, noted as a refusal. */
bool syncd_service_require_capability(SyncdService *service, const SyncdCaller *caller,
                                      const SyncdMandate *mandate, const char *capability,
                                      GError **error);
/* Where the actor wants to write; NULL asks for nothing. */
bool syncd_service_require_reach(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdMandate *mandate, const char *workspace,
                                 const char *profile, GError **error);
/* The same for a scope ("workspace:notes", NULL for none) and the actor's id. */
bool syncd_service_require_scope_reach(SyncdService *service, const SyncdCaller *caller,
                                       const char *actor, const char *scope, GError **error);
/* Whether the log takes an entry of this kind by this actor in this scope: nobody else ever gets
 * one in, however the call came here. AccessDenied. */
bool syncd_service_may_append(SyncdService *service, const char *actor, const char *scope_id,
                              const char *kind, GError **error);
/* `*ret_mandate` NULL when there is no such actor. */
bool syncd_service_mandate_of_actor(SyncdService *service, const char *actor,
                                    SyncdMandate **ret_mandate, GError **error);
/* Whom policy decides about, however the actor came. NULL with an error. */
char *syncd_service_subject_of(SyncdService *service, const char *actor, GError **error);
/* The caller as the agent that signed, when the request says that one did (signed.c). `parts` are
 * the request's arguments in the order of docs/format.md. AccessDenied. */
bool syncd_service_heed_claim(SyncdService *service, const SyncdCaller *caller,
                              const SyncdSigned *claim, const char *method,
                              const char *idempotency_key, const SyncdBytes *parts, size_t n_parts,
                              SyncdCaller *ret_caller, GError **error);
/* What a signature allows once is spent with the entry that it leads to: the entry carries this as
 * its idempotency key, in the device's scope. So it is known for as long as the log is, whatever
 * becomes of the process and of the clock. NULL for a request that nobody signed. */
char *syncd_signed_key(const SyncdCaller *caller);
/* That no entry carries it; NULL passes. AccessDenied, noted as a refusal. */
bool syncd_service_check_unspent(SyncdService *service, const SyncdCaller *caller,
                                 const char *actor, const char *key, GError **error);
/* The time that an entry written now would carry, or later. */
guint64 syncd_service_entry_ms(const SyncdService *service);

/* ---- places (place.c) ---- */

/* Where an operation or a record belongs, and what the record of its object says. */
typedef struct {
    char *workspace;
    char *profile;
    char *object_type; /* NULL, as the next two: the object has no record */
    char *object_profile;
    const char *object_class; /* a data class */
    char *encryption;         /* the profile that the workspace demands; NULL: none */
    SyncdOperationPlace said; /* borrowed from the request's body */
} SyncdPlace;

void syncd_place_clear(SyncdPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdPlace, syncd_place_clear)

/* Where an operation of that scope lies that said `place->said`: sets the other members. */
bool syncd_service_find_place(SyncdService *service, const char *scope, const char *class,
                              SyncdPlace *place, GError **error);
/* Whether the actor reaches the operation's workspace and profile, the workspace lies in that
 * profile, the object is no other's, and the encryption profile is that of the scope. AccessDenied
 * or PolicyDenied, noted as a refusal. */
bool syncd_service_check_place(SyncdService *service, const SyncdCaller *caller,
                               const SyncdMandate *mandate, const SyncdRequest *request,
                               const char *scope_class, SyncdPlace *ret_place, GError **error);
/* The same for a record that names both. */
bool syncd_service_check_record_place(SyncdService *service, const SyncdCaller *caller,
                                      const SyncdMandate *mandate, const SyncdPlace *place,
                                      GError **error);
/* That what the workspace demands for sealing is there. PolicyDenied, noted as a refusal. */
bool syncd_service_check_workspace_encryption(SyncdService *service, const SyncdCaller *caller,
                                              const char *workspace, GError **error);
/* The data class of an object's privacy class; what this version does not know may be anything, so
 * it is "secret". */
const char *syncd_data_class_of(const char *privacy);
/* What the object's record says. */
void syncd_place_of_object(const SyncdRecordRow *row, SyncdPlace *place);
/* The same for what says nothing but its scope: that is reached, and nothing of it was revoked. */
bool syncd_service_check_scope_place(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdMandate *mandate, const char *scope,
                                     const char *class, SyncdPlace *ret_place, GError **error);
/* What a record would not say of its place by its scope, nor by what its body said (NULL: nothing):
 * members of its meta data, so that it always says the same. */
void syncd_place_write(const SyncdPlace *place, const char *scope_class,
                       const SyncdOperationPlace *said, SyncdJsonWriter *writer);
/* The meta data of an operation that no caller describes. */
char *syncd_service_make_meta(SyncdService *service, const char *scope_id, const char *data_class,
                              const char *type, GError **error);
/* Whether both profiles have tags that let objects pass from the one to the other. */
bool syncd_service_may_cross(SyncdService *service, const char *from, const char *to, bool *ret_may,
                             GError **error);
/* The row of a record; NULL when there is none. Borrowed until the next call. */
bool syncd_service_known_record(SyncdService *service, SyncdFamilyId family, const char *id,
                                const SyncdRecordRow **ret_row, GError **error);

/* ---- who reaches a record (reach.c) ---- */

typedef struct {
    bool all;                        /* he sees everything */
    const SyncdMandate *mandate;     /* of whoever asks; NULL: he reaches nothing */
    const char *workspace, *profile; /* of the object that he asks for; NULL: for none */
} SyncdReach;

/* Whether a record is there for him. A schema, an encryption profile or a migration lies in a scope
 * that its author chose. One on the device is for everybody; one in a workspace or a profile for
 * whoever reaches that, and for the objects that lie in it. */
bool syncd_service_reaches_record(SyncdService *service, const SyncdReach *reach,
                                  const SyncdRecordRow *row, bool *ret_reaches, GError **error);

void syncd_object_schema_free(SyncdObjectSchema *schema);

/* ---- policy (decide.c) ---- */

typedef struct {
    SyncdPolicyInput input;
    SyncdPolicyDecision answer;
    char id[SYNCD_DECISION_ID_SIZE];
} SyncdDecision;

/* Of the rule that decided: "built-in", "machine" or "user". */
const char *syncd_rule_level(const SyncdPolicyDecision *answer);

/* What a write needs: to be written, where it is durable to be kept, of what leaves to be
 * replicated, of an agent, to be in that data at all, and of a purge, to be one. The first is what
 * the entry names, of a purge the last. Policy is a pure function and tells few classes of requests
 * apart, so the service keeps what it said to each, as long as the policy stands. */
#define SYNCD_MAX_DECISIONS 5
typedef struct {
    char *actor;
    const char *lane; /* this and the next one are words of their vocabularies */
    const char *data_class;
    bool replicates;
    bool purges;
    unsigned n_decisions;
    SyncdPolicyClass class; /* of what the actor does not tell */
    guint64 registries;     /* the actor's type was looked up when they had this number */
    guint64 recorded;       /* all were recorded when they had this number */
    char *subject;
    char *actor_type; /* NULL: not known */
    char *object;     /* NULL: no rule tells objects like this one apart */
    /* Last, as what is looked at each time is few lines of the processor's cache that way. */
    SyncdDecision decisions[SYNCD_MAX_DECISIONS];
} SyncdDecisions;

GHashTable *syncd_decisions_new(void);
SyncdDecisions *syncd_decisions_ref(SyncdDecisions *decisions);
void syncd_decisions_unref(SyncdDecisions *decisions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdDecisions, syncd_decisions_unref)
/* States the scope, and the workspace or profile that it is, as records name it: "workspace:notes".
 * Borrows. */
void syncd_ask_about_scope(SyncdPolicyRequest *asked, const char *scope, const char *class);
/* `asked` states everything that is known but subject and actor type; lane and data class are words
 * of their vocabularies, the action is "replicate" or not given. PolicyDenied or ApprovalRequired,
 * which is noted as a refusal.
 */
SyncdDecisions *syncd_service_decide(SyncdService *service, const SyncdCaller *caller,
                                     const char *actor, const SyncdPolicyRequest *asked,
                                     GError **error);
/* The same for what lies in that place, which `asked` need not state. Where its object is another
 * thing by its record than by what is asked, and where a deletion is asked for, that is asked too;
 * the first answer is returned. */
SyncdDecisions *syncd_service_decide_in(SyncdService *service, const SyncdCaller *caller,
                                        const char *actor, const SyncdPolicyRequest *asked,
                                        const SyncdPlace *place, GError **error);
SyncdDecisions *syncd_service_decide_purge(SyncdService *service, const SyncdCaller *caller,
                                           const char *actor, const SyncdPolicyRequest *asked,
                                           GError **error);
/* Records those that this policy has not recorded yet. */
bool syncd_service_record_decisions(SyncdService *service, const char *actor,
                                    SyncdDecisions *decisions, GError **error);

/* ---- requests (admission.c) ---- */

/* A request that passed every check, with what the checks found. Borrows from the request. */
typedef struct {
    const SyncdRequest *request;
    const SyncdKind *kind;
    const char *lane;
    const char *data_class;
    const char *scope_class;
    const char *scope_name;
    char *actor;
    char *meta;
    SyncdHash parents[SYNCD_HEADER_MAX_PARENTS];
    unsigned n_parents;
    SyncdDecisions *decisions;
} SyncdAdmission;

void syncd_admission_clear(SyncdAdmission *admission);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdAdmission, syncd_admission_clear)

/* What can be judged without knowing the scope. Changes nothing. */
bool syncd_service_check_request(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdRequest *request, SyncdAdmission *ret_admission,
                                 GError **error);
/* NotFound. */
bool syncd_service_require_scope(SyncdService *service, const char *text, SyncdScope **ret_scope,
                                 GError **error);
/* Writes the operation, or finds the one that its idempotency key names. */
bool syncd_service_admit(SyncdService *service, const SyncdAdmission *admission,
                         SyncdEnqueued *ret_enqueued, GError **error);
/* Whether the scope is there or may be opened. */
bool syncd_service_check_scope(SyncdService *service, const SyncdAdmission *admission,
                               GError **error);

/* 1 to 256 bytes of UTF-8 without control characters; NULL passes too. InvalidContract. */
bool syncd_service_check_key(const char *key, GError **error);

/* Where operations said that they lie that were named as parents: pos, and what is private to
 * parents.c. */
GHashTable *syncd_parents_said_new(void);
/* Finds the parents that the request names, for an operation that lies in that place (parents.c).
 * NotFound, also for what the caller does not reach, InvalidContract, LimitsExceeded, or
 * PolicyDenied, noted as a refusal. */
bool syncd_service_check_parents(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdMandate *mandate, const SyncdPlace *place,
                                 SyncdAdmission *admission, GError **error);

/* ---- what schemas demand of operations (operation-schema.c) ---- */

SyncdOperationSchemas *syncd_operation_schemas_new(void);
void syncd_operation_schemas_free(SyncdOperationSchemas *schemas);
/* The body is what the member "operation_schema" of the object's schema says, where the object has
 * a record and its schema that member. InvalidContract. A deletion may say anything. */
bool syncd_service_check_operation_schema(SyncdService *service, const SyncdRequest *request,
                                          GError **error);

/* ---- deletions (deletion.c) ---- */

/* What became of the object of a request: where its record lies or lay, else in the scope, which
 * may be NULL. */
bool syncd_service_find_deletion(SyncdService *service, const char *object,
                                 const SyncdRecordRow *row, const char *scope_id,
                                 SyncdDeletion *ret_deletion, bool *ret_found, GError **error);
/* A request in the lane tombstone asks for the deletion of its object. */
bool syncd_service_is_delete(const SyncdAdmission *admission);
/* Whether the object is there to be deleted, to be changed, or to be restored; `scope_id` NULL: the
 * scope is still to be opened. NotFound, AlreadyResolved, InvalidContract. */
bool syncd_service_check_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, GError **error);
/* What follows the request, each an entry: authorised, tombstone, the end of the object's record
 * where it has one, told to the members, hidden. */
bool syncd_service_apply_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, const char *request, GError **error);
bool syncd_service_apply_restore(SyncdService *service, const SyncdAdmission *admission,
                                 const char *scope_id, GError **error);

/* The same in pieces, for the registry, which ends the record itself. */
typedef struct {
    const char *actor;
    const char *object;
    const char *scope_id;
    const char *decision;
    const char *data_class;
} SyncdDeleting;

bool syncd_service_request_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                    char **ret_request, GError **error);
bool syncd_service_begin_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                  const char *request, GError **error);
bool syncd_service_end_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                const char *request, GError **error);
/* Ends the record of an object or has it again, when there is one that was not so (registry.c). */
bool syncd_registry_move_object(SyncdService *service, const SyncdDeleting *deleting,
                                SyncdRegistryVerb verb, const char *lane, GError **error);

/* What is left to do for purges that were begun, now or before the start: a step. True while there
 * is more (purge.c). */
bool syncd_service_finish_purges(SyncdService *service);
/* Forgets how far it came with that. */
void syncd_service_stop_scrub(SyncdService *service);

/* What takes several entries and must be whole has a turn of its own, which is taken back when it
 * fails. Between the two nothing may be written that shall stay, as a refusal. The second one
 * returns `done`, and moves `failure` to `error` when it is not. */
bool syncd_service_begin_whole(SyncdService *service, GError **error);
bool syncd_service_end_whole(SyncdService *service, bool done, GError **failure, GError **error);

/* ---- operations that exist, and entries about them (target.c) ---- */

typedef struct {
    char *operation;
    SyncdEntry entry;
    SyncdBody body;
    SyncdHash leaf;
    SyncdTask task;
} SyncdTarget;

void syncd_target_clear(SyncdTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdTarget, syncd_target_clear)

/* A committed operation that has a task and that the caller may see. NotFound, InvalidContract. */
bool syncd_service_read_target(SyncdService *service, const SyncdCaller *caller,
                               const char *operation, SyncdTarget *ret_target, GError **error);
/* The same for the daemon itself, and for whoever has a right to the task. */
bool syncd_service_find_target(SyncdService *service, const char *operation,
                               SyncdTarget *ret_target, GError **error);
/* What makes an effect of it outside idempotent: its key, else its id. */
char *syncd_target_key(const SyncdTarget *target);
bool syncd_target_is_replay_safe(const SyncdTarget *target);
/* The caller's actor, who may write. AccessDenied, noted as a refusal. */
bool syncd_service_require_writer(SyncdService *service, const SyncdCaller *caller,
                                  char **ret_actor, GError **error);
/* Whether policy lets the actor carry it out. */
SyncdDecisions *syncd_service_decide_target(SyncdService *service, const SyncdCaller *caller,
                                            const char *actor, const SyncdTarget *target,
                                            GError **error);
/* What was deleted is not worked on any more, but for its deletion. NotFound. */
bool syncd_service_check_not_deleted(SyncdService *service, const SyncdTarget *target,
                                     GError **error);
SyncdJson syncd_target_meta(const SyncdTarget *target);
SyncdJson syncd_target_content(const SyncdTarget *target);
/* Appends an operation that builds on the target, in its scope and lane, when policy allows. */
bool syncd_service_append_about(SyncdService *service, const SyncdCaller *caller, const char *actor,
                                const SyncdTarget *target, const char *kind, const char *schema,
                                const GString *content, char **ret_operation, GError **error);
/* The clock of tasks, in milliseconds: never behind the log, and never slower than the monotonic
 * clock, whatever the wall clock does. */
guint64 syncd_service_task_ms(const SyncdService *service);

/* ---- tasks (tasks.c, task-moves.c, task-list.c) ---- */

/* What happens to a task: an entry about it. */
typedef struct {
    SyncdEvent event;
    const char *actor;
    const char *decision; /* "" when it is no caller's doing */
    const char *lease;
    guint64 lease_ms; /* of a claim, as the next one */
    bool detached;
    const char *const *evidence; /* of a completion; may be NULL */
    const char *reason;          /* NULL for none */
    guint64 retry_after_ms;
    const char *key; /* an idempotency key; NULL for none */
} SyncdMove;

/* How long a lease lasts that was asked for with so many seconds, 0 for none. InvalidArgs. */
bool syncd_service_check_lease(guint32 lease_s, guint64 *ret_ms, GError **error);
/* A task is named by its id or by that of its operation. */
const char *syncd_task_operation(const char *task);
/* AlreadyResolved when the state machines do not have it. */
bool syncd_service_move_task(SyncdService *service, const SyncdTarget *target,
                             const SyncdMove *move, GError **error);
/* Knows the leases that the log says there are; Busy while there is no index to ask. */
bool syncd_service_need_leases(SyncdService *service, GError **error);
/* Ends whatever holds an operation that runs, as one does that was not renewed. */
bool syncd_service_release_task(SyncdService *service, const char *operation, GError **error);
/* After a turn that moved some was taken back nobody knows which there are, nor how long they were
 * promised for. A turn that moved none leaves all as they are: others' failures end no promise. */
void syncd_service_forget_leases(SyncdService *service);
/* Ends those that have expired, and tells who waits for tasks that are due. */
void syncd_service_flush_leases(SyncdService *service);
guint64 syncd_service_tasks_due(const SyncdService *service);
/* A task is offered again after so long. */
void syncd_service_delay_task(SyncdService *service, guint64 delay_ms);
void syncd_service_tell_tasks(SyncdService *service);
bool syncd_service_is_stale(const SyncdService *service, const SyncdTask *task);
/* NULL: any lane. InvalidArgs. */
bool syncd_task_query_lane(const char *lane, SyncdTaskQuery *query, GError **error);
/* Each must be an entry that could be a parent of the operation, but that it need not be an
 * operation itself, or the digest of something elsewhere (parents.c). NotFound, LimitsExceeded. */
bool syncd_service_check_evidence(SyncdService *service, const SyncdCaller *caller,
                                  const SyncdTarget *target, const char *const *evidence,
                                  GError **error);

/* ---- reading (reading.c) ---- */

/* Whose entries a caller may see: all, or those of one actor (NULL: none). */
typedef struct {
    bool all;
    char *actor;
} SyncdView;

void syncd_view_clear(SyncdView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdView, syncd_view_clear)

bool syncd_service_view(SyncdService *service, const SyncdCaller *caller, SyncdView *ret_view,
                        GError **error);
bool syncd_view_shows(const SyncdView *view, const SyncdHeader *header);
/* The committed entry of an operation id that the view shows. NotFound. */
bool syncd_service_read_entry(SyncdService *service, const SyncdView *view, const char *operation,
                              SyncdEntry *ret_entry, GError **error);
/* The same for entries that are operations. */
bool syncd_service_read_operation(SyncdService *service, const SyncdView *view,
                                  const char *operation, SyncdEntry *ret_entry, GError **error);
/* NotFound, always false: what is said of an operation that is not there. */
bool syncd_service_refuse_operation(const char *operation, GError **error);
/* Whether it says what was done to files by nobody who can be named: the daemon only found it. */
bool syncd_service_is_by_nobody(SyncdService *service, const SyncdHeader *header);
/* "workspace:notes" of an entry's scope, for documents. */
char *syncd_service_scope_text(SyncdService *service, SyncdBytes scope_id);
char *syncd_feed_text(const char *device, const char *scope, guint64 epoch);

/* ---- pages (pages.c) ---- */

/* What a query borrows from, and whether it can find anything. */
typedef struct {
    SyncdView view;
    SyncdScope *scope;
    bool nothing;
} SyncdFilter;

void syncd_filter_clear(SyncdFilter *filter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdFilter, syncd_filter_clear)

/* `*ret_scope` NULL without error: a scope that is not there, asked for by somebody who may not
 * know that. Nothing is listed then. */
bool syncd_service_find_scope_for(SyncdService *service, const SyncdView *view, const char *text,
                                  SyncdScope **ret_scope, GError **error);
/* The filters of a listing, narrowed to what the caller may see. */
bool syncd_service_fill_query(SyncdService *service, const SyncdCaller *caller,
                              const SyncdListing *listing, guint32 max, SyncdFilter *ret_filter,
                              SyncdQuery *query, GError **error);

typedef struct {
    guint64 budget; /* bytes; a page ends before the entry that would exceed it */
    guint32 max;    /* entries a caller may ask for */
    const char *separator;
    SyncdReadDepth depth;
    /* Appends the entry's text. */
    void (*write)(SyncdService *service, const SyncdRow *row, GString *out);
} SyncdPageFormat;

bool syncd_service_page(SyncdService *service, const SyncdCaller *caller,
                        const SyncdListing *listing, SyncdQuery *query,
                        const SyncdPageFormat *format, GString *out, char **ret_cursor,
                        GError **error);

/* ---- operations that no log has (ephemeral-operations.c) ---- */

bool syncd_service_is_ephemeral(const SyncdRequest *request);
/* Keeps it in memory: the sequence number of the result is 0. TooLarge, LimitsExceeded. */
bool syncd_service_enqueue_ephemeral(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdRequest *request, SyncdEnqueued *ret_enqueued,
                                     GError **error);
/* False when there is none that the view shows. */
bool syncd_service_get_ephemeral(SyncdService *service, const SyncdView *view,
                                 const char *operation, char **ret_record);
/* As syncd_service_list_operations(), of these; `query` names the kind. */
char *syncd_service_list_ephemeral(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdListing *listing, SyncdQuery *query,
                                   char **ret_cursor, GError **error);

/* ---- refusals (refusals.c) ---- */

SyncdRefusals *syncd_refusals_new(void);
void syncd_refusals_free(SyncdRefusals *refusals);
/* Notes that policy refused: as syncd_service_note_refusal(), and the state shows it for a while.
 */
void syncd_service_note_policy(SyncdService *service, const SyncdCaller *caller, const char *action,
                               const char *reason);
/* Whether the log has a denial under the id of its decision, so that it can be asked for. */
typedef enum {
    SYNCD_NAMED_NOWHERE,
    SYNCD_NAMED_BY_TURN, /* it will, if the open turn becomes durable */
    SYNCD_NAMED_BY_LOG,
} SyncdNamed;

/* The same of what the rules in force denied; `object` is the one that was asked about, or NULL. */
SyncdNamed syncd_service_note_denial(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdDecision *decision, const char *object);
/* Writes the counts of windows that have closed; of all of them when `all`. */
void syncd_service_flush_refusals(SyncdService *service, bool all);
guint64 syncd_refusals_next_due(const SyncdRefusals *refusals);
/* What becomes of those that a turn recorded: it is durable; it was taken back, and they are
 * recorded in the next one; it failed, and they are counted in their windows. */
void syncd_refusals_settle(SyncdRefusals *refusals);
void syncd_service_record_refusals_again(SyncdService *service);
void syncd_service_count_refusals_again(SyncdService *service);

/* ---- what verifications found (damage.c) ---- */

/* What was found before is known again. */
SyncdDamage *syncd_damage_new(SyncdStore *store);
void syncd_damage_free(SyncdDamage *damage);

/* ---- failures that repeat (failures.c) ---- */

/* Notes those of the store's index that there were since the last call. */
void syncd_service_note_index_failures(SyncdService *service);

/* ---- jobs (jobs.c) ---- */

void syncd_job_free(SyncdJob *job);
/* The daemon's own verification of what came since the last one. */
void syncd_service_start_verify(SyncdService *service);
/* One slice of one job, and the removal of old ones. True while a job runs. */
bool syncd_service_step_jobs(SyncdService *service);
bool syncd_service_jobs_run(const SyncdService *service);
guint64 syncd_service_jobs_due(const SyncdService *service);
