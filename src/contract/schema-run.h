/*
 * One judgement in progress, and the parts that it is made of.
 *
 * Private to the schema engine. Every part returns whether the value is valid there; a part that
 * finds a fault says so once, through syncd_schema_fail(), unless the run is quiet: inside anyOf,
 * not and their like a fault decides which way to go and is nobody's error. When the budget falls
 * to zero every part returns false at once and the answer counts for nothing.
 */
#pragma once

#include "contract/schema-private.h"

typedef struct {
    SyncdSchemaErrors *errors;
    unsigned quiet; /* above zero: the first fault is enough, and is not written down */
    unsigned nesting;
    gint64 budget;
} SchemaRun;

/* Which elements or members of one value were evaluated, by their number. */
typedef struct {
    guint64 *bits;
    guint64 count; /* of elements */
} SchemaMarks;

typedef bool (*SchemaPart)(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                           const SchemaStep *step, SchemaMarks *marks);

bool syncd_schema_fail(SchemaRun *run, const SchemaNode *node, const SchemaStep *step,
                       const char *keyword, const char *format, ...) G_GNUC_PRINTF(5, 6);

/* True when the work on a value is to end after a fault. */
static inline bool schema_run_ends(const SchemaRun *run)
{
    return run->quiet > 0 || run->budget <= 0;
}

/* `marks` is NULL when nobody asks what was evaluated. */
bool syncd_schema_check(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                        const SchemaStep *step, SchemaMarks *marks);
/* The same, and writes nothing down. */
bool syncd_schema_try(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                      const SchemaStep *step, SchemaMarks *marks);
bool syncd_schema_check_array(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                              const SchemaStep *step, SchemaMarks *marks);
bool syncd_schema_check_object(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                               const SchemaStep *step, SchemaMarks *marks);
bool syncd_schema_check_in_place(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                                 const SchemaStep *step, SchemaMarks *marks);

/* ---- schema-marks.c ---- */

static inline void schema_marks_set(SchemaMarks *marks, guint64 index)
{
    if (marks != NULL && marks->bits != NULL)
        marks->bits[index / 64] |= G_GUINT64_CONSTANT(1) << index % 64;
}

/* Lets the part mark on its own, and keeps its marks only if the value was valid. */
bool syncd_schema_check_marking(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                                const SchemaStep *step, SchemaMarks *marks, SchemaPart part);
bool syncd_schema_check_unevaluated(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                                    const SchemaStep *step, SchemaMarks *marks);
