/* What a schema demands of arrays, as keywords. */
#include "contract/schema-read.h"

KEYWORD(compile_prefix_items)
{
    return syncd_schema_read_list(compiler, build, keyword, value,
                                  &syncd_schema_array_of(compiler, build->node)->prefix, error);
}

KEYWORD(compile_items)
{
    SchemaArray *array = syncd_schema_array_of(compiler, build->node);
    return syncd_schema_read_schema(compiler, build, keyword, value, &array->items, error);
}

/* Of draft 7: a list is what prefixItems is today, and then others are additionalItems. */
KEYWORD(compile_old_items)
{
    SchemaArray *array = syncd_schema_array_of(compiler, build->node);
    if (value.type != SYNCD_JSON_ARRAY)
        return syncd_schema_read_schema(compiler, build, keyword, value, &array->items, error);
    array->items_name = "additionalItems";
    if (syncd_json_count(value) > 0)
        return syncd_schema_read_list(compiler, build, keyword, value, &array->prefix, error);
    array->prefix.nodes = syncd_schema_own(compiler->owned, g_new0(SchemaNode *, 1));
    return true;
}

KEYWORD(compile_additional_items)
{
    syncd_schema_array_of(compiler, build->node);
    return syncd_schema_read_schema(compiler, build, keyword, value, &build->rest, error);
}

KEYWORD(compile_unevaluated_items)
{
    return syncd_schema_read_schema(compiler, build, keyword, value,
                                    &syncd_schema_array_of(compiler, build->node)->unevaluated,
                                    error);
}

KEYWORD(compile_contains)
{
    return syncd_schema_read_schema(compiler, build, keyword, value,
                                    &syncd_schema_array_of(compiler, build->node)->contains, error);
}

KEYWORD(compile_min_contains)
{
    return syncd_schema_read_count(
        build, keyword, value, &syncd_schema_array_of(compiler, build->node)->min_contains, error);
}

KEYWORD(compile_max_contains)
{
    return syncd_schema_read_count(
        build, keyword, value, &syncd_schema_array_of(compiler, build->node)->max_contains, error);
}

KEYWORD(compile_min_items)
{
    return syncd_schema_read_count(build, keyword, value,
                                   &syncd_schema_array_of(compiler, build->node)->min_items, error);
}

KEYWORD(compile_max_items)
{
    return syncd_schema_read_count(build, keyword, value,
                                   &syncd_schema_array_of(compiler, build->node)->max_items, error);
}

KEYWORD(compile_unique_items)
{
    return syncd_json_get_bool(value, &syncd_schema_array_of(compiler, build->node)->unique) ||
           syncd_schema_wants(build, keyword, error, "true or false");
}

const SchemaKeyword syncd_schema_array_keywords[] = {
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
    {NULL},
};
