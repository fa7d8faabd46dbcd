/*
 * Rules written shortly: what the tests of policy share.
 */
#pragma once

#include "domain/policy-set.h"

#define FILE_OF(rules) "{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[" rules "]}"
#define RULE(match, effect, reason)                                                                \
    "{\"match\":{" match "},\"effect\":\"" effect "\",\"reason\":\"" reason                        \
    "\",\"rationale\":\"Because.\"}"
#define GRANT(match, grants, reason)                                                               \
    "{\"match\":{" match "},\"effect\":\"allow\",\"grants\":[\"" grants "\"],\"reason\":\"" reason \
    "\",\"rationale\":\"Because.\"}"

static inline GPtrArray *parse_as(SyncdPolicyLevel level, const char *file, const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *rules = syncd_policy_rules_parse(level, file, SYNCD_BYTES_TEXT(text), &error);
    g_assert_no_error(error);
    return rules;
}

/* Of the texts of one file a level, NULL for none. */
static inline SyncdPolicySet *set_of(const char *machine, const char *user)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) machines =
        machine != NULL ? parse_as(SYNCD_POLICY_MACHINE, "machine.json", machine) : NULL;
    g_autoptr(GPtrArray) users =
        user != NULL ? parse_as(SYNCD_POLICY_USER, "user.json", user) : NULL;
    SyncdPolicySet *set = syncd_policy_set_new(machines, users, 0, &error);
    g_assert_no_error(error);
    return set;
}

static inline SyncdPolicyRequest asks(const char *action, const char *lane, const char *data_class)
{
    return (SyncdPolicyRequest){.fields = {[SYNCD_FIELD_ACTION] = action,
                                           [SYNCD_FIELD_LANE] = lane,
                                           [SYNCD_FIELD_DATA_CLASS] = data_class}};
}

/* "denied secure_lane_requires_explicit_grant" */
static inline char *answer(const SyncdPolicySet *set, const SyncdPolicyRequest *request)
{
    SyncdPolicyDecision decision = syncd_policy_set_decide(set, request);
    g_assert_cmpint(decision.outcome.allowed, ==, g_str_equal(decision.outcome.status, "allowed"));
    return g_strconcat(decision.outcome.status, " ", decision.outcome.reason, NULL);
}

static inline void assert_answer(const SyncdPolicySet *set, SyncdPolicyRequest request,
                                 const char *expected)
{
    g_autofree char *given = answer(set, &request);
    g_assert_cmpstr(given, ==, expected);
}
