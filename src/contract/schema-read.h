/*
 * What keywords hold, read from the schema's text: the words that the tables of keywords are made
 * of.
 *
 * Private to the schema engine. Each reader gives false, or NULL, with an error that names the
 * keyword. What they make belongs to the schema.
 */
#pragma once

#include "contract/schema-compile.h"

/* A keyword's function, as SchemaKeyword has it. */
#define KEYWORD(name)                                                                              \
    static bool name(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,            \
                     SyncdJson value, GError **error)

#define NEW DIALECT_2020_12
#define OLD DIALECT_DRAFT_7
#define BOTH DIALECT_BOTH

/* The tables, each ended by a keyword without a name. */
extern const SchemaKeyword syncd_schema_value_keywords[];
extern const SchemaKeyword syncd_schema_array_keywords[];
extern const SchemaKeyword syncd_schema_object_keywords[];

/* Always false: the keyword must be what the words say. */
bool syncd_schema_wants(const SchemaBuild *build, const char *keyword, GError **error,
                        const char *what);

/* The groups of a node, made when the first of their keywords is met. */
SchemaNumber *syncd_schema_number_of(SchemaCompiler *compiler, SchemaNode *node);
SchemaString *syncd_schema_string_of(SchemaCompiler *compiler, SchemaNode *node);
SchemaArray *syncd_schema_array_of(SchemaCompiler *compiler, SchemaNode *node);
SchemaObject *syncd_schema_object_of(SchemaCompiler *compiler, SchemaNode *node);
SchemaInPlace *syncd_schema_in_place_of(SchemaCompiler *compiler, SchemaNode *node);

/* The node of a schema that the keyword holds, `step` (may be NULL) below it. */
SchemaNode *syncd_schema_child(SchemaCompiler *compiler, const SchemaBuild *build,
                               const char *keyword, const char *step, SyncdJson value,
                               GError **error);
bool syncd_schema_read_schema(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,
                              SyncdJson value, SchemaNode **ret_node, GError **error);
bool syncd_schema_read_list(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,
                            SyncdJson value, SchemaNodes *ret_nodes, GError **error);
bool syncd_schema_read_decimal(const SchemaBuild *build, const char *keyword, SyncdJson value,
                               SyncdDecimal *ret_decimal, GError **error);
/* G_MAXUINT64 for what is larger. */
bool syncd_schema_read_count(const SchemaBuild *build, const char *keyword, SyncdJson value,
                             guint64 *ret_count, GError **error);
/* A list of strings that differ. */
bool syncd_schema_read_names(SchemaCompiler *compiler, const SchemaBuild *build,
                             const char *keyword, SyncdJson value, SchemaValue **ret_names,
                             unsigned *ret_count, GError **error);
SyncdPattern *syncd_schema_read_pattern(SchemaCompiler *compiler, const SchemaBuild *build,
                                        const char *keyword, SyncdJson value, char **ret_text,
                                        GError **error);

/* Unescaped; NULL when it is no string. */
char *syncd_schema_own_text(SchemaCompiler *compiler, SyncdJson string, size_t *ret_size);
