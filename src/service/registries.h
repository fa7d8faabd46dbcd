/*
 * Registries, and migrations of what is in them, as part of what the system does for its callers
 * (service/service.h).
 *
 * A change of a record and a page of a migration are answered like all that is written: after the
 * commit. Both can be rehearsed: all is checked, and nothing is recorded.
 */
#pragma once

#include "service/service.h"

/* ---- registries ---- */

typedef struct {
    const char *kind;  /* a family's name: "actor" */
    const char *id;    /* of the record; not for a registration */
    SyncdBytes record; /* the whole document; not for a revocation */
    const char
        *scope; /* where the family leaves the choice; NULL: its own; the same for the next */
    const char *idempotency_key;
    const char *reason; /* of a revocation */
    guint64 expected;   /* sequence number of the record that the caller knows; 0: any */
    bool dry_run;       /* everything is checked and nothing is recorded */
    SyncdSigned claim;
} SyncdRegistryRequest;

typedef struct {
    char *id;        /* of the record */
    char *operation; /* "" after a dry run, and no number */
    guint64 sequence;
    bool duplicate;
    char **unknown; /* members of the document that nobody here knows; they are kept */
} SyncdRegistered;

void syncd_registered_clear(SyncdRegistered *registered);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdRegistered, syncd_registered_clear)

/* Whether changing records of this kind is configuration, for which more is needed than to be an
 * actor. InvalidArgs for a kind that is none. */
bool syncd_service_registry_is_configuration(const char *kind, bool *ret_is, GError **error);
bool syncd_service_register(SyncdService *service, const SyncdCaller *caller,
                            const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                            GError **error);
bool syncd_service_update(SyncdService *service, const SyncdCaller *caller,
                          const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                          GError **error);
bool syncd_service_revoke(SyncdService *service, const SyncdCaller *caller,
                          const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                          GError **error);

typedef struct {
    const char *kind;
    const char *cursor, *state, *scope; /* NULL: any; the same for the next ones */
    const char *type, *workspace, *profile, *schema, *identity;
    guint32 limit;
} SyncdRegistryListing;

/* The record with what the registry knows of it. */
char *syncd_service_show_record(SyncdService *service, const SyncdCaller *caller, const char *kind,
                                const char *id, GError **error);
char *syncd_service_list_records(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdRegistryListing *listing, char **ret_cursor,
                                 GError **error);

/* ---- migrations of schemas ---- */

typedef struct {
    const char *migration; /* the id of its manifest; or: */
    const char *run;       /* the entry of a migration that is to be rolled back */
    const char *cursor;    /* of the former: where the page begins; NULL: at the first object */
    const char *digest;    /* of the report that the caller has seen; not for a plan */
    const char *idempotency_key; /* of applying; NULL: none */
    SyncdSigned claim;
} SyncdMigrationRequest;

/* The report (sourceos.migration-report/v1) of what would be done. Changes nothing. */
char *syncd_service_plan_migration(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdMigrationRequest *request, GError **error);

typedef struct {
    char *operation; /* the entry that holds the report; "": nothing was to be done */
    guint64 sequence;
    char *report;
} SyncdMigrated;

void syncd_migrated_clear(SyncdMigrated *migrated);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdMigrated, syncd_migrated_clear)

/* Does exactly that, all or nothing: StaleDigest when it would be something else by now. A rollback
 * that would leave an object out is PlanStale. */
bool syncd_service_apply_migration(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdMigrationRequest *request,
                                   SyncdMigrated *ret_migrated, GError **error);
/* The report of a migration that was applied. */
char *syncd_service_migration_report(SyncdService *service, const SyncdCaller *caller,
                                     const char *operation, GError **error);
