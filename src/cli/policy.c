#include "cli/policy.h"

#include "cli/state.h"
#include "contract/member.h"
#include "daemon/policy.h"

#include <string.h>

void syncd_policy_question_clear(SyncdPolicyQuestion *question)
{
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        g_clear_pointer(&question->words[i], g_free);
}

/* Policy answers to any action; it defers those that it does not know. */
static bool check_word(SyncdPolicyField field, const char *word, const char *path, GError **error)
{
    if (field != SYNCD_FIELD_ACTION)
        return syncd_policy_check_word(field, word, path, error);
    return syncd_policy_check_text(word, path, SYNCD_POLICY_WORD_MAX, error);
}

static bool take(SyncdPolicyQuestion *question, SyncdPolicyField field, const char *word,
                 const char *path, GError **error)
{
    if (!check_word(field, word, path, error))
        return false;
    g_free(question->words[field]);
    question->words[field] = g_strdup(word);
    return true;
}

/* ---- JSON ---- */

static SyncdPolicyField field_of(SyncdJson name)
{
    if (syncd_json_is(name, "object_id")) /* as decisions write it */
        return SYNCD_FIELD_OBJECT;
    SyncdPolicyField field = 0;
    while (field < SYNCD_N_POLICY_FIELDS && !syncd_json_is(name, syncd_policy_field_name(field)))
        field++;
    return field;
}

bool syncd_policy_question_read(SyncdPolicyQuestion *question, SyncdJson object, const char *path,
                                GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    if (object.type != SYNCD_JSON_OBJECT) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s must be an object",
                        *path != '\0' ? path : "A request");
        return false;
    }
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        SyncdPolicyField field = field_of(name);
        g_autofree char *step = syncd_pointer_step(name);
        if (field == SYNCD_N_POLICY_FIELDS) {
            syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s is no member of a request",
                            path, step);
            return false;
        }
        if (value.type == SYNCD_JSON_NULL)
            continue;
        g_autofree char *place = g_strconcat(path, "/", step, NULL);
        g_autofree char *word = syncd_json_dup_text(value);
        if (!syncd_shape_check(SYNCD_SHAPE_STRING, value, path, step, error) ||
            !take(question, field, word != NULL ? word : "", place, error))
            return false;
    }
    return true;
}

/* ---- options ---- */

bool syncd_policy_question_take_options(SyncdPolicyQuestion *question, const SyncdCli *cli,
                                        GError **error)
{
    for (SyncdPolicyField field = 0; field < SYNCD_N_POLICY_FIELDS; field++) {
        g_autofree char *option = g_strdelimit(g_strdup(syncd_policy_field_name(field)), "_", '-');
        g_autofree char *place = g_strconcat("--", option, NULL);
        const char *word = syncd_cli_value(cli, option);
        if (word != NULL && !take(question, field, word, place, error))
            return false;
    }
    return true;
}

static void put(SyncdPolicyQuestion *question, SyncdPolicyField field, const char *word,
                size_t size)
{
    if (question->words[field] == NULL)
        question->words[field] = g_strndup(word, size);
}

static void take_scope_apart(SyncdPolicyQuestion *question, const char *scope)
{
    const char *colon = strchr(scope, ':');
    size_t size = colon != NULL ? (size_t)(colon - scope) : strlen(scope);
    put(question, SYNCD_FIELD_SCOPE_CLASS, scope, size);
    if (g_str_has_prefix(scope, "workspace:"))
        put(question, SYNCD_FIELD_WORKSPACE, scope, strlen(scope));
    if (g_str_has_prefix(scope, "profile:"))
        put(question, SYNCD_FIELD_PROFILE, scope, strlen(scope));
}

void syncd_policy_question_finish(SyncdPolicyQuestion *question)
{
    static const struct {
        SyncdPolicyField field;
        const char *word;
    } usual[] = {
        {SYNCD_FIELD_ACTION, "write"},
        {SYNCD_FIELD_LANE, "normal"},
        {SYNCD_FIELD_DATA_CLASS, SYNCD_POLICY_DATA_CLASS},
        {SYNCD_FIELD_SUBJECT, SYNCD_POLICY_SUBJECT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(usual); i++)
        put(question, usual[i].field, usual[i].word, strlen(usual[i].word));
    if (question->words[SYNCD_FIELD_SCOPE] != NULL)
        take_scope_apart(question, question->words[SYNCD_FIELD_SCOPE]);
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        question->request.fields[i] = question->words[i];
}

/* ---- the rules ---- */

static bool add_directories(SyncdPolicyLoader *loader, const SyncdCli *cli, const char *option,
                            SyncdPolicyLevel level, GError **error)
{
    g_autoptr(GPtrArray) given = syncd_cli_values(cli, option);
    for (guint i = 0; given->pdata[i] != NULL; i++) {
        const char *path = given->pdata[i];
        if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
            syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "correct its name",
                                 "There is no directory %s", path);
            return false;
        }
        syncd_policy_loader_add(loader, path, level);
    }
    return true;
}

SyncdPolicySet *syncd_cli_policy(const SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdPolicyLoader) loader =
        syncd_policy_loader_new(syncd_state_instance(cli), NULL, NULL);
    g_autofree char *fault = NULL;
    SyncdPolicyStanding standing;
    if (!add_directories(loader, cli, "rules", SYNCD_POLICY_MACHINE, error) ||
        !add_directories(loader, cli, "user-rules", SYNCD_POLICY_USER, error))
        return NULL;
    g_autoptr(SyncdPolicySet) set = syncd_policy_loader_read(loader, &standing, &fault);
    if (fault == NULL)
        return g_steal_pointer(&set);
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault, &sentence, &next);
    if (next != NULL && g_str_has_suffix(next, "."))
        next[strlen(next) - 1] = '\0';
    syncd_set_error_next(error, SYNCD_ERROR_FAILED, next != NULL ? next : "correct the file",
                         "Rules were refused: %s", sentence);
    return NULL;
}
