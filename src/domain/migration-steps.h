/*
 * Private to the migration: one step, and the table of operations.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdMigrationOp SyncdMigrationOp;

typedef struct {
    const SyncdMigrationOp *op;
    char *pointer; /* of the member that it is about */
    GStrv path;    /* the same, read */
    char *to;      /* a pointer, a name or JSON text: the one argument; NULL: it has none */
    GStrv to_path; /* of a move */
} SyncdMigrationStep;

/* InvalidContract when it touches what is no matter of a schema. The manifest keeps to its
 * contract. */
SyncdMigrationStep *syncd_migration_step_read(SyncdJson step, guint index, GError **error);
void syncd_migration_step_free(SyncdMigrationStep *step);
/* NULL when the step loses something. */
SyncdMigrationStep *syncd_migration_step_invert(const SyncdMigrationStep *step);
/* Appends the document after the step. NULL, or why the step cannot be taken. */
const char *syncd_migration_step_run(const SyncdMigrationStep *step, SyncdJson document,
                                     GString *out);
