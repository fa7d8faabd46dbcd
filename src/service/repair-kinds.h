/*
 * What can be repaired: a table, a row a kind.
 *
 * A finding whose `repair` (domain/findings.h) is the name of a row gives a step of a plan, with
 * the finding's target. A further kind is a row in repair-kinds.c and a file repair-<name>.c with
 * its functions; nothing else knows which kinds there are.
 *
 * Each step of a plan is a SyncdRepairAct. What its functions promise:
 *   begin    keeps what is there, durably, before anything is touched: in files whose names begin
 *            with `act->snapshot` (store/repair-store.h), or where it lies anyway.
 *   step     does a bounded part of it, until `*ret_more` is false. What takes long to find out is
 *            kept by the first steps instead, durably all the same before anything is touched.
 *   check    whether what the step promised is so now.
 *   undo     puts back what begin kept, in bounded parts: byte for byte what is derived or a file.
 *   release  removes what begin kept and undo has left, in bounded parts: there is no way back.
 *   stop     frees `act->data`, whatever is or is not done.
 * Once a step is done what it keeps is noted, and compared before it is undone (repair-kept.c).
 * The daemon can be killed between any two of their system calls, and then begins again with
 * `begin`, or with `undo`, in a process that knows nothing but target, object and note: so each of
 * them finds out how far it came, and doing it once more changes nothing. Undoing what was never
 * begun does nothing either. Each may be NULL where there is nothing to do, but `step`. A kind that
 * has no `undo` says what stays as it is.
 *
 * A step, or what undoes it, that has to wait says for what: the job that it began, a time.
 *
 * A kind that is destructive takes away what nothing brings back: it says in each step's `preview`
 * what that is, and never takes anything else. Its steps stand in no plan with others, as nobody
 * should have to agree to them for the sake of a repair; nor are they undone: `begin` keeps
 * nothing, and what of such a plan was done stays done. Its note says by which operation.
 *
 * What has to be known after a restart and is not in a file is the act's note:
 * syncd_repair_act_note(), a short text, which is in the ledger before the next function is called.
 */
#pragma once

#include "domain/found.h"
#include "service/internal.h"
#include "service/repair.h"
#include "store/snapshot.h"

typedef struct {
    SyncdService *service;
    SyncdCaller caller;   /* who approved: what is written is his doing */
    bool own;             /* nobody did: it is the daemon's own */
    const char *target;   /* of the finding: "index", "file/<id>" … */
    const char *object;   /* NULL: none */
    const char *snapshot; /* "<plan>.<number>" */
    const char *preview;  /* JSON: what would go, as it was shown; NULL: nothing goes for good */
    const char *bound_to; /* JSON: as its kind says, and as it was shown; NULL: to nothing */
    char *note;           /* NULL: none */
    bool noted;           /* it is new */
    guint64 may_give_up;  /* so many parts, as the plan says */
    void *data;           /* the kind's, while the process lives */
    char *awaits;         /* the id of a job that has to end before it goes on; NULL: none */
    guint64 not_before;   /* monotonic: nor does it go on before that */
    GPtrArray *lost;      /* on the way back: what is lost of what was kept (store/snapshot.h) */
    SyncdSnapshot *kept;  /* that is being noted, or compared; NULL: nothing is */
    /* What the report says of it, sentences (char *). */
    GPtrArray *rebuilt, *preserved, *quarantined, *given_up, *unresolved, *actors;
} SyncdRepairAct;

void syncd_repair_act_note(SyncdRepairAct *act, const char *note);

typedef struct SyncdRepairKind SyncdRepairKind;

/* What somebody wants repaired. */
typedef struct {
    const SyncdCaller *caller; /* NULL: the daemon itself wants it */
    const char *const *accept; /* ids of files that are to be recorded as they are; NULL: none */
    bool purge;                /* what can go for good, and nothing else */
} SyncdRepairWish;

/* What is to be repaired: a step each. */
typedef struct {
    SyncdService *service;
    SyncdRepairWish wish;
    GPtrArray *needs; /* SyncdRepairNeed */
    guint64 left_out; /* how many more there are, for another plan */
} SyncdRepairNeeds;

typedef struct {
    const SyncdRepairKind *kind;
    char *target, *object;
    const SyncdFinding *cause;
    char *preview;                       /* of a destructive kind: a canonical JSON object */
    guint64 freed_bytes, reusable_bytes; /* of files that go, at most; within the log */
} SyncdRepairNeed;

/* Borrowed; NULL: it is there already. */
SyncdRepairNeed *syncd_repair_need(SyncdRepairNeeds *needs, const SyncdRepairKind *kind,
                                   const char *target, const char *object, const SyncdFound *found);

struct SyncdRepairKind {
    const char *name;        /* the id of its steps, and `repair` of findings */
    const char *kind;        /* of the step, as the contract of plans calls it */
    const char *risk;        /* low, medium, high */
    const char *description; /* what is done, a sentence */
    const char *expected_result;
    bool destructive; /* takes away what nothing brings back */
    bool rebuildable; /* mends what can be made anew from the log: the daemon may do it by itself */
    bool of_file;     /* is about one file of a workspace, its object, and about nothing else */
    bool mends_log;   /* the log is what may be broken: it proves nothing before */
    bool unverified;  /* nor, but for its head, after */
    bool lost_already; /* what it gives up is gone: it only says so, and destroys nothing */
    /* The steps for what was found: adds each by syncd_repair_need(). NULL: one, about the
     * finding's target. */
    bool (*expand)(SyncdRepairNeeds *needs, const SyncdFound *found, GError **error);
    /* Bytes that it takes beside what is there. */
    guint64 (*space)(SyncdService *service, const char *target);
    /* So many parts would be given up, as far as anybody knows, and what whoever approves is told
     * of that. NULL: it never gives anything up. */
    guint64 (*loss)(SyncdService *service, char **ret_sentence);
    /* A canonical JSON object: what of that which may be used has to be there, as it is, from the
     * plan to the very use of it; or what it may give up, and nothing else (repair-told.h), which
     * has to be of each kind that gives anything up. NULL: nothing could be another one. */
    char *(*bound_to)(SyncdService *service);
    /* Whether what it would be bound to now was said then. NULL: it has to be the very same. */
    bool (*covers)(const char *then, const char *now);
    bool (*begin)(SyncdRepairAct *act, GError **error);
    bool (*step)(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error);
    bool (*check)(SyncdRepairAct *act, GError **error);
    bool (*undo)(SyncdRepairAct *act, bool *ret_more, GError **error);
    const char *stays; /* without it: what stays when a plan is taken back, a sentence */
    /* The same of one that can be undone, where nothing is there that it could keep. NULL:
     * something is, and so it is of a kind without this. */
    const char *(*has_nothing)(SyncdService *service);
    /* What ends the name of the list of what it keeps, of which each file comes back by itself:
     * `undo` leaves out those in `act->lost`. NULL: where any of it is lost nothing comes back, and
     * `undo` is not called. */
    const char *kept_list;
    /* Whether there is anything that undoing would put back. NULL: there always is. */
    bool (*keeps)(const SyncdRepairAct *act);
    /* Of one that was undone: whether what was there before is not in its place again, and is still
     * kept as long as it would have been. NULL: it is nowhere else. */
    bool (*keeps_on)(const SyncdRepairAct *act);
    /* Of one that is done: whether going back leads to anything that is of use. The error says what
     * can be done instead. NULL: it does. */
    bool (*returns)(const SyncdRepairAct *act, GError **error);
    bool (*release)(SyncdRepairAct *act, bool *ret_more, GError **error);
    void (*stop)(SyncdRepairAct *act);
};

/* repair-check.c: whether the plans that were not begun fit what a diagnosis found (SyncdFound). */
void syncd_repair_judge(SyncdService *service, const GPtrArray *found);

/* NULL when there is none of that name. */
const SyncdRepairKind *syncd_repair_kind_find(SyncdBytes name);
const SyncdRepairKind *const *syncd_repair_kinds(guint *ret_n);

/* The rows, each in a file of its own. */
extern const SyncdRepairKind syncd_repair_blob_refill;
extern const SyncdRepairKind syncd_repair_blob_sweep;
extern const SyncdRepairKind syncd_repair_file_accept;
extern const SyncdRepairKind syncd_repair_file_modes;
extern const SyncdRepairKind syncd_repair_file_owners;
extern const SyncdRepairKind syncd_repair_file_restore;
extern const SyncdRepairKind syncd_repair_journal_restore;
extern const SyncdRepairKind syncd_repair_journal_generation;
extern const SyncdRepairKind syncd_repair_body_refill;
extern const SyncdRepairKind syncd_repair_index_rebuild;
extern const SyncdRepairKind syncd_repair_leftover_clear;
extern const SyncdRepairKind syncd_repair_purge_object;
extern const SyncdRepairKind syncd_repair_replay_lag;
extern const SyncdRepairKind syncd_repair_jobs_cancel;
extern const SyncdRepairKind syncd_repair_tasks_release;
