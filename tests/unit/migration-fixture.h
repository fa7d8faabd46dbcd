/*
 * A service with an author who signs, two versions of a schema and objects of the first one: what
 * the tests of migrations share.
 */
#pragma once

#include "registry-fixture.h"

#include "contract/check.h"
#include "crypto/note.h"
#include "domain/attestation.h"
#include "golden.h"

#define AUTHOR "ada"
#define MOVE "{\"op\":\"move\",\"path\":\"/title\",\"to\":\"/heading\"}"
#define REPORT "sourceos.migration-report/v1"

typedef struct {
    ServiceFixture f;
    SyncdSigner *signer;
} Migrating;

static inline char *schema_record(const char *id, const char *version, const char *required,
                                  const char *more)
{
    return g_strdup_printf(
        "{\"schema_id\":\"%s\",\"object_type\":\"note\",\"schema_version\":\"%s\","
        "\"required_fields\":[%s],\"field_owners\":{},\"migration_policy\":\"ask\","
        "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"
        "\"workspace\",\"retention_class\":\"normal\"%s}",
        id, version, required, more);
}

static inline int register_schema(Migrating *m, const char *id, const char *version,
                                  const char *required, const char *more)
{
    g_autofree char *record = schema_record(id, version, required, more);
    return register_record(&m->f, "schema", record);
}

static inline char *note_record(const char *id, const char *version, const char *more)
{
    return g_strdup_printf(
        "{\"object_id\":\"%s\",\"object_type\":\"note\",\"schema_id\":\"s\",\"schema_version\":"
        "\"%s\",\"workspace_id\":\"workspace:notes\",\"profile_id\":\"profile:default\","
        "\"owner_identity\":\"me\",\"privacy_class\":\"work\",\"sync_visibility\":\"workspace\","
        "\"retention_class\":\"normal\",\"policy_tags\":[],\"provenance\":[]%s}",
        id, version, more);
}

static inline int register_note(Migrating *m, const char *id, const char *version, const char *more)
{
    g_autofree char *record = note_record(id, version, more);
    return register_record(&m->f, "object", record);
}

static inline int update_note(Migrating *m, const char *id, const char *version, const char *more)
{
    g_autofree char *record = note_record(id, version, more);
    return update_record(&m->f, "object", id, record);
}

static inline void register_author(Migrating *m, const char *id, const char *capability)
{
    char hex[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    syncd_hex_encode(syncd_signer_public_key(m->signer)->bytes, SYNCD_PUBLIC_KEY_SIZE, hex);
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"%s\",\"actor_type\":\"agent\",\"display_name\":\"A\",\"identity_id\":"
        "\"agent:%s\",\"workspace_scope\":[],\"profile_scope\":[],\"capabilities\":[\"read\","
        "\"%s\"],\"trust_level\":\"user\",\"policy_subject\":\"a\",\"signing_key_ref\":"
        "\"ed25519:%s\"}",
        id, id, capability, hex);
    g_assert_cmpint(register_record(&m->f, "actor", record), ==, -1);
}

#define MATRIX(old_writes_new, new_writes_old)                                                     \
    "[{\"program\":\"from\",\"document\":\"from\",\"read\":true,\"write\":true},"                  \
    "{\"program\":\"from\",\"document\":\"to\",\"read\":true,\"write\":" old_writes_new "},"       \
    "{\"program\":\"to\",\"document\":\"from\",\"read\":true,\"write\":" new_writes_old "},"       \
    "{\"program\":\"to\",\"document\":\"to\",\"read\":true,\"write\":true}]"

typedef struct {
    const char *id, *author; /* NULL: "m", AUTHOR; the same for the others: from s@1 to s@2 */
    const char *from_id, *from, *to_id, *to;
    const char *steps, *matrix;
} ManifestParts;

#define OR(value, otherwise) ((value) != NULL ? (value) : (otherwise))

static inline char *manifest_members(const ManifestParts *parts)
{
    return g_strdup_printf(
        "\"schema\":\"sourceos.schema-migration/v1\",\"migration_id\":\"%s\",\"author\":\"%s\","
        "\"from_schema_id\":\"%s\",\"from_schema_version\":\"%s\",\"to_schema_id\":\"%s\","
        "\"to_schema_version\":\"%s\",\"steps\":[%s],\"compatibility\":%s",
        OR(parts->id, "m"), OR(parts->author, AUTHOR), OR(parts->from_id, "s"),
        OR(parts->from, "1"), OR(parts->to_id, "s"), OR(parts->to, "2"), OR(parts->steps, ""),
        OR(parts->matrix, MATRIX("false", "false")));
}

/* With the signature of the author, whoever that is. */
static inline char *sign_manifest(Migrating *m, const ManifestParts *parts)
{
    g_autofree char *members = manifest_members(parts);
    g_autofree char *unsigned_text = g_strdup_printf("{%s}", members);
    g_autoptr(GString) message = g_string_new(NULL);
    syncd_attestation_message(golden_root(unsigned_text), message);
    SyncdSignature signature = syncd_signer_sign(m->signer, message->str, message->len);
    g_autofree char *base64 = g_base64_encode(signature.bytes, sizeof signature.bytes);
    g_autofree char *key =
        syncd_verifier_key_format(OR(parts->author, AUTHOR), syncd_signer_public_key(m->signer));
    *strchr(strchr(key, '+') + 1, '+') = '\0';
    return g_strdup_printf("{%s,\"attestation\":{\"signed\":true,\"signer\":\"%s\",\"key_id\":"
                           "\"%s\",\"algorithm\":\"ed25519\",\"signature\":\"%s\"}}",
                           members, OR(parts->author, AUTHOR), key, base64);
}

static inline int register_manifest(Migrating *m, const ManifestParts *parts)
{
    g_autofree char *record = sign_manifest(m, parts);
    return register_record(&m->f, "migration", record);
}

static inline void migrating_init(Migrating *m)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE] = {9};
    service_init(&m->f);
    m->signer = syncd_signer_new(seed, NULL);
    register_author(m, AUTHOR, "migrate_schema");
    put(&m->f, "note-0", "{}"); /* opens the scope */
    g_assert_cmpint(register_schema(m, "s", "1", "\"title\"", ""), ==, -1);
    g_assert_cmpint(register_schema(m, "s", "2", "\"heading\"",
                                    ",\"json_schema\":{\"properties\":{\"heading\":"
                                    "{\"type\":\"string\",\"maxLength\":10}}}"),
                    ==, -1);
}

static inline void migrating_clear(Migrating *m)
{
    syncd_signer_free(m->signer);
    service_clear(&m->f);
}

static inline void assert_report(const char *report)
{
    bool valid;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    syncd_contract_check(REPORT, golden_root(report), errors, &valid, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++)
        g_test_message("%s %s", syncd_schema_errors_get(errors, i)->instance_path,
                       syncd_schema_errors_get(errors, i)->sentence);
    g_assert_true(valid);
}

static inline char *plan_migration(Migrating *m, const SyncdMigrationRequest *request)
{
    g_autoptr(GError) error = NULL;
    guint64 sequence = service_sequence(&m->f);
    char *report = syncd_service_plan_migration(m->f.service, &m->f.caller, request, &error);
    g_assert_no_error(error);
    assert_report(report);
    g_assert_cmpuint(service_sequence(&m->f), ==, sequence);
    return report;
}

/* -1 when it was done, else the code of the error. Commits. */
static inline int apply_migration(Migrating *m, const SyncdMigrationRequest *request,
                                  char **ret_report, char **ret_operation)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdMigrated) migrated = {0};
    bool done =
        syncd_service_apply_migration(m->f.service, &m->f.caller, request, &migrated, &error);
    syncd_service_commit(m->f.service);
    if (!done) {
        g_test_message("%s", error->message);
        return error->code;
    }
    assert_report(migrated.report);
    if (ret_report != NULL)
        *ret_report = g_steal_pointer(&migrated.report);
    if (ret_operation != NULL)
        *ret_operation = g_steal_pointer(&migrated.operation);
    return -1;
}

static inline char *text_of(const char *document, const char *name)
{
    return syncd_json_dup_text(syncd_json_member(golden_root(document), name));
}

static inline guint count_of(const char *document, const char *name)
{
    g_autofree char *list = member_of(document, name);
    return count_elements(list);
}

/* Plans and applies what was planned; the operation. */
static inline char *migrate(Migrating *m, SyncdMigrationRequest request)
{
    char *operation = NULL;
    g_autofree char *planned = plan_migration(m, &request), *digest = text_of(planned, "digest");
    g_autofree char *report = NULL, *applied = NULL;
    request.digest = digest;
    g_assert_cmpint(apply_migration(m, &request, &report, &operation), ==, -1);
    applied = text_of(report, "digest");
    g_assert_cmpstr(applied, ==, digest);
    return operation;
}

static inline void three_notes(Migrating *m)
{
    const ManifestParts parts = {.steps = MOVE};
    g_assert_cmpint(register_note(m, "o-1", "1", ",\"title\":\"One\",\"x\":[1.50]"), ==, -1);
    g_assert_cmpint(register_note(m, "o-2", "1", ",\"title\":\"much too long\""), ==, -1);
    g_assert_cmpint(register_note(m, "o-3", "1", ",\"title\":\"3\",\"heading\":null"), ==, -1);
    g_assert_cmpint(register_note(m, "o-4", "2", ",\"heading\":\"Four\""), ==, -1);
    g_assert_cmpint(register_note(m, "o-5", "1", ",\"title\":\"Five\""), ==, -1);
    g_assert_cmpint(revoke_record(&m->f, "object", "o-5"), ==, -1);
    g_assert_cmpint(register_manifest(m, &parts), ==, -1);
}

static inline void assert_reasons(Migrating *m, const char *id, const char *reasons)
{
    g_autofree char *shown = show_record(&m->f, "object", id);
    assert_member(shown, "reasons", reasons);
}
