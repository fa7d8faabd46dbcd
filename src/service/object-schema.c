/* What a schema's record demands of the records of its objects. */
#include "service/registry.h"

#include "base/json-writer.h"

#include <string.h>

#define STANDINGS_MAX 1024u
#define SCHEMA_MEMBER "json_schema" /* what else an object's record must be */

/* A version never changes, so the place of its entry says all of it. */
struct SyncdObjectSchema {
    guint64 pos;
    SyncdSchema *required; /* the fields that must be there */
    SyncdSchema *own;      /* its JSON Schema; NULL when it has none */
};

void syncd_object_schema_free(SyncdObjectSchema *schema)
{
    if (schema == NULL)
        return;
    syncd_schema_free(schema->required);
    syncd_schema_free(schema->own);
    g_free(schema);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdObjectSchema, syncd_object_schema_free)

static SyncdSchema *compile_required(SyncdJson record, GError **error)
{
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_value(&writer, "required", syncd_json_member(record, "required_fields"));
    syncd_json_end_object(&writer);
    return syncd_schema_compile(SYNCD_BYTES(text->str, text->len), NULL, error);
}

static SyncdObjectSchema *compile(SyncdJson record, GError **error)
{
    g_autoptr(SyncdObjectSchema) schema = g_new0(SyncdObjectSchema, 1);
    SyncdJson own = syncd_json_member(record, SCHEMA_MEMBER);
    schema->required = compile_required(record, error);
    if (schema->required == NULL) {
        g_prefix_error(error, "/record/required_fields: ");
        return NULL;
    }
    if (own.type == SYNCD_JSON_NONE || own.type == SYNCD_JSON_NULL)
        return g_steal_pointer(&schema);
    schema->own = syncd_schema_compile(SYNCD_BYTES(own.at, syncd_json_size(own)), NULL, error);
    if (schema->own == NULL) {
        g_prefix_error(error, "/record/" SCHEMA_MEMBER ": ");
        return NULL;
    }
    return g_steal_pointer(&schema);
}

bool syncd_registry_check_schema(SyncdChange *change, GError **error)
{
    if (change->verb != SYNCD_VERB_REGISTER)
        return true;
    g_autoptr(SyncdObjectSchema) schema = compile(change->record, error);
    g_autoptr(SyncdSchema) of_operations = NULL;
    return schema != NULL && syncd_operation_schema_compile(change->record, &of_operations, error);
}

/* ---- whether a record keeps to it ---- */

static const SyncdObjectSchema *compiled(SyncdService *service, const SyncdRecordRow *row,
                                         GError **error)
{
    g_auto(SyncdBody) body = {0};
    SyncdJson record;
    if (service->object_schema != NULL && service->object_schema->pos == row->pos)
        return service->object_schema;
    if (!syncd_registry_read(service, row, &body, &record, error))
        return NULL;
    SyncdObjectSchema *schema = compile(record, error);
    if (schema == NULL)
        return NULL;
    schema->pos = row->pos;
    syncd_object_schema_free(service->object_schema);
    service->object_schema = schema;
    return schema;
}

bool syncd_registry_keeps_to(SyncdService *service, const SyncdRecordRow *schema, SyncdJson record,
                             SyncdSchemaErrors *errors, bool *ret_keeps, GError **error)
{
    bool has_fields, is_own = true;
    const SyncdObjectSchema *wanted = compiled(service, schema, error);
    if (wanted == NULL ||
        !syncd_schema_validate(wanted->required, record, errors, &has_fields, error) ||
        (wanted->own != NULL &&
         !syncd_schema_validate(wanted->own, record, errors, &is_own, error)))
        return false;
    *ret_keeps = has_fields && is_own;
    return true;
}

static bool check_type(const SyncdChange *change, const SyncdRecordRow *schema, GError **error)
{
    g_autofree char *type = syncd_record_member(change->record, "object_type");
    if (strcmp(type, schema->columns[SYNCD_COLUMN_TYPE]) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "see the schema with `sourceos-syncd schemas show`",
                         "/record/object_type: the schema %s is of objects of the type %.*s",
                         schema->id, SYNCD_ID_TOKEN_MAX, schema->columns[SYNCD_COLUMN_TYPE]);
    return false;
}

static bool demand(const SyncdChange *change, const SyncdRecordRow *schema, GError **error)
{
    bool keeps;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    g_autoptr(GString) document = g_string_new(NULL);
    syncd_registry_compose(change, "undecided", document);
    if (!check_type(change, schema, error) ||
        !syncd_registry_keeps_to(change->service, schema,
                                 syncd_json_root(document->str, document->len), errors, &keeps,
                                 error))
        return false;
    if (keeps)
        return true;
    const SyncdSchemaError *first = syncd_schema_errors_get(errors, 0);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "see the schema with `sourceos-syncd schemas show`",
                         "/record%s %s: the schema %s demands it", first->instance_path,
                         first->sentence, schema->id);
    return false;
}

/* ---- from one version to another ---- */

static SyncdMigrationEnd end_of(SyncdJson record)
{
    return (SyncdMigrationEnd){syncd_record_member(record, "schema_id"),
                               syncd_record_member(record, "schema_version")};
}

static void end_clear(SyncdMigrationEnd *end)
{
    g_free(end->schema_id);
    g_free(end->schema_version);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdMigrationEnd, end_clear)

static bool is_end(const SyncdMigrationEnd *one, const SyncdMigrationEnd *other)
{
    return strcmp(one->schema_id, other->schema_id) == 0 &&
           strcmp(one->schema_version, other->schema_version) == 0;
}

static bool leads(SyncdService *service, const SyncdReach *reach, const SyncdMigrationEnd *from,
                  const SyncdMigrationEnd *to, SyncdManifest *ret_manifest, bool *ret_leads,
                  GError **error)
{
    if (!syncd_manifest_find(service, reach, from, ret_manifest, ret_leads, error))
        return false;
    *ret_leads = *ret_leads && is_end(&ret_manifest->migration->to, to);
    return true;
}

/* Who writes a document in his version over one of another must be allowed to by their matrix. */
static bool check_versions(SyncdChange *change, const SyncdReach *reach, GError **error)
{
    bool there, back = false;
    g_auto(SyncdManifest) onward = {0}, backward = {0};
    g_auto(SyncdMigrationEnd) before = end_of(change->previous), now = end_of(change->record);
    if (!change->present || change->migrates || is_end(&before, &now))
        return true;
    if (!leads(change->service, reach, &before, &now, &onward, &there, error) ||
        (!there && !leads(change->service, reach, &now, &before, &backward, &back, error)))
        return false;
    if ((!there && !back) ||
        (there && syncd_migration_lets(onward.record, "to", "from", "write")) ||
        (back && syncd_migration_lets(backward.record, "from", "to", "write")))
        return true;
    syncd_service_note_policy(change->service, change->caller, "write", "migration_required");
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED,
                         there ? "migrate it with `sourceos-syncd migrations apply`, then change it"
                               : "use a program that knows the object's version",
                         "/record/schema_version: the migration %s does not let programs of the "
                         "version %s write documents of the version %s (migration_required)",
                         (there ? &onward : &backward)->migration->id, now.schema_version,
                         before.schema_version);
    return false;
}

/* What was active by a schema is held to it, whoever changes it now. */
static bool is_held(const SyncdRecordRow *row)
{
    return strcmp(row->state, SYNCD_STATE_QUARANTINED) != 0 &&
           strcmp(row->state, syncd_family_end_state(row->family)) != 0;
}

static bool find_schema(SyncdService *service, const SyncdReach *reach, const char *name, bool held,
                        SyncdRecordRow *ret_row, bool *ret_known, GError **error)
{
    g_auto(SyncdRecordRow) row = {0};
    bool known, reached = held;
    if (!syncd_registry_find_live(service, SYNCD_FAMILY_SCHEMA, name, &row, &known, error) ||
        (known && !held && !syncd_service_reaches_record(service, reach, &row, &reached, error)))
        return false;
    *ret_known = known && reached;
    if (*ret_known) {
        *ret_row = row;
        row = (SyncdRecordRow){0};
    }
    return true;
}

/* Whom a change is by, where it is the daemon's own part of something else. */
static bool find_mandate(const SyncdChange *change, SyncdMandate **ret_mandate, GError **error)
{
    if (change->mandate == NULL)
        return syncd_service_mandate_of_actor(change->service, change->actor, ret_mandate, error);
    *ret_mandate = syncd_mandate_ref(change->mandate);
    return true;
}

/* An object is what its schema says; without one nobody knows what it is. */
bool syncd_registry_judge_object(SyncdChange *change, GError **error)
{
    bool known;
    g_auto(SyncdRecordRow) row = {0};
    g_autoptr(SyncdMandate) mandate = NULL;
    g_auto(SyncdMigrationEnd) end = end_of(change->record), before = end_of(change->previous);
    g_autofree char *schema = syncd_migration_end_name(&end),
                    *workspace = syncd_record_member(change->record, "workspace_id"),
                    *profile = syncd_record_member(change->record, "profile_id");
    bool held = change->present && is_held(&change->row) && is_end(&before, &end);
    if (!find_mandate(change, &mandate, error))
        return false;
    const SyncdReach reach = {false, mandate, workspace, profile};
    if (!find_schema(change->service, &reach, schema, held, &row, &known, error))
        return false;
    g_free(change->state);
    change->state = g_strdup(known ? SYNCD_STATE_ACTIVE : SYNCD_STATE_QUARANTINED);
    return (!known || demand(change, &row, error)) && check_versions(change, &reach, error);
}

/* ---- how an object stands ---- */

typedef struct {
    const SyncdReach *reach;
    const SyncdMigrationEnd *end;
} Newer;

static bool is_newer(SyncdService *service, const SyncdRecordRow *row, void *data, bool *ret_is,
                     GError **error)
{
    const Newer *newer = data;
    const char *version = row->id + strlen(newer->end->schema_id) + strlen("@");
    *ret_is = syncd_schema_version_compare(version, newer->end->schema_version) > 0;
    return !*ret_is || syncd_service_reaches_record(service, newer->reach, row, ret_is, error);
}

static bool has_newer(SyncdService *service, const SyncdReach *reach, const SyncdMigrationEnd *end,
                      bool *ret_newer, GError **error)
{
    Newer newer = {reach, end};
    return syncd_registry_find_active(service, SYNCD_FAMILY_SCHEMA, end->schema_id, is_newer,
                                      &newer, ret_newer, error);
}

static bool find_standing(SyncdService *service, const SyncdReach *reach, bool held,
                          const SyncdMigrationEnd *end, const char **ret_reason, GError **error)
{
    bool known, older = false;
    g_auto(SyncdRecordRow) schema = {0};
    g_auto(SyncdManifest) manifest = {0};
    g_autofree char *name = syncd_migration_end_name(end);
    if (!find_schema(service, reach, name, held, &schema, &known, error) ||
        (known && !has_newer(service, reach, end, &older, error)) ||
        (known && !older && !syncd_manifest_find(service, reach, end, &manifest, &older, error)))
        return false;
    *ret_reason = !known ? "schema_unknown" : older ? "migration_required" : NULL;
    return true;
}

/* All that an answer depends on, while nothing changes. */
static char *key_of(const SyncdView *view, const SyncdRecordRow *row, bool held,
                    const SyncdMigrationEnd *end)
{
    const char *viewer = view->actor != NULL ? view->actor : "";
    if (view->all)
        return g_strdup_printf("* %s %s", end->schema_id, end->schema_version);
    return g_strdup_printf("%s %d %s %s %s %s", viewer, held, row->columns[SYNCD_COLUMN_WORKSPACE],
                           row->columns[SYNCD_COLUMN_PROFILE], end->schema_id, end->schema_version);
}

static bool judge_standing(SyncdService *service, const SyncdView *view, const SyncdRecordRow *row,
                           bool held, const SyncdMigrationEnd *end, const char **ret_reason,
                           GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    if (!view->all && !syncd_service_mandate_of_actor(service, view->actor, &mandate, error))
        return false;
    const SyncdReach reach = {view->all, mandate, row->columns[SYNCD_COLUMN_WORKSPACE],
                              row->columns[SYNCD_COLUMN_PROFILE]};
    return find_standing(service, &reach, held, end, ret_reason, error);
}

static void forget_standings(SyncdService *service)
{
    guint64 registries = syncd_store_registries(service->store);
    guint64 sequence = syncd_store_sequence(service->store);
    if (service->standings == NULL)
        service->standings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (service->standings_of != registries || service->standings_sequence != sequence ||
        g_hash_table_size(service->standings) == STANDINGS_MAX)
        g_hash_table_remove_all(service->standings);
    service->standings_of = registries;
    service->standings_sequence = sequence;
}

/* A page of objects has few schemas, and nothing changes while it is written. */
bool syncd_registry_standing(SyncdService *service, const SyncdView *view,
                             const SyncdRecordRow *row, SyncdJson record, const char **ret_reason,
                             GError **error)
{
    gpointer known;
    bool held = is_held(row);
    g_auto(SyncdMigrationEnd) end = end_of(record);
    g_autofree char *key = key_of(view, row, held, &end);
    forget_standings(service);
    if (g_hash_table_lookup_extended(service->standings, key, NULL, &known)) {
        *ret_reason = known;
        return true;
    }
    if (!judge_standing(service, view, row, held, &end, ret_reason, error))
        return false;
    g_hash_table_insert(service->standings, g_steal_pointer(&key), (gpointer)*ret_reason);
    return true;
}
