/* Manifests of migrations: who signed them, and whether they may stand beside the others. */
#include "service/migration.h"

#include "crypto/note.h"
#include "domain/attestation.h"

#include <string.h>

#define CHAIN_MAX 64u
#define FORWARD_COMPATIBLE "forward_compatible_required" /* a word of schemas' migration_policy */

void syncd_manifest_clear(SyncdManifest *manifest)
{
    syncd_record_row_clear(&manifest->row);
    syncd_body_clear(&manifest->body);
    g_clear_pointer(&manifest->migration, syncd_migration_free);
}

/* ---- finding them ---- */

static bool read_manifest(SyncdService *service, SyncdManifest *manifest, GError **error)
{
    if (!syncd_registry_read(service, &manifest->row, &manifest->body, &manifest->record, error))
        return false;
    manifest->migration = syncd_migration_read(manifest->record, "/record", error);
    return manifest->migration != NULL;
}

bool syncd_manifest_refuse_absent(const char *id, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "see `sourceos-syncd migrations list`",
                         "There is no migration %.*s", SYNCD_ID_TOKEN_MAX, id);
    return false;
}

bool syncd_manifest_read(SyncdService *service, const char *id, SyncdManifest *ret_manifest,
                         GError **error)
{
    bool found;
    if (!syncd_store_find_record(service->store, syncd_family(SYNCD_FAMILY_MIGRATION), id,
                                 &ret_manifest->row, &found, error))
        return false;
    return found ? read_manifest(service, ret_manifest, error)
                 : syncd_manifest_refuse_absent(id, error);
}

typedef struct {
    const SyncdReach *reach;
    const SyncdMigrationEnd *from;
    SyncdManifest *found;
} Leading;

/* One that cannot be used, as by a later version of this program, takes nothing from the others. */
static bool leads_on(SyncdService *service, const SyncdRecordRow *row, void *data, bool *ret_is,
                     GError **error)
{
    const Leading *leading = data;
    g_auto(SyncdManifest) manifest = {0};
    g_autoptr(GError) unusable = NULL;
    *ret_is = false;
    if (!syncd_manifest_read(service, row->id, &manifest, &unusable)) {
        if (syncd_migration_reason(unusable) != NULL)
            return true;
        g_propagate_error(error, g_steal_pointer(&unusable));
        return false;
    }
    *ret_is = strcmp(manifest.migration->from.schema_version, leading->from->schema_version) == 0;
    if (*ret_is && !syncd_service_reaches_record(service, leading->reach, row, ret_is, error))
        return false;
    if (*ret_is) {
        *leading->found = manifest;
        manifest = (SyncdManifest){0};
    }
    return true;
}

bool syncd_manifest_find(SyncdService *service, const SyncdReach *reach,
                         const SyncdMigrationEnd *from, SyncdManifest *ret_manifest,
                         bool *ret_found, GError **error)
{
    Leading leading = {reach, from, ret_manifest};
    return syncd_registry_find_active(service, SYNCD_FAMILY_MIGRATION, from->schema_id, leads_on,
                                      &leading, ret_found, error);
}

/* ---- the signature ---- */

static bool refuse(SyncdService *service, const SyncdCaller *caller, const char *reason,
                   const char *what, const char *author, GError **error)
{
    syncd_service_note_refusal(service, caller, "migrate_schema", reason);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         "let an actor that is registered with a key sign the manifest, as "
                         "sourceos-syncd's format.md says",
                         "/record/author: %.*s %s (%s)", SYNCD_ID_TOKEN_MAX, author, what, reason);
    return false;
}

static SyncdAttestationKeys *keys_of(const SyncdMandate *mandate, const SyncdPublicKey *key)
{
    g_autoptr(SyncdAttestationKeys) keys = syncd_attestation_keys_new();
    g_autofree char *text = syncd_verifier_key_format(mandate->actor, key);
    return text != NULL && syncd_attestation_keys_add(keys, text, NULL) ? g_steal_pointer(&keys)
                                                                        : NULL;
}

bool syncd_manifest_check_signature(SyncdService *service, const SyncdCaller *caller,
                                    SyncdJson record, const char *author, GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    SyncdPublicKey key;
    if (!syncd_service_mandate_of_actor(service, author, &mandate, error))
        return false;
    if (mandate == NULL || !syncd_mandate_key(mandate, &key))
        return refuse(service, caller, "agent_untrusted",
                      "is no actor that is registered with a key", author, error);
    if (syncd_mandate_standing(mandate, syncd_service_entry_ms(service)) != NULL ||
        !syncd_mandate_can(mandate, "migrate_schema"))
        return refuse(service, caller, "capability_missing",
                      "may not migrate schemas, or may not any more", author, error);
    g_autoptr(SyncdAttestationKeys) keys = keys_of(mandate, &key);
    g_autoptr(GString) authored = g_string_new(NULL);
    syncd_migration_authored(record, authored);
    return syncd_attestation_check(syncd_json_root(authored->str, authored->len), keys) ==
               SYNCD_ATTESTATION_SIGNED ||
           refuse(service, caller, "signature_invalid", "has not signed this manifest as it is",
                  author, error);
}

/* ---- both ends ---- */

static bool check_end(const SyncdChange *change, const char *member, const SyncdMigrationEnd *end,
                      SyncdRecordRow *ret_row, GError **error)
{
    bool found;
    g_autofree char *name = syncd_migration_end_name(end);
    if (!syncd_registry_find_live(change->service, SYNCD_FAMILY_SCHEMA, name, ret_row, &found,
                                  error) ||
        (found && !syncd_registry_reaches(change, ret_row, &found, error)))
        return false;
    if (!found)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "register that version first",
                             "/record/%s: there is no schema %.*s (schema_unknown)", member,
                             2 * SYNCD_ID_TOKEN_MAX, name);
    return found;
}

/* A schema may demand that the programs of before can read what comes after. */
static bool check_policy(const SyncdChange *change, const SyncdRecordRow *target, GError **error)
{
    g_auto(SyncdBody) body = {0};
    SyncdJson schema;
    if (!syncd_registry_read(change->service, target, &body, &schema, error))
        return false;
    if (!syncd_json_is(syncd_json_member(schema, "migration_policy"), FORWARD_COMPATIBLE) ||
        syncd_migration_lets(change->record, "from", "to", "read"))
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_POLICY_DENIED,
        "let the programs of before read the new documents, or change the schema's "
        "policy in a further version",
        "/record/compatibility: the schema %s has the policy " FORWARD_COMPATIBLE, target->id);
    return false;
}

static bool check_ends(const SyncdChange *change, const SyncdMigration *migration, GError **error)
{
    g_auto(SyncdRecordRow) from = {0}, to = {0};
    if (strcmp(migration->from.schema_id, migration->to.schema_id) == 0 &&
        syncd_schema_version_compare(migration->to.schema_version,
                                     migration->from.schema_version) <= 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/to_schema_version must be newer than the one migrated from: the "
                        "way back is a rollback");
        return false;
    }
    return check_end(change, "from_schema_version", &migration->from, &from, error) &&
           check_end(change, "to_schema_version", &migration->to, &to, error) &&
           check_policy(change, &to, error);
}

/* ---- beside the others ---- */

/* One that is not reached is not named: that there is one cannot be kept from whoever would
 * register another. */
static bool refuse_beside(const SyncdChange *change, const char *what, const SyncdManifest *other,
                          GError **error)
{
    bool reaches;
    if (!syncd_registry_reaches(change, &other->row, &reaches, error))
        return false;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         reaches ? "revoke that one first"
                                 : "let an actor that reaches it revoke it first",
                         "/record/from_schema_version: the migration %s %s",
                         reaches ? other->migration->id : "of a scope that you do not reach", what);
    return false;
}

/* From a version one way leads on, and none leads round. */
static bool check_others(const SyncdChange *change, const SyncdMigration *migration, GError **error)
{
    bool found;
    static const SyncdReach all = {.all = true};
    SyncdService *service = change->service;
    g_auto(SyncdManifest) other = {0};
    if (!syncd_manifest_find(service, &all, &migration->from, &other, &found, error))
        return false;
    if (found)
        return refuse_beside(change, "leads on from this version already", &other, error);
    SyncdManifest at = {.migration = NULL};
    const SyncdMigrationEnd *end = &migration->to;
    bool sound = true;
    for (unsigned i = 0; sound; i++) {
        SyncdManifest next = {.migration = NULL};
        sound = syncd_manifest_find(service, &all, end, &next, &found, error);
        syncd_manifest_clear(&at);
        at = next;
        if (!sound || !found)
            break;
        end = &at.migration->to;
        bool round = strcmp(end->schema_id, migration->from.schema_id) == 0 &&
                     strcmp(end->schema_version, migration->from.schema_version) == 0;
        if (round || i == CHAIN_MAX)
            sound = refuse_beside(change,
                                  round ? "leads back to this version: there would be a circle"
                                        : "is the last of a chain that is too long",
                                  &at, error);
    }
    syncd_manifest_clear(&at);
    return sound;
}

bool syncd_registry_check_migration(SyncdChange *change, GError **error)
{
    if (change->verb != SYNCD_VERB_REGISTER)
        return true;
    g_autoptr(SyncdMigration) migration = syncd_migration_read(change->record, "/record", error);
    return migration != NULL && check_ends(change, migration, error) &&
           syncd_manifest_check_signature(change->service, change->caller, change->record,
                                          migration->author, error) &&
           check_others(change, migration, error);
}
