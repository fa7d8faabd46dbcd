/*
 * Migrations of schemas: a signed manifest that says how records of objects of one version become
 * records of another one.
 *
 * The steps are a table of pure operations on one JSON document (docs/contracts.md). A step whose
 * member is not there does nothing: whether the result lacks something is for the target schema to
 * say. A step that cannot be taken is a fault, and then the object stays as it is. Each operation
 * has an inverse, or says that it loses something: then only the log has what was there before.
 *
 * Steps never touch what every object record has, nor what the registry writes into it: who, when,
 * where and how private is not a matter of a schema.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_MIGRATION_SCHEMA "sourceos.schema-migration/v1"
#define SYNCD_MIGRATION_REPORT_SCHEMA "sourceos.migration-report/v1"
#define SYNCD_MIGRATION_DOCUMENT_MAX (64u * 1024u) /* of a record, also between two steps */

typedef struct {
    char *schema_id;
    char *schema_version;
} SyncdMigrationEnd;

typedef struct {
    char *id;
    char *author;
    SyncdMigrationEnd from, to;
    GPtrArray *steps;
} SyncdMigration;

/* Of a manifest, as it was signed or as its registry has it. InvalidContract with the place, which
 * follows `where` ("/record"). */
SyncdMigration *syncd_migration_read(SyncdJson manifest, const char *where, GError **error);
void syncd_migration_free(SyncdMigration *migration);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdMigration, syncd_migration_free)

/* Numbers in versions are compared as numbers, everything else as text: v9 comes before v10. */
int syncd_schema_version_compare(const char *left, const char *right);
/* "schema:note@v2": the id of the schema's record. */
char *syncd_migration_end_name(const SyncdMigrationEnd *end);
/* The members that only the log has afterwards, as pointers. Empty: the way back needs no log. */
GPtrArray *syncd_migration_losses(const SyncdMigration *migration);
/* The way back; NULL when something is lost. */
SyncdMigration *syncd_migration_invert(const SyncdMigration *migration);

typedef struct {
    char *path; /* into the document */
    const char *sentence;
} SyncdMigrationFault;

void syncd_migration_fault_clear(SyncdMigrationFault *fault);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdMigrationFault, syncd_migration_fault_clear)

/* The new document, which may be read; NULL with the fault. */
GString *syncd_migration_run(const SyncdMigration *migration, SyncdJson document,
                             SyncdMigrationFault *ret_fault);
/* Whether the way back from `after`, with nothing but it, leads to `before`. */
bool syncd_migration_leads_back(const SyncdMigration *back, SyncdJson before, SyncdJson after);

/* What the matrix says: may a program of the one version read, or write, documents of the other.
 * Sides are "from" and "to", `right` "read" or "write". */
bool syncd_migration_lets(SyncdJson manifest, const char *program, const char *document,
                          const char *right);
/* Appends the manifest without what the registry adds to it: what its author has written. */
void syncd_migration_authored(SyncdJson manifest, GString *out);
/* Of what the author signs: the canonical text of that, without the attestation. */
void syncd_migration_digest(SyncdJson manifest, char ret_digest[SYNCD_DIGEST_SIZE]);
