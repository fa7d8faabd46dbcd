/*
 * A compiled schema: one node for each subschema that can be reached, linked where one applies
 * another. What a node demands is grouped by the type of the value it is demanded of, so that a
 * value pays only for its own type.
 *
 * Private to the schema engine. Everything is allocated in one list and freed with the schema.
 */
#pragma once

#include "contract/decimal.h"
#include "contract/pattern.h"
#include "contract/schema.h"

typedef struct SchemaNode SchemaNode;

/* Bits of the types a value may have; an integer is a number too. */
typedef enum {
    TYPE_NULL = 1 << 0,
    TYPE_BOOLEAN = 1 << 1,
    TYPE_INTEGER = 1 << 2,
    TYPE_NUMBER = 1 << 3,
    TYPE_STRING = 1 << 4,
    TYPE_ARRAY = 1 << 5,
    TYPE_OBJECT = 1 << 6,
    TYPE_ANY = (1 << 7) - 1,
} SchemaTypes;

typedef bool (*SchemaFormat)(const char *text, size_t size);

typedef struct {
    SchemaNode **nodes;
    unsigned count;
} SchemaNodes;

/* A value of the schema's text that values are compared with. */
typedef struct {
    SyncdJson value;
    char *text; /* of a string, unescaped; NULL for others */
    size_t size;
} SchemaValue;

typedef struct {
    SchemaValue *values;
    unsigned count;
    bool is_const;
} SchemaValues;

typedef struct {
    SyncdDecimal limit;
    SyncdJson text;
    bool given;
} SchemaBound;

typedef struct {
    SchemaBound minimum, maximum, exclusive_minimum, exclusive_maximum;
    SyncdDivisor divisor;
    SyncdJson divisor_text;
    bool has_divisor;
} SchemaNumber;

typedef struct {
    guint64 min_length, max_length;
    SyncdPattern *pattern;
    char *pattern_text;
    SchemaFormat format;
    const char *format_name;
} SchemaString;

typedef struct {
    SchemaNodes prefix;
    SchemaNode *items;       /* of all others */
    const char *items_name;  /* the keyword: items or additionalItems */
    const char *prefix_name; /* prefixItems or items */
    SchemaNode *contains;
    guint64 min_contains, max_contains;
    guint64 min_items, max_items;
    bool unique;
    SchemaNode *unevaluated;
} SchemaArray;

/* A name that `properties` or `required` knows. */
typedef struct {
    char *name;
    size_t size;
    SchemaNode *node; /* NULL when it is only required */
    bool required;
} SchemaProperty;

typedef struct {
    SyncdPattern *pattern;
    SchemaNode *node;
} SchemaPatternProperty;

/* What holds once a member is there. */
typedef struct {
    char *trigger;
    size_t size;
    SchemaNode *node; /* or NULL, and then: */
    SchemaValue *names;
    unsigned count;
    const char *keyword;
} SchemaDependency;

typedef struct {
    SchemaProperty *properties;
    unsigned count;
    unsigned required_count;
    guint16 *slots; /* property number + 1, found by the hash of its name */
    guint32 slot_mask;
    SchemaPatternProperty *patterns;
    unsigned pattern_count;
    SchemaNode *additional, *names, *unevaluated;
    SchemaDependency *dependencies;
    unsigned dependency_count;
    guint64 min_properties, max_properties;
} SchemaObject;

typedef struct {
    SchemaNode *reference;
    SchemaNodes all, any, one;
    SchemaNode *negated;
    SchemaNode *condition, *then, *otherwise;
} SchemaInPlace;

struct SchemaNode {
    bool never;       /* the schema `false` */
    bool wants_marks; /* it speaks of what is unevaluated */
    guint8 visit;     /* used while looking for cycles */
    SchemaTypes types;
    const char *location; /* "#/properties/a", with a URI before it in other documents */
    SchemaValues *values;
    SchemaValues *constant;
    SchemaNumber *number;
    SchemaString *string;
    SchemaArray *array;
    SchemaObject *object;
    SchemaInPlace *in_place;
};

struct SyncdSchema {
    SchemaNode *root;
    GPtrArray *owned; /* nodes, texts, tables */
    GPtrArray *patterns;
};

/* ---- schema-equal.c ---- */

/* Work is paid from *budget, which may fall below zero; then the answer is not to be used. */
bool syncd_schema_equals(SyncdJson value, const SchemaValue *wanted, gint64 *budget);
/* The numbers of the first two elements that are the same. */
bool syncd_schema_find_twins(SyncdJson array, guint64 *ret_first, guint64 *ret_second,
                             gint64 *budget);

/* ---- schema-names.c ---- */

/* Makes the table that names are found by. */
void syncd_schema_object_index(SchemaObject *object, GPtrArray *owned);
const SchemaProperty *syncd_schema_object_find(const SchemaObject *object, const char *name,
                                               size_t size);

/* ---- formats.c ---- */

/* NULL when it is not implemented; `ret_name` is the table's constant. */
SchemaFormat syncd_schema_format_find(const char *name, const char **ret_name);

/* format-uri.c */
bool syncd_format_is_uri(const char *text, size_t size);
bool syncd_format_is_uri_reference(const char *text, size_t size);

/* ---- schema-errors.c ---- */

/* The way from the document's root to a value: on the stack, innermost first. */
typedef struct SchemaStep SchemaStep;
struct SchemaStep {
    const SchemaStep *outer;
    SyncdJson name; /* a member's, or none: then the index counts */
    guint64 index;
};

void syncd_schema_errors_add(SyncdSchemaErrors *errors, const SchemaStep *step,
                             const SchemaNode *node, const char *keyword, const char *format,
                             va_list args) G_GNUC_PRINTF(5, 0);

static inline gpointer syncd_schema_own(GPtrArray *owned, gpointer memory)
{
    g_ptr_array_add(owned, memory);
    return memory;
}
