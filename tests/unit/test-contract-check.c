/*
 * Documents are judged by the contract that they name, whatever they look like.
 */
#include "contract/check.h"
#include "contract/installed.h"
#include "golden.h"
#include "hurried.h"
#include "json-edit.h"

/* ---- contracts ---- */

static void every_schema_is_installed_as_it_is_in_its_file(void)
{
    g_autoptr(GPtrArray) files = golden_list(g_getenv("SYNCD_SCHEMAS"), SCHEMA_SUFFIX);
    g_assert_cmpuint(files->len, ==, syncd_n_installed_schemas);
    for (unsigned i = 0; i < files->len; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            golden_read(g_getenv("SYNCD_SCHEMAS"), g_ptr_array_index(files, i), SCHEMA_SUFFIX);
        g_autofree char *id = golden_schema_id(golden_root(text));
        const SyncdInstalledSchema *installed = syncd_installed_schema_find(id);
        g_assert_nonnull(installed);
        g_assert_cmpstr(installed->text, ==, text);
        g_assert_nonnull(syncd_installed_schema(id, &error));
        g_assert_no_error(error);
        g_assert_true(syncd_installed_schema(id, NULL) == syncd_installed_schema(id, NULL));
    }
}

static void an_unknown_contract_is_not_found(void)
{
    static const char *const ids[] = {"", "sourceos", "sourceos.actor-record/v1alpha2",
                                      "sourceos.actor-record", "zzz"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        bool valid;
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_contract_check(ids[i], golden_root("{}"), NULL, &valid, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    }
}

static void a_document_says_or_shows_its_contract(void)
{
    static const struct {
        const char *document;
        const char *id;
    } cases[] = {
        {"{\"schema\":\"a\"}", "a"},
        {"{\"schema\":\"a\",\"schema_version\":\"v2\",\"type\":\"t\"}", "a"},
        {"{\"schema_version\":\"b\",\"type\":\"t\"}", "b"},
        {"{\"type\":\"SyncCheckpoint\"}", "SyncCheckpoint"},
        {"{\"schema\":7,\"type\":\"t\"}", "t"},
        {"{\"schema\":\"a\\u0000b\",\"type\":\"t\"}", "t"},
        {"{\"engineId\":null}", "SyncEngineManifest"},
        {"{\"syncEngines\":[]}", "SourceOSRepoManifest"},
        {"{\"daemon_state\":\"clean\"}", "sourceos.sync-status/v1"},
        {"{}", NULL},
        {"[\"schema\"]", NULL},
        {"\"schema\"", NULL},
        {"null", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *id = syncd_contract_id_of(golden_root(cases[i].document));
        g_assert_cmpstr(id, ==, cases[i].id);
    }
}

static void golden_documents_say_or_show_theirs(void)
{
    g_autoptr(GPtrArray) goldens = golden_load();
    for (unsigned i = 0; i < goldens->len; i++) {
        const Golden *golden = g_ptr_array_index(goldens, i);
        g_autofree char *id = syncd_contract_id_of(golden->root);
        /* The legacy form of events bears the id of the strict one. */
        if (strcmp(golden->id, "sourceos.event.v0.1/legacy") == 0)
            g_assert_cmpstr(id, ==, "sourceos.event.v0.1");
        else
            g_assert_cmpstr(id, ==, golden->id);
    }
}

/* ---- demanding ---- */

static void the_first_faults_are_named_with_their_places(void)
{
    static const struct {
        const char *document;
        const char *message;
    } cases[] = {
        {"{}",
         "/record must have the member \"schema\"; /record must have the member \"profile_id\"; "},
        {"{\"schema\":\"sourceos.service-graph.v0.1\"}", "/record must have"},
        {"{\"schema_version\":\"sourceos.service-graph.v0.1\",\"service_count\":1,\"services\":[],"
         "\"authority_domains\":{},\"owners\":{},\"capability_index\":{}}",
         "/record/service_count must be the number of services"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool graph = strstr(cases[i].document, "graph") != NULL;
        g_assert_false(syncd_contract_demand(graph ? "sourceos.service-graph.v0.1"
                                                   : "sourceos.profile-record/v1alpha1",
                                             golden_root(cases[i].document), "/record", &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
        g_assert_true(g_str_has_prefix(error->message, cases[i].message));
    }
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_contract_demand("x", golden_root("{}"), "/record", &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
}

/* ---- hostile documents ---- */

/* The verdict is the same whether or not anybody wants to know why. */
static void judge_both_ways(const char *id, const char *text)
{
    bool valid, shortly;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    SyncdJson document = golden_root(text);
    g_assert_true(syncd_contract_check(id, document, errors, &valid, &error));
    g_assert_true(syncd_contract_check(id, document, NULL, &shortly, &error));
    g_assert_no_error(error);
    g_assert_cmpint(valid, ==, shortly);
    g_assert_cmpint(valid, ==, syncd_schema_errors_count(errors) == 0);
}

static const char *const strange[] = {
    "null",
    "true",
    "-1",
    "1e400000000",
    "\"\"",
    "\"a\\u0000b\"",
    "\"\\ud83d\\ude00\"",
    "[]",
    "{}",
    "[[[]]]",
    "{\"\":{\"~/\":[]}}",
    "[{\"name\":[]},{\"name\":{}}]",
    "[{\"name\":\"a\"},{\"name\":\"a\"},7]",
};

static void judge_strange(const Golden *golden, SyncdJson value, const char *pointer)
{
    SyncdJsonIter iter;
    SyncdJson name, element;
    unsigned index = 0;
    static unsigned turn = 0;
    size_t stride = is_hurried() ? 40 : is_slowed() ? 5 : 1;
    for (size_t i = turn++ % stride; i < G_N_ELEMENTS(strange); i += stride) {
        g_autofree char *text = json_edit(golden->root, pointer, strange[i]);
        if (syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, NULL))
            judge_both_ways(golden->id, text);
    }
    syncd_json_iter_init(&iter, value);
    for (; syncd_json_iter_next(&iter, &name, &element); index++) {
        g_autofree char *step =
            iter.object ? syncd_json_dup_text(name) : g_strdup_printf("%u", index);
        g_autofree char *inner = g_strconcat(pointer, "/", step, NULL);
        judge_strange(golden, element, inner);
    }
}

static void strange_values_anywhere_get_a_verdict(void)
{
    g_autoptr(GPtrArray) goldens = golden_load();
    for (unsigned i = 0; i < goldens->len; i++) {
        const Golden *golden = g_ptr_array_index(goldens, i);
        judge_strange(golden, golden->root, "");
    }
}

static void many_faults_are_counted_and_cost_little(void)
{
    enum { LANES = 100000 };
    bool valid;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("{\"lanes\":[");
    for (unsigned i = 0; i < LANES; i++)
        g_string_append(text, i == 0 ? "{\"name\":\"a\"}" : ",{\"name\":\"a\"}");
    g_string_append(text, "]}");
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    g_assert_true(syncd_contract_check("sourceos.state-integrity-report/v1alpha1",
                                       golden_root(text->str), errors, &valid, &error));
    g_assert_no_error(error);
    g_assert_false(valid);
    g_assert_cmpuint(syncd_schema_errors_count(errors), ==, SYNCD_SCHEMA_MAX_ERRORS);
    g_assert_cmpuint(syncd_schema_errors_dropped(errors), >=, LANES - SYNCD_SCHEMA_MAX_ERRORS);
}

/* Flags of any size are compared, and giants are refused without being counted out. */
static void giant_flags_are_refused(void)
{
    bool valid;
    g_autoptr(GError) error = NULL;
    g_autofree char *digits = g_strnfill(1000000, 'f');
    g_autofree char *hex = g_strdup_printf("\"0x%s\"", digits);
    g_autofree char *number = g_strnfill(1000000, '9');
    g_autoptr(GPtrArray) goldens = golden_load();
    for (unsigned i = 0; i < goldens->len; i++) {
        const Golden *golden = g_ptr_array_index(goldens, i);
        if (strcmp(golden->id, "sourceos.state-integrity-report/v1alpha1") != 0)
            continue;
        g_autofree char *one = json_edit(golden->root, "/stores/0/flags_hex", hex);
        g_autofree char *both = json_edit(golden_root(one), "/stores/0/flags_raw", number);
        g_assert_true(syncd_contract_check(golden->id, golden_root(both), NULL, &valid, &error));
        g_assert_no_error(error);
        g_assert_false(valid);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contract-check/every-schema-is-installed-as-it-is-in-its-file",
                    every_schema_is_installed_as_it_is_in_its_file);
    g_test_add_func("/contract-check/an-unknown-contract-is-not-found",
                    an_unknown_contract_is_not_found);
    g_test_add_func("/contract-check/a-document-says-or-shows-its-contract",
                    a_document_says_or_shows_its_contract);
    g_test_add_func("/contract-check/golden-documents-say-or-show-theirs",
                    golden_documents_say_or_show_theirs);
    g_test_add_func("/contract-check/the-first-faults-are-named-with-their-places",
                    the_first_faults_are_named_with_their_places);
    g_test_add_func("/contract-check/strange-values-anywhere-get-a-verdict",
                    strange_values_anywhere_get_a_verdict);
    g_test_add_func("/contract-check/many-faults-are-counted-and-cost-little",
                    many_faults_are_counted_and_cost_little);
    g_test_add_func("/contract-check/giant-flags-are-refused", giant_flags_are_refused);
    return g_test_run();
}
