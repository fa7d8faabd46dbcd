#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/policy.h"
#include "cli/table.h"
#include "cli/verbs.h"

static void write_rule(SyncdJsonWriter *writer, const SyncdPolicyRule *rule)
{
    SyncdJson canonical = syncd_json_root(rule->canonical, strlen(rule->canonical));
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "file", rule->file);
    syncd_json_iter_init(&iter, canonical);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *text = syncd_json_dup_text(name);
        syncd_json_member_value(writer, text, value);
    }
    syncd_json_end_object(writer);
}

static void write_built_in(SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "built_in");
    syncd_json_begin_array(writer);
    for (unsigned i = 0; i < syncd_policy_n_built_in(); i++) {
        const SyncdPolicyBuiltIn *row = syncd_policy_built_in(i);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "reason", row->reason);
        syncd_json_member_string(writer, "status", row->status);
        syncd_json_member_bool(writer, "grantable", row->grantable);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static void show_json(SyncdCli *cli, const SyncdPolicySet *set)
{
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "policy_digest", syncd_policy_set_digest(set));
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++) {
        const GPtrArray *rules = syncd_policy_set_rules(set, level);
        syncd_json_name(writer, syncd_policy_level_name(level));
        syncd_json_begin_array(writer);
        for (guint i = 0; i < rules->len; i++)
            write_rule(writer, g_ptr_array_index(rules, i));
        syncd_json_end_array(writer);
    }
    write_built_in(writer);
    syncd_output_end_object(cli->out);
}

/* "lanes=secure actions=read,write": the most specific first. */
static char *conditions_of(const SyncdPolicyRule *rule)
{
    GString *text = g_string_new(NULL);
    for (size_t i = SYNCD_N_POLICY_FIELDS; i-- > 0;) {
        if (rule->words[i] == NULL)
            continue;
        g_autofree char *words = g_strjoinv(",", rule->words[i]);
        g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "",
                               syncd_policy_condition_name((SyncdPolicyField)i), words);
    }
    return g_string_free(text, FALSE);
}

static void show_table(SyncdCli *cli, const SyncdPolicySet *set)
{
    const char *const titles[] = {_("LEVEL"), _("EFFECT"), _("REASON"),
                                  _("FILE"),  _("WHERE"),  NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++) {
        const GPtrArray *rules = syncd_policy_set_rules(set, level);
        for (guint i = 0; i < rules->len; i++) {
            const SyncdPolicyRule *rule = g_ptr_array_index(rules, i);
            g_autofree char *conditions = conditions_of(rule);
            const char *const cells[] = {syncd_policy_level_name(level),
                                         syncd_policy_effect_name(rule->effect), rule->reason,
                                         rule->file, conditions};
            syncd_table_add(table, cells);
        }
    }
    for (unsigned i = 0; i < syncd_policy_n_built_in(); i++) {
        const SyncdPolicyBuiltIn *row = syncd_policy_built_in(i);
        const char *const cells[] = {"built-in", row->status, row->reason, NULL,
                                     row->grantable ? _("can be granted") : ""};
        syncd_table_add(table, cells);
    }
    syncd_table_print(table, cli->out);
}

bool syncd_verb_policy_list(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdPolicySet) set = syncd_cli_policy(cli, error);
    if (set == NULL)
        return false;
    if (syncd_cli_json(cli))
        show_json(cli, set);
    else
        show_table(cli, set);
    return true;
}
