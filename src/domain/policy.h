/*
 * The local policy: what may be done with data, decided by an ordered table of rules.
 *
 * A decision is a pure function of its inputs. It has an id that is derived from inputs and
 * outcome, so equal decisions of one policy are one record, and a digest names the policy that
 * decided: the same rules have the same digest everywhere.
 */
#pragma once

#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_POLICY_ID "policy-fabric-local"
#define SYNCD_POLICY_VERSION "v0.1.0-local"
#define SYNCD_POLICY_SUBJECT "sourceos-syncd"
#define SYNCD_POLICY_DATA_CLASS "internal"
#define SYNCD_DECISION_ID_SIZE sizeof "policy-0123456789abcdef"

typedef struct {
    const char *action;
    const char *lane;
    const char *data_class;
    const char *subject;
    const char *object_id; /* NULL: the decision is about a class of objects */
} SyncdPolicyInput;

typedef struct {
    const char *status; /* allowed, denied, redacted or deferred */
    const char *reason;
    bool allowed;
} SyncdPolicyOutcome;

SyncdPolicyOutcome syncd_policy_decide(const SyncdPolicyInput *input);
void syncd_policy_decision_id(const SyncdPolicyInput *input, const SyncdPolicyOutcome *outcome,
                              char ret_id[SYNCD_DECISION_ID_SIZE]);
/* Of the rules' canonical text. */
void syncd_policy_digest(char ret_digest[SYNCD_DIGEST_SIZE]);
