/*
 * Cases of JSON Schema in the format of the official test suite: files of groups, each a schema and
 * documents that are valid or not.
 *
 * A file's groups are judged one by one; what is wrong with any of them is printed before the test
 * fails. A group with `"refused": true` has a schema that must not compile. Every document is
 * judged twice, once until the first fault and once for all of them, and both must say the same.
 */
#pragma once

#include "contract/schema.h"

#include <string.h>

typedef struct {
    const char *directory; /* where `find` looks, by the URI below */
    const char *uri_prefix;
    const char *meta_file; /* the meta-schema of the dialect, or NULL */
    const char *meta_uri;
    SyncdDialect dialect;
} SchemaCases;

typedef struct {
    const SchemaCases *cases;
    GPtrArray *texts;
} SchemaFinder;

static inline bool schema_cases_find(void *user_data, const char *uri, SyncdBytes *ret_text)
{
    SchemaFinder *finder = user_data;
    const SchemaCases *cases = finder->cases;
    g_autofree char *path = NULL;
    char *text;
    gsize size;
    if (cases->meta_uri != NULL && strcmp(uri, cases->meta_uri) == 0)
        path = g_strdup(cases->meta_file);
    else if (cases->directory != NULL && g_str_has_prefix(uri, cases->uri_prefix))
        path = g_build_filename(cases->directory, uri + strlen(cases->uri_prefix), NULL);
    if (path == NULL || !g_file_get_contents(path, &text, &size, NULL))
        return false;
    g_ptr_array_add(finder->texts, text);
    *ret_text = SYNCD_BYTES(text, size);
    return true;
}

static inline SyncdBytes schema_cases_bytes(SyncdJson value)
{
    return SYNCD_BYTES(value.at, syncd_json_size(value));
}

static inline unsigned schema_cases_fail(SyncdJson group, SyncdJson test, const char *what)
{
    g_autofree char *of = syncd_json_dup_text(syncd_json_member(group, "description"));
    g_autofree char *name = syncd_json_dup_text(syncd_json_member(test, "description"));
    g_test_message("%s: %s: %s", of, name != NULL ? name : "", what);
    return 1;
}

static inline unsigned schema_cases_judge(const SyncdSchema *schema, SyncdJson group,
                                          SyncdJson test)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    SyncdJson data = syncd_json_member(test, "data");
    bool wanted, valid, valid_again;
    g_assert_true(syncd_json_get_bool(syncd_json_member(test, "valid"), &wanted));
    if (!syncd_schema_validate(schema, data, NULL, &valid, &error) ||
        !syncd_schema_validate(schema, data, errors, &valid_again, &error))
        return schema_cases_fail(group, test, error->message);
    if (valid != valid_again || valid != (syncd_schema_errors_count(errors) == 0))
        return schema_cases_fail(group, test, "the two ways to judge it differ");
    if (valid == wanted)
        return 0;
    const SyncdSchemaError *first = syncd_schema_errors_get(errors, 0);
    return schema_cases_fail(group, test, wanted ? first->sentence : "accepted");
}

static inline unsigned schema_cases_group(const SchemaCases *cases, SyncdJson group,
                                          unsigned *count)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    SchemaFinder finder = {cases, texts};
    SyncdSchemaOptions options = {cases->dialect, schema_cases_find, &finder};
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSchema) schema = syncd_schema_compile(
        schema_cases_bytes(syncd_json_member(group, "schema")), &options, &error);
    bool refused = false;
    syncd_json_get_bool(syncd_json_member(group, "refused"), &refused);
    if (refused)
        ++*count;
    if (refused || schema == NULL)
        return refused == (schema == NULL)
                   ? 0
                   : schema_cases_fail(group, (SyncdJson){0},
                                       schema == NULL ? error->message : "the schema was taken");

    unsigned failures = 0;
    SyncdJsonIter iter;
    SyncdJson test;
    syncd_json_iter_init(&iter, syncd_json_member(group, "tests"));
    for (; syncd_json_iter_next(&iter, NULL, &test); ++*count)
        failures += schema_cases_judge(schema, group, test);
    return failures;
}

static inline bool schema_cases_skips(const char *const *skipped, SyncdJson group)
{
    for (; skipped != NULL && *skipped != NULL; skipped++)
        if (syncd_json_is(syncd_json_member(group, "description"), *skipped))
            return true;
    return false;
}

/* `skipped` names groups that are left out; NULL-terminated or NULL. */
static inline void schema_cases_run(const SchemaCases *cases, const char *path,
                                    const char *const *skipped)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &text, &size, &error));
    g_assert_true(syncd_json_check(text, size, SYNCD_JSON_ANY, &error));

    unsigned failures = 0, count = 0;
    SyncdJsonIter iter;
    SyncdJson group;
    syncd_json_iter_init(&iter, syncd_json_root(text, size));
    while (syncd_json_iter_next(&iter, NULL, &group))
        if (!schema_cases_skips(skipped, group))
            failures += schema_cases_group(cases, group, &count);
    g_test_message("%u cases", count);
    g_assert_cmpuint(count, >, 0);
    if (failures > 0)
        g_test_fail();
}
