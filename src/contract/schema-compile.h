/*
 * A schema while it is compiled.
 *
 * Private to the schema engine. Documents are scanned as a whole when they are loaded, which finds
 * every resource (a subschema with an `$id`) and anchor in them; nodes are made when something
 * applies them, each once, and filled from a queue, so that neither long chains of references nor
 * recursive schemas cost stack.
 */
#pragma once

#include "contract/schema-private.h"

#define SCHEMA_MAX_SIZE (1024u * 1024u)
#define SCHEMA_MAX_NODES 20000u
#define SCHEMA_MAX_PROPERTIES 10000u
/* Bytes that are read while references are followed, and the weights of what is kept: so that no
 * schema of little text takes much time or memory. */
#define SCHEMA_MAX_WORK (G_GUINT64_CONSTANT(512) << 20)
#define SCHEMA_WORK_PER_LOCATION_BYTE 16u
#define SCHEMA_WORK_PER_PATTERN_BYTE 64u

typedef enum {
    DIALECT_2020_12 = 1 << 0,
    DIALECT_DRAFT_7 = 1 << 1,
    DIALECT_BOTH = DIALECT_2020_12 | DIALECT_DRAFT_7,
} SchemaDialects;

/* A part of a document with its own URI; the first one is the document. */
typedef struct {
    char *uri; /* absolute where anything says so; without fragment */
    SyncdJson root;
    char *location; /* as SchemaNode has it */
    SchemaDialects dialect;
} SchemaResource;

/* A subschema and where it is. */
typedef struct {
    SyncdJson value;
    const SchemaResource *resource;
    char *location;
} SchemaPlace;

/* A node to be filled. */
typedef struct {
    SchemaNode *node;
    SyncdJson value;
    const SchemaResource *resource;
    /* what counts only together with other keywords: */
    SchemaNode *then, *otherwise;
    SchemaNode *rest; /* additionalItems */
    SyncdJson properties;
    SchemaValue *required;
    unsigned required_count;
} SchemaBuild;

typedef struct {
    const SyncdSchemaOptions *options;
    SyncdSchema *schema;
    GPtrArray *owned;      /* of the schema */
    GPtrArray *scratch;    /* only while compiling */
    GHashTable *resources; /* URI -> SchemaResource */
    GHashTable *roots;     /* the place of its first byte -> SchemaResource */
    GHashTable *anchors;   /* "URI#name" -> SchemaPlace */
    GHashTable *nodes;     /* the place of its first byte -> SchemaNode */
    GQueue *pending;       /* SchemaBuild */
    guint64 work;
} SchemaCompiler;

/* What a keyword's value holds that is a schema. */
typedef enum {
    HOLDS_NOTHING,
    HOLDS_SCHEMA,
    HOLDS_LIST,
    HOLDS_MAP,
    HOLDS_SCHEMA_OR_LIST,
    HOLDS_MAP_OR_STRINGS, /* each member is a schema or a list of strings */
} SchemaHolds;

typedef struct {
    const char *name;
    SchemaDialects dialects;
    SchemaHolds holds;
    /* NULL for what says nothing of the value it is beside */
    bool (*compile)(SchemaCompiler *compiler, SchemaBuild *build, const char *keyword,
                    SyncdJson value, GError **error);
} SchemaKeyword;

/* NULL when the dialect has no such keyword. */
const SchemaKeyword *syncd_schema_keyword_find(SyncdJson name, SchemaDialects dialect);

/* Puts the names of a node's object into one table, when all its keywords are known. */
bool syncd_schema_finish_object(SchemaCompiler *compiler, SchemaBuild *build, GError **error);

/* InvalidContract about the keyword of a node. Always false. */
bool syncd_schema_refuse(const char *location, const char *keyword, GError **error,
                         const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Counts work; false with an error when it is too much. */
bool syncd_schema_spend(SchemaCompiler *compiler, guint64 work, const char *location,
                        GError **error);

/* The node for a subschema, made when it is new. */
SchemaNode *syncd_schema_node(SchemaCompiler *compiler, SyncdJson value,
                              const SchemaResource *resource, const char *location, GError **error);

/* ---- schema-resolve.c ---- */

/* Finds resources and anchors in a document and what is loaded with it. `uri` is what it was asked
 * for by. The text stays as long as the schema. */
const SchemaResource *syncd_schema_load(SchemaCompiler *compiler, SyncdBytes text, const char *uri,
                                        GError **error);
SchemaNode *syncd_schema_resolve(SchemaCompiler *compiler, const SchemaResource *from,
                                 const char *location, const char *reference, GError **error);
/* The dialect that `$schema` names; 0 when it is none that is known. */
SchemaDialects syncd_schema_dialect(SyncdJson value);
/* Appends "/name", escaped as a JSON pointer has it. */
void syncd_schema_append_step(GString *location, const char *name);
