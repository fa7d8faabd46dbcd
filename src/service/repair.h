/*
 * Repair: what is found wrong becomes a plan, a plan that somebody approved is carried out, and
 * what was done can be taken back.
 *
 * A plan is a document (domain/repair-plan.h) whose exact bytes never change: whoever approves,
 * applies or rolls back names their digest. It is bound to the report it was made from and to the
 * heads of the log. Its state is beside it: preview, approved, running, complete, failed,
 * rolled_back; one that was discarded or has expired is gone. Plans lie in a ledger of their own
 * (service/repair-ledger.c), as the log or the index may be what is broken.
 *
 * Planning changes nothing. Applying finds out anew what is wrong: unless that gives the very same
 * steps it is PlanStale, and so it is where one ended since whose snapshots would go for this one.
 * Then, as a job: each step's intent is durable before anything is touched, a snapshot comes first,
 * and what the step promised is checked after it. When one fails, the steps before it are undone
 * too. So a plan is applied whole or not at all, also when the process is
 * killed anywhere: syncd_service_start_repair() goes on with what it finds begun, and what cannot
 * go on is tried again once a minute. One plan is applied or rolled back at a time, and none while
 * another is half done that has to do with the same.
 *
 * The snapshots of the plan that was applied last are kept, and of one that nothing proves, for a
 * week at most: as long as they are there it can be rolled back. Every step of a plan's life is an
 * entry in the log: repair-plan.made, .approved, .begun, .undone, .discarded, and repair.apply,
 * which holds the report. One whose steps are done while nothing proves that the log has only grown
 * since it was planned is not complete: it has failed, its snapshots are kept, and it can be rolled
 * back (repair-plan.unproven). Where the log takes none they are owed, and follow when it does.
 *
 * Whether a caller may do any of this at all bus/ decides before; policy is asked here: for
 * "repair_preview" when a plan is made, for "write" otherwise, both in the lane audit, where it is
 * recorded: that one is open also where no rules can be had, and a repair may be the way out.
 *
 * All plans are owned by the service. A SyncdRepairPlan stands until `repair_plan_removed` told of
 * it.
 */
#pragma once

#include "service/service.h"

#define SYNCD_REPAIR_PLANS_MAX 32u /* that have not ended, a uid */
#define SYNCD_REPAIR_PLAN_USEC (3600u * (guint64)G_USEC_PER_SEC)
#define SYNCD_REPAIR_APPROVAL_USEC (15u * 60u * (guint64)G_USEC_PER_SEC)
#define SYNCD_REPAIR_SNAPSHOT_USEC (7u * 24u * 3600u * (guint64)G_USEC_PER_SEC)
#define SYNCD_REPAIR_ACCEPT_MAX 64u /* files that one plan records instead of restoring */

typedef struct {
    /* Ids of files whose bytes are to be recorded instead of restored; NULL: none. */
    const char *const *accept;
    /* What can be purged, and nothing else; whatever is wrong, and if nothing is. */
    bool purge;
} SyncdRepairRequest;

/* Answered after the commit. NotFound: there is nothing to repair. InvalidArgs for an id in
 * `accept` that is not among what was found; PolicyDenied; LimitsExceeded. */
bool syncd_service_plan_repair(SyncdService *service, const SyncdCaller *caller,
                               const SyncdRepairRequest *request, SyncdRepairPlan **ret_plan,
                               GError **error);
GPtrArray *syncd_service_repair_plans(SyncdService *service); /* borrowed, newest first */
/* Finds out by a diagnosis whether those that were not begun fit what is wrong by now. */
void syncd_service_judge_repairs(SyncdService *service);
/* The same for whoever may ask again and again: where it takes long not each time. */
void syncd_service_keep_repairs_judged(SyncdService *service);

const char *syncd_repair_plan_id(const SyncdRepairPlan *plan); /* random */
const char *syncd_repair_plan_digest(const SyncdRepairPlan *plan);
const char *syncd_repair_plan_state(const SyncdRepairPlan *plan);
const char *syncd_repair_plan_risk(const SyncdRepairPlan *plan); /* low, medium, high */
/* It takes away for good what it shows, and nothing else is in it. */
bool syncd_repair_plan_purges(const SyncdRepairPlan *plan);
bool syncd_repair_plan_is_destructive(const SyncdRepairPlan *plan);
/* Whether it could be applied if it were approved. PlanStale; AlreadyResolved; of a log that cannot
 * be read JournalCorrupt. */
bool syncd_repair_plan_check(const SyncdRepairPlan *plan, GError **error);
/* Why it did not fit any more at the last diagnosis (PlanStale), as long as it was not begun. Of
 * purges nobody looks before they are to be approved. NULL: it did. */
const char *syncd_repair_plan_stale(const SyncdRepairPlan *plan);
guint64 syncd_repair_plan_expires_usec(const SyncdRepairPlan *plan);
uid_t syncd_repair_plan_uid(const SyncdRepairPlan *plan); /* who planned it */
/* "uid:1000", or "daemon"; NULL: nobody has approved it. */
const char *syncd_repair_plan_approver(const SyncdRepairPlan *plan);
/* It was begun and its process ended; it goes on since, or waits for the next start. */
bool syncd_repair_plan_is_interrupted(const SyncdRepairPlan *plan);
/* It has ended, and nothing proves that the log is the one that it was made for. */
bool syncd_repair_plan_is_unproven(const SyncdRepairPlan *plan);
/* All of it, because it failed or because somebody asked for that. */
bool syncd_repair_plan_was_taken_back(const SyncdRepairPlan *plan);
/* Of what it kept, and would put back: names (char *) of files that are gone or were changed, as
 * far as that is seen without reading them. */
GPtrArray *syncd_repair_plan_lost(const SyncdRepairPlan *plan);
const char *syncd_repair_plan_text(const SyncdRepairPlan *plan); /* the exact bytes */
/* JSON: id, state, digest, risk, destructive, who planned and approved it and when, until when,
 * steps with their states, job, report, rollback_until_usec. */
char *syncd_repair_plan_describe(const SyncdRepairPlan *plan);

/* All four: StaleDigest when the digest is not the plan's. Approving once more is allowed, and
 * starts the time anew; AlreadyResolved for one that was begun, or that somebody else has approved
 * as long as that holds. Answered after the commit. */
bool syncd_service_approve_repair(SyncdService *service, const SyncdCaller *caller,
                                  SyncdRepairPlan *plan, const char *digest, GError **error);
/* Busy while it runs. A plan that was applied loses its snapshots, and can not be rolled back any
 * more. One that is half taken back, and does not go on, is not discarded: it has failed from then
 * on, what it kept stays, and it can be taken back again, or discarded. */
bool syncd_service_discard_repair(SyncdService *service, const SyncdCaller *caller,
                                  SyncdRepairPlan *plan, const char *digest, GError **error);
/* ApprovalRequired, ApprovalExpired, PlanStale, AlreadyResolved, Busy, NoSpace, LimitsExceeded. The
 * job's result is the repair report. */
bool syncd_service_apply_repair(SyncdService *service, const SyncdCaller *caller,
                                SyncdRepairPlan *plan, const char *digest, SyncdJob **ret_job,
                                GError **error);
/* NotFound when no snapshots are kept any more; of files of workspaces JournalCorrupt while the log
 * cannot be opened; else as above. */
bool syncd_service_rollback_repair(SyncdService *service, const SyncdCaller *caller,
                                   SyncdRepairPlan *plan, const char *digest, SyncdJob **ret_job,
                                   GError **error);
/* The report (sourceos.repair-report/v1alpha1) of one that has ended. NotFound. */
char *syncd_service_repair_report(SyncdService *service, SyncdRepairPlan *plan, GError **error);

/* Names (char *) of files of the ledger that are not what was written, and lie aside. Borrowed. */
const GPtrArray *syncd_service_repair_set_aside(const SyncdService *service);
/* Why nothing of earlier repairs could be read at the start; NULL: it could. */
const char *syncd_service_repairs_unreadable(const SyncdService *service);

/* ---- at the start ---- */

/* What the daemon may repair by itself, as the configuration says: a list of names of kinds
 * (service/repair-kinds.h), of which only those count that mend what is rebuildable. */
typedef struct {
    const char *const *automatic; /* NULL: none */
} SyncdRepairSettings;

/* Reads the ledger, goes on with what was begun, and repairs what may be repaired without asking.
 * Once, before callers are served. What is wrong with the ledger stops nothing: it is set aside and
 * found by a diagnosis. */
void syncd_service_start_repair(SyncdService *service, const SyncdRepairSettings *settings);
