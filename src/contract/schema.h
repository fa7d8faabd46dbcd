/*
 * JSON Schema: documents that say what other documents look like.
 *
 * A schema is compiled once, into a form that never changes, and then judges any number of
 * documents. The dialect is Draft 2020-12; Draft 7 is the second dialect of the same engine.
 * Everything a schema may say is known here: a keyword, a format or a dialect that is not
 * implemented is refused when the schema is compiled, never passed over. Annotations (title,
 * default, examples ...) are known and say nothing. Formats are asserted. Numbers of any size are
 * compared exactly, by their decimal digits: 1.0 is the integer 1. Lengths count code points.
 * Patterns are those of ECMA-262: `$` is the end of the text and nothing else.
 *
 * A `$ref` finds its target in the schema itself or in what the finder gives: no file is opened
 * and no network is asked.
 *
 * A document is judged through views into its checked text (base/json.h), without a tree; one that
 * is valid costs no allocation unless it has escaped strings, large sets or the schema speaks of
 * unevaluated members. Work is counted: a schema and a document that were made for each other to be
 * dear end with LimitsExceeded.
 *
 * A schema keeps scratch memory for its patterns, so one thread may use it at a time.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdSchema SyncdSchema;
typedef struct SyncdSchemaErrors SyncdSchemaErrors;

typedef enum {
    SYNCD_DIALECT_OWN, /* what the document's `$schema` names; 2020-12 when it names none */
    SYNCD_DIALECT_2020_12,
    SYNCD_DIALECT_DRAFT_7,
} SyncdDialect;

/* The text of the schema document with this URI (absolute, or as the reference has it where nothing
 * makes it absolute; without fragment); false when there is none. The text is copied. */
typedef bool (*SyncdSchemaFind)(void *user_data, const char *uri, SyncdBytes *ret_text);

typedef struct {
    SyncdDialect dialect;
    SyncdSchemaFind find; /* NULL: only references inside the document */
    void *user_data;      /* for `find`, which is called only while compiling */
} SyncdSchemaOptions;

/* NULL with InvalidContract when it is no usable schema (the message names the place in it), or the
 * errors of the JSON door. `options` may be NULL. The text is copied. */
SyncdSchema *syncd_schema_compile(SyncdBytes text, const SyncdSchemaOptions *options,
                                  GError **error);
void syncd_schema_free(SyncdSchema *schema);

/* ---- what is wrong with a document ---- */

/* Errors beyond this number are counted, not kept. */
#define SYNCD_SCHEMA_MAX_ERRORS 100u

typedef struct {
    const char *instance_path; /* JSON pointer into the document; "" is all of it */
    const char *schema_path;   /* the keyword: "#/properties/seq/minimum", or with the URI before it
                                  where that is another document */
    const char *sentence;      /* English: "must be a string, but is null" */
} SyncdSchemaError;

SyncdSchemaErrors *syncd_schema_errors_new(void);
void syncd_schema_errors_free(SyncdSchemaErrors *errors);
unsigned syncd_schema_errors_count(const SyncdSchemaErrors *errors); /* that are kept */
guint64 syncd_schema_errors_dropped(const SyncdSchemaErrors *errors);
/* Borrowed from `errors`, in the order of the document and the schema. NULL past the last one. */
const SyncdSchemaError *syncd_schema_errors_get(const SyncdSchemaErrors *errors, unsigned index);

/* Adds what a rule beside the schema found (contract/check.h); the path is the rule's name. */
void syncd_schema_errors_note(SyncdSchemaErrors *errors, const char *instance_path,
                              const char *schema_path, const char *format, va_list args)
    G_GNUC_PRINTF(4, 0);

/* ---- judging ---- */

/* Judges a value of checked text. False only when it could not be judged: LimitsExceeded. An
 * invalid document is a result. Without `errors` (may be NULL) the first fault ends the work. */
bool syncd_schema_validate(const SyncdSchema *schema, SyncdJson value, SyncdSchemaErrors *errors,
                           bool *ret_valid, GError **error);
/* For a caller who only wants valid documents: InvalidContract names the first fault and its place,
 * which follows `where` ("/body"). */
bool syncd_schema_demand(const SyncdSchema *schema, SyncdJson value, const char *where,
                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSchema, syncd_schema_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSchemaErrors, syncd_schema_errors_free)
