/*
 * A judgement told to whoever has to act on it: what happened, why policy acted, what risk remains,
 * and what to do next.
 *
 * One table has the sentences, by invariant: those that a judge finds, and those that the daemon's
 * own reports bring along. One that is not in it is named as it is. So is what a diagnosis found
 * when the report was made (diagnosis.local_state.findings), so that nobody reads that all is well
 * beside a doctor who says that it is not.
 */
#pragma once

#include "base/json-writer.h"
#include "domain/judgement.h"

/* Writes an object of four arrays of sentences. */
void syncd_narrative_write(const SyncdJudgement *judgement, SyncdJsonWriter *writer);
