/*
 * Every contract has documents that keep to it, and for each thing that it demands a document that
 * fails at exactly that.
 *
 * A line of a .faults file is a rule, a pointer and a value: what is at the pointer is replaced by
 * the value, and then the rule, and no other, is broken there, or at the pointer after "@". A rule
 * is a keyword of JSON Schema or the name of one of our own (src/contract/rules.h); where a keyword
 * is broken, one of our own may be as well. `required` takes the member away. `passes` says that
 * nothing is broken. `words` names the vocabulary whose words, and no others, may stand there. "."
 * is the whole document.
 */
#include "contract/check.h"
#include "contract/vocabulary.h"
#include "golden.h"
#include "json-edit.h"
#include "schema-walk.h"

typedef struct {
    char *rule;
    char *pointer;
    char *value; /* JSON text, or the name of a vocabulary */
    char *place; /* where the error is */
} Fault;

static void fault_clear(Fault *fault)
{
    g_free(fault->rule);
    g_free(fault->pointer);
    g_free(fault->value);
    g_free(fault->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fault, fault_clear)

static char *parent_of(const char *pointer)
{
    const char *last = strrchr(pointer, '/');
    return g_strndup(pointer, last != NULL ? (size_t)(last - pointer) : 0);
}

/* False for an empty line. */
static bool fault_read(const char *line, Fault *ret_fault)
{
    g_auto(GStrv) parts = NULL;
    g_autoptr(GRegex) columns = g_regex_new(" +", 0, 0, NULL);
    parts = g_regex_split_full(columns, line, -1, 0, 0, 3, NULL);
    if (g_strv_length(parts) < 2)
        return false;
    *ret_fault = (Fault){.rule = g_strdup(parts[0])};
    ret_fault->pointer = g_strdup(strcmp(parts[1], ".") == 0 ? "" : parts[1]);
    ret_fault->value = g_strdup(parts[2]);
    char *place = parts[2] != NULL ? strstr(parts[2], " @/") : NULL;
    if (place != NULL) {
        ret_fault->place = g_strdup(place + strlen(" @"));
        ret_fault->value[place - parts[2]] = '\0';
    } else {
        ret_fault->place = strcmp(ret_fault->rule, "required") == 0 ? parent_of(ret_fault->pointer)
                                                                    : g_strdup(ret_fault->pointer);
    }
    return true;
}

/* ---- judging ---- */

static SyncdSchemaErrors *judge(const char *id, const char *text, bool *ret_valid)
{
    g_autoptr(GError) error = NULL;
    SyncdSchemaErrors *errors = syncd_schema_errors_new();
    g_assert_true(syncd_contract_check(id, golden_root(text), errors, ret_valid, &error));
    g_assert_no_error(error);
    g_assert_cmpint(*ret_valid, ==, syncd_schema_errors_count(errors) == 0);
    return errors;
}

static bool is_own(const SyncdSchemaError *error)
{
    return g_str_has_prefix(error->schema_path, SYNCD_RULE_PREFIX);
}

/* The keyword, or the name of a rule; "false" where a schema allows nothing. */
static const char *rule_of(const SyncdSchemaError *error)
{
    if (is_own(error))
        return error->schema_path + strlen(SYNCD_RULE_PREFIX);
    const char *last = strrchr(error->schema_path, '/');
    return last != NULL ? last + 1 : error->schema_path;
}

static bool is_of(const SyncdSchemaError *error, const Fault *fault)
{
    bool same_rule = strcmp(fault->rule, "false") == 0 || strcmp(rule_of(error), fault->rule) == 0;
    return same_rule && strcmp(error->instance_path, fault->place) == 0;
}

static void say(const Golden *golden, const char *line, const SyncdSchemaErrors *errors)
{
    g_test_message("%s: %s", golden->place, line);
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(errors, i);
        g_test_message("  %s %s %s", error->schema_path, error->instance_path, error->sentence);
    }
}

/* ---- what passes, what fails ---- */

static void golden_documents_keep_to_their_contracts(void)
{
    g_autoptr(GPtrArray) goldens = golden_load();
    for (unsigned i = 0; i < goldens->len; i++) {
        const Golden *golden = g_ptr_array_index(goldens, i);
        bool valid;
        g_autoptr(SyncdSchemaErrors) errors = judge(golden->id, golden->text, &valid);
        if (!valid)
            say(golden, "is not valid", errors);
        g_assert_true(valid);
    }
}

static bool breaks_its_rule_alone(const Golden *golden, const char *line, const Fault *fault)
{
    bool valid;
    unsigned hits = 0, others = 0, own = 0;
    bool takes_away = strcmp(fault->rule, "required") == 0;
    g_autofree char *text =
        json_edit(golden->root, fault->pointer, takes_away ? NULL : fault->value);
    g_autoptr(SyncdSchemaErrors) errors = judge(golden->id, text, &valid);
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(errors, i);
        *(is_of(error, fault) ? &hits : is_own(error) ? &own : &others) += 1;
    }
    bool hits_own = hits > 0 && is_own(syncd_schema_errors_get(errors, 0));
    bool right = strcmp(fault->rule, "passes") == 0
                     ? valid
                     : hits > 0 && others == 0 && (own == 0 || !hits_own);
    if (!right)
        say(golden, line, errors);
    return right;
}

static void each_fault_breaks_its_rule_alone(void)
{
    g_autoptr(GPtrArray) goldens = golden_load();
    unsigned wrong = 0, turn = 0;
    for (unsigned i = 0; i < goldens->len; i++) {
        const Golden *golden = g_ptr_array_index(goldens, i);
        for (char **line = golden->faults; *line != NULL; line++) {
            g_auto(Fault) fault = {0};
            if (is_hurried() && turn++ % 4 != 0)
                continue;
            if (fault_read(*line, &fault) && strcmp(fault.rule, "words") != 0)
                wrong += !breaks_its_rule_alone(golden, *line, &fault);
        }
    }
    g_assert_cmpuint(wrong, ==, 0);
}

/* ---- words ---- */

static GHashTable *words_of_all(void)
{
    GHashTable *words = g_hash_table_new(g_str_hash, g_str_equal);
    for (SyncdVocabulary set = 0; set < SYNCD_N_VOCABULARIES; set++)
        for (const char *const *word = syncd_vocabulary_words(set); *word != NULL; word++)
            if (!is_hurried() || word == syncd_vocabulary_words(set))
                g_hash_table_add(words, (char *)*word);
    g_hash_table_add(words, (char *)"");
    g_hash_table_add(words, (char *)"no-such-word");
    return words;
}

static SyncdVocabulary vocabulary_named(const char *name)
{
    for (SyncdVocabulary set = 0; set < SYNCD_N_VOCABULARIES; set++)
        if (strcmp(syncd_vocabulary_name(set), name) == 0)
            return set;
    g_error("no vocabulary is called %s", name);
}

static bool word_is_refused(const Golden *golden, const char *pointer, const char *word)
{
    bool valid;
    g_autofree char *value = g_strconcat("\"", word, "\"", NULL);
    g_autofree char *text = json_edit(golden->root, pointer, value);
    g_autoptr(SyncdSchemaErrors) errors = judge(golden->id, text, &valid);
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(errors, i);
        if (strcmp(rule_of(error), "enum") == 0 && strcmp(error->instance_path, pointer) == 0)
            return true;
    }
    return false;
}

static void check_words(const Golden *golden, const Fault *fault, GHashTable *words)
{
    GHashTableIter iter;
    gpointer word;
    SyncdVocabulary set = vocabulary_named(fault->value);
    g_hash_table_iter_init(&iter, words);
    while (g_hash_table_iter_next(&iter, &word, NULL)) {
        bool known = syncd_vocabulary_find(set, SYNCD_BYTES_TEXT((char *)word)) != NULL;
        if (word_is_refused(golden, fault->pointer, word) == known)
            g_error("%s: %s %s \"%s\"", golden->place, fault->pointer, known ? "refuses" : "takes",
                    (char *)word);
    }
}

static void only_the_words_of_the_vocabulary_may_stand_there(void)
{
    g_autoptr(GPtrArray) goldens = golden_load();
    g_autoptr(GHashTable) words = words_of_all();
    for (unsigned i = 0; i < goldens->len; i++) {
        const Golden *golden = g_ptr_array_index(goldens, i);
        for (char **line = golden->faults; *line != NULL; line++) {
            g_auto(Fault) fault = {0};
            if (fault_read(*line, &fault) && strcmp(fault.rule, "words") == 0)
                check_words(golden, &fault, words);
        }
    }
}

/* ---- nothing is demanded that no fault breaks ---- */

/* Takes from `demands` those that the fault breaks. */
static void break_demands(const Golden *golden, const Fault *fault, GHashTable *demands)
{
    bool valid;
    bool takes_away = strcmp(fault->rule, "required") == 0;
    const char *value = strcmp(fault->rule, "words") == 0 ? "\"no-such-word\"" : fault->value;
    g_autofree char *text = json_edit(golden->root, fault->pointer, takes_away ? NULL : value);
    g_autoptr(SyncdSchemaErrors) errors = judge(golden->id, text, &valid);
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(errors, i);
        const char *member = strrchr(fault->pointer, '/');
        g_autofree char *demand = takes_away
                                      ? g_strconcat(error->schema_path, " ", member + 1, NULL)
                                      : g_strdup(error->schema_path);
        g_hash_table_remove(demands, demand);
    }
}

/* Long proofs, and lists of lines, findings and answers, are not worth a golden document. */
static const char *const not_shown[] = {
    "sourceos.explanation.v1#/properties/answers/maxItems",
    "sourceos.log-proof.v1#/properties/path/maxItems",
    "sourceos.verification.v1#/properties/findings/maxItems",
    "sourceos.workspace-record.v1alpha1#/properties/ignore_rules/maxItems",
    "sourceos.workspace-record.v1alpha1#/properties/ignore_rules/items/maxLength",
};

static void forget_what_is_not_shown(const char *name, GHashTable *demands)
{
    for (size_t i = 0; i < G_N_ELEMENTS(not_shown); i++)
        if (g_str_has_prefix(not_shown[i], name))
            g_assert_true(g_hash_table_remove(demands, not_shown[i] + strlen(name)));
}

static unsigned count_unbroken(const char *name, const GPtrArray *goldens)
{
    g_autofree char *schema = golden_read(g_getenv("SYNCD_SCHEMAS"), name, SCHEMA_SUFFIX);
    g_autofree char *id = golden_schema_id(golden_root(schema));
    g_autoptr(GHashTable) demands = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    schema_walk(golden_root(schema), "#", demands);
    g_assert_cmpuint(g_hash_table_size(demands), >, 0);
    forget_what_is_not_shown(name, demands);
    for (unsigned i = 0; i < goldens->len; i++) {
        const Golden *golden = g_ptr_array_index(goldens, i);
        for (char **line = golden->faults; strcmp(golden->id, id) == 0 && *line != NULL; line++) {
            g_auto(Fault) fault = {0};
            if (fault_read(*line, &fault))
                break_demands(golden, &fault, demands);
        }
    }
    GHashTableIter iter;
    gpointer demand;
    g_hash_table_iter_init(&iter, demands);
    while (g_hash_table_iter_next(&iter, &demand, NULL))
        g_test_message("%s: no fault breaks %s", name, (char *)demand);
    return g_hash_table_size(demands);
}

static void every_demand_of_a_schema_is_broken_by_a_fault(void)
{
    g_autoptr(GPtrArray) goldens = golden_load();
    g_autoptr(GPtrArray) schemas = golden_list(g_getenv("SYNCD_SCHEMAS"), SCHEMA_SUFFIX);
    unsigned unbroken = 0;
    for (unsigned i = 0; i < schemas->len; i++)
        unbroken += count_unbroken(g_ptr_array_index(schemas, i), goldens);
    g_assert_cmpuint(unbroken, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contract-golden/golden-documents-keep-to-their-contracts",
                    golden_documents_keep_to_their_contracts);
    g_test_add_func("/contract-golden/each-fault-breaks-its-rule-alone",
                    each_fault_breaks_its_rule_alone);
    g_test_add_func("/contract-golden/only-the-words-of-the-vocabulary-may-stand-there",
                    only_the_words_of_the_vocabulary_may_stand_there);
    g_test_add_func("/contract-golden/every-demand-of-a-schema-is-broken-by-a-fault",
                    every_demand_of_a_schema_is_broken_by_a_fault);
    return g_test_run();
}
