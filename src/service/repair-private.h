/* The inside of repair, shared by the files that make it up (repair-*.c). */
#pragma once

#include "domain/repair-plan.h"
#include "service/job.h"
#include "service/repair-kinds.h"

#define SYNCD_REPAIR_STATE_SCHEMA "sourceos.repair-state/v1"
#define SYNCD_REPAIR_REPORT_SCHEMA "sourceos.repair-report/v1alpha1"
#define SYNCD_REPAIR_APPROVAL_SCHEMA "sourceos.repair-approval/v1"
#define SYNCD_REPAIR_STEPS_MAX 256u
#define SYNCD_REPAIR_NOTE_MAX 4096u
#define SYNCD_REPAIR_PLAN_SIZE (1024u * 1024u)
#define SYNCD_REPAIR_STATE_SIZE (8u * 1024u * 1024u)
#define SYNCD_REPAIR_RETRY_USEC (60u * (guint64)G_USEC_PER_SEC)
#define SYNCD_REPAIR_ENDED_MAX 32u /* of those that have ended the newest stay */
#define SYNCD_REPAIR_OWED_MAX 64u  /* entries that one plan owes: no ledger has more */

typedef enum {
    SYNCD_REPAIR_PREVIEW,
    SYNCD_REPAIR_APPROVED,
    SYNCD_REPAIR_RUNNING, /* or being undone */
    SYNCD_REPAIR_COMPLETE,
    SYNCD_REPAIR_FAILED,
    SYNCD_REPAIR_ROLLED_BACK,
    SYNCD_N_REPAIR_STATES,
} SyncdRepairState;

typedef enum {
    SYNCD_STEP_PENDING,
    SYNCD_STEP_BEGUN, /* something of it may have been done */
    SYNCD_STEP_DONE,
    SYNCD_STEP_UNDONE,
    SYNCD_N_STEP_STATES,
} SyncdRepairStepState;

typedef struct {
    const SyncdRepairKind *kind;
    char *target, *object, *cause, *preview, *bound_to;
    char *risk, *description; /* as they were shown, which may be more than the kind says */
    guint64 gives_up;         /* parts for good, at most */
    guint64 calls_lost;       /* the same of what is gone already */
    SyncdRepairStepState state;
    char *note;
    char *
        kept; /* the digest of what is kept, once it is done (store/snapshot.h); NULL: nothing is */
} SyncdRepairWork;

/* An entry that the log does not have yet. */
typedef struct {
    char *operation; /* its id: so it is written once */
    char *kind;
    char *identity; /* whose doing it is */
    char *content;
} SyncdRepairOwed;

struct SyncdRepairPlan {
    SyncdService *service;
    char *id;
    char *text;
    char digest[SYNCD_DIGEST_SIZE];
    char *risk;
    bool destructive;
    bool purges;          /* all of its steps are such: there is no way back */
    guint64 space;        /* that it was said to take */
    GPtrArray *steps;     /* SyncdRepairWork */
    GArray *heads;        /* SyncdRepairHead, whose texts are owned */
    GHashTable *releases; /* a set: ids of plans that it was said to release */
    SyncdRepairState state;
    bool undoing;     /* of one that runs */
    bool kept;        /* there are snapshots */
    bool unproven;    /* nothing proves that the log is the one that it was made for */
    bool stuck;       /* it could not be taken back in whole: what it kept stays */
    bool ended;       /* the same, as somebody has ended that */
    bool unreleased;  /* there may be some that nobody goes back to: they are to be removed */
    bool interrupted; /* it was begun and does not go on: that is tried again in a while */
    bool resumed;     /* by this start */
    bool automatic;
    bool lapsed;    /* that its approval has ended was told */
    bool discarded; /* it goes once the log says so */
    uid_t uid;
    uid_t approver_uid;
    char *approver; /* identity; NULL: none */
    char *undoer;   /* who wants it rolled back; NULL: it failed */
    char *job;      /* the id of the one that runs, or ran last; NULL: none */
    char *failure;  /* why it is being undone by itself; NULL: it is not */
    char *stale;    /* why it did not fit when that was looked at last; NULL: it did */
    char *releaser; /* the plan for which it was released; NULL: it was not, or for none */
    char *approval; /* the operation that records the approval */
    char *report;   /* the digest of its report; NULL: it has none, or an earlier ledger */
    guint64 planned_usec, expires_usec, approved_usec, approval_until_usec, begun_usec, ended_usec;
    GPtrArray *owed; /* SyncdRepairOwed */
    bool unsaved;    /* some of it is not owed any more, and the ledger says it is */
    guint64 retry; /* monotonic: what time does to it could not be written, and waits until then */
};

/* What a service keeps of repair. */
struct SyncdRepairs {
    GPtrArray *plans; /* SyncdRepairPlan, oldest first */
    SyncdRepairPlan *running;
    GPtrArray *damaged; /* names of files that were set aside: char * */
    char *unreadable;   /* why none of it could be read at the start; NULL: it could */
    guint64 retry;      /* monotonic: entries that are owed are not tried before; 0: at once */
    char **automatic;
    guint64 again, delay; /* monotonic: what failed of it is tried again then; 0: nothing has */
    guint64 wake;         /* monotonic: what runs waits until then; 0: it does not */
};

SyncdRepairs *syncd_repairs_new(void);
void syncd_repairs_free(SyncdRepairs *repairs);
const char *syncd_repair_state_name(SyncdRepairState state);
const char *syncd_repair_step_state_name(SyncdRepairStepState state);
void syncd_repair_plan_free(SyncdRepairPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRepairPlan, syncd_repair_plan_free)
bool syncd_repair_plan_has_ended(const SyncdRepairPlan *plan);
/* It was applied, and what was there before is kept. */
bool syncd_repair_can_be_undone(const SyncdRepairPlan *plan);
/* Why it is not complete; NULL: nobody says that it is not. */
const char *syncd_repair_plan_reason(const SyncdRepairPlan *plan);
/* That the caller names this very plan. StaleDigest. */
bool syncd_repair_check_digest(const SyncdRepairPlan *plan, const char *digest, GError **error);
/* Steps and heads of its text. InvalidContract. */
SyncdRepairPlan *syncd_repair_plan_parse(SyncdService *service, SyncdBytes text, GError **error);
void syncd_repair_tell_added(SyncdRepairPlan *plan);
void syncd_repair_tell_changed(SyncdRepairPlan *plan);
/* Of what is needed, not saved and in no list. */
SyncdRepairPlan *syncd_repair_make_plan(SyncdService *service, const GPtrArray *needs,
                                        guint64 left_out, GError **error);
/* From then on there is none; it lies in the ledger until the log says so. */
bool syncd_repair_discard(SyncdRepairPlan *plan, const char *identity, GError **error);
/* From the list, from the ledger, and from memory. */
void syncd_repair_remove(SyncdRepairPlan *plan);

/* ---- what is wrong (repair-needs.c) ---- */

/* SyncdRepairNeed, in the order of the kinds and of their targets. `wish` NULL: all that the daemon
 * may want. `found`: by a diagnosis; NULL: one is made. `ret_left_out`: how many there are more;
 * NULL: nobody asks. */
GPtrArray *syncd_repair_find_needs(SyncdService *service, const SyncdRepairWish *wish,
                                   const GPtrArray *found, guint64 *ret_left_out, GError **error);
/* What a plan of purges says in a few sentences; NULL: it is none. `along` is what any purge takes
 * along (purge-along.h). */
char *syncd_repair_purge_summary(const GPtrArray *needs, const GPtrArray *along, bool more);
/* The live report, as JSON. */
char *syncd_repair_live_report(SyncdService *service, GError **error);

/* ---- the ledger (repair-ledger.c) ---- */

/* Writes the plan's state, whole. */
bool syncd_repair_save(SyncdRepairPlan *plan, GError **error);
/* The text as well. */
bool syncd_repair_save_new(SyncdRepairPlan *plan, GError **error);
void syncd_repair_forget(SyncdRepairPlan *plan);
bool syncd_repair_save_report(SyncdRepairPlan *plan, const char *report, GError **error);
/* InvalidContract: it is not the one that was written. */
char *syncd_repair_read_report(SyncdRepairPlan *plan, GError **error);
/* All of them; what is damaged is set aside, and named. */
void syncd_repair_load(SyncdService *service);

/* ---- entries (repair-entries.c) ---- */

/* PolicyDenied, noted as a refusal unless the caller is NULL: then the daemon asks for itself. */
bool syncd_repair_ask(SyncdService *service, const SyncdCaller *caller, const char *action,
                      const char *lane, char ret_decision[SYNCD_DECISION_ID_SIZE], GError **error);
/* To be written with the next save. */
SyncdRepairOwed *syncd_repair_owe(SyncdRepairPlan *plan, const char *kind, const char *identity,
                                  char *content);
void syncd_repair_owed_free(void *owed);
/* Appends what is owed, as far as the log takes it, and forgets what is durable. */
void syncd_repair_settle(SyncdService *service);

/* ---- reports (repair-report.c) ---- */

/* Of one that has ended, in its new state. */
char *syncd_repair_write_report(SyncdRepairPlan *plan, const GPtrArray *acts);

/* ---- the log, then and now (repair-proof.c) ---- */

typedef struct {
    bool holds;     /* what the feed was is a prefix of what it is */
    bool gone;      /* there is no such feed any more */
    SyncdHead *now; /* NULL: it could not be read … */
    GArray *path;   /* … and the proof, SyncdHash */
} SyncdPrefix;

void syncd_prefix_clear(SyncdPrefix *prefix);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdPrefix, syncd_prefix_clear)
bool syncd_repair_read_prefix(const SyncdRepairPlan *plan, const SyncdRepairHead *head,
                              SyncdPrefix *ret_prefix, GError **error);
/* Of every feed that there was. */
bool syncd_repair_is_proven(const SyncdRepairPlan *plan);
/* The member `log`. */
void syncd_repair_write_proof(const SyncdRepairPlan *plan, SyncdJsonWriter *writer);

/* ---- before it is begun (repair-check.c) ---- */

/* Busy: another one runs, or something else that a repair would be in the way of. */
bool syncd_repair_check_idle(const SyncdService *service, GError **error);
/* What can be done about one that is half done. */
char *syncd_repair_way_on(const SyncdRepairPlan *plan);
/* The same of one that nothing proves; `have_log` begins it: "have it". */
char *syncd_repair_way_on_unproven(const SyncdRepairPlan *plan, const char *have_log);
/* Busy: one that has to do with the same is half done. */
bool syncd_repair_check_alone(const SyncdRepairPlan *plan, GError **error);
/* PlanStale: a diagnosis gives other steps by now, or a repair that it would release ended since.
 */
bool syncd_repair_check_needs(const SyncdRepairPlan *plan, GError **error);
/* Of purges. PlanStale: by now more would go than was shown. Busy: more than may. */
bool syncd_repair_check_along(const SyncdRepairPlan *plan, GError **error);
/* PlanStale: the log is another one. */
bool syncd_repair_check_heads(const SyncdRepairPlan *plan, GError **error);
/* NoSpace. */
bool syncd_repair_check_room(const SyncdRepairPlan *plan, GError **error);

/* ---- beginning (repair-apply.c) ---- */

/* The ledger says that it is begun; owes the entry of it. */
bool syncd_repair_begin(SyncdRepairPlan *plan, const char *identity, GError **error);

/* ---- carrying out (repair-run.c) ---- */

/* Goes on with one that runs, as a job of that user. */
SyncdJob *syncd_repair_run(SyncdRepairPlan *plan, uid_t uid, bool own);

/* ---- steps, and what they kept (repair-act.c) ---- */

SyncdRepairAct *syncd_repair_act_new(SyncdRepairPlan *plan, guint number);
void syncd_repair_act_free(void *act);
/* There is no way back any more. What of it is not removed at once, or cannot be, follows. */
bool syncd_repair_release(SyncdRepairPlan *plan, GError **error);
void syncd_repair_release_or_warn(SyncdRepairPlan *plan);
/* Those that end to be reversible once another one is complete, borrowed. */
GPtrArray *syncd_repair_list_released(const SyncdService *service);
/* All of them, none of which may be half done: what they kept is nowhere any more. */
bool syncd_repair_release_all(SyncdService *service, bool *ret_more, GError **error);

/* ---- what steps kept, and what of it is lost (repair-kept.c) ---- */

/* Of a step that is done: notes what it keeps. The caller saves `*ret_digest`, if it gives one. */
bool syncd_repair_note_kept(SyncdRepairAct *act, bool *ret_more, char **ret_digest, GError **error);
/* Before such a step is undone: `act->lost` is what is lost of it. */
bool syncd_repair_compare_kept(const SyncdRepairWork *work, SyncdRepairAct *act, bool *ret_more,
                               GError **error);
/* Whether nothing of it can be put back, as what is lost is needed for that. */
bool syncd_repair_is_lost(const SyncdRepairWork *work, const SyncdRepairAct *act);
/* The report says of what is lost that it is not put back. */
void syncd_repair_tell_lost(const SyncdRepairWork *work, SyncdRepairAct *act);
/* Of one that could be taken back: names (char *) of what of that is not there, or not as long as
 * it was, as far as that is seen without reading it. `*ret_any`: something can be put back. */
GPtrArray *syncd_repair_look_at_kept(const SyncdRepairPlan *plan, bool *ret_any);

/* Of one that was applied: whether taking it back leads anywhere. AlreadyResolved. */
bool syncd_repair_returns(const SyncdRepairPlan *plan, GError **error);

/* ---- by itself (repair-start.c) ---- */

/* Goes on with one that is half done, as the daemon's own. */
void syncd_repair_resume(SyncdRepairPlan *plan);
/* What the daemon may do without asking, if it is to be done, and is time. */
void syncd_repair_by_itself(SyncdService *service);
/* It could not be done. */
void syncd_repair_by_itself_failed(SyncdService *service, const GError *why);

/* ---- as time goes by (repair-life.c) ---- */

/* To be saved by the caller. */
void syncd_repair_approve_as(SyncdRepairPlan *plan, const char *identity, uid_t uid);
/* That it was not begun yet, and has not expired. PlanStale, AlreadyResolved. */
bool syncd_repair_check_open(const SyncdRepairPlan *plan, GError **error);
/* ApprovalRequired, ApprovalExpired. */
bool syncd_repair_require_approval(const SyncdRepairPlan *plan, GError **error);

/* Whether the ledger has a plan of that id, also one that is discarded. */
bool syncd_repair_is_known(const SyncdService *service, const char *id);
/* One that was begun and has not ended, whether or not it goes on. */
bool syncd_repair_is_half_done(const SyncdService *service);
/* One that nothing proves, and that keeps what was there before; NULL: there is none. */
const SyncdRepairPlan *syncd_repair_find_unproven(const SyncdService *service);
/* Whether the ledger of this state may be written at all. */
bool syncd_repair_may_write(const SyncdService *service);
/* What the disk did not take is tried again in a while. */
void syncd_repair_put_off(SyncdRepairPlan *plan);
/* From syncd_service_work(). */
void syncd_repair_work(SyncdService *service);
guint64 syncd_repair_next_due(const SyncdService *service);
