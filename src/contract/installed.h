/*
 * The schemas of our contracts: the files in schemas/, which are a part of the program.
 *
 * Each is compiled when it is first asked for and then kept for good: it is a constant that is made
 * late. A reference between schemas finds its target here and nowhere else.
 */
#pragma once

#include "contract/schema.h"

#define SYNCD_SCHEMA_URI_PREFIX                                                                    \
    "urn:sourceos:schema:" /* of each `$id`, before the contract's id                              \
                            */

typedef struct {
    const char *id;    /* of the contract: "sourceos.repair-plan/v1alpha1", "SyncCheckpoint" */
    const char *title; /* "Repair plan" */
    const char *text;  /* the file, byte for byte */
} SyncdInstalledSchema;

/* Sorted by id. */
extern const SyncdInstalledSchema syncd_installed_schemas[];
extern const unsigned syncd_n_installed_schemas;

/* NULL when there is none. */
const SyncdInstalledSchema *syncd_installed_schema_find(const char *id);
/* Compiled; NULL with NotFound when there is none. */
const SyncdSchema *syncd_installed_schema(const char *id, GError **error);
/* A SyncdSchemaFind for schemas of others that refer to ours. */
bool syncd_installed_schema_text(void *user_data, const char *uri, SyncdBytes *ret_text);
