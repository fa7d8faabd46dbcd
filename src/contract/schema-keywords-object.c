/* What a schema demands of objects, as keywords. */
#include "contract/schema-read.h"

/* The two meet in one table when the node is finished. */
KEYWORD(compile_properties)
{
    syncd_schema_object_of(compiler, build->node);
    build->properties = value;
    return value.type == SYNCD_JSON_OBJECT ||
           syncd_schema_wants(build, keyword, error, "an object of schemas");
}

KEYWORD(compile_required)
{
    syncd_schema_object_of(compiler, build->node);
    return syncd_schema_read_names(compiler, build, keyword, value, &build->required,
                                   &build->required_count, error);
}

static bool add_properties(SchemaCompiler *compiler, SchemaBuild *build, SchemaObject *object,
                           GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, build->properties);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        SchemaProperty *property = &object->properties[object->count++];
        property->name = syncd_schema_own_text(compiler, name, &property->size);
        property->node =
            syncd_schema_child(compiler, build, "properties", property->name, value, error);
        if (property->node == NULL)
            return false;
    }
    return true;
}

bool syncd_schema_finish_object(SchemaCompiler *compiler, SchemaBuild *build, GError **error)
{
    SchemaObject *object = build->node->object;
    unsigned count = syncd_json_count(build->properties) + build->required_count;
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
    SchemaObject *object = syncd_schema_object_of(compiler, build->node);
    SyncdJsonIter iter;
    SyncdJson name, element;
    if (value.type != SYNCD_JSON_OBJECT)
        return syncd_schema_wants(build, keyword, error, "an object of schemas");
    object->patterns = syncd_schema_own(compiler->owned,
                                        g_new0(SchemaPatternProperty, syncd_json_count(value) + 1));
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &element)) {
        char *text;
        SchemaPatternProperty *rule = &object->patterns[object->pattern_count];
        rule->pattern = syncd_schema_read_pattern(compiler, build, keyword, name, &text, error);
        rule->node = rule->pattern != NULL
                         ? syncd_schema_child(compiler, build, keyword, text, element, error)
                         : NULL;
        if (rule->node == NULL)
            return false;
        object->pattern_count++;
    }
    return true;
}

KEYWORD(compile_additional_properties)
{
    return syncd_schema_read_schema(compiler, build, keyword, value,
                                    &syncd_schema_object_of(compiler, build->node)->additional,
                                    error);
}

KEYWORD(compile_property_names)
{
    return syncd_schema_read_schema(compiler, build, keyword, value,
                                    &syncd_schema_object_of(compiler, build->node)->names, error);
}

KEYWORD(compile_unevaluated_properties)
{
    return syncd_schema_read_schema(compiler, build, keyword, value,
                                    &syncd_schema_object_of(compiler, build->node)->unevaluated,
                                    error);
}

KEYWORD(compile_min_properties)
{
    return syncd_schema_read_count(build, keyword, value,
                                   &syncd_schema_object_of(compiler, build->node)->min_properties,
                                   error);
}

KEYWORD(compile_max_properties)
{
    return syncd_schema_read_count(build, keyword, value,
                                   &syncd_schema_object_of(compiler, build->node)->max_properties,
                                   error);
}

/* dependentRequired, dependentSchemas and, in draft 7, both in one. */
KEYWORD(compile_dependencies)
{
    SchemaObject *object = syncd_schema_object_of(compiler, build->node);
    SyncdJsonIter iter;
    SyncdJson name, element;
    if (value.type != SYNCD_JSON_OBJECT)
        return syncd_schema_wants(build, keyword, error, "an object");
    bool only_names = strcmp(keyword, "dependentRequired") == 0;
    bool only_schemas = strcmp(keyword, "dependentSchemas") == 0;
    /* The two of 2020-12 may stand beside each other. */
    unsigned count = object->dependency_count + syncd_json_count(value);
    SchemaDependency *all = syncd_schema_own(compiler->owned, g_new0(SchemaDependency, count + 1));
    for (unsigned i = 0; i < object->dependency_count; i++)
        all[i] = object->dependencies[i];
    object->dependencies = all;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &element)) {
        SchemaDependency *rule = &all[object->dependency_count++];
        rule->keyword = keyword;
        rule->trigger = syncd_schema_own_text(compiler, name, &rule->size);
        bool names = only_names || (!only_schemas && element.type == SYNCD_JSON_ARRAY);
        if (names && !syncd_schema_read_names(compiler, build, keyword, element, &rule->names,
                                              &rule->count, error))
            return false;
        if (!names) {
            rule->node =
                syncd_schema_child(compiler, build, keyword, rule->trigger, element, error);
            if (rule->node == NULL)
                return false;
        }
    }
    return true;
}

const SchemaKeyword syncd_schema_object_keywords[] = {
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
    {NULL},
};
