/*
 * The built-in policy: what may be done with data, decided by an ordered table of rules.
 *
 * This is the ground on which rule files stand (domain/policy-set.h): they narrow what it allows,
 * and open a denial only where its row says that it can be granted.
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

/* A row of the table. A condition without words holds for everything. */
#define SYNCD_POLICY_ROW_WORDS 2
typedef struct {
    const char *actions[SYNCD_POLICY_ROW_WORDS];
    const char *lane;
    const char *data_classes[SYNCD_POLICY_ROW_WORDS];
    const char *status;
    const char *reason;
    bool grantable; /* an explicit grant of the machine's rules opens it */
} SyncdPolicyBuiltIn;

/* The last row matches everything and allows. */
unsigned syncd_policy_n_built_in(void);
const SyncdPolicyBuiltIn *syncd_policy_built_in(unsigned index);
bool syncd_policy_built_in_matches(const SyncdPolicyBuiltIn *row, const SyncdPolicyInput *input);
/* Whether a reason belongs to the built-in policy, and so to no rule of a file. */
bool syncd_policy_is_built_in(const char *reason);
/* The same decision when the denials with a bit in `granted` do not count. */
SyncdPolicyOutcome syncd_policy_decide_granted(const SyncdPolicyInput *input, unsigned granted);
/* Without a rule of a file that speaks about them these lanes are closed: secure, policy, repair.
 */
bool syncd_policy_lane_fails_closed(const char *lane);
#define SYNCD_POLICY_REASON_CLOSED "lane_fails_closed_without_a_rule"
#define SYNCD_POLICY_REASON_UNUSABLE "lane_fails_closed_rules_unusable"

SyncdPolicyOutcome syncd_policy_decide(const SyncdPolicyInput *input);
/* From the weakest: allowed, redacted, deferred, denied. Both are words of the vocabulary. */
bool syncd_policy_status_is_weaker(const char *status, const char *than);
/* Of two words of the vocabulary, the one that says that the data is worth more protection; the
 * first when that is the same. */
const char *syncd_policy_graver_class(const char *one, const char *other);
/* Whether entries of that kind must name a decision: exports, repairs, migrations of schemas,
 * deletions and replication. */
bool syncd_policy_needs_decision(const char *kind);
void syncd_policy_decision_id(const SyncdPolicyInput *input, const SyncdPolicyOutcome *outcome,
                              char ret_id[SYNCD_DECISION_ID_SIZE]);
/* Of the rules' canonical text. */
void syncd_policy_digest(char ret_digest[SYNCD_DIGEST_SIZE]);
