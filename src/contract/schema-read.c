#include "contract/schema-read.h"

bool syncd_schema_wants(const SchemaBuild *build, const char *keyword, GError **error,
                        const char *what)
{
    return syncd_schema_refuse(build->node->location, keyword, error, "must be %s", what);
}

/* ---- the groups of a node, made when the first of their keywords is met ---- */

SchemaNumber *syncd_schema_number_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->number == NULL)
        node->number = syncd_schema_own(compiler->owned, g_new0(SchemaNumber, 1));
    return node->number;
}

SchemaString *syncd_schema_string_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->string == NULL) {
        node->string = syncd_schema_own(compiler->owned, g_new0(SchemaString, 1));
        node->string->max_length = G_MAXUINT64;
    }
    return node->string;
}

SchemaArray *syncd_schema_array_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->array == NULL) {
        node->array = syncd_schema_own(compiler->owned, g_new0(SchemaArray, 1));
        node->array->max_items = node->array->max_contains = G_MAXUINT64;
        node->array->min_contains = 1;
        node->array->items_name = "items";
    }
    return node->array;
}

SchemaObject *syncd_schema_object_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->object == NULL) {
        node->object = syncd_schema_own(compiler->owned, g_new0(SchemaObject, 1));
        node->object->max_properties = G_MAXUINT64;
    }
    return node->object;
}

SchemaInPlace *syncd_schema_in_place_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->in_place == NULL)
        node->in_place = syncd_schema_own(compiler->owned, g_new0(SchemaInPlace, 1));
    return node->in_place;
}

/* ---- what keywords hold ---- */

SchemaNode *syncd_schema_child(SchemaCompiler *compiler, const SchemaBuild *build,
                               const char *keyword, const char *step, SyncdJson value,
                               GError **error)
{
    g_autoptr(GString) location = g_string_new(build->node->location);
    syncd_schema_append_step(location, keyword);
    if (step != NULL)
        syncd_schema_append_step(location, step);
    return syncd_schema_node(compiler, value, build->resource, location->str, error);
}

bool syncd_schema_read_schema(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,
                              SyncdJson value, SchemaNode **ret_node, GError **error)
{
    *ret_node = syncd_schema_child(compiler, build, keyword, NULL, value, error);
    return *ret_node != NULL;
}

bool syncd_schema_read_list(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,
                            SyncdJson value, SchemaNodes *ret_nodes, GError **error)
{
    unsigned count = syncd_json_count(value);
    if (value.type != SYNCD_JSON_ARRAY || count == 0)
        return syncd_schema_wants(build, keyword, error, "a list of schemas that is not empty");
    ret_nodes->nodes = syncd_schema_own(compiler->owned, g_new0(SchemaNode *, count));
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        g_autofree char *step = g_strdup_printf("%u", ret_nodes->count);
        SchemaNode *node = syncd_schema_child(compiler, build, keyword, step, element, error);
        if (node == NULL)
            return false;
        ret_nodes->nodes[ret_nodes->count++] = node;
    }
    return true;
}

bool syncd_schema_read_decimal(const SchemaBuild *build, const char *keyword, SyncdJson value,
                               SyncdDecimal *ret_decimal, GError **error)
{
    if (value.type != SYNCD_JSON_INTEGER && value.type != SYNCD_JSON_REAL)
        return syncd_schema_wants(build, keyword, error, "a number");
    *ret_decimal = syncd_decimal_read(value);
    return true;
}

bool syncd_schema_read_count(const SchemaBuild *build, const char *keyword, SyncdJson value,
                             guint64 *ret_count, GError **error)
{
    SyncdDecimal decimal;
    if (!syncd_schema_read_decimal(build, keyword, value, &decimal, error))
        return false;
    if (decimal.negative || !syncd_decimal_is_integer(&decimal))
        return syncd_schema_wants(build, keyword, error, "a count");
    /* No document has so many of anything. */
    if (!syncd_decimal_get_uint64(&decimal, ret_count))
        *ret_count = G_MAXUINT64;
    return true;
}

char *syncd_schema_own_text(SchemaCompiler *compiler, SyncdJson string, size_t *ret_size)
{
    char *text = syncd_json_dup_string(string, ret_size);
    return text != NULL ? syncd_schema_own(compiler->owned, text) : NULL;
}

/* A list of strings that differ. */
bool syncd_schema_read_names(SchemaCompiler *compiler, const SchemaBuild *build,
                             const char *keyword, SyncdJson value, SchemaValue **ret_names,
                             unsigned *ret_count, GError **error)
{
    gint64 budget = G_MAXINT32;
    guint64 first, second;
    SyncdJsonIter iter;
    SyncdJson element;
    if (value.type != SYNCD_JSON_ARRAY || syncd_schema_find_twins(value, &first, &second, &budget))
        return syncd_schema_wants(build, keyword, error, "a list of names that differ");
    *ret_names =
        syncd_schema_own(compiler->owned, g_new0(SchemaValue, syncd_json_count(value) + 1));
    *ret_count = 0;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        SchemaValue *name = &(*ret_names)[*ret_count];
        name->value = element;
        name->text = syncd_schema_own_text(compiler, element, &name->size);
        if (name->text == NULL)
            return syncd_schema_wants(build, keyword, error, "a list of names that differ");
        (*ret_count)++;
    }
    return true;
}

SyncdPattern *syncd_schema_read_pattern(SchemaCompiler *compiler, const SchemaBuild *build,
                                        const char *keyword, SyncdJson value, char **ret_text,
                                        GError **error)
{
    size_t size;
    g_autoptr(GError) fault = NULL;
    *ret_text = syncd_schema_own_text(compiler, value, &size);
    if (*ret_text == NULL) {
        syncd_schema_wants(build, keyword, error, "a string");
        return NULL;
    }
    SyncdPattern *pattern = syncd_pattern_new(*ret_text, size, &fault);
    if (pattern != NULL) {
        g_ptr_array_add(compiler->schema->patterns, pattern);
        guint64 work = SCHEMA_WORK_PER_PATTERN_BYTE * (guint64)syncd_pattern_size(pattern);
        return syncd_schema_spend(compiler, work, build->node->location, error) ? pattern : NULL;
    }
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    syncd_schema_refuse(build->node->location, keyword, error, "is no usable pattern: %s",
                        sentence);
    return NULL;
}
