#include "base/json-writer.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/policy-decision.h"
#include "cli/policy.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "contract/vocabulary.h"
#include "domain/runtime-decision.h"

#include <string.h>

#define REQUEST_MAX (64u * 1024u)

typedef struct {
    SyncdPolicyQuestion question;
    SyncdPolicyDecision decision;
    GArray *voices;
    char *claimed; /* the status of the decision that was given; NULL: a request was */
    bool weaker;   /* it allows more than the rules here do */
} Explanation;

static void explanation_clear(Explanation *explanation)
{
    syncd_policy_question_clear(&explanation->question);
    g_clear_pointer(&explanation->voices, g_array_unref);
    g_clear_pointer(&explanation->claimed, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Explanation, explanation_clear)

/* ---- reading ---- */

/* Of a decision that somebody made, what it was asked. */
static bool read_decision(SyncdJson document, Explanation *explanation, GError **error)
{
    static const char *const asked[] = {"action", "lane", "data_class", "subject", "object_id"};
    if (!syncd_runtime_decision_check(document, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    for (size_t i = 0; i < G_N_ELEMENTS(asked); i++)
        syncd_json_member_value(&writer, asked[i], syncd_json_member(document, asked[i]));
    syncd_json_end_object(&writer);
    explanation->claimed = syncd_json_dup_text(syncd_json_member(document, "status"));
    return syncd_policy_question_read(&explanation->question, syncd_json_root(text->str, text->len),
                                      "", error);
}

static char *read_file(const char *argument, size_t *ret_size, GError **error)
{
    if (strcmp(argument, "-") == 0 || g_file_test(argument, G_FILE_TEST_EXISTS))
        return syncd_file_read(argument, REQUEST_MAX, ret_size, error);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "give a JSON object in quotes, the name of a file, - for standard input, "
                         "or the id of a decision: policy- and 16 hexadecimal digits",
                         "`%s` is no request, no decision, and no file that is there", argument);
    return NULL;
}

static bool read_request(const char *argument, Explanation *explanation, GError **error)
{
    size_t size;
    g_autofree char *read = NULL;
    if (*argument == '{') {
        size = strlen(argument);
    } else {
        read = read_file(argument, &size, error);
        if (read == NULL)
            return false;
    }
    const char *text = read != NULL ? read : argument;
    if (!syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    SyncdJson document = syncd_json_root(text, size);
    return syncd_json_member(document, "schema").type != SYNCD_JSON_NONE
               ? read_decision(document, explanation, error)
               : syncd_policy_question_read(&explanation->question, document, "", error);
}

/* ---- showing ---- */

static SyncdPolicyInput input_of(const Explanation *explanation)
{
    const char *const *fields = explanation->question.request.fields;
    return (SyncdPolicyInput){fields[SYNCD_FIELD_ACTION], fields[SYNCD_FIELD_LANE],
                              fields[SYNCD_FIELD_DATA_CLASS], fields[SYNCD_FIELD_SUBJECT],
                              fields[SYNCD_FIELD_OBJECT]};
}

static void write_rule(SyncdJsonWriter *writer, const SyncdPolicyVoice *voice)
{
    const SyncdPolicyRule *rule = voice->rule;
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "level",
                             rule != NULL ? syncd_policy_level_name(rule->level) : "built-in");
    syncd_json_member_string(writer, "file", rule != NULL ? rule->file : NULL);
    syncd_json_member_string(writer, "reason",
                             rule != NULL ? rule->reason : voice->built_in->reason);
    if (rule != NULL)
        syncd_json_member_string(writer, "effect", syncd_policy_effect_name(rule->effect));
    else
        syncd_json_member_string(writer, "status", voice->built_in->status);
    if (rule != NULL)
        syncd_json_member_string(writer, "rationale", rule->rationale);
    syncd_json_member_string(writer, "fate", voice->fate);
    syncd_json_end_object(writer);
}

static void write_request(SyncdJsonWriter *writer, const SyncdPolicyRequest *request)
{
    syncd_json_name(writer, "request");
    syncd_json_begin_object(writer);
    for (SyncdPolicyField field = 0; field < SYNCD_N_POLICY_FIELDS; field++)
        if (request->fields[field] != NULL)
            syncd_json_member_string(writer, syncd_policy_field_name(field),
                                     request->fields[field]);
    syncd_json_end_object(writer);
}

static void show_json(SyncdCli *cli, const SyncdPolicySet *set, const Explanation *explanation)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdPolicyInput input = input_of(explanation);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", "sourceos.policy-explanation/v1");
    syncd_json_member_string(&writer, "policy_digest", syncd_policy_set_digest(set));
    write_request(&writer, &explanation->question.request);
    syncd_json_name(&writer, "decision");
    syncd_runtime_decision_write(&writer, &input, &explanation->decision.outcome,
                                 (guint64)g_get_real_time() / 1000);
    syncd_json_member_string(&writer, "rationale", explanation->decision.rationale);
    if (explanation->claimed != NULL)
        syncd_json_member_bool(&writer, "given_is_weaker", explanation->weaker);
    syncd_json_name(&writer, "considered");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < explanation->voices->len; i++)
        write_rule(&writer, &g_array_index(explanation->voices, SyncdPolicyVoice, i));
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    syncd_output_json(cli->out, text->str, text->len, true);
}

static const char *fate_text(const char *fate)
{
    static const struct {
        const char *fate;
        const char *text;
    } texts[] = {
        {"decides", N_("decides")},
        {"less_specific", N_("a more specific rule is looked at first")},
        {"weaker_effect", N_("an equally specific rule has the stronger effect")},
        {"weaker", N_("what decides is stronger, or comes before it")},
        {"opened", N_("opened by the grant of the machine's rule")},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(texts[i].fate, fate) == 0)
            return _(texts[i].text);
    g_assert_not_reached();
}

static const char *level_text(SyncdPolicyLevel level)
{
    return level == SYNCD_POLICY_MACHINE ? _("the machine's rule") : _("the user's rule");
}

static char *rule_text(const SyncdPolicyRule *rule, const char *reason)
{
    if (rule == NULL)
        return g_strdup_printf(_("the built-in rule %s"), reason);
    return g_strdup_printf(_("%s %s in %s"), level_text(rule->level), rule->reason, rule->file);
}

static void show_voice(SyncdOutput *out, const SyncdPolicyVoice *voice)
{
    const char *says = voice->rule != NULL ? syncd_policy_effect_name(voice->rule->effect)
                                           : voice->built_in->status;
    g_autofree char *rule =
        rule_text(voice->rule, voice->built_in != NULL ? voice->built_in->reason : NULL);
    g_autofree char *safe = syncd_text_safe(rule);
    syncd_output_wrapped(out, "  %s: %s (%s)\n", safe, says, fate_text(voice->fate));
}

/* Policy defers an action that it does not know, which is no answer to a slip of the pen. */
static void show_known_actions(SyncdCli *cli, const char *action)
{
    const char *const *known = syncd_vocabulary_words(SYNCD_WORDS_POLICY_ACTION);
    if (g_strv_contains(known, action))
        return;
    g_autofree char *safe = syncd_text_safe(action);
    g_autofree char *list = syncd_words_nearest_first(action, known);
    syncd_output_wrapped(cli->out, _("There is no action `%s`; there are: %s.\n"), safe, list);
}

static void show_text(SyncdCli *cli, const SyncdPolicySet *set, const Explanation *explanation)
{
    const SyncdPolicyDecision *decision = &explanation->decision;
    SyncdPolicyInput input = input_of(explanation);
    g_autofree char *action = syncd_text_safe(input.action);
    g_autofree char *rule = rule_text(decision->rule, decision->outcome.reason);
    g_autofree char *safe = syncd_text_safe(rule);
    g_autofree char *why = syncd_text_safe(decision->rationale);
    syncd_output_styled(cli->out, decision->outcome.allowed ? SYNCD_STYLE_GOOD : SYNCD_STYLE_BAD,
                        decision->outcome.status);
    syncd_output_wrapped(cli->out, _(": %s in the lane %s, data class %s\n"), action, input.lane,
                         input.data_class);
    show_known_actions(cli, input.action);
    if (decision->rule != NULL)
        syncd_output_wrapped(cli->out, _("Decided by %s: %s\n"), safe, why);
    else
        syncd_output_wrapped(cli->out, _("Decided by %s.\n"), safe);
    if (explanation->claimed != NULL && explanation->weaker)
        syncd_output_wrapped(cli->out, _("The decision given says %s, which is weaker.\n"),
                             explanation->claimed);
    syncd_output_line(cli->out, _("Policy"), syncd_policy_set_digest(set));
    syncd_output_text(cli->out, _("Rules that match, in the order in which they are looked at:\n"));
    for (guint i = 0; i < explanation->voices->len; i++)
        show_voice(cli->out, &g_array_index(explanation->voices, SyncdPolicyVoice, i));
}

bool syncd_verb_policy_explain(SyncdCli *cli, GError **error)
{
    g_auto(Explanation) explanation = {0};
    const char *argument = syncd_cli_argument(cli, 0);
    if (argument != NULL && syncd_policy_is_decision_id(argument))
        return syncd_policy_explain_decision(cli, argument, error);
    if ((argument != NULL && !read_request(argument, &explanation, error)) ||
        !syncd_policy_question_take_options(&explanation.question, cli, error))
        return false;
    syncd_policy_question_finish(&explanation.question);
    g_autoptr(SyncdPolicySet) set = syncd_cli_policy(cli, error);
    if (set == NULL)
        return false;
    explanation.voices =
        syncd_policy_set_explain(set, &explanation.question.request, &explanation.decision);
    const char *status = explanation.decision.outcome.status;
    explanation.weaker =
        explanation.claimed != NULL && syncd_policy_status_is_weaker(explanation.claimed, status);
    if (syncd_cli_json(cli))
        show_json(cli, set, &explanation);
    else
        show_text(cli, set, &explanation);
    if (!explanation.decision.outcome.allowed || explanation.weaker)
        cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}
