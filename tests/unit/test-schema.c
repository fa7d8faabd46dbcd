/* JSON Schema 2020-12: the cases of data/schema-*.json, and what no case can say. */
#include "hurried.h"
#include "schema-cases.h"
#include "schema-text.h"

#include <pthread.h>

static SyncdSchema *compile(const char *text)
{
    g_autoptr(GError) error = NULL;
    SyncdSchema *schema = syncd_schema_compile(SYNCD_BYTES_TEXT(text), NULL, &error);
    g_assert_no_error(error);
    return schema;
}

static void test_file(gconstpointer data)
{
    static const SchemaCases cases = {NULL, NULL, NULL, NULL, SYNCD_DIALECT_OWN};
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", data, NULL);
    schema_cases_run(&cases, path, NULL);
}

static void add_files(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", NULL);
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    g_assert_nonnull(entries);
    for (const char *entry; (entry = g_dir_read_name(entries)) != NULL;) {
        g_autofree char *test = g_strconcat("/schema/", entry, NULL);
        if (g_str_has_prefix(entry, "schema-"))
            g_test_add_data_func_full(test, g_strdup(entry), test_file, g_free);
    }
}

static void expect(const SyncdSchemaErrors *errors, unsigned index, const char *instance_path,
                   const char *schema_path, const char *sentence)
{
    const SyncdSchemaError *error = syncd_schema_errors_get(errors, index);
    g_assert_nonnull(error);
    g_assert_cmpstr(error->instance_path, ==, instance_path);
    g_assert_cmpstr(error->schema_path, ==, schema_path);
    g_assert_cmpstr(error->sentence, ==, sentence);
}

static void test_errors_say_where(void)
{
    g_autoptr(SyncdSchema) schema = compile("{\"properties\":{\"a/b\":{\"items\":{\"type\":"
                                            "\"string\"}},\"n\":{\"minimum\":1}},"
                                            "\"required\":[\"z\"]}");
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    g_autoptr(GError) error = NULL;
    bool valid = true;
    g_assert_true(validate_text(schema, SYNCD_BYTES_TEXT("{\"a/b\":[\"x\",null],\"n\":0}"), errors,
                                &valid, &error));
    g_assert_false(valid);
    g_assert_cmpuint(syncd_schema_errors_count(errors), ==, 3);
    expect(errors, 0, "/a~1b/1", "#/properties/a~1b/items/type", "must be a string, but is null");
    expect(errors, 1, "/n", "#/properties/n/minimum", "must be at least 1, but is 0");
    expect(errors, 2, "", "#/required", "must have the member \"z\"");
    g_assert_null(syncd_schema_errors_get(errors, 3));
}

#define CHAIN 15000u

/* Each is a resource and refers to the next one, and the last one to the first when it is `closed`.
 */
static char *make_chain(bool closed)
{
    g_autoptr(GString) text = g_string_new("{\"$ref\":\"u:0\",\"$defs\":{");
    for (unsigned i = 0; i < CHAIN; i++)
        g_string_append_printf(text, "\"%u\":{\"$id\":\"u:%u\",\"$ref\":\"u:%u\"},", i, i, i + 1);
    g_string_append_printf(text, "\"%u\":{\"$id\":\"u:%u\",%s}}}", CHAIN, CHAIN,
                           closed ? "\"$ref\":\"u:0\"" : "\"type\":\"string\"");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void *compile_chains(void *data)
{
    for (int closed = 0; closed < 2; closed++) {
        g_autofree char *text = make_chain(closed);
        g_autoptr(GError) error = NULL;
        g_autoptr(SyncdSchema) schema = syncd_schema_compile(SYNCD_BYTES_TEXT(text), NULL, &error);
        g_test_message("%s", error != NULL ? error->message : "compiled");
        g_assert_true((schema == NULL) == closed);
        g_assert_true(!closed || strstr(error->message, "without end") != NULL);
    }
    return data;
}

/* However long a chain is, it takes no more stack than a small thread has. */
static void test_chains_cost_no_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    g_assert_cmpint(pthread_attr_init(&attributes), ==, 0);
    g_assert_cmpint(pthread_attr_setstacksize(&attributes, 256 * 1024), ==, 0);
    g_assert_cmpint(pthread_create(&thread, &attributes, compile_chains, NULL), ==, 0);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
    pthread_attr_destroy(&attributes);
}

static void test_errors_are_bounded(void)
{
    g_autoptr(SyncdSchema) schema = compile("{\"items\":false}");
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    g_autoptr(GString) text = g_string_new("[0");
    bool valid;
    for (unsigned i = 0; i < 1000; i++)
        g_string_append(text, ",0");
    g_string_append_c(text, ']');
    g_assert_true(validate_text(schema, SYNCD_BYTES(text->str, text->len), errors, &valid, NULL));
    g_assert_false(valid);
    g_assert_cmpuint(syncd_schema_errors_count(errors), ==, SYNCD_SCHEMA_MAX_ERRORS);
    g_assert_cmpuint(syncd_schema_errors_dropped(errors), ==, 1001 - SYNCD_SCHEMA_MAX_ERRORS);
}

static void test_demand(void)
{
    g_autoptr(SyncdSchema) schema = compile("{\"properties\":{\"a\":{\"type\":\"string\"}}}");
    g_autoptr(GError) error = NULL;
    const char *good = "{\"a\":\"x\"}", *bad = "{\"a\":1}";
    g_assert_true(
        syncd_schema_demand(schema, syncd_json_root(good, strlen(good)), "/body", &error));
    g_assert_false(syncd_schema_demand(schema, syncd_json_root(bad, strlen(bad)), "/body", &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_nonnull(strstr(error->message, "/body/a must be a string, but is an integer"));
}

static void test_text_that_is_no_json(void)
{
    g_autoptr(SyncdSchema) schema = compile("true");
    g_autoptr(GError) error = NULL;
    bool valid;
    g_assert_false(
        validate_text(schema, SYNCD_BYTES_TEXT("{\"a\":1,\"a\":2}"), NULL, &valid, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ENCODING);
    g_clear_error(&error);
    g_assert_null(syncd_schema_compile(SYNCD_BYTES_TEXT("{"), NULL, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ENCODING);
    g_clear_error(&error);
    g_assert_null(syncd_schema_compile(SYNCD_BYTES("", 0), NULL, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ENCODING);
}

/* ---- cost ---- */

static void expect_limit(const char *schema_text, const char *text)
{
    g_autoptr(SyncdSchema) schema = compile(schema_text);
    g_autoptr(GError) error = NULL;
    bool valid;
    g_assert_false(validate_text(schema, SYNCD_BYTES_TEXT(text), NULL, &valid, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
}

static void test_patterns_are_bounded(void)
{
    g_autofree char *subject = g_strnfill(4000, 'a');
    g_autofree char *text = g_strdup_printf("\"%s!\"", subject);
    expect_limit("{\"pattern\":\"^(a|aa)+$\"}", text);
    expect_limit("{\"pattern\":\"(a+)+$\"}", text);
    expect_limit("{\"pattern\":\"^(.*)(.*)(.*)(.*)(.*)(.*)[bc]$\"}", text);
}

/* Each level doubles the work. */
static void test_branching_is_bounded(void)
{
    g_autoptr(GString) schema = g_string_new("{\"$defs\":{\"d0\":{\"type\":\"null\"}");
    for (int i = 1; i < 60; i++)
        g_string_append_printf(schema,
                               ",\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},"
                               "{\"$ref\":\"#/$defs/d%d\"}]}",
                               i, i - 1, i - 1);
    g_string_append(schema, "},\"$ref\":\"#/$defs/d59\"}");
    expect_limit(schema->str, "1");
}

static void test_long_chains_are_bounded(void)
{
    g_autoptr(GString) schema = g_string_new("{\"$defs\":{\"d0\":{\"type\":\"null\"}");
    for (int i = 1; i < 1000; i++)
        g_string_append_printf(schema, ",\"d%d\":{\"$ref\":\"#/$defs/d%d\"}", i, i - 1);
    g_string_append(schema, "},\"$ref\":\"#/$defs/d999\"}");
    expect_limit(schema->str, "null");
}

static void expect_refusal(const GString *text)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_schema_compile(SYNCD_BYTES(text->str, text->len), NULL, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpuint(strlen(error->message), <, 4096);
}

/* Little text that would take gigabytes, or hours, to compile. */
static void test_compiling_is_bounded(void)
{
    g_autofree char *name = g_strnfill(300000, 'n');
    g_autoptr(GString) locations = g_string_new(NULL), references = g_string_new("{\"$defs\":{"),
                       patterns = g_string_new("{\"patternProperties\":{\"\":true");
    g_string_printf(locations, "{\"properties\":{\"%s\":{\"prefixItems\":[true", name);
    for (int i = 0; i < 15000; i++) {
        g_string_append(locations, ",true");
        g_string_append_printf(references, "\"d%d\":{\"$ref\":\"#/$defs/last\"},", i);
        g_string_append_printf(patterns, ",\"(?:x%dy){3000}\":true", i);
    }
    g_string_append(locations, "]}}}");
    g_string_append(references, "\"last\":true}}");
    g_string_append(patterns, "}}");
    expect_refusal(locations);
    expect_refusal(references);
    expect_refusal(patterns);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_files();
    g_test_add_func("/schema/chains-cost-no-stack", test_chains_cost_no_stack);
    g_test_add_func("/schema/errors-say-where", test_errors_say_where);
    g_test_add_func("/schema/errors-are-bounded", test_errors_are_bounded);
    g_test_add_func("/schema/demand", test_demand);
    g_test_add_func("/schema/text-that-is-no-json", test_text_that_is_no_json);
    g_test_add_func("/schema/patterns-are-bounded", test_patterns_are_bounded);
    g_test_add_func("/schema/branching-is-bounded", test_branching_is_bounded);
    g_test_add_func("/schema/long-chains-are-bounded", test_long_chains_are_bounded);
    if (!is_hurried())
        g_test_add_func("/schema/compiling-is-bounded", test_compiling_is_bounded);
    return g_test_run();
}
