#include "cli/setting.h"

#include "base/error.h"
#include "base/json-writer.h"
#include "cli/parse.h"
#include "contract/installed.h"

#include <string.h>

/* What a contract says of a member; several may hold. */
enum { TEXT = 1, LIST = 2, NOTHING = 4, OBJECT = 8, TRUTH = 16, NUMBER = 32 };

static const struct {
    const char *name; /* as schemas say it */
    unsigned kind;
    const char *wanted; /* as people say it */
} kinds_of_types[] = {
    {"string", TEXT, "a text"},          {"array", LIST, "an array of JSON"},
    {"null", NOTHING, "null"},           {"object", OBJECT, "an object of JSON"},
    {"boolean", TRUTH, "true or false"}, {"integer", NUMBER, "a number"},
    {"number", NUMBER, "a number"},
};

static unsigned kind_of_type(SyncdJson type)
{
    size_t i = 0;
    while (i < G_N_ELEMENTS(kinds_of_types) && !syncd_json_is(type, kinds_of_types[i].name))
        i++;
    return i < G_N_ELEMENTS(kinds_of_types) ? kinds_of_types[i].kind : 0;
}

static const char *wanted(unsigned kinds)
{
    size_t i = 0;
    while ((kinds_of_types[i].kind & kinds & ~(unsigned)NOTHING) == 0)
        i++;
    return kinds_of_types[i].wanted;
}

/* Zero when the schema does not say, as of members that it does not know. */
static unsigned kinds_of(SyncdJson schema)
{
    unsigned kinds = 0;
    SyncdJsonIter iter;
    SyncdJson type = syncd_json_member(schema, "type"), one;
    if (type.type == SYNCD_JSON_STRING)
        return kind_of_type(type);
    syncd_json_iter_init(&iter, type);
    while (type.type == SYNCD_JSON_ARRAY && syncd_json_iter_next(&iter, NULL, &one))
        kinds |= kind_of_type(one);
    bool has_words = syncd_json_member(schema, "enum").type != SYNCD_JSON_NONE ||
                     syncd_json_member(schema, "const").type == SYNCD_JSON_STRING;
    return kinds == 0 && has_words ? TEXT : kinds;
}

static SyncdJson schema_of(const SyncdFamily *family, const char *member)
{
    const SyncdInstalledSchema *installed = syncd_installed_schema_find(family->schema);
    if (installed == NULL)
        return (SyncdJson){SYNCD_JSON_NONE, NULL, NULL};
    SyncdJson root = syncd_json_root(installed->text, strlen(installed->text));
    return syncd_json_member(syncd_json_member(root, "properties"), member);
}

static char *meant_by(const SyncdFamily *family, const char *member)
{
    const SyncdInstalledSchema *installed = syncd_installed_schema_find(family->schema);
    if (installed == NULL || family == syncd_family(SYNCD_FAMILY_OBJECT))
        return NULL;
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
    SyncdJson root = syncd_json_root(installed->text, strlen(installed->text));
    SyncdJsonIter iter;
    SyncdJson name;
    syncd_json_iter_init(&iter, syncd_json_member(root, "properties"));
    while (syncd_json_iter_next(&iter, &name, NULL))
        g_ptr_array_add(known, syncd_json_dup_text(name));
    g_ptr_array_add(known, NULL);
    return g_strdup(syncd_nearest(member, (const char *const *)known->pdata));
}

static char *write_text(const char *text)
{
    SyncdJsonWriter writer;
    GString *json = g_string_new(NULL);
    syncd_json_writer_init(&writer, json, false);
    syncd_json_string(&writer, text);
    return g_string_free(json, FALSE);
}

static char *write_list(const char *text)
{
    SyncdJsonWriter writer;
    GString *json = g_string_new(NULL);
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    syncd_json_writer_init(&writer, json, false);
    syncd_json_begin_array(&writer);
    for (char **word = words; *word != NULL; word++)
        syncd_json_string(&writer, g_strstrip(*word));
    syncd_json_end_array(&writer);
    return g_string_free(json, FALSE);
}

static unsigned kind_of_value(SyncdJson value)
{
    switch (value.type) {
    case SYNCD_JSON_STRING:
        return TEXT;
    case SYNCD_JSON_ARRAY:
        return LIST;
    case SYNCD_JSON_NULL:
        return NOTHING;
    case SYNCD_JSON_OBJECT:
        return OBJECT;
    case SYNCD_JSON_TRUE:
    case SYNCD_JSON_FALSE:
        return TRUTH;
    default:
        return NUMBER;
    }
}

static bool has_plain_elements(SyncdJson schema)
{
    return kinds_of(syncd_json_member(schema, "items")) == TEXT;
}

char *syncd_setting_value(const SyncdFamily *family, const char *member, const char *text,
                          GError **error)
{
    SyncdJson schema = schema_of(family, member);
    unsigned kinds = kinds_of(schema);
    g_autofree char *meant = schema.type == SYNCD_JSON_NONE ? meant_by(family, member) : NULL;
    if (meant != NULL) {
        g_autofree char *next = g_strdup_printf(
            "write --set=%s=…; a member of your own that is called so goes into a FILE", meant);
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, next,
                             "--set: a record of a %s has no member `%s`; the nearest is `%s`",
                             family->name, member, meant);
        return NULL;
    }
    bool is_json = syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, NULL);
    if (is_json &&
        (kinds == 0 || (kinds & kind_of_value(syncd_json_root(text, strlen(text)))) != 0))
        return g_strdup(text);
    if ((kinds & ~(unsigned)NOTHING) == 0 || (kinds & TEXT) != 0)
        return write_text(text);
    if ((kinds & LIST) != 0 && has_plain_elements(schema))
        return write_list(text);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE,
                         "write the value as JSON in quotes, or the whole record into a FILE",
                         "--set: %s must be %s, and `%s` is none", member, wanted(kinds), text);
    return NULL;
}
