/*
 * What a schema demands, found by walking it: the places of its assertions.
 */
#pragma once

#include "base/json.h"

#include <glib.h>

/* What the keywords of a schema hold. */
typedef enum {
    SCHEMA_HOLDS_NOTHING, /* no demand of its own */
    SCHEMA_HOLDS_SCHEMA,
    SCHEMA_HOLDS_SCHEMAS, /* as members or elements */
    SCHEMA_HOLDS_NAMES,   /* of members that must be there: each a demand */
    SCHEMA_HOLDS_DEMAND,  /* on its own */
    SCHEMA_HOLDS_EITHER,  /* a schema, or a demand when it is false */
} SchemaHolding;

static const struct {
    const char *keyword;
    SchemaHolding holding;
} schema_keywords[] = {
    {"$schema", SCHEMA_HOLDS_NOTHING},      {"$id", SCHEMA_HOLDS_NOTHING},
    {"$ref", SCHEMA_HOLDS_NOTHING},         {"title", SCHEMA_HOLDS_NOTHING},
    {"description", SCHEMA_HOLDS_NOTHING},  {"default", SCHEMA_HOLDS_NOTHING},
    {"if", SCHEMA_HOLDS_NOTHING},           {"then", SCHEMA_HOLDS_SCHEMA},
    {"else", SCHEMA_HOLDS_SCHEMA},          {"items", SCHEMA_HOLDS_SCHEMA},
    {"propertyNames", SCHEMA_HOLDS_SCHEMA}, {"properties", SCHEMA_HOLDS_SCHEMAS},
    {"$defs", SCHEMA_HOLDS_SCHEMAS},        {"allOf", SCHEMA_HOLDS_SCHEMAS},
    {"required", SCHEMA_HOLDS_NAMES},       {"additionalProperties", SCHEMA_HOLDS_EITHER},
};

static inline SchemaHolding schema_holding(SyncdJson name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(schema_keywords); i++)
        if (syncd_json_is(name, schema_keywords[i].keyword))
            return schema_keywords[i].holding;
    return SCHEMA_HOLDS_DEMAND;
}

/* Adds a text for each: "#/properties/seq/minimum"; for a member that must be there "#/required
 * seq"; what stands under `if` is no demand. */
static inline void schema_walk(SyncdJson schema, const char *place, GHashTable *demands);

static inline void schema_walk_each(SyncdJson container, const char *place, GHashTable *demands)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    unsigned index = 0;
    syncd_json_iter_init(&iter, container);
    for (; syncd_json_iter_next(&iter, &name, &value); index++) {
        g_autofree char *step =
            iter.object ? syncd_json_dup_text(name) : g_strdup_printf("%u", index);
        g_autofree char *inner = g_strconcat(place, "/", step, NULL);
        schema_walk(value, inner, demands);
    }
}

static inline void schema_walk_names(SyncdJson names, const char *place, GHashTable *demands)
{
    SyncdJsonIter iter;
    SyncdJson name;
    syncd_json_iter_init(&iter, names);
    while (syncd_json_iter_next(&iter, NULL, &name)) {
        g_autofree char *text = syncd_json_dup_text(name);
        g_hash_table_add(demands, g_strconcat(place, " ", text, NULL));
    }
}

static inline void schema_walk(SyncdJson schema, const char *place, GHashTable *demands)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    if (schema.type == SYNCD_JSON_FALSE)
        g_hash_table_add(demands, g_strdup(place));
    if (schema.type != SYNCD_JSON_OBJECT)
        return;
    syncd_json_iter_init(&iter, schema);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *keyword = syncd_json_dup_text(name);
        g_autofree char *inner = g_strconcat(place, "/", keyword, NULL);
        switch (schema_holding(name)) {
        case SCHEMA_HOLDS_NOTHING:
            break;
        case SCHEMA_HOLDS_SCHEMA:
        case SCHEMA_HOLDS_EITHER:
            schema_walk(value, inner, demands);
            break;
        case SCHEMA_HOLDS_SCHEMAS:
            schema_walk_each(value, inner, demands);
            break;
        case SCHEMA_HOLDS_NAMES:
            schema_walk_names(value, inner, demands);
            break;
        case SCHEMA_HOLDS_DEMAND:
            g_hash_table_add(demands, g_strdup(inner));
            break;
        }
    }
}
