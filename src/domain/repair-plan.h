/*
 * A repair plan for what a judgement found: a preview, made of steps that destroy nothing.
 *
 * The plan names the report by its digest, and its id follows from the diagnosis and that digest:
 * it cannot be shown for another report. A report that is not healthy never gets an empty plan.
 */
#pragma once

#include "domain/judgement.h"

#include <glib.h>

#define SYNCD_REPAIR_PLAN_SCHEMA "sourceos.repair-plan/v1alpha1"

/* Appends one JSON object. */
void syncd_repair_plan_write(const SyncdJudgement *judgement, GString *out);
