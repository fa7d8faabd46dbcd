#include "domain/policy.h"

#include "contract/vocabulary.h"

#define EQUAL(a, b) (strcmp((a), (b)) == 0)

/* The contract's table, written as one sentence a rule: independent of the code's table. */
static const char *expected(const char *action, const char *lane, const char *class)
{
    bool agent = EQUAL(action, "agent_access"), replicate = EQUAL(action, "replicate");
    bool sensitive = EQUAL(class, "secret") || EQUAL(class, "credential");

    if (!agent && !replicate && !EQUAL(action, "index") && !EQUAL(action, "retain") &&
        !EQUAL(action, "repair_preview") && !EQUAL(action, "purge_preview") &&
        !EQUAL(action, "read") && !EQUAL(action, "write"))
        return "deferred unknown_action";
    if (EQUAL(lane, "secure") && (agent || replicate))
        return "denied secure_lane_requires_explicit_grant";
    if (EQUAL(lane, "secure") && EQUAL(action, "index"))
        return "redacted secure_lane_indexing_requires_redaction";
    if (EQUAL(lane, "repair") && (agent || EQUAL(action, "write")))
        return "denied repair_lane_is_quarantine_scoped";
    if (EQUAL(lane, "ephemeral") && EQUAL(action, "retain"))
        return "deferred ephemeral_retention_requires_ttl";
    if (sensitive && (replicate || agent))
        return "denied sensitive_data_requires_explicit_grant";
    return "allowed default_local_policy_allows";
}

static void decides_every_combination_as_the_contract_says(void)
{
    static const char *const actions[] = {
        "index",          "retain",        "replicate", "agent_access",
        "repair_preview", "purge_preview", "read",      "write",
        "erase",          "write\n",       "",          NULL};
    unsigned seen = 0;
    for (const char *const *action = actions; *action != NULL; action++) {
        const char *const *lane = syncd_vocabulary_words(SYNCD_WORDS_LANE);
        for (; *lane != NULL; lane++) {
            const char *const *class = syncd_vocabulary_words(SYNCD_WORDS_DATA_CLASS);
            for (; *class != NULL; class ++, seen++) {
                SyncdPolicyInput input = {*action, *lane, *class, SYNCD_POLICY_SUBJECT, NULL};
                SyncdPolicyOutcome outcome = syncd_policy_decide(&input);
                g_autofree char *text = g_strconcat(outcome.status, " ", outcome.reason, NULL);
                g_assert_cmpstr(text, ==, expected(*action, *lane, *class));
                g_assert_cmpint(outcome.allowed, ==, g_str_has_prefix(text, "allowed "));
            }
        }
    }
    g_assert_cmpuint(seen, ==, 11 * 11 * 8);
}

/* The ids below are the first digits of SHA-256 over the spaced canonical text, computed elsewhere.
 */
static void derives_the_ids_of_the_contract(void)
{
    static const struct {
        SyncdPolicyInput input;
        const char *id;
    } cases[] = {
        {{"write", "normal", "internal", "sourceos-syncd", NULL}, "policy-7bc9e83322683841"},
        {{"replicate", "secure", "secret", "caf\xc3\xa9", "note-1"}, "policy-475b3aa57c9115ac"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        SyncdPolicyOutcome outcome = syncd_policy_decide(&cases[i].input);
        char id[SYNCD_DECISION_ID_SIZE];
        syncd_policy_decision_id(&cases[i].input, &outcome, id);
        g_assert_cmpstr(id, ==, cases[i].id);
    }
}

/* Another digest means that other rules decide: then the policy's version has to change too. */
static void the_digest_names_the_rules(void)
{
    char first[SYNCD_DIGEST_SIZE], second[SYNCD_DIGEST_SIZE];
    syncd_policy_digest(first);
    syncd_policy_digest(second);
    g_assert_cmpstr(first, ==, second);
    g_assert_cmpstr(first, ==,
                    "sha256:1067d0811bddf37996866bf48846d69334edd763fc881db00cd9fbe4aa5b0814");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/policy/decides-every-combination-as-the-contract-says",
                    decides_every_combination_as_the_contract_says);
    g_test_add_func("/policy/derives-the-ids-of-the-contract", derives_the_ids_of_the_contract);
    g_test_add_func("/policy/the-digest-names-the-rules", the_digest_names_the_rules);
    return g_test_run();
}
