/*
 * Repair plans, as documents.
 *
 * One is made from what a judgement of a report found: a preview, made of steps that destroy
 * nothing.
 *
 * The plan names the report by its digest, and its id follows from the diagnosis and that digest:
 * it cannot be shown for another report. A report that is not healthy never gets an empty plan.
 */
#pragma once

#include "crypto/hash.h"
#include "domain/judgement.h"

#include <glib.h>

#define SYNCD_REPAIR_PLAN_SCHEMA "sourceos.repair-plan/v1alpha1"
/* The step, of either kind of plan, that only shows what may be purged. */
#define SYNCD_REPAIR_PURGE_PREVIEW "generate_purge_preview"

/* Appends one JSON object. */
void syncd_repair_plan_write(const SyncdJudgement *judgement, GString *out);

/* The other is of a daemon, which will carry out those very steps: it names what each is about, and
 * the heads that the log had. Whoever approves it names the digest of its exact bytes, so these are
 * a function of the draft and of nothing else. */

typedef struct {
    const char *id;     /* the name of a repair kind */
    const char *kind;   /* as the contract calls it */
    const char *target; /* what it is about */
    const char *object; /* an object's id; NULL: of none */
    const char *risk;   /* low, medium, high */
    const char *cause;  /* the code of what was found */
    const char *description;
    const char *expected_result;
    bool destructive;
    guint64 gives_up;     /* so many parts of what there is, for good */
    guint64 calls_lost;   /* of what is gone already, at most */
    const char *stays;    /* once it is done, for good: a sentence; NULL: it can be undone */
    const char *bound_to; /* what it may use and has to be there still, as JSON; NULL: nothing */
    /* Of a purge: what goes, as JSON. Then all steps are purges. NULL: it is none. */
    const char *preview;
} SyncdRepairStep;

typedef struct {
    const char *feed;
    guint64 size;
    SyncdHash root;
} SyncdRepairHead;

typedef struct {
    const char *plan_id;
    gint64 now_usec, expires_usec;
    SyncdJson report; /* the live report … */
    const char *report_digest;
    const char *severity;         /* … and what was found beside it */
    const SyncdRepairStep *steps; /* at least one */
    guint n_steps;
    const char *summary; /* NULL: it says what the steps say */
    guint64 left_out;    /* so many more would be repaired by another plan */
    const SyncdRepairHead *heads;
    guint n_heads;
    guint64 space_bytes; /* that it takes while it is carried out */
    /* Of what is purged: that the disk gets back, at most, and that the log can use again; and that
     * the disk gets back of what any purge takes along. */
    guint64 freed_bytes, reusable_bytes, copies_bytes;
    const char *copies; /* these by name, a JSON array */
    /* Plans, by their ids (char *), that can then not be taken back any more. */
    const GPtrArray *released;
} SyncdRepairDraft;

/* Appends the exact bytes: two spaces a level, and a line feed at the end. */
void syncd_repair_draft_write(const SyncdRepairDraft *draft, GString *out);
