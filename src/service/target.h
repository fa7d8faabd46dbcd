/*
 * Private to service/: operations that exist, entries about them, and their tasks.
 */
#pragma once

#include "domain/scope.h"
#include "service/admission.h"

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
