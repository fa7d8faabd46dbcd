#include "base/json-writer.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/policy.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "contract/member.h"
#include "contract/records.h"
#include "contract/vocabulary.h"

#include <string.h>

#define CASES_SCHEMA "sourceos.policy-cases/v1"
#define FILE_MAX (4u * 1024u * 1024u)
#define CASES_MAX 10000u

/* One case; a member of what is expected that is NULL may be anything. */
typedef struct {
    char *name;
    SyncdPolicyQuestion question;
    char *effect;
    char *status;
    char *reason;
} Case;

static void case_free(Case *one)
{
    g_free(one->name);
    syncd_policy_question_clear(&one->question);
    g_free(one->effect);
    g_free(one->status);
    g_free(one->reason);
    g_free(one);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Case, case_free)

/* ---- reading ---- */

static bool refuse_member(SyncdJson object, const char *const *known, const char *path,
                          GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, NULL)) {
        size_t i = 0;
        while (known[i] != NULL && !syncd_json_is(name, known[i]))
            i++;
        if (known[i] != NULL)
            continue;
        g_autofree char *step = syncd_pointer_step(name);
        syncd_set_error(error, SYNCD_ERROR_FAILED, "%s/%s is no member here", path, step);
        return true;
    }
    return false;
}

static bool read_expected(SyncdJson expect, const char *path, Case *one, GError **error)
{
    static const char *const known[] = {"effect", "status", "reason", NULL};
    char **const texts[] = {&one->effect, &one->status, &one->reason};
    if (!syncd_shape_check(SYNCD_SHAPE_OBJECT, expect, path, "expect", error))
        return false;
    g_autofree char *inside = g_strconcat(path, "/expect", NULL);
    if (refuse_member(expect, known, inside, error))
        return false;
    for (size_t i = 0; known[i] != NULL; i++) {
        SyncdJson value = syncd_json_member(expect, known[i]);
        if (value.type == SYNCD_JSON_NONE)
            continue;
        if (!syncd_shape_check(SYNCD_SHAPE_ID, value, inside, known[i], error))
            return false;
        *texts[i] = syncd_json_dup_text(value);
    }
    const char *effect = one->effect, *status = one->status;
    if ((effect != NULL &&
         syncd_vocabulary_find(SYNCD_WORDS_POLICY_EFFECT, SYNCD_BYTES_TEXT(effect)) == NULL) ||
        (status != NULL &&
         syncd_vocabulary_find(SYNCD_WORDS_POLICY_STATUS, SYNCD_BYTES_TEXT(status)) == NULL) ||
        (effect == NULL && status == NULL && one->reason == NULL)) {
        syncd_set_error(error, SYNCD_ERROR_FAILED,
                        "%s expects an effect (allow, deny, review_required), a status (allowed, "
                        "denied, redacted, deferred) or a reason",
                        inside);
        return false;
    }
    return true;
}

static Case *read_case(SyncdJson object, const char *path, GError **error)
{
    static const char *const known[] = {"name", "request", "expect", NULL};
    g_autoptr(Case) one = g_new0(Case, 1);
    g_autofree char *request = g_strconcat(path, "/request", NULL);
    SyncdJson name = syncd_json_member(object, "name");
    if (object.type != SYNCD_JSON_OBJECT) {
        syncd_set_error(error, SYNCD_ERROR_FAILED, "%s must be an object", path);
        return NULL;
    }
    if (refuse_member(object, known, path, error) ||
        (name.type != SYNCD_JSON_NONE &&
         !syncd_shape_check(SYNCD_SHAPE_STRING, name, path, "name", error)) ||
        !syncd_policy_question_read(&one->question, syncd_json_member(object, "request"), request,
                                    error) ||
        !read_expected(syncd_json_member(object, "expect"), path, one, error))
        return NULL;
    one->name = syncd_json_dup_text(name);
    if (one->name == NULL)
        one->name = g_strdup(path);
    syncd_policy_question_finish(&one->question);
    return g_steal_pointer(&one);
}

static GPtrArray *read_cases(const char *text, size_t size, GError **error)
{
    static const char *const known[] = {"schema", "description", "cases", NULL};
    g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)case_free);
    if (!syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    SyncdJson document = syncd_json_root(text, size);
    SyncdJson list = syncd_json_member(document, "cases");
    if (!syncd_json_is(syncd_json_member(document, "schema"), CASES_SCHEMA) ||
        list.type != SYNCD_JSON_ARRAY) {
        syncd_set_error(error, SYNCD_ERROR_FAILED,
                        "/schema must be \"" CASES_SCHEMA "\" and /cases an array");
        return NULL;
    }
    if (refuse_member(document, known, "", error))
        return NULL;
    SyncdJsonIter iter;
    SyncdJson value;
    syncd_json_iter_init(&iter, list);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        g_autofree char *path = g_strdup_printf("/cases/%u", cases->len);
        Case *one = cases->len < CASES_MAX ? read_case(value, path, error) : NULL;
        if (one == NULL && cases->len == CASES_MAX)
            syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "/cases has more than %u members",
                            CASES_MAX);
        if (one == NULL)
            return NULL;
        g_ptr_array_add(cases, one);
    }
    return g_steal_pointer(&cases);
}

/* A table that cannot be read tests nothing: exit code 1, whatever the fault. */
static GPtrArray *load_cases(const char *path, GError **error)
{
    size_t size;
    g_autoptr(GError) fault = NULL;
    g_autofree char *text = syncd_file_read(path, FILE_MAX, &size, error);
    if (text == NULL)
        return NULL;
    GPtrArray *cases = read_cases(text, size, &fault);
    if (cases != NULL)
        return cases;
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    syncd_set_error_next(error, SYNCD_ERROR_FAILED, "correct the table of cases", "%s: %s", path,
                         sentence);
    return NULL;
}

/* ---- judging ---- */

static bool agrees(const char *expected, const char *got)
{
    return expected == NULL || strcmp(expected, got) == 0;
}

static bool holds(const Case *one, const SyncdPolicyDecision *decision)
{
    return agrees(one->effect, syncd_decision_effect(decision->outcome.status)) &&
           agrees(one->status, decision->outcome.status) &&
           agrees(one->reason, decision->outcome.reason);
}

static void write_failure(SyncdJsonWriter *writer, const Case *one,
                          const SyncdPolicyDecision *decision)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "name", one->name);
    syncd_json_name(writer, "expected");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "effect", one->effect);
    syncd_json_member_string(writer, "status", one->status);
    syncd_json_member_string(writer, "reason", one->reason);
    syncd_json_end_object(writer);
    syncd_json_name(writer, "got");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "effect", syncd_decision_effect(decision->outcome.status));
    syncd_json_member_string(writer, "status", decision->outcome.status);
    syncd_json_member_string(writer, "reason", decision->outcome.reason);
    syncd_json_member_string(writer, "file", decision->rule != NULL ? decision->rule->file : NULL);
    syncd_json_end_object(writer);
    syncd_json_end_object(writer);
}

static void show_failure(SyncdOutput *out, const Case *one, const SyncdPolicyDecision *decision)
{
    const char *words[] = {one->effect, one->status, one->reason};
    g_autoptr(GString) expected = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (words[i] != NULL)
            g_string_append_printf(expected, "%s%s", expected->len > 0 ? " " : "", words[i]);
    g_autofree char *name = syncd_text_safe(one->name);
    g_autofree char *safe = syncd_text_safe(expected->str);
    syncd_output_styled(out, SYNCD_STYLE_BAD, _("Failed"));
    syncd_output_wrapped(out, _(": %s\n  expected: %s\n  got: %s %s %s (%s)\n"), name, safe,
                         syncd_decision_effect(decision->outcome.status), decision->outcome.status,
                         decision->outcome.reason,
                         decision->rule != NULL ? decision->rule->file : "built-in");
}

static void judge(SyncdCli *cli, const SyncdPolicySet *set, const GPtrArray *cases)
{
    guint failed = 0;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "policy_digest", syncd_policy_set_digest(set));
    syncd_json_name(&writer, "failed");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < cases->len; i++) {
        const Case *one = g_ptr_array_index(cases, i);
        SyncdPolicyDecision decision = syncd_policy_set_decide(set, &one->question.request);
        if (holds(one, &decision))
            continue;
        failed++;
        if (syncd_cli_json(cli))
            write_failure(&writer, one, &decision);
        else
            show_failure(cli->out, one, &decision);
    }
    syncd_json_end_array(&writer);
    syncd_json_member_uint(&writer, "cases", cases->len);
    syncd_json_end_object(&writer);
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, text->str, text->len, true);
    else
        syncd_output_wrapped(cli->out, _("%u of %u cases hold.\n"), cases->len - failed,
                             cases->len);
    if (failed > 0)
        cli->exit = SYNCD_EXIT_NEGATIVE;
}

bool syncd_verb_policy_test(SyncdCli *cli, GError **error)
{
    g_autoptr(GPtrArray) cases = load_cases(syncd_cli_argument(cli, 0), error);
    g_autoptr(SyncdPolicySet) set = cases != NULL ? syncd_cli_policy(cli, error) : NULL;
    if (set == NULL)
        return false;
    judge(cli, set, cases);
    return true;
}
