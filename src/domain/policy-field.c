#include "domain/policy-field.h"

#include "base/error.h"
#include "base/id.h"
#include "contract/vocabulary.h"
#include "domain/scope.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *condition;
    bool (*check)(SyncdPolicyField field, const char *word, const char *path, GError **error);
    SyncdVocabulary vocabulary; /* of the fields that have one */
} Field;

static bool check_listed(SyncdPolicyField field, const char *word, const char *path,
                         GError **error);
static bool check_any(SyncdPolicyField field, const char *word, const char *path, GError **error);
static bool check_place(SyncdPolicyField field, const char *word, const char *path, GError **error);
static bool check_scope(SyncdPolicyField field, const char *word, const char *path, GError **error);
static bool check_object(SyncdPolicyField field, const char *word, const char *path,
                         GError **error);

/* Whom policy decides about is what an actor's record says, and what type an object is another's:
 * any text. */
static const Field fields[SYNCD_N_POLICY_FIELDS] = {
    [SYNCD_FIELD_ACTION] = {"action", "actions", check_listed, SYNCD_WORDS_POLICY_ACTION},
    [SYNCD_FIELD_LANE] = {"lane", "lanes", check_listed, SYNCD_WORDS_LANE},
    [SYNCD_FIELD_DATA_CLASS] = {"data_class", "data_classes", check_listed, SYNCD_WORDS_DATA_CLASS},
    [SYNCD_FIELD_SCOPE_CLASS] = {"scope_class", "scope_classes", check_listed,
                                 SYNCD_WORDS_SCOPE_CLASS},
    [SYNCD_FIELD_ACTOR_TYPE] = {"actor_type", "actor_types", check_listed, SYNCD_WORDS_ACTOR_TYPE},
    [SYNCD_FIELD_OPERATION_TYPE] = {"operation_type", "operation_types", check_listed,
                                    SYNCD_WORDS_OPERATION_TYPE},
    [SYNCD_FIELD_OBJECT_TYPE] = {"object_type", "object_types", check_any},
    [SYNCD_FIELD_PROFILE] = {"profile", "profiles", check_place},
    [SYNCD_FIELD_WORKSPACE] = {"workspace", "workspaces", check_place},
    [SYNCD_FIELD_SCOPE] = {"scope", "scopes", check_scope},
    [SYNCD_FIELD_SUBJECT] = {"subject", "subjects", check_any},
    [SYNCD_FIELD_OBJECT] = {"object", "objects", check_object},
};

const char *syncd_policy_field_name(SyncdPolicyField field)
{
    return fields[field].name;
}

const char *syncd_policy_condition_name(SyncdPolicyField field)
{
    return fields[field].condition;
}

/* SYNCD_N_POLICY_FIELDS when there is none. */
static SyncdPolicyField find_field(const char *name)
{
    SyncdPolicyField field = 0;
    while (field < SYNCD_N_POLICY_FIELDS && strcmp(fields[field].name, name) != 0)
        field++;
    return field;
}

/* ---- words ---- */

static bool is_clean(const char *text)
{
    for (; *text != '\0'; text = g_utf8_next_char(text))
        if (g_unichar_iscntrl(g_utf8_get_char(text)))
            return false;
    return true;
}

bool syncd_policy_check_text(const char *word, const char *path, size_t max, GError **error)
{
    if (*word != '\0' && strlen(word) <= max && is_clean(word))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "%s must be 1 to %zu bytes without control characters", path, max);
    return false;
}

static bool check_any(SyncdPolicyField field, const char *word, const char *path, GError **error)
{
    return syncd_policy_check_text(word, path, SYNCD_POLICY_WORD_MAX, error);
}

static bool check_listed(SyncdPolicyField field, const char *word, const char *path, GError **error)
{
    SyncdVocabulary vocabulary = fields[field].vocabulary;
    if (syncd_vocabulary_find(vocabulary, SYNCD_BYTES_TEXT(word)) != NULL)
        return true;
    g_autofree char *known = syncd_vocabulary_list(vocabulary);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s is no %s; there are %s", path,
                    syncd_vocabulary_name(vocabulary), known);
    return false;
}

static bool check_object(SyncdPolicyField field, const char *word, const char *path, GError **error)
{
    if (!check_any(field, word, path, error))
        return false;
    if (syncd_id_is_token(word, strlen(word)))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "write the id of an object, as `sourceos-syncd objects list` shows it",
                         "%s is \"%s\", which no request states: an id has letters, digits, '.', "
                         "'_', ':' and '-' alone",
                         path, word);
    return false;
}

/* ---- scopes, and the workspaces and profiles that are scopes ---- */

static bool is_scope(const char *word, const char **ret_class)
{
    const char *name;
    return syncd_scope_parse(word, ret_class, &name, NULL);
}

/* What follows the class in "Workspace:notes" or "workspaces/notes"; else the whole word. */
static const char *name_in(const char *word, const char *class)
{
    if (g_ascii_strncasecmp(word, class, strlen(class)) != 0)
        return word;
    const char *rest = word + strlen(class);
    rest += g_ascii_tolower(*rest) == 's';
    return *rest == ':' || *rest == '/' ? rest + 1 : word;
}

/* NULL when that would be none either. */
static char *make_scope(const char *class, const char *name)
{
    const char *unused;
    g_autofree char *scope = g_strconcat(class, ":", name, NULL);
    return is_scope(scope, &unused) ? g_steal_pointer(&scope) : NULL;
}

static char *guess_scope(const char *word)
{
    const char *const *class = syncd_vocabulary_words(SYNCD_WORDS_SCOPE_CLASS);
    if (g_ascii_strcasecmp(word, "device") == 0 || name_in(word, "device") != word)
        return g_strdup("device");
    for (; *class != NULL; class ++) {
        const char *name = name_in(word, *class);
        if (name != word)
            return make_scope(*class, name);
    }
    return strchr(word, ':') == NULL ? make_scope("workspace", word) : NULL;
}

static bool check_scope(SyncdPolicyField field, const char *word, const char *path, GError **error)
{
    const char *class;
    if (!check_any(field, word, path, error))
        return false;
    if (is_scope(word, &class))
        return true;
    g_autofree char *meant = guess_scope(word);
    g_autofree char *next = meant != NULL ? g_strdup_printf("write \"%s\"", meant)
                                          : g_strdup("write a class, ':' and a name");
    g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_SCOPE_CLASS);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, next,
                         "%s is \"%s\", which no request states: a scope is \"device\" or "
                         "\"<class>:<name>\"; the classes are %s",
                         path, word, known);
    return false;
}

static char *place_advice(const char *class, const char *word)
{
    const char *other;
    if (is_scope(word, &other)) {
        SyncdPolicyField field = find_field(other);
        if (field == SYNCD_N_POLICY_FIELDS)
            field = SYNCD_FIELD_SCOPE;
        return g_strdup_printf("write it in \"%s\"", fields[field].condition);
    }
    g_autofree char *meant = make_scope(class, name_in(word, class));
    return meant != NULL ? g_strdup_printf("write \"%s\"", meant)
                         : g_strdup_printf("write \"%s:\" and a name of at most %u letters, "
                                           "digits, '.', '_', ':' or '-'",
                                           class, SYNCD_SCOPE_NAME_MAX);
}

/* A workspace and a profile are called as the scopes that they are, in records too. */
static bool check_place(SyncdPolicyField field, const char *word, const char *path, GError **error)
{
    const char *wanted = fields[field].name, *class;
    if (!check_any(field, word, path, error))
        return false;
    if (is_scope(word, &class) && strcmp(class, wanted) == 0)
        return true;
    g_autofree char *next = place_advice(wanted, word);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, next,
                         "%s is \"%s\", which no request states: a %s is \"%s:\" and a name", path,
                         word, wanted, wanted);
    return false;
}

bool syncd_policy_check_word(SyncdPolicyField field, const char *word, const char *path,
                             GError **error)
{
    return fields[field].check(field, word, path, error);
}
