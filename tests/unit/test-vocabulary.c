#include "contract/vocabulary.h"

#include "base/error.h"
#include "golden.h"

static void every_word_is_found_and_is_there_once(void)
{
    for (SyncdVocabulary set = 0; set < SYNCD_N_VOCABULARIES; set++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        g_assert_nonnull(syncd_vocabulary_name(set));
        g_assert_nonnull(syncd_vocabulary_words(set)[0]);
        for (const char *const *word = syncd_vocabulary_words(set); *word != NULL; word++) {
            g_assert_true(syncd_vocabulary_find(set, SYNCD_BYTES_TEXT(*word)) == *word);
            g_assert_true(g_hash_table_add(seen, (char *)*word));
        }
    }
}

static void only_whole_words_are_found(void)
{
    static const char *const wrong[] = {"", "norma", "normall", "Normal", " normal", "normal "};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_null(syncd_vocabulary_find(SYNCD_WORDS_LANE, SYNCD_BYTES_TEXT(wrong[i])));
    g_assert_null(syncd_vocabulary_find(SYNCD_WORDS_LANE, SYNCD_BYTES("normal\0", 7)));
    g_assert_nonnull(syncd_vocabulary_find(SYNCD_WORDS_LANE, SYNCD_BYTES("normalcy", 6)));
}

static void the_sets_are_those_of_the_contract(void)
{
    g_autofree char *lanes = syncd_vocabulary_list(SYNCD_WORDS_LANE);
    g_assert_cmpstr(lanes, ==,
                    "normal, priority, secure, ephemeral, memory, policy, audit, tombstone, "
                    "migration, repair, archive");
    g_autofree char *types = syncd_vocabulary_list(SYNCD_WORDS_OPERATION_TYPE);
    g_assert_cmpstr(types, ==,
                    "sync.operation.enqueue, sync.operation.replay, sync.operation.reconcile, "
                    "sync.conflict.detect, sync.conflict.resolve, sync.repair.apply, "
                    "sync.tombstone.apply, sync.checkpoint.write");
}

static void no_two_sets_have_one_name_or_the_same_words(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (SyncdVocabulary set = 0; set < SYNCD_N_VOCABULARIES; set++) {
        g_assert_true(g_hash_table_add(seen, g_strdup(syncd_vocabulary_name(set))));
        g_assert_true(g_hash_table_add(seen, syncd_vocabulary_list(set)));
    }
}

/* ---- the schemas ---- */

/* Sets that no schema has, since what their words are for is open in the documents or is not in
 * any: nothing but this second spelling would notice a slip in the table. */
static const struct {
    SyncdVocabulary set;
    const char *words;
} of_the_code_only[] = {
    {SYNCD_WORDS_AUDIT_EVENT,
     "graph.write.accepted, graph.write.rejected, graph.write.quarantined, sync.engine.started, "
     "sync.engine.completed, sync.conflict.detected, sync.conflict.resolved, "
     "policy.decision.allow, policy.decision.deny, policy.decision.require_review, "
     "agent.lease.granted, agent.lease.revoked, agent.execution.started, "
     "agent.execution.denied, memory.proposed, memory.promoted, memory.revoked, "
     "shell.profile.changed, browser.bridge.accepted, browser.bridge.denied, "
     "model.route.changed, secret.lease.issued, secret.lease.revoked"},
    {SYNCD_WORDS_BUILD_PROVENANCE, "local-dev, ci, release"},
    {SYNCD_WORDS_CONTROL_MODE, "automatic_allowed, manual_approval_required"},
    {SYNCD_WORDS_DEBT, "none, low, moderate, high, critical"},
    {SYNCD_WORDS_DIAGNOSIS_STATUS, "healthy, degraded, unsafe, stale, repairing, unknown"},
    {SYNCD_WORDS_ENGINE_STATE,
     "disabled, local_only, not_configured, missing_identity, missing_device_key, "
     "missing_workspace_key, network_down, network_untrusted, relay_unreachable, auth_pending, "
     "policy_blocked, engine_disabled, engine_dirty, engine_syncing, engine_current, "
     "conflict_detected, review_required, quarantined, degraded, healthy"},
    {SYNCD_WORDS_FAULT_CLASS,
     "crashes, denial-storms, wake-anomalies, identity-mismatches, parser-faults"},
    {SYNCD_WORDS_INTEGRITY_EVENT,
     "sync.actor.registered, sync.actor.revoked, sync.device.registered, sync.device.revoked, "
     "sync.schema.registered, sync.schema.migrated, sync.object.created, sync.object.changed, "
     "sync.object.deleted, sync.object.tombstoned, sync.plan.created, sync.plan.started, "
     "sync.plan.blocked, sync.plan.failed, sync.plan.completed, sync.conflict.created, "
     "sync.conflict.resolved, sync.repair.started, sync.repair.completed, sync.policy.denied, "
     "sync.profile.boundary_violation, sync.transport.unavailable"},
    {SYNCD_WORDS_MISSING_REASON, "not_applicable, permission_denied, redacted, "
                                 "collector_timeout, unsupported_platform, not_yet_initialized"},
    {SYNCD_WORDS_REASON_CODE,
     "no_user_profile, no_org_profile, policy_denied, signature_invalid, schema_unknown, "
     "migration_required, secret_redacted, remote_policy_weaker, remote_policy_newer, "
     "local_policy_stronger, capability_expired, agent_untrusted, relay_untrusted, "
     "workspace_scope_mismatch, profile_boundary_violation, manual_review_required"},
};

static void sets_of_no_schema_are_those_of_the_contract(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(of_the_code_only); i++) {
        g_autofree char *words = syncd_vocabulary_list(of_the_code_only[i].set);
        g_assert_cmpstr(words, ==, of_the_code_only[i].words);
    }
}

static bool is_set(SyncdJson words, SyncdVocabulary set)
{
    SyncdJsonIter iter;
    SyncdJson word;
    const char *const *known = syncd_vocabulary_words(set);
    syncd_json_iter_init(&iter, words);
    for (; syncd_json_iter_next(&iter, NULL, &word); known++)
        if (*known == NULL || !syncd_json_is(word, *known))
            return false;
    return *known == NULL;
}

/* The names of errors, which have a table of their own. */
static bool are_errors(SyncdJson words)
{
    SyncdJsonIter iter;
    SyncdJson word;
    syncd_json_iter_init(&iter, words);
    while (syncd_json_iter_next(&iter, NULL, &word)) {
        g_autofree char *name = syncd_json_dup_text(word);
        g_autofree char *full = g_strconcat(SYNCD_ERROR_PREFIX, name, NULL);
        const char *standard = "org.freedesktop.DBus.Error.";
        g_autofree char *other = g_strconcat(standard, name, NULL);
        if (syncd_error_info_by_dbus_name(full) == NULL &&
            syncd_error_info_by_dbus_name(other) == NULL)
            return false;
    }
    return true;
}

static void find_enums(SyncdJson value, const char *file, bool used[SYNCD_N_VOCABULARIES])
{
    SyncdJsonIter iter;
    SyncdJson name, member;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &member)) {
        find_enums(member, file, used);
        if (!iter.object || !syncd_json_is(name, "enum") || member.type != SYNCD_JSON_ARRAY)
            continue;
        bool found = are_errors(member);
        for (SyncdVocabulary set = 0; set < SYNCD_N_VOCABULARIES; set++)
            if (is_set(member, set))
                found = used[set] = true;
        if (!found)
            g_error("%s has words that are no vocabulary: %.*s", file, (int)syncd_json_size(member),
                    member.at);
    }
}

static bool is_of_the_code_only(SyncdVocabulary set)
{
    for (size_t i = 0; i < G_N_ELEMENTS(of_the_code_only); i++)
        if (of_the_code_only[i].set == set)
            return true;
    return false;
}

static void schemas_and_tables_have_the_same_words(void)
{
    bool used[SYNCD_N_VOCABULARIES] = {false};
    g_autoptr(GPtrArray) schemas = golden_list(g_getenv("SYNCD_SCHEMAS"), SCHEMA_SUFFIX);
    g_assert_cmpuint(schemas->len, >, 0);
    for (unsigned i = 0; i < schemas->len; i++) {
        const char *name = g_ptr_array_index(schemas, i);
        g_autofree char *text = golden_read(g_getenv("SYNCD_SCHEMAS"), name, SCHEMA_SUFFIX);
        find_enums(golden_root(text), name, used);
    }
    for (SyncdVocabulary set = 0; set < SYNCD_N_VOCABULARIES; set++)
        if (used[set] == is_of_the_code_only(set))
            g_error("the %s is %s", syncd_vocabulary_name(set),
                    used[set] ? "in a schema" : "in no schema");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vocabulary/every-word-is-found-and-is-there-once",
                    every_word_is_found_and_is_there_once);
    g_test_add_func("/vocabulary/only-whole-words-are-found", only_whole_words_are_found);
    g_test_add_func("/vocabulary/the-sets-are-those-of-the-contract",
                    the_sets_are_those_of_the_contract);
    g_test_add_func("/vocabulary/no-two-sets-have-one-name-or-the-same-words",
                    no_two_sets_have_one_name_or_the_same_words);
    g_test_add_func("/vocabulary/sets-of-no-schema-are-those-of-the-contract",
                    sets_of_no_schema_are_those_of_the_contract);
    g_test_add_func("/vocabulary/schemas-and-tables-have-the-same-words",
                    schemas_and_tables_have_the_same_words);
    return g_test_run();
}
