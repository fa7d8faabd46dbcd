/*
 * A report and all that was found out about it: what repair plans, trust decisions and scorecards
 * are made from.
 */
#pragma once

#include "domain/diagnosis.h"
#include "domain/invariants.h"
#include "domain/report.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    SyncdReport *report;
    SyncdInvariants *invariants;
    SyncdDiagnosis *diagnosis;
    bool attested; /* signed by a key that is believed */
    gint64 now_usec;
} SyncdJudgement;

/* Of any checked JSON value, which must outlive it. */
SyncdJudgement *syncd_judgement_make(SyncdJson root, const SyncdCircumstances *circumstances);
void syncd_judgement_free(SyncdJudgement *judgement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdJudgement, syncd_judgement_free)

/* The documents of `health verify` and `health explain`. Append one JSON object. */
void syncd_judgement_write_verification(const SyncdJudgement *judgement, GString *out);
void syncd_judgement_write_explanation(const SyncdJudgement *judgement, GString *out);
bool syncd_judgement_is_healthy(const SyncdJudgement *judgement);

/* A member with the time in whole seconds, as documents have it. */
void syncd_judgement_write_time(SyncdJsonWriter *writer, const char *name, gint64 usec);
