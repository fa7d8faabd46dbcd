/* The keywords that speak of the schema itself, that apply others to the same value, and that only
 * say something to people; and all of them together. */
#include "contract/schema-read.h"

/* ---- what a schema says of itself ---- */

KEYWORD(compile_dialect)
{
    return syncd_schema_dialect(value) == build->resource->dialect ||
           syncd_schema_wants(build, keyword, error, "the dialect of the document that it is in");
}

KEYWORD(compile_text)
{
    return value.type == SYNCD_JSON_STRING || syncd_schema_wants(build, keyword, error, "a string");
}

KEYWORD(compile_reference)
{
    g_autofree char *reference = syncd_json_dup_text(value);
    if (reference == NULL)
        return syncd_schema_wants(build, keyword, error, "a URI reference");
    g_autofree char *location = g_strdup(build->node->location);
    SchemaNode *node = syncd_schema_resolve(compiler, build->resource, location, reference, error);
    syncd_schema_in_place_of(compiler, build->node)->reference = node;
    return node != NULL;
}

/* Each of them must be usable, whether a reference leads to it or not. */
KEYWORD(compile_definitions)
{
    SyncdJsonIter iter;
    SyncdJson name, element;
    if (value.type != SYNCD_JSON_OBJECT)
        return syncd_schema_wants(build, keyword, error, "an object of schemas");
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &element)) {
        g_autofree char *step = syncd_json_dup_string(name, NULL);
        if (syncd_schema_child(compiler, build, keyword, step, element, error) == NULL)
            return false;
    }
    return true;
}

/* ---- schemas of the same value ---- */

KEYWORD(compile_list)
{
    SchemaInPlace *rules = syncd_schema_in_place_of(compiler, build->node);
    SchemaNodes *nodes = strcmp(keyword, "allOf") == 0   ? &rules->all
                         : strcmp(keyword, "anyOf") == 0 ? &rules->any
                                                         : &rules->one;
    return syncd_schema_read_list(compiler, build, keyword, value, nodes, error);
}

KEYWORD(compile_not)
{
    return syncd_schema_read_schema(compiler, build, keyword, value,
                                    &syncd_schema_in_place_of(compiler, build->node)->negated,
                                    error);
}

KEYWORD(compile_if)
{
    return syncd_schema_read_schema(compiler, build, keyword, value,
                                    &syncd_schema_in_place_of(compiler, build->node)->condition,
                                    error);
}

KEYWORD(compile_then)
{
    return syncd_schema_read_schema(compiler, build, keyword, value, &build->then, error);
}

KEYWORD(compile_else)
{
    return syncd_schema_read_schema(compiler, build, keyword, value, &build->otherwise, error);
}

/* ---- the tables ---- */

static const SchemaKeyword own_keywords[] = {
    {"$schema", BOTH, HOLDS_NOTHING, compile_dialect},
    {"$id", BOTH, HOLDS_NOTHING, compile_text},
    {"$anchor", NEW, HOLDS_NOTHING, compile_text},
    {"$ref", BOTH, HOLDS_NOTHING, compile_reference},
    {"$defs", NEW, HOLDS_MAP, compile_definitions},
    {"definitions", BOTH, HOLDS_MAP, compile_definitions},
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
    {NULL},
};

const SchemaKeyword *syncd_schema_keyword_find(SyncdJson name, SchemaDialects dialect)
{
    const SchemaKeyword *const tables[] = {own_keywords, syncd_schema_value_keywords,
                                           syncd_schema_array_keywords,
                                           syncd_schema_object_keywords};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const SchemaKeyword *keyword = tables[i]; keyword->name != NULL; keyword++)
            if ((keyword->dialects & dialect) != 0 && syncd_json_is(name, keyword->name))
                return keyword;
    return NULL;
}
