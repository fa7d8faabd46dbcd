/*
 * Rules of policy that are read from files: what one says, and the strict reader of a file.
 *
 * A rule has conditions on the fields of a request, an effect, and a reason code that is its name:
 * no other rule in force has the same one, so that a reason in a decision or a refusal names the
 * rule. A condition is a set of words of which the request must have one; a field that the request
 * does not state meets no condition. docs/policy.md specifies the file.
 *
 * A file is taken whole or not at all. An unknown member is refused, because a condition that was
 * misspelt would leave a rule that says more than was meant.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "domain/policy-field.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_POLICY_RULES_SCHEMA "sourceos.policy-rules/v1"
#define SYNCD_POLICY_FILE_MAX (256u * 1024u)
#define SYNCD_POLICY_FILE_RULES_MAX 256u
#define SYNCD_POLICY_WORDS_MAX 256u /* of one condition */
#define SYNCD_POLICY_COMBINATIONS_MAX 4096u
#define SYNCD_POLICY_REASON_MAX 64u
#define SYNCD_POLICY_RATIONALE_MAX 500u

/* The weakest first: of equally specific rules the greatest effect decides. */
typedef enum { SYNCD_EFFECT_ALLOW, SYNCD_EFFECT_REVIEW, SYNCD_EFFECT_DENY } SyncdPolicyEffect;

typedef enum { SYNCD_POLICY_MACHINE, SYNCD_POLICY_USER, SYNCD_N_POLICY_LEVELS } SyncdPolicyLevel;

typedef struct {
    SyncdPolicyLevel level;
    SyncdPolicyEffect effect;
    unsigned fields;                     /* a bit for each field with a condition */
    unsigned grants;                     /* a bit for each built-in denial that it opens */
    char **words[SYNCD_N_POLICY_FIELDS]; /* sorted, each once; NULL without a condition */
    char *reason;
    char *rationale;
    char *file;      /* for people; no part of the rule */
    char *canonical; /* the rule in its one spelling: equal texts are equal rules */
} SyncdPolicyRule;

const char *syncd_policy_level_name(SyncdPolicyLevel level);    /* "machine", "user" */
const char *syncd_policy_effect_name(SyncdPolicyEffect effect); /* "allow", ... */

void syncd_policy_rule_free(SyncdPolicyRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPolicyRule, syncd_policy_rule_free)
bool syncd_policy_rule_matches(const SyncdPolicyRule *rule, const SyncdPolicyRequest *request);
/* The order of evaluation: the most specific first, deny before review before allow; then by their
 * spelling, so that it depends on nothing but the rules. */
int syncd_policy_rule_compare(const SyncdPolicyRule *one, const SyncdPolicyRule *other);

/* Of the rules in their order and their one spelling: neither files nor their order are part of it.
 */
SyncdHash syncd_policy_rules_hash(const GPtrArray *rules);

/* The rules of one file, a GPtrArray of SyncdPolicyRule. The message begins with `file` and names
 * the place. */
GPtrArray *syncd_policy_rules_parse(SyncdPolicyLevel level, const char *file, SyncdBytes text,
                                    GError **error);
