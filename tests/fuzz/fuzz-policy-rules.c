/*
 * Files of policy rules. Whatever the bytes are: they are refused with a message that begins with
 * the file's name, or give rules within the limits; each rule read again from its canonical text
 * is the same rule; and what the tables decide is what a look at every rule finds.
 */
#include "fuzz.h"

#include "base/json-writer.h"
#include "domain/policy-set.h"

#define NAME "50-site.json"

static GPtrArray *read_rules(SyncdPolicyLevel level, const char *text, size_t size)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *rules = syncd_policy_rules_parse(level, NAME, SYNCD_BYTES(text, size), &error);
    LAW((rules == NULL) == (error != NULL));
    LAW(error == NULL || g_str_has_prefix(error->message, NAME ": "));
    LAW(error == NULL || g_utf8_validate(error->message, -1, NULL));
    return rules;
}

/* The canonical text, as a file of one rule: without the level, which a file does not say. */
static GString *write_again(const SyncdPolicyRule *rule)
{
    SyncdJson canonical = syncd_json_root(rule->canonical, strlen(rule->canonical));
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_POLICY_RULES_SCHEMA);
    syncd_json_name(&writer, "rules");
    syncd_json_begin_array(&writer);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, canonical);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *member = syncd_json_dup_text(name);
        if (strcmp(member, "level") != 0)
            syncd_json_member_value(&writer, member, value);
    }
    syncd_json_end_object(&writer);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    return text;
}

static void check_rule(const SyncdPolicyRule *rule)
{
    LAW(strlen(rule->reason) <= SYNCD_POLICY_REASON_MAX);
    LAW(!syncd_policy_is_built_in(rule->reason));
    LAW(rule->grants == 0 ||
        (rule->level == SYNCD_POLICY_MACHINE && rule->effect == SYNCD_EFFECT_ALLOW));
    g_autoptr(GString) text = write_again(rule);
    g_autoptr(GPtrArray) again = read_rules(rule->level, text->str, text->len);
    LAW(again != NULL && again->len == 1);
    LAW(strcmp(((SyncdPolicyRule *)again->pdata[0])->canonical, rule->canonical) == 0);
}

/* A request that the rule matches. */
static SyncdPolicyRequest request_of(const SyncdPolicyRule *rule)
{
    SyncdPolicyRequest request = {{NULL}};
    request.fields[SYNCD_FIELD_ACTION] = "write";
    request.fields[SYNCD_FIELD_LANE] = "normal";
    request.fields[SYNCD_FIELD_DATA_CLASS] = "internal";
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        if (rule->words[i] != NULL)
            request.fields[i] = rule->words[i][0];
    return request;
}

static void check_set(SyncdPolicyLevel level, GPtrArray *rules)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdPolicySet) set =
        syncd_policy_set_new(level == SYNCD_POLICY_MACHINE ? rules : NULL,
                             level == SYNCD_POLICY_USER ? rules : NULL, 0, &error);
    LAW((set == NULL) == (error != NULL));
    for (guint i = 0; set != NULL && i < rules->len; i++) {
        SyncdPolicyRequest request = request_of(rules->pdata[i]);
        SyncdPolicyDecision decision;
        g_autoptr(GArray) voices = syncd_policy_set_explain(set, &request, &decision);
        const SyncdPolicyRule *first = NULL;
        for (guint j = 0; j < voices->len && first == NULL; j++)
            first = g_array_index(voices, SyncdPolicyVoice, j).rule;
        LAW(first != NULL);
        LAW(decision.rule == NULL || decision.rule == first);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++) {
        g_autoptr(GPtrArray) rules = read_rules(level, (const char *)data, size);
        if (rules == NULL)
            continue;
        LAW(rules->len <= SYNCD_POLICY_FILE_RULES_MAX);
        for (guint i = 0; i < rules->len; i++)
            check_rule(rules->pdata[i]);
        check_set(level, rules);
    }
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    LAW(syncd_hash_init(NULL));
    return 0;
}
