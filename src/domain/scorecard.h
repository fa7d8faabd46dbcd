/*
 * The delivery scorecard: one number and a status for a report, and the gates that no number makes
 * up for.
 *
 * The score falls by the contract's formula; every gate that fails blocks. Findings beyond the six
 * invariants of the contract count like those. A state that is stale or unknown is not known to be
 * safe, and an unknown pressure on the disk not to be below critical: their gates fail.
 */
#pragma once

#include "domain/judgement.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_SCORECARD_SCHEMA "sourceos.delivery-scorecard/v1alpha1"

/* Appends the scorecard, one JSON object; true for ready and watch. */
bool syncd_scorecard_write(const SyncdJudgement *judgement, GString *out);
/* Adds what is wrong with a scorecard: its contract, its id, a status that its gates or its score
 * contradict, a score that does not follow from its dimensions. Any value may be given. */
void syncd_scorecard_check(SyncdJson scorecard, GPtrArray *problems);
