/*
 * The policy in force: the built-in table and the rules of files, compiled so that a decision costs
 * a few lookups however many rules there are.
 *
 * How a request is decided:
 *   1. Of the machine's rules that match, the first in their order decides for the machine: the
 *      most specific one, deny before review before allow (syncd_policy_rule_compare()).
 *   2. The built-in table stands against it. What it does not allow stays so unless the machine's
 *      deciding rule is stronger, or allows and grants each denial that matches. Where the table
 *      allows, the machine's rule decides; without one, lanes that fail closed are denied.
 *   3. The user's rules are ordered in the same way, and the first one that matches counts only
 *      when it is stronger than the result so far. So whatever a user writes only narrows.
 * Strength: denied, deferred (a review is required), redacted, allowed.
 *
 * A set never changes. Its digest is a function of its rules in their one spelling and of nothing
 * else: not of files, nor of the order in which anything was read.
 */
#pragma once

#include "crypto/hash.h"
#include "domain/policy-rules.h"
#include "domain/policy.h"

#define SYNCD_POLICY_LEVEL_RULES_MAX 4096u
#define SYNCD_POLICY_SHAPES_MAX 64u /* different sets of fields that rules have conditions on */
#define SYNCD_POLICY_CELLS_MAX 65536u

typedef struct SyncdPolicySet SyncdPolicySet;

/* What requests have in common that no rule tells apart: an id for each word that some rule knows,
 * 0 for all others. */
typedef struct {
    guint32 words[SYNCD_N_POLICY_FIELDS];
} SyncdPolicyClass;

typedef struct {
    SyncdPolicyOutcome outcome;
    const SyncdPolicyRule *rule; /* the set's; NULL when the built-in policy decided */
    const char *rationale;       /* a sentence, or the reason of the built-in policy */
} SyncdPolicyDecision;

/* The arrays hold SyncdPolicyRule and may be NULL; the set keeps references. `unusable` has a bit
 * for each level whose rules were refused and that has none: then lanes that fail closed are
 * denied. InvalidContract or TooLarge, beginning with the file that is to blame. */
SyncdPolicySet *syncd_policy_set_new(GPtrArray *machine, GPtrArray *user, unsigned unusable,
                                     GError **error);
void syncd_policy_set_free(SyncdPolicySet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPolicySet, syncd_policy_set_free)

const char *syncd_policy_set_digest(const SyncdPolicySet *set);
/* Borrowed SyncdPolicyRule, in the order in which they are looked at. */
const GPtrArray *syncd_policy_set_rules(const SyncdPolicySet *set, SyncdPolicyLevel level);
bool syncd_policy_set_is_unusable(const SyncdPolicySet *set, SyncdPolicyLevel level);

/* `action`, `lane` and `data_class` are always stated. */
void syncd_policy_set_classify(const SyncdPolicySet *set, const SyncdPolicyRequest *request,
                               SyncdPolicyClass *ret_class);
/* The same for requests of one class with the same action, lane and data class. */
SyncdPolicyDecision syncd_policy_set_decide(const SyncdPolicySet *set,
                                            const SyncdPolicyRequest *request);

/* ---- explaining ---- */

typedef struct {
    const SyncdPolicyRule *rule;        /* either this */
    const SyncdPolicyBuiltIn *built_in; /* or this */
    const char *fate; /* "decides", "less_specific", "weaker_effect", "weaker", "opened" */
} SyncdPolicyVoice;

/* Every rule that matches, SyncdPolicyVoice: the machine's, the table's, the user's. */
GArray *syncd_policy_set_explain(const SyncdPolicySet *set, const SyncdPolicyRequest *request,
                                 SyncdPolicyDecision *ret_decision);
