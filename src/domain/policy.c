#include "domain/policy.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "contract/vocabulary.h"

#define MAX_WORDS SYNCD_POLICY_ROW_WORDS

typedef SyncdPolicyBuiltIn Rule;

/* Before all of them stands: an action that is no word of the vocabulary is deferred. The first
 * rule that matches decides. */
/* clang-format off */
static const Rule rules[] = {
    {{"agent_access", "replicate"}, "secure", {0}, "denied",
     "secure_lane_requires_explicit_grant", true},
    {{"index"}, "secure", {0}, "redacted",
     "secure_lane_indexing_requires_redaction", false},
    {{"agent_access", "write"}, "repair", {0}, "denied",
     "repair_lane_is_quarantine_scoped", true},
    {{"retain"}, "ephemeral", {0}, "deferred",
     "ephemeral_retention_requires_ttl", false},
    {{"replicate", "agent_access"}, NULL, {"secret", "credential"}, "denied",
     "sensitive_data_requires_explicit_grant", true},
    {{0}, NULL, {0}, "allowed",
     "default_local_policy_allows", false},
};
/* clang-format on */

static const Rule unknown_action = {{0}, NULL, {0}, "deferred", "unknown_action", false};

static const char *const closed_lanes[] = {"secure", "policy", "repair", NULL};

unsigned syncd_policy_n_built_in(void)
{
    return G_N_ELEMENTS(rules);
}

const SyncdPolicyBuiltIn *syncd_policy_built_in(unsigned index)
{
    return &rules[index];
}

bool syncd_policy_is_built_in(const char *reason)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (strcmp(rules[i].reason, reason) == 0)
            return true;
    return strcmp(unknown_action.reason, reason) == 0 ||
           strcmp(SYNCD_POLICY_REASON_CLOSED, reason) == 0 ||
           strcmp(SYNCD_POLICY_REASON_UNUSABLE, reason) == 0;
}

bool syncd_policy_lane_fails_closed(const char *lane)
{
    return g_strv_contains(closed_lanes, lane);
}

static bool words_match(const char *const words[MAX_WORDS], const char *word)
{
    if (words[0] == NULL)
        return true;
    for (size_t i = 0; i < MAX_WORDS && words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

bool syncd_policy_built_in_matches(const SyncdPolicyBuiltIn *rule, const SyncdPolicyInput *input)
{
    return words_match(rule->actions, input->action) &&
           (rule->lane == NULL || strcmp(rule->lane, input->lane) == 0) &&
           words_match(rule->data_classes, input->data_class);
}

static const Rule *find_rule(const SyncdPolicyInput *input, unsigned granted)
{
    if (syncd_vocabulary_find(SYNCD_WORDS_POLICY_ACTION, SYNCD_BYTES_TEXT(input->action)) == NULL)
        return &unknown_action;
    const Rule *rule = rules;
    /* the last one matches everything */
    while (!syncd_policy_built_in_matches(rule, input) ||
           (rule->grantable && granted & 1u << (rule - rules)))
        rule++;
    return rule;
}

SyncdPolicyOutcome syncd_policy_decide_granted(const SyncdPolicyInput *input, unsigned granted)
{
    const Rule *rule = find_rule(input, granted);
    return (SyncdPolicyOutcome){
        .status = rule->status,
        .reason = rule->reason,
        .allowed = strcmp(rule->status, "allowed") == 0,
    };
}

SyncdPolicyOutcome syncd_policy_decide(const SyncdPolicyInput *input)
{
    return syncd_policy_decide_granted(input, 0);
}

/* Those of one row weigh the same. */
static unsigned gravity(const char *data_class)
{
    static const char *const order[][2] = {
        {"public"}, {"internal"}, {"personal", "work"}, {"confidential"}, {"regulated"},
    };
    unsigned i = 0;
    while (i < G_N_ELEMENTS(order) && !words_match(order[i], data_class))
        i++;
    return i;
}

const char *syncd_policy_graver_class(const char *one, const char *other)
{
    return gravity(other) > gravity(one) ? other : one;
}

static unsigned strength(const char *status)
{
    static const char *const order[] = {"allowed", "redacted", "deferred", "denied"};
    unsigned i = 0;
    while (strcmp(order[i], status) != 0)
        i++;
    return i;
}

bool syncd_policy_status_is_weaker(const char *status, const char *than)
{
    return strength(status) < strength(than);
}

bool syncd_policy_needs_decision(const char *kind)
{
    static const char *const families[] = {
        "export.",   "repair.",  "schema.migrat",  "tombstone.",
        "deletion.", "replica.", "object.deleted",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
        if (g_str_has_prefix(kind, families[i]))
            return true;
    return false;
}

void syncd_policy_decision_id(const SyncdPolicyInput *input, const SyncdPolicyOutcome *outcome,
                              char ret_id[SYNCD_DECISION_ID_SIZE])
{
    g_autoptr(GString) text = g_string_sized_new(256);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "action", input->action);
    syncd_json_member_string(&writer, "lane", input->lane);
    syncd_json_member_string(&writer, "subject", input->subject);
    syncd_json_member_string(&writer, "object_id", input->object_id);
    syncd_json_member_string(&writer, "data_class", input->data_class);
    syncd_json_member_string(&writer, "status", outcome->status);
    syncd_json_member_string(&writer, "reason", outcome->reason);
    syncd_json_end_object(&writer);

    g_autoptr(GString) canonical = g_string_sized_new(256);
    syncd_canonical_append_spaced(canonical, syncd_json_root(text->str, text->len));
    SyncdHash hash = syncd_hash(canonical->str, canonical->len);
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&hash, digits);
    g_strlcpy(ret_id, "policy-", SYNCD_DECISION_ID_SIZE);
    g_strlcat(ret_id, digits, SYNCD_DECISION_ID_SIZE);
}

static void write_words(SyncdJsonWriter *writer, const char *name, const char *const *words,
                        size_t n_words)
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < n_words && words[i] != NULL; i++)
        syncd_json_string(writer, words[i]);
    syncd_json_end_array(writer);
}

static void write_rule(SyncdJsonWriter *writer, const Rule *rule)
{
    syncd_json_begin_object(writer);
    write_words(writer, "actions", rule->actions, MAX_WORDS);
    write_words(writer, "lanes", &rule->lane, 1);
    write_words(writer, "data_classes", rule->data_classes, MAX_WORDS);
    syncd_json_member_string(writer, "status", rule->status);
    syncd_json_member_string(writer, "reason", rule->reason);
    syncd_json_end_object(writer);
}

void syncd_policy_digest(char ret_digest[SYNCD_DIGEST_SIZE])
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "policy_id", SYNCD_POLICY_ID);
    syncd_json_member_string(&writer, "policy_version", SYNCD_POLICY_VERSION);
    const char *const *actions = syncd_vocabulary_words(SYNCD_WORDS_POLICY_ACTION);
    write_words(&writer, "actions", actions, g_strv_length((char **)actions));
    syncd_json_name(&writer, "unknown_action");
    write_rule(&writer, &unknown_action);
    syncd_json_name(&writer, "rules");
    syncd_json_begin_array(&writer);
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        write_rule(&writer, &rules[i]);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);

    SyncdHash digest = syncd_hash_canonical(syncd_json_root(text->str, text->len));
    syncd_hash_to_digest(&digest, ret_digest);
}
