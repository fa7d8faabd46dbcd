/*
 * What the system does for its callers: one function a use case, and the only API of bus/.
 *
 * A SyncdService owns the store, the policy, the turn and the jobs of one instance. Every function
 * takes the caller's identity (from the bus, never from the message), decides, and gives results;
 * it knows neither sd-bus nor polkit: whether a caller may use a function at all was decided
 * before, by the authorisation table of bus/.
 *
 * Writes are answered in two steps. The function returns a receipt; the answer may go out only
 * after the commit of the turn: register it with syncd_service_after_commit(). The daemon commits
 * when its input is drained.
 *
 * What others should hear of (commits, states, jobs) goes to the one SyncdListener.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/sources.h"
#include "domain/ignore.h"
#include "domain/policy-set.h"
#include "store/store.h"
#include "store/verify.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the interfaces of the bus offer; whatever they offer more raises it. 2: Register and Update
 * tell unknown members, and take "dry_run"; roots. 4: Manager.Diagnose; evidence; Manager.Health.
 */
#define SYNCD_API_VERSION 4u

#define SYNCD_LIST_MAX 100u
#define SYNCD_LIST_BYTES_MAX 1000u
/* Of what a page holds; one entry may be longer. The bus carries a page in one piece. */
#define SYNCD_PAGE_SIZE (1024u * 1024u)
#define SYNCD_MANY_MAX 512u
#define SYNCD_MANY_SIZE (4u * 1024u * 1024u)
#define SYNCD_RECORD_SIZE (64u * 1024u) /* of a registry record */
#define SYNCD_JOBS_MAX 4u               /* running, per uid */
#define SYNCD_KNOWN_HEADS_MAX 1024u
#define SYNCD_JOB_KEEP_USEC (5u * 60u * G_USEC_PER_SEC)

typedef struct SyncdService SyncdService;
typedef struct SyncdJob SyncdJob;
typedef struct SyncdRepairPlan SyncdRepairPlan; /* service/repair.h */

typedef enum { SYNCD_INSTANCE_USER, SYNCD_INSTANCE_SYSTEM } SyncdInstance;
const char *syncd_instance_name(SyncdInstance instance); /* "user", "system" */

typedef struct {
    uid_t uid;
    const char *worker; /* its name on the bus, NULL where it has none: who holds a lease */
    const char *unit;   /* the systemd unit it runs in; NULL: none. Of the user instance only. */
    /* Never from a request: the actor whose signature it bears, until when, and the digest of what
     * it covers. Of what was found in a workspace the actor who announced it, without the others.
     */
    const char *agent;
    guint64 expires_usec;
    char request[SYNCD_DIGEST_SIZE];
    bool rehearses; /* only wants to know what would happen: refusals of it are not noted */
    bool inspector; /* may see what others did (system instance: polkit said yes, or root) */
} SyncdCaller;

/* How it stands with the directory that a root is. */
typedef struct {
    const char *state;  /* scanning, watching, missing, failed */
    const char *reason; /* NULL: there is nothing to say */
    guint64 folders;    /* looked into by the present scan or the last one */
    guint64 waiting;    /* what is known and not looked at yet */
    guint64 skipped;    /* devices, pipes, sockets, what is mounted there */
    guint64 unreadable;
    guint64 ignored; /* names; none beneath such a one */
    guint64 unruled; /* rules that do not hold */
    bool unwatched;  /* some folders are not watched */
    bool deep;       /* every file is being read */
} SyncdRootStanding;

typedef struct SyncdRestore SyncdRestore; /* service/files.h */

typedef struct {
    void *data;
    void (*turn_opened)(void *data); /* something waits for a commit */
    void (*work_waits)(
        void *data); /* syncd_service_work() has something to do, or will when it is due */
    void (*committed)(void *data, const SyncdCommit *commit, const char *const *event_types);
    void (*tasks_changed)(void *data); /* there may be one to claim */
    void (*changed)(void *data);       /* a property of Manager may have another value */
    void (*job_added)(void *data, SyncdJob *job);
    void (*job_changed)(void *data, SyncdJob *job); /* progress or end */
    void (*job_removed)(void *data, SyncdJob *job);
    void (*repair_plan_added)(void *data, SyncdRepairPlan *plan);
    void (*repair_plan_changed)(void *data, SyncdRepairPlan *plan);
    void (*repair_plan_removed)(void *data, SyncdRepairPlan *plan); /* it is gone after this */
    /* Of a root by its id; false for one that nobody looks after. */
    bool (*standing)(void *data, const char *root, SyncdRootStanding *ret_standing);
    /* Has one scanned, as a job of this user; NULL for one that nobody looks after. */
    SyncdJob *(*scan)(void *data, const char *root, bool deep, uid_t uid);
    /* Brings a file back, which is taken over; the same. */
    SyncdJob *(*restore)(void *data, const char *root, SyncdRestore *restore, uid_t uid);
    /* The ignore rules of one that is looked after; NULL for any other. */
    const SyncdIgnore *(*rules)(void *data, const char *root);
} SyncdListener;

/* Takes the store over, also when it fails. Writes the first entries (device, actors) of a new one.
 * `uid` is whose instance it is. */
SyncdService *syncd_service_new(SyncdInstance instance, uid_t uid, SyncdStore *store,
                                const SyncdSources *sources, GError **error);
/* Commits what is open and answers those who wait for it. */
/* At the very end, until it gives false: what is open of a journal that somebody removed or
 * replaced is kept. */
bool syncd_service_keep_displaced(SyncdService *service);
void syncd_service_free(SyncdService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdService, syncd_service_free)
void syncd_service_set_listener(SyncdService *service, const SyncdListener *listener);
/* The directories that the daemon itself writes to, without symlinks on the way: no workspace is
 * one of them, lies in one or holds one. */
void syncd_service_set_own_directories(SyncdService *service, const char *const *directories);

typedef struct {
    guint64 since_ms; /* when the rules of the level came into force; 0: it has none that count */
    bool last_good;   /* newer ones were refused */
    bool kept;        /* they would be in force after a restart too */
} SyncdPolicyLevelStanding;

typedef struct {
    SyncdPolicyLevelStanding levels[SYNCD_N_POLICY_LEVELS];
} SyncdPolicyStanding;

/* From now on this set decides; it is taken over. Before the first call it is the built-in policy
 * alone. `fault` is NULL, or says which rules were refused and why: the state shows it. */
void syncd_service_set_policy(SyncdService *service, SyncdPolicySet *set, const char *fault);
/* Where the levels of the set in force come from, for who asks for the status; nobody knows before
 * the call. */
void syncd_service_set_policy_standing(SyncdService *service, const SyncdPolicyStanding *standing);

/* ---- the turn ---- */

/* Called once, after the commit of the present turn or, when there is none, at once. `error` NULL
 * means durable. */
typedef void (*SyncdCommitFunc)(void *data, const GError *error);
void syncd_service_after_commit(SyncdService *service, SyncdCommitFunc func, void *data);
/* That policy denied something is recorded in the turn. Once that is durable the refusal `error`,
 * which a call just got, may be answered with this instead: it names the decision to be asked for.
 * NULL when it says no more than `error`. */
GError *syncd_service_take_denial(SyncdService *service, const GError *error);
bool syncd_service_has_turn(const SyncdService *service);
bool syncd_service_turn_is_full(const SyncdService *service);
unsigned syncd_service_waiting(const SyncdService *service); /* those who wait for its commit */
void syncd_service_commit(SyncdService *service);
/* Background work in small pieces: index, WAL, jobs, refusals that wait. True while there is more.
 */
bool syncd_service_work(SyncdService *service);
/* What there is of roots (SyncdRoot), as how long content of deleted files is kept may have
 * changed: retention.h. Does nothing if that has not. */
void syncd_service_retain_soon(SyncdService *service, const GPtrArray *roots);
/* Whether that should not wait for a pause. */
bool syncd_service_is_pressed(const SyncdService *service);
/* After each call: one that only reads may have changed the state too, as by making the index. */
void syncd_service_call_done(SyncdService *service);
/* When the next timed work is due (monotonic microseconds), G_MAXUINT64 for never: then call
 * syncd_service_work(). */
guint64 syncd_service_next_due(const SyncdService *service);

/* ---- the state, for properties and status.json ---- */

typedef struct {
    const char *state;
    const char *reasons[24]; /* NULL-terminated constants */
    guint32 conflict_count, policy_blocked_count, pending_approvals;
    bool repair_needed, paused;
    guint64 pending_operations, sequence, last_activity_usec;
} SyncdState;

void syncd_service_state(SyncdService *service, SyncdState *ret_state);
/* The JSON of Manager.Describe; `caller` NULL or without rights gets counts only (system instance).
 */
char *syncd_service_describe(SyncdService *service, const SyncdCaller *caller, GError **error);
/* The JSON of status.json. */
char *syncd_service_status(SyncdService *service);

/* ---- signed requests ---- */

#define SYNCD_CLAIM_USEC_MAX                                                                       \
    (G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC) /* how far ahead a claim may expire */

/* That a registered agent makes the request, proven by its signature (docs/format.md 12). */
typedef struct {
    const char *actor;     /* NULL: there is none */
    const char *signature; /* base64 */
    guint64 expires_usec;
} SyncdSigned;

/* The bytes that its signature covers: `parts` are the arguments of the request. */
GString *syncd_signed_statement(const char *device, const SyncdSigned *claim, const char *method,
                                const char *idempotency_key, const SyncdBytes *parts,
                                size_t n_parts);

/* A request whose arguments are texts (many, replay, reconcile, tasks), NULL where nothing was
 * given, in the order of docs/format.md. */
typedef struct {
    const char *method;
    const char *idempotency_key; /* NULL: the method has none */
    const char *const *arguments;
    size_t n_arguments;
    SyncdBytes body; /* an argument that is bytes, after the others; without data: there is none */
} SyncdSignedRequest;

/* The caller as the agent that signed, when the request says that one did. AccessDenied. */
bool syncd_service_act_as(SyncdService *service, const SyncdCaller *caller,
                          const SyncdSigned *claim, const SyncdSignedRequest *request,
                          SyncdCaller *ret_caller, GError **error);

/* ---- operations ---- */

typedef struct {
    const char *type;
    const char *scope; /* "device" or "<class>:<name>" */
    const char *object;
    SyncdBytes body;
    const char *idempotency_key; /* NULL: none; the same for the next two: their defaults */
    const char *lane;
    const char *data_class;
    const char *const *parents; /* operation ids, NULL-terminated; may be NULL */
    bool create_scope;
    bool restore; /* the object was deleted: this is a new version of it */
    SyncdSigned claim;
} SyncdRequest;

typedef struct {
    char *operation;
    guint64 sequence; /* 0: it is ephemeral and in no log; then no commit has to be awaited */
    bool duplicate;
} SyncdEnqueued;

void syncd_enqueued_clear(SyncdEnqueued *enqueued);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdEnqueued, syncd_enqueued_clear)

bool syncd_service_enqueue(SyncdService *service, const SyncdCaller *caller,
                           const SyncdRequest *request, SyncdEnqueued *ret_enqueued,
                           GError **error);
/* JSON lines in, JSON lines out, all or nothing, in short steps, between which others are served.
 * All but the last one only check lines, some hundreds of microseconds' worth each, and change
 * nothing; the last one holds the lines against what the others did meanwhile and writes all of
 * them, in a turn of its own. Freed before that it leaves no trace. */
typedef struct SyncdMany SyncdMany;

/* Borrows the caller's name and the lines. */
SyncdMany *syncd_service_begin_many(SyncdService *service, const SyncdCaller *caller,
                                    SyncdBytes lines, GError **error);
/* `*ret_results` NULL: there are more steps. After an error there are none. */
bool syncd_many_step(SyncdMany *many, GString **ret_results, GError **error);
void syncd_many_free(SyncdMany *many);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdMany, syncd_many_free)

typedef struct {
    char *evidence; /* the id of the entry that is the replay */
    bool duplicate; /* it was replayed with this key before, and nothing was changed now */
} SyncdReplayed;

void syncd_replayed_clear(SyncdReplayed *replayed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdReplayed, syncd_replayed_clear)

/* Queues an operation once more; `key` NULL: the one it was enqueued with. After the commit,
 * describe_replay() gives the evidence. */
bool syncd_service_replay(SyncdService *service, const SyncdCaller *caller, const char *operation,
                          const char *key, SyncdReplayed *ret_replayed, GError **error);
char *syncd_service_describe_replay(SyncdService *service, const char *evidence, GError **error);

typedef struct {
    char *entry; /* the id of the entry that is the reconciliation */
    bool duplicate;
} SyncdReconciled;

void syncd_reconciled_clear(SyncdReconciled *reconciled);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdReconciled, syncd_reconciled_clear)

/* Says what an operation and its artifacts are called elsewhere; `document` is a JSON object. The
 * same once more is a duplicate; what contradicts an earlier one is AlreadyResolved. */
bool syncd_service_reconcile(SyncdService *service, const SyncdCaller *caller,
                             const char *operation, SyncdBytes document,
                             SyncdReconciled *ret_reconciled, GError **error);

/* One of the three is given. */
typedef struct {
    const char *operation;
    const char *remote;   /* id of the operation elsewhere */
    const char *artifact; /* provisional or final */
} SyncdReconciledQuery;

/* A JSON array of the reconciliations that name it. */
char *syncd_service_list_reconciled(SyncdService *service, const SyncdCaller *caller,
                                    const SyncdReconciledQuery *query, GError **error);

/* ---- purges ---- */

typedef struct {
    const char *scope; /* "device" or "<class>:<name>" */
    const char *object;
    const char *digest; /* of the plan that was looked at */
} SyncdPurgeRequest;

typedef struct {
    char *operation; /* the id of the entry that is the purge */
    guint64 sequence;
} SyncdPurged;

void syncd_purged_clear(SyncdPurged *purged);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdPurged, syncd_purged_clear)

/* In short steps, between which others are served. Freed before the last one it leaves no trace. */
typedef struct SyncdPurging SyncdPurging;

/* What a purge of a deleted object would take, as JSON with its digest; changes nothing.
 * InvalidContract when it is not deleted, AlreadyResolved when it is purged, Busy when something
 * has to end first, PolicyDenied when it must be kept, LimitsExceeded when it is too much for one
 * purge. Borrows the texts of the request. */
SyncdPurging *syncd_service_begin_plan_purge(SyncdService *service, const SyncdCaller *caller,
                                             const SyncdPurgeRequest *request, GError **error);
/* Takes it, in a turn of its own which is committed at the end. StaleDigest when it would be
 * something else than the plan says. Every other place where the bytes were follows in
 * syncd_service_work(), and the proof of it. Borrows them, too. */
SyncdPurging *syncd_service_begin_purge(SyncdService *service, const SyncdCaller *caller,
                                        const SyncdPurgeRequest *request, GError **error);
/* A step of what was begun; `*ret_plan` NULL, and no operation: there are more. After an error
 * there are none. Busy when the object changes meanwhile. */
bool syncd_purging_plan(SyncdPurging *purging, char **ret_plan, GError **error);
bool syncd_purging_carry_out(SyncdPurging *purging, SyncdPurged *ret_purged, GError **error);
void syncd_purging_free(SyncdPurging *purging);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPurging, syncd_purging_free)

/* How far a purge is, as JSON. NotFound. */
char *syncd_service_describe_purge(SyncdService *service, const SyncdCaller *caller,
                                   const char *operation, GError **error);

/* ---- tasks ---- */

/* Which task is wanted: any that is offered and fits; members that are NULL or 0 mean any. */
typedef struct {
    const char *scope, *lane, *object;
    const char *operation; /* the task of this one and no other */
    bool detached;         /* the lease goes on when the caller leaves the bus */
    guint32 lease_s;       /* how long the lease lasts without being renewed; 0: a minute */
} SyncdClaim;

/* In short steps, between which others are served, as there may be many tasks for others before the
 * first that the caller may have. Freed before the last one it leaves no trace. */
typedef struct SyncdClaiming SyncdClaiming;

/* Borrows the texts of both. */
SyncdClaiming *syncd_service_begin_claim(SyncdService *service, const SyncdCaller *caller,
                                         const SyncdClaim *claim, GError **error);
/* `*ret_done` false: there are more steps; after an error there are none. `*ret_lease` NULL: none
 * is to be had. After the commit, describe_claim() gives the task and the operation. */
bool syncd_claiming_step(SyncdClaiming *claiming, bool *ret_done, char **ret_lease, GError **error);
void syncd_claiming_free(SyncdClaiming *claiming);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdClaiming, syncd_claiming_free)

bool syncd_service_describe_claim(SyncdService *service, const char *lease, char **ret_task,
                                  char **ret_operation, GError **error);
/* `lease_s` 0: as long as before. LeaseLost; the same for the next two. */
bool syncd_service_renew_task(SyncdService *service, const SyncdCaller *caller, const char *lease,
                              guint32 lease_s, guint64 *ret_until_usec, GError **error);
/* After the commit of this and the next two, describe_task() gives the task. */
bool syncd_service_complete_task(SyncdService *service, const SyncdCaller *caller,
                                 const char *lease, const char *const *evidence,
                                 char **ret_operation, GError **error);
typedef struct {
    const char *reason;
    bool final;      /* not to be tried again */
    guint32 after_s; /* not before; 0: as the retry policy says */
} SyncdFailure;
bool syncd_service_fail_task(SyncdService *service, const SyncdCaller *caller, const char *lease,
                             const SyncdFailure *failure, char **ret_operation, GError **error);
/* A task that waits is carried out by nobody any more; `reason` may be NULL. One that is cancelled
 * already stays so. Busy while somebody holds it, AlreadyResolved when it has ended. */
bool syncd_service_cancel_task(SyncdService *service, const SyncdCaller *caller, const char *task,
                               const char *reason, char **ret_operation, GError **error);
/* Whoever had this name on the bus is gone: its leases end. */
void syncd_service_worker_gone(SyncdService *service, const char *worker);

char *syncd_service_get_task(SyncdService *service, const SyncdCaller *caller, const char *task,
                             GError **error);
char *syncd_service_describe_task(SyncdService *service, const char *operation, GError **error);

typedef struct {
    const char *cursor, *scope, *object, *state, *lane; /* NULL: any */
    guint32 limit;
    bool stale; /* only those that nobody claimed for too long */
} SyncdTaskListing;

/* A JSON array of tasks. */
char *syncd_service_list_tasks(SyncdService *service, const SyncdCaller *caller,
                               const SyncdTaskListing *listing, char **ret_cursor, GError **error);
/* How many tasks are offered or wait, and how many are in somebody's hands. */
bool syncd_service_count_tasks(SyncdService *service, guint64 *ret_pending, guint64 *ret_running,
                               GError **error);

/* What a listing asks for; `filter` members that are NULL or 0 mean any. */
typedef struct {
    const char *cursor, *order, *scope, *object, *actor, *type, *operation;
    guint32 limit;
    guint64 after, since_usec, until_usec;
    bool bodies;
    bool ephemeral; /* those in memory instead of those in the log; of operations only */
} SyncdListing;

char *syncd_service_get_operation(SyncdService *service, const SyncdCaller *caller,
                                  const char *operation, GError **error);
char *syncd_service_list_operations(SyncdService *service, const SyncdCaller *caller,
                                    const SyncdListing *listing, char **ret_cursor, GError **error);
GString *syncd_service_list_bytes(SyncdService *service, const SyncdCaller *caller,
                                  const SyncdListing *listing, char **ret_cursor, GError **error);
char *syncd_service_list_events(SyncdService *service, const SyncdCaller *caller,
                                const SyncdListing *listing, char **ret_cursor, GError **error);
/* Writes the entry; `*ret_operation` names it. After its commit, describe_checkpoint() gives the
 * document. */
bool syncd_service_checkpoint(SyncdService *service, const SyncdCaller *caller, const char *scope,
                              char **ret_operation, GError **error);
char *syncd_service_describe_checkpoint(SyncdService *service, const char *operation,
                                        GError **error);
char *syncd_service_prove(SyncdService *service, const SyncdCaller *caller, const char *operation,
                          GError **error);

/* ---- jobs ---- */

/* The job is owned by the service. LimitsExceeded. */
bool syncd_service_verify(SyncdService *service, const SyncdCaller *caller, SyncdVerifyMode mode,
                          const char *const *known_heads, SyncdJob **ret_job, GError **error);
typedef struct {
    SyncdVerifyMode mode;
    const char *const *known_heads; /* may be NULL */
    bool index;                     /* afterwards, whether the index adds up */
} SyncdVerifyOptions;

bool syncd_service_verify_with(SyncdService *service, const SyncdCaller *caller,
                               const SyncdVerifyOptions *options, SyncdJob **ret_job,
                               GError **error);
/* Looks into all folders of a workspace. NotFound; EngineDisabled for one that is paused;
 * LimitsExceeded. */
bool syncd_service_scan(SyncdService *service, const SyncdCaller *caller, const char *workspace,
                        bool deep, SyncdJob **ret_job, GError **error);
SyncdJob *syncd_service_find_job(SyncdService *service,
                                 const char *id);     /* NULL when there is none */
GPtrArray *syncd_service_jobs(SyncdService *service); /* borrowed SyncdJob *, newest first */
char *syncd_service_describe_jobs(SyncdService *service, const SyncdCaller *caller);
/* Busy for one that goes on to its end. */
bool syncd_service_cancel_job(SyncdService *service, SyncdJob *job, GError **error);

const char *syncd_job_id(const SyncdJob *job); /* random; the last element of its path, unescaped */
uid_t syncd_job_uid(const SyncdJob *job);
const char *syncd_job_operation(const SyncdJob *job);
const char *syncd_job_state(const SyncdJob *job);
double syncd_job_progress(const SyncdJob *job);
const char *syncd_job_result(const SyncdJob *job); /* "" until done */
bool syncd_job_is_cancelable(const SyncdJob *job);
const GError *syncd_job_error(const SyncdJob *job); /* NULL unless failed */
char *syncd_job_describe(const SyncdJob *job);

/* ---- failures that repeat ---- */

/* Something failed; `kind` is the same whenever it does. What comes too often is found by a
 * diagnosis. */
void syncd_service_note_failure(SyncdService *service, const char *kind, const char *what);

/* ---- refusals ---- */

/* Notes that a caller was refused: of a registered one it becomes a coalesced entry, of others a
 * line in the system log and a place in a bounded ring. bus/ calls it for what it refuses itself.
 */
void syncd_service_note_refusal(SyncdService *service, const SyncdCaller *caller,
                                const char *action, const char *reason);
