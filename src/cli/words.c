#include "cli/words.h"

#include "cli/parse.h"
#include "contract/installed.h"
#include "contract/vocabulary.h"
#include "domain/family.h"
#include "domain/kind.h"

#include <string.h>

/* ---- where they come from ---- */

static void add_vocabulary(GPtrArray *words, SyncdVocabulary vocabulary)
{
    for (const char *const *word = syncd_vocabulary_words(vocabulary); *word != NULL; word++)
        g_ptr_array_add(words, (gpointer)*word);
}

#define VOCABULARY(name, vocabulary)                                                               \
    void syncd_words_##name(GPtrArray *words)                                                      \
    {                                                                                              \
        add_vocabulary(words, vocabulary);                                                         \
    }

VOCABULARY(lane, SYNCD_WORDS_LANE)
VOCABULARY(data_class, SYNCD_WORDS_DATA_CLASS)
VOCABULARY(scope_class, SYNCD_WORDS_SCOPE_CLASS)
VOCABULARY(action, SYNCD_WORDS_POLICY_ACTION)
VOCABULARY(operation_type, SYNCD_WORDS_OPERATION_TYPE)
VOCABULARY(evidence_type, SYNCD_WORDS_EVIDENCE_TYPE)
VOCABULARY(actor_type, SYNCD_WORDS_ACTOR_TYPE)
VOCABULARY(profile_class, SYNCD_WORDS_PROFILE_CLASS)
VOCABULARY(trust_level, SYNCD_WORDS_TRUST_LEVEL)
VOCABULARY(operation_class, SYNCD_WORDS_OPERATION_CLASS)
VOCABULARY(device_state, SYNCD_WORDS_DEVICE_STATE)
VOCABULARY(object_state, SYNCD_WORDS_OBJECT_STATE)
VOCABULARY(plan_state, SYNCD_WORDS_PLAN_STATUS)

void syncd_words_event_type(GPtrArray *words)
{
    size_t n;
    const SyncdKind *kinds = syncd_kinds(&n);
    for (size_t i = 0; i < n; i++)
        if (!g_ptr_array_find_with_equal_func(words, kinds[i].event_type, g_str_equal, NULL))
            g_ptr_array_add(words, (gpointer)kinds[i].event_type);
}

void syncd_words_found_kind(GPtrArray *words)
{
    g_ptr_array_add(words, (gpointer) "file");
    for (unsigned i = 0; i < SYNCD_N_FAMILIES; i++)
        g_ptr_array_add(words, (gpointer)syncd_family(i)->name);
}

void syncd_words_contract(GPtrArray *words)
{
    for (unsigned i = 0; i < syncd_n_installed_schemas; i++)
        g_ptr_array_add(words, (gpointer)syncd_installed_schemas[i].id);
}

/* ---- what is done with them ---- */

char *syncd_words_of_option(const SyncdVerbOption *option)
{
    if (option->words == NULL)
        return g_strdup(option->choices);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    option->words(words);
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" ", (char **)words->pdata);
}

#define PART_MIN 4

const char *syncd_words_nearest_contract(const char *wrong)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    syncd_words_contract(ids);
    g_ptr_array_add(ids, NULL);
    const char *nearest = syncd_nearest(wrong, (const char *const *)ids->pdata);
    for (guint i = 0; nearest == NULL && strlen(wrong) >= PART_MIN && ids->pdata[i] != NULL; i++)
        if (strstr(ids->pdata[i], wrong) != NULL)
            nearest = ids->pdata[i];
    return nearest;
}

char *syncd_words_nearest_first(const char *wrong, const char *const *words)
{
    const char *nearest = syncd_nearest(wrong, words);
    GString *text = g_string_new(nearest);
    for (; *words != NULL; words++)
        if (*words != nearest)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", *words);
    return g_string_free(text, FALSE);
}

bool syncd_words_check(const SyncdVerb *verb, const SyncdVerbOption *option, const char *value,
                       GError **error)
{
    if (option->kind != SYNCD_VALUE_CHOICE)
        return true;
    g_autofree char *joined = syncd_words_of_option(option);
    g_auto(GStrv) words = g_strsplit(joined, " ", -1);
    if (g_strv_contains((const char *const *)words, value))
        return true;
    g_autofree char *list = syncd_words_nearest_first(value, (const char *const *)words);
    const char *nearest = syncd_nearest(value, (const char *const *)words);
    g_autofree char *title = verb != NULL ? syncd_verb_title(verb) : NULL;
    g_autofree char *next =
        nearest != NULL ? g_strdup_printf("the nearest is `--%s=%s`", option->name, nearest)
                        : g_strdup_printf("see `sourceos-syncd %s%s--help`",
                                          title != NULL ? title : "", title != NULL ? " " : "");
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, next, "--%s is one of: %s; not `%s`",
                         option->name, list, value);
    return false;
}
