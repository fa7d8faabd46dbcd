/* The keywords: what each one may hold, and how it fills the node. */
#include "contract/schema-compile.h"

#define KEYWORD(name)                                                                              \
    static bool name(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,            \
                     SyncdJson value, GError **error)

static bool refuse(const SchemaBuild *build, const char *keyword, GError **error, const char *what)
{
    return syncd_schema_refuse(build->node->location, keyword, error, "must be %s", what);
}

/* ---- the groups of a node, made when the first of their keywords is met ---- */

static SchemaNumber *number_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->number == NULL)
        node->number = syncd_schema_own(compiler->owned, g_new0(SchemaNumber, 1));
    return node->number;
}

static SchemaString *string_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->string == NULL) {
        node->string = syncd_schema_own(compiler->owned, g_new0(SchemaString, 1));
        node->string->max_length = G_MAXUINT64;
    }
    return node->string;
}

static SchemaArray *array_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->array == NULL) {
        node->array = syncd_schema_own(compiler->owned, g_new0(SchemaArray, 1));
        node->array->max_items = node->array->max_contains = G_MAXUINT64;
        node->array->min_contains = 1;
        node->array->items_name = "items";
    }
    return node->array;
}

static SchemaObject *object_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->object == NULL) {
        node->object = syncd_schema_own(compiler->owned, g_new0(SchemaObject, 1));
        node->object->max_properties = G_MAXUINT64;
    }
    return node->object;
}

static SchemaInPlace *in_place_of(SchemaCompiler *compiler, SchemaNode *node)
{
    if (node->in_place == NULL)
        node->in_place = syncd_schema_own(compiler->owned, g_new0(SchemaInPlace, 1));
    return node->in_place;
}

/* ---- what keywords hold ---- */

static SchemaNode *child(SchemaCompiler *compiler, const SchemaBuild *build, const char *keyword,
                         const char *step, SyncdJson value, GError **error)
{
    g_autoptr(GString) location = g_string_new(build->node->location);
    syncd_schema_append_step(location, keyword);
    if (step != NULL)
        syncd_schema_append_step(location, step);
    return syncd_schema_node(compiler, value, build->resource, location->str, error);
}

static bool read_schema(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,
                        SyncdJson value, SchemaNode **ret_node, GError **error)
{
    *ret_node = child(compiler, build, keyword, NULL, value, error);
    return *ret_node != NULL;
}

static unsigned count_elements(SyncdJson container)
{
    unsigned count = 0;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, container);
    while (syncd_json_iter_next(&iter, NULL, NULL))
        count++;
    return count;
}

static bool read_list(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,
                      SyncdJson value, SchemaNodes *ret_nodes, GError **error)
{
    unsigned count = count_elements(value);
    if (value.type != SYNCD_JSON_ARRAY || count == 0)
        return refuse(build, keyword, error, "a list of schemas that is not empty");
    ret_nodes->nodes = syncd_schema_own(compiler->owned, g_new0(SchemaNode *, count));
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        g_autofree char *step = g_strdup_printf("%u", ret_nodes->count);
        SchemaNode *node = child(compiler, build, keyword, step, element, error);
        if (node == NULL)
            return false;
        ret_nodes->nodes[ret_nodes->count++] = node;
    }
    return true;
}

static bool read_decimal(const SchemaBuild *build, const char *keyword, SyncdJson value,
                         SyncdDecimal *ret_decimal, GError **error)
{
    if (value.type != SYNCD_JSON_INTEGER && value.type != SYNCD_JSON_REAL)
        return refuse(build, keyword, error, "a number");
    *ret_decimal = syncd_decimal_read(value);
    return true;
}

static bool read_count(const SchemaBuild *build, const char *keyword, SyncdJson value,
                       guint64 *ret_count, GError **error)
{
    SyncdDecimal decimal;
    if (!read_decimal(build, keyword, value, &decimal, error))
        return false;
    if (decimal.negative || !syncd_decimal_is_integer(&decimal))
        return refuse(build, keyword, error, "a count");
    /* No document has so many of anything. */
    if (!syncd_decimal_get_uint64(&decimal, ret_count))
        *ret_count = G_MAXUINT64;
    return true;
}

static char *own_text(SchemaCompiler *compiler, SyncdJson string, size_t *ret_size)
{
    char *text = syncd_json_dup_string(string, ret_size);
    return text != NULL ? syncd_schema_own(compiler->owned, text) : NULL;
}

/* A list of strings that differ. */
static bool read_names(SchemaCompiler *compiler, const SchemaBuild *build, const char *keyword,
                       SyncdJson value, SchemaValue **ret_names, unsigned *ret_count,
                       GError **error)
{
    gint64 budget = G_MAXINT32;
    guint64 first, second;
    SyncdJsonIter iter;
    SyncdJson element;
    if (value.type != SYNCD_JSON_ARRAY || syncd_schema_find_twins(value, &first, &second, &budget))
        return refuse(build, keyword, error, "a list of names that differ");
    *ret_names = syncd_schema_own(compiler->owned, g_new0(SchemaValue, count_elements(value) + 1));
    *ret_count = 0;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        SchemaValue *name = &(*ret_names)[*ret_count];
        name->value = element;
        name->text = own_text(compiler, element, &name->size);
        if (name->text == NULL)
            return refuse(build, keyword, error, "a list of names that differ");
        (*ret_count)++;
    }
    return true;
}

/* ---- what a schema says of itself ---- */

KEYWORD(compile_dialect)
{
    return syncd_schema_dialect(value) == build->resource->dialect ||
           refuse(build, keyword, error, "the dialect of the document that it is in");
}

KEYWORD(compile_text)
{
    return value.type == SYNCD_JSON_STRING || refuse(build, keyword, error, "a string");
}

KEYWORD(compile_reference)
{
    g_autofree char *reference = syncd_json_dup_text(value);
    if (reference == NULL)
        return refuse(build, keyword, error, "a URI reference");
    g_autofree char *location = g_strdup(build->node->location);
    SchemaNode *node = syncd_schema_resolve(compiler, build->resource, location, reference, error);
    in_place_of(compiler, build->node)->reference = node;
    return node != NULL;
}

/* Each of them must be usable, whether a reference leads to it or not. */
KEYWORD(compile_definitions)
{
    SyncdJsonIter iter;
    SyncdJson name, element;
    if (value.type != SYNCD_JSON_OBJECT)
        return refuse(build, keyword, error, "an object of schemas");
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &element)) {
        g_autofree char *step = syncd_json_dup_string(name, NULL);
        if (child(compiler, build, keyword, step, element, error) == NULL)
            return false;
    }
    return true;
}

/* ---- any value ---- */

static bool add_type(SyncdJson name, SchemaTypes *types)
{
    static const struct {
        const char *name;
        SchemaTypes types;
    } known[] = {
        {"null", TYPE_NULL},     {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER},
        {"number", TYPE_NUMBER}, {"string", TYPE_STRING},   {"array", TYPE_ARRAY},
        {"object", TYPE_OBJECT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (syncd_json_is(name, known[i].name)) {
            *types |= known[i].types;
            return true;
        }
    }
    return false;
}

KEYWORD(compile_type)
{
    SchemaTypes types = (SchemaTypes)0;
    SyncdJsonIter iter;
    SyncdJson element;
    bool good =
        value.type != SYNCD_JSON_ARRAY ? add_type(value, &types) : count_elements(value) > 0;
    syncd_json_iter_init(&iter, value);
    while (good && value.type == SYNCD_JSON_ARRAY && syncd_json_iter_next(&iter, NULL, &element))
        good = add_type(element, &types);
    build->node->types = types;
    return good || refuse(build, keyword, error,
                          "one of null, boolean, integer, number, string, array, object, or a "
                          "list of them");
}

static SchemaValue value_of(SchemaCompiler *compiler, SyncdJson value)
{
    SchemaValue result = {.value = value};
    result.text = own_text(compiler, value, &result.size);
    return result;
}

KEYWORD(compile_enum)
{
    unsigned count = count_elements(value);
    if (value.type != SYNCD_JSON_ARRAY || count == 0)
        return refuse(build, keyword, error, "a list that is not empty");
    SchemaValues *values = syncd_schema_own(compiler->owned, g_new0(SchemaValues, 1));
    values->values = syncd_schema_own(compiler->owned, g_new0(SchemaValue, count));
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element))
        values->values[values->count++] = value_of(compiler, element);
    build->node->values = values;
    return true;
}

KEYWORD(compile_const)
{
    SchemaValues *values = syncd_schema_own(compiler->owned, g_new0(SchemaValues, 1));
    values->values = syncd_schema_own(compiler->owned, g_new0(SchemaValue, 1));
    values->values[0] = value_of(compiler, value);
    values->count = 1;
    values->is_const = true;
    build->node->constant = values;
    return true;
}

/* ---- numbers ---- */

KEYWORD(compile_bound)
{
    SchemaNumber *number = number_of(compiler, build->node);
    SchemaBound *bound = strcmp(keyword, "minimum") == 0            ? &number->minimum
                         : strcmp(keyword, "maximum") == 0          ? &number->maximum
                         : strcmp(keyword, "exclusiveMinimum") == 0 ? &number->exclusive_minimum
                                                                    : &number->exclusive_maximum;
    bound->given = true;
    bound->text = value;
    return read_decimal(build, keyword, value, &bound->limit, error);
}

KEYWORD(compile_multiple_of)
{
    SchemaNumber *number = number_of(compiler, build->node);
    SyncdDecimal decimal;
    number->has_divisor = true;
    number->divisor_text = value;
    return read_decimal(build, keyword, value, &decimal, error) &&
           (syncd_divisor_read(&decimal, &number->divisor) ||
            refuse(build, keyword, error, "above zero and of at most 18 digits"));
}

/* ---- strings ---- */

KEYWORD(compile_min_length)
{
    return read_count(build, keyword, value, &string_of(compiler, build->node)->min_length, error);
}

KEYWORD(compile_max_length)
{
    return read_count(build, keyword, value, &string_of(compiler, build->node)->max_length, error);
}

static SyncdPattern *read_pattern(SchemaCompiler *compiler, const SchemaBuild *build,
                                  const char *keyword, SyncdJson value, char **ret_text,
                                  GError **error)
{
    size_t size;
    g_autoptr(GError) fault = NULL;
    *ret_text = own_text(compiler, value, &size);
    if (*ret_text == NULL) {
        refuse(build, keyword, error, "a string");
        return NULL;
    }
    SyncdPattern *pattern = syncd_pattern_new(*ret_text, size, &fault);
    if (pattern != NULL) {
        g_ptr_array_add(compiler->schema->patterns, pattern);
        return pattern;
    }
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    syncd_schema_refuse(build->node->location, keyword, error, "is no usable pattern: %s",
                        sentence);
    return NULL;
}

KEYWORD(compile_pattern)
{
    SchemaString *string = string_of(compiler, build->node);
    string->pattern = read_pattern(compiler, build, keyword, value, &string->pattern_text, error);
    return string->pattern != NULL;
}

KEYWORD(compile_format)
{
    SchemaString *string = string_of(compiler, build->node);
    g_autofree char *name = syncd_json_dup_text(value);
    string->format = name != NULL ? syncd_schema_format_find(name, &string->format_name) : NULL;
    return string->format != NULL || refuse(build, keyword, error, "a format that is implemented");
}

/* ---- arrays ---- */

KEYWORD(compile_prefix_items)
{
    return read_list(compiler, build, keyword, value, &array_of(compiler, build->node)->prefix,
                     error);
}

KEYWORD(compile_items)
{
    SchemaArray *array = array_of(compiler, build->node);
    return read_schema(compiler, build, keyword, value, &array->items, error);
}

/* Of draft 7: a list is what prefixItems is today, and then others are additionalItems. */
KEYWORD(compile_old_items)
{
    SchemaArray *array = array_of(compiler, build->node);
    if (value.type != SYNCD_JSON_ARRAY)
        return read_schema(compiler, build, keyword, value, &array->items, error);
    array->items_name = "additionalItems";
    if (count_elements(value) > 0)
        return read_list(compiler, build, keyword, value, &array->prefix, error);
    array->prefix.nodes = syncd_schema_own(compiler->owned, g_new0(SchemaNode *, 1));
    return true;
}

KEYWORD(compile_additional_items)
{
    array_of(compiler, build->node);
    return read_schema(compiler, build, keyword, value, &build->rest, error);
}

KEYWORD(compile_unevaluated_items)
{
    return read_schema(compiler, build, keyword, value,
                       &array_of(compiler, build->node)->unevaluated, error);
}

KEYWORD(compile_contains)
{
    return read_schema(compiler, build, keyword, value, &array_of(compiler, build->node)->contains,
                       error);
}

KEYWORD(compile_min_contains)
{
    return read_count(build, keyword, value, &array_of(compiler, build->node)->min_contains, error);
}

KEYWORD(compile_max_contains)
{
    return read_count(build, keyword, value, &array_of(compiler, build->node)->max_contains, error);
}

KEYWORD(compile_min_items)
{
    return read_count(build, keyword, value, &array_of(compiler, build->node)->min_items, error);
}

KEYWORD(compile_max_items)
{
    return read_count(build, keyword, value, &array_of(compiler, build->node)->max_items, error);
}

KEYWORD(compile_unique_items)
{
    return syncd_json_get_bool(value, &array_of(compiler, build->node)->unique) ||
           refuse(build, keyword, error, "true or false");
}

/* ---- objects ---- */

/* The two meet in one table when the node is finished. */
KEYWORD(compile_properties)
{
    object_of(compiler, build->node);
    build->properties = value;
    return value.type == SYNCD_JSON_OBJECT || refuse(build, keyword, error, "an object of schemas");
}

KEYWORD(compile_required)
{
    object_of(compiler, build->node);
    return read_names(compiler, build, keyword, value, &build->required, &build->required_count,
                      error);
}

static bool add_properties(SchemaCompiler *compiler, SchemaBuild *build, SchemaObject *object,
                           GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, build->properties);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        SchemaProperty *property = &object->properties[object->count++];
        property->name = own_text(compiler, name, &property->size);
        property->node = child(compiler, build, "properties", property->name, value, error);
        if (property->node == NULL)
            return false;
    }
    return true;
}

bool syncd_schema_finish_object(SchemaCompiler *compiler, SchemaBuild *build, GError **error)
{
    SchemaObject *object = build->node->object;
    unsigned count = count_elements(build->properties) + build->required_count;
    if (count > SCHEMA_MAX_PROPERTIES)
        return syncd_schema_refuse(build->node->location, "", error, "names more than %u members",
                                   SCHEMA_MAX_PROPERTIES);
    object->properties = syncd_schema_own(compiler->owned, g_new0(SchemaProperty, count + 1));
    if (!add_properties(compiler, build, object, error))
        return false;
    syncd_schema_object_index(object, compiler->owned);
    unsigned named = object->count;
    for (unsigned i = 0; i < build->required_count; i++) {
        const SchemaValue *name = &build->required[i];
        const SchemaProperty *known =
            named > 0 ? syncd_schema_object_find(object, name->text, name->size) : NULL;
        SchemaProperty *property = known != NULL ? &object->properties[known - object->properties]
                                                 : &object->properties[object->count++];
        property->name = name->text;
        property->size = name->size;
        property->required = true;
    }
    object->required_count = build->required_count;
    syncd_schema_object_index(object, compiler->owned);
    return true;
}

KEYWORD(compile_pattern_properties)
{
    SchemaObject *object = object_of(compiler, build->node);
    SyncdJsonIter iter;
    SyncdJson name, element;
    if (value.type != SYNCD_JSON_OBJECT)
        return refuse(build, keyword, error, "an object of schemas");
    object->patterns =
        syncd_schema_own(compiler->owned, g_new0(SchemaPatternProperty, count_elements(value) + 1));
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &element)) {
        char *text;
        SchemaPatternProperty *rule = &object->patterns[object->pattern_count];
        rule->pattern = read_pattern(compiler, build, keyword, name, &text, error);
        rule->node =
            rule->pattern != NULL ? child(compiler, build, keyword, text, element, error) : NULL;
        if (rule->node == NULL)
            return false;
        object->pattern_count++;
    }
    return true;
}

KEYWORD(compile_additional_properties)
{
    return read_schema(compiler, build, keyword, value,
                       &object_of(compiler, build->node)->additional, error);
}

KEYWORD(compile_property_names)
{
    return read_schema(compiler, build, keyword, value, &object_of(compiler, build->node)->names,
                       error);
}

KEYWORD(compile_unevaluated_properties)
{
    return read_schema(compiler, build, keyword, value,
                       &object_of(compiler, build->node)->unevaluated, error);
}

KEYWORD(compile_min_properties)
{
    return read_count(build, keyword, value, &object_of(compiler, build->node)->min_properties,
                      error);
}

KEYWORD(compile_max_properties)
{
    return read_count(build, keyword, value, &object_of(compiler, build->node)->max_properties,
                      error);
}

/* dependentRequired, dependentSchemas and, in draft 7, both in one. */
KEYWORD(compile_dependencies)
{
    SchemaObject *object = object_of(compiler, build->node);
    SyncdJsonIter iter;
    SyncdJson name, element;
    if (value.type != SYNCD_JSON_OBJECT)
        return refuse(build, keyword, error, "an object");
    bool only_names = strcmp(keyword, "dependentRequired") == 0;
    bool only_schemas = strcmp(keyword, "dependentSchemas") == 0;
    /* The two of 2020-12 may stand beside each other. */
    unsigned count = object->dependency_count + count_elements(value);
    SchemaDependency *all = syncd_schema_own(compiler->owned, g_new0(SchemaDependency, count + 1));
    for (unsigned i = 0; i < object->dependency_count; i++)
        all[i] = object->dependencies[i];
    object->dependencies = all;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &element)) {
        SchemaDependency *rule = &all[object->dependency_count++];
        rule->keyword = keyword;
        rule->trigger = own_text(compiler, name, &rule->size);
        bool names = only_names || (!only_schemas && element.type == SYNCD_JSON_ARRAY);
        if (names &&
            !read_names(compiler, build, keyword, element, &rule->names, &rule->count, error))
            return false;
        if (!names) {
            rule->node = child(compiler, build, keyword, rule->trigger, element, error);
            if (rule->node == NULL)
                return false;
        }
    }
    return true;
}

/* ---- schemas of the same value ---- */

KEYWORD(compile_list)
{
    SchemaInPlace *rules = in_place_of(compiler, build->node);
    SchemaNodes *nodes = strcmp(keyword, "allOf") == 0   ? &rules->all
                         : strcmp(keyword, "anyOf") == 0 ? &rules->any
                                                         : &rules->one;
    return read_list(compiler, build, keyword, value, nodes, error);
}

KEYWORD(compile_not)
{
    return read_schema(compiler, build, keyword, value,
                       &in_place_of(compiler, build->node)->negated, error);
}

KEYWORD(compile_if)
{
    return read_schema(compiler, build, keyword, value,
                       &in_place_of(compiler, build->node)->condition, error);
}

KEYWORD(compile_then)
{
    return read_schema(compiler, build, keyword, value, &build->then, error);
}

KEYWORD(compile_else)
{
    return read_schema(compiler, build, keyword, value, &build->otherwise, error);
}

/* ---- the table ---- */

#define NEW DIALECT_2020_12
#define OLD DIALECT_DRAFT_7
#define BOTH DIALECT_BOTH

static const SchemaKeyword keywords[] = {
    {"$schema", BOTH, HOLDS_NOTHING, compile_dialect},
    {"$id", BOTH, HOLDS_NOTHING, compile_text},
    {"$anchor", NEW, HOLDS_NOTHING, compile_text},
    {"$ref", BOTH, HOLDS_NOTHING, compile_reference},
    {"$defs", NEW, HOLDS_MAP, compile_definitions},
    {"definitions", BOTH, HOLDS_MAP, compile_definitions},
    {"type", BOTH, HOLDS_NOTHING, compile_type},
    {"enum", BOTH, HOLDS_NOTHING, compile_enum},
    {"const", BOTH, HOLDS_NOTHING, compile_const},
    {"multipleOf", BOTH, HOLDS_NOTHING, compile_multiple_of},
    {"minimum", BOTH, HOLDS_NOTHING, compile_bound},
    {"maximum", BOTH, HOLDS_NOTHING, compile_bound},
    {"exclusiveMinimum", BOTH, HOLDS_NOTHING, compile_bound},
    {"exclusiveMaximum", BOTH, HOLDS_NOTHING, compile_bound},
    {"minLength", BOTH, HOLDS_NOTHING, compile_min_length},
    {"maxLength", BOTH, HOLDS_NOTHING, compile_max_length},
    {"pattern", BOTH, HOLDS_NOTHING, compile_pattern},
    {"format", BOTH, HOLDS_NOTHING, compile_format},
    {"prefixItems", NEW, HOLDS_LIST, compile_prefix_items},
    {"items", NEW, HOLDS_SCHEMA, compile_items},
    {"items", OLD, HOLDS_SCHEMA_OR_LIST, compile_old_items},
    {"additionalItems", OLD, HOLDS_SCHEMA, compile_additional_items},
    {"unevaluatedItems", NEW, HOLDS_SCHEMA, compile_unevaluated_items},
    {"contains", BOTH, HOLDS_SCHEMA, compile_contains},
    {"minContains", NEW, HOLDS_NOTHING, compile_min_contains},
    {"maxContains", NEW, HOLDS_NOTHING, compile_max_contains},
    {"minItems", BOTH, HOLDS_NOTHING, compile_min_items},
    {"maxItems", BOTH, HOLDS_NOTHING, compile_max_items},
    {"uniqueItems", BOTH, HOLDS_NOTHING, compile_unique_items},
    {"properties", BOTH, HOLDS_MAP, compile_properties},
    {"required", BOTH, HOLDS_NOTHING, compile_required},
    {"patternProperties", BOTH, HOLDS_MAP, compile_pattern_properties},
    {"additionalProperties", BOTH, HOLDS_SCHEMA, compile_additional_properties},
    {"propertyNames", BOTH, HOLDS_SCHEMA, compile_property_names},
    {"unevaluatedProperties", NEW, HOLDS_SCHEMA, compile_unevaluated_properties},
    {"minProperties", BOTH, HOLDS_NOTHING, compile_min_properties},
    {"maxProperties", BOTH, HOLDS_NOTHING, compile_max_properties},
    {"dependentRequired", NEW, HOLDS_NOTHING, compile_dependencies},
    {"dependentSchemas", NEW, HOLDS_MAP, compile_dependencies},
    {"dependencies", OLD, HOLDS_MAP_OR_STRINGS, compile_dependencies},
    {"allOf", BOTH, HOLDS_LIST, compile_list},
    {"anyOf", BOTH, HOLDS_LIST, compile_list},
    {"oneOf", BOTH, HOLDS_LIST, compile_list},
    {"not", BOTH, HOLDS_SCHEMA, compile_not},
    {"if", BOTH, HOLDS_SCHEMA, compile_if},
    {"then", BOTH, HOLDS_SCHEMA, compile_then},
    {"else", BOTH, HOLDS_SCHEMA, compile_else},
    /* Annotations: what they say is for people. */
    {"$comment", BOTH, HOLDS_NOTHING, compile_text},
    {"title", BOTH, HOLDS_NOTHING, compile_text},
    {"description", BOTH, HOLDS_NOTHING, compile_text},
    {"contentEncoding", BOTH, HOLDS_NOTHING, compile_text},
    {"contentMediaType", BOTH, HOLDS_NOTHING, compile_text},
    {"contentSchema", NEW, HOLDS_SCHEMA, NULL},
    {"default", BOTH, HOLDS_NOTHING, NULL},
    {"examples", BOTH, HOLDS_NOTHING, NULL},
    {"deprecated", NEW, HOLDS_NOTHING, NULL},
    {"readOnly", BOTH, HOLDS_NOTHING, NULL},
    {"writeOnly", BOTH, HOLDS_NOTHING, NULL},
};

const SchemaKeyword *syncd_schema_keyword_find(SyncdJson name, SchemaDialects dialect)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keywords); i++)
        if ((keywords[i].dialects & dialect) != 0 && syncd_json_is(name, keywords[i].name))
            return &keywords[i];
    return NULL;
}
