/*
 * The golden documents: tests/golden/<name of the schema's file>/<case>.json keeps to the contract,
 * and each line of <case>.faults is one edit of it.
 */
#pragma once

#include "base/json.h"
#include "hurried.h"

#include <glib.h>
#include <stdbool.h>

#define SCHEMA_SUFFIX ".schema.json"
#define SCHEMA_ID_PREFIX "urn:sourceos:schema:"

typedef struct {
    char *place; /* "sourceos.event.v0.1/decision" */
    char *id;    /* of the contract */
    char *text;
    SyncdJson root;
    char **faults; /* lines, NULL-terminated */
} Golden;

static inline void golden_free(gpointer memory)
{
    Golden *golden = memory;
    g_free(golden->place);
    g_free(golden->id);
    g_free(golden->text);
    g_strfreev(golden->faults);
    g_free(golden);
}

/* No file is no text. */
static inline char *golden_read_any(const char *folder, const char *name, const char *suffix)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text != NULL ? text : g_strdup("");
}

static inline char *golden_read(const char *folder, const char *name, const char *suffix)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static inline SyncdJson golden_root(const char *text)
{
    g_autoptr(GError) error = NULL;
    syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, &error);
    g_assert_no_error(error);
    return syncd_json_root(text, strlen(text));
}

static inline int golden_order(gconstpointer one, gconstpointer other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Names in a folder that end so, without the end, sorted. */
static inline GPtrArray *golden_list(const char *folder, const char *suffix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    g_assert_no_error(error);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        if (g_str_has_suffix(name, suffix))
            g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(suffix)));
    g_ptr_array_sort(names, golden_order);
    return names;
}

/* The id that the schema in that file has, and with it the contract. */
static inline char *golden_schema_id(SyncdJson schema)
{
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(schema, "$id"));
    g_assert_true(g_str_has_prefix(id, SCHEMA_ID_PREFIX));
    return g_strdup(id + strlen(SCHEMA_ID_PREFIX));
}

static inline void golden_load_folder(GPtrArray *goldens, const char *name)
{
    g_autofree char *folder = g_build_filename(g_getenv("SYNCD_GOLDEN"), name, NULL);
    g_autofree char *schema = golden_read(g_getenv("SYNCD_SCHEMAS"), name, SCHEMA_SUFFIX);
    g_autoptr(GPtrArray) cases = golden_list(folder, ".json");
    for (unsigned i = 0; i < cases->len; i++) {
        const char *case_name = g_ptr_array_index(cases, i);
        g_autofree char *faults = golden_read_any(folder, case_name, ".faults");
        Golden *golden = g_new0(Golden, 1);
        golden->place = g_build_filename(name, case_name, NULL);
        golden->id = golden_schema_id(golden_root(schema));
        golden->text = golden_read(folder, case_name, ".json");
        golden->root = golden_root(golden->text);
        golden->faults = g_strsplit(faults, "\n", -1);
        g_ptr_array_add(goldens, golden);
    }
}

/* All of them, for every schema file. */
static inline GPtrArray *golden_load(void)
{
    GPtrArray *goldens = g_ptr_array_new_with_free_func(golden_free);
    g_autoptr(GPtrArray) schemas = golden_list(g_getenv("SYNCD_SCHEMAS"), SCHEMA_SUFFIX);
    for (unsigned i = 0; i < schemas->len; i++) {
        unsigned before = goldens->len;
        golden_load_folder(goldens, g_ptr_array_index(schemas, i));
        g_assert_cmpuint(goldens->len, >, before);
    }
    return goldens;
}
