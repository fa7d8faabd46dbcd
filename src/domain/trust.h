/*
 * The trust gate: whether an agent may act on a device whose state a report describes.
 *
 * The first rule of the contract that matches decides. Beyond them counts what the local policy
 * says of the action in that lane; an action that it does not know is an agent's access. The
 * diagnosis is the judge's own, and an attestation counts only when it was verified.
 */
#pragma once

#include "domain/judgement.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_TRUST_SCHEMA "sourceos.agent-trust-decision/v1alpha1"
#define SYNCD_TRUST_DEFAULT_LANE "normal"

/* The texts are not empty. */
typedef struct {
    const char *subject;
    const char *action;
    const char *lane;
    bool allow_degraded;
    bool require_attestation;
} SyncdTrustRequest;

/* Appends the decision, one JSON object; true when the action is allowed, degraded or not. */
bool syncd_trust_decide(const SyncdJudgement *judgement, const SyncdTrustRequest *request,
                        GString *out);
/* Adds what is wrong with a decision: its contract, its id, a status that its reason or its own
 * evidence contradicts. Any value may be given. */
void syncd_trust_check(SyncdJson decision, GPtrArray *problems);
