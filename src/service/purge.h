/*
 * Purging a deleted object: the plan, the entry that carries it out, and what has to follow.
 *
 * A plan is made in all respects as if the purge followed, and changes nothing; its digest covers
 * the very entries and chunks that would go. Carrying it out plans again and compares. Either looks
 * through the log for them, in steps (purging.c): what must be so is checked before, so that nobody
 * makes it search who may not, and anew in the last step, when nothing can come in between.
 *
 * The entry `deletion.purged` and the bodies it takes are one commit: after it the content is gone
 * from what anybody can read. It lists what it took, so that a daemon that is started anew goes on
 * from it: as long as a deletion is purged and not proven, every other place where the bytes were
 * is cleared (again), and then `deletion.proven` is written.
 */
#pragma once

#include "base/json-writer.h"
#include "service/internal.h"

#define SYNCD_PURGE_SCHEMA "sourceos.purge/v1"
#define SYNCD_PURGE_PROOF_SCHEMA "sourceos.purge-proof/v1"
#define SYNCD_PURGE_PLAN_SCHEMA "sourceos.purge-plan/v1"
#define SYNCD_PURGE_REPORT_SCHEMA "sourceos.purge-report/v1"

typedef struct {
    SyncdService *service;
    const SyncdCaller *caller;
    const SyncdPurgeRequest *request;
    SyncdScope *scope;
    char *actor;
    char *subject; /* whom policy decided about: who approved it */
    bool record;   /* the object has one in its registry */
    SyncdPurgeable *purgeable;
    SyncdDecisions *decisions;
    char *along; /* what it takes beside, as JSON (purge-along.h); NULL: that is told elsewhere */
    char digest[SYNCD_DIGEST_SIZE];
} SyncdPurgePlan;

void syncd_purge_plan_free(SyncdPurgePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPurgePlan, syncd_purge_plan_free)

/* All that must be so, but for what would be taken. Borrows caller and request. */
SyncdPurgePlan *syncd_purge_plan_new(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdPurgeRequest *request, GError **error);
/* With that, which it takes: there is a digest now. */
bool syncd_purge_plan_complete(SyncdPurgePlan *plan, SyncdPurgeable *purgeable, GError **error);
/* In a turn of its own, which is committed at the end; there must be no open turn. */
bool syncd_purge_plan_carry_out(const SyncdPurgePlan *plan, SyncdPurged *ret_purged,
                                GError **error);
/* The decision that allows it. */
const char *syncd_purge_plan_decision(const SyncdPurgePlan *plan);
/* The content of the entry that carries it out. LimitsExceeded when that is larger than an entry's
 * content may be. */
GString *syncd_purge_write(const SyncdPurgePlan *plan, GError **error);
/* The document that is shown. */
char *syncd_purge_plan_write(const SyncdPurgePlan *plan);
/* What of it does not change by what others write, as canonical JSON: without who else needs its
 * chunks. */
char *syncd_purge_plan_preview(const SyncdPurgePlan *plan);
/* What is out of reach of any purge, as a member `unreachable`. */
void syncd_purge_write_unreachable(SyncdJsonWriter *writer);
