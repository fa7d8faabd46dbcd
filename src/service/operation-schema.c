/* What the schema of an object demands of the bodies of operations about it. */
#include "service/registry.h"

#define SCHEMA_MEMBER "operation_schema" /* of the schema's record */
#define OBJECTS_MAX 4096u
#define SCHEMAS_MAX 64u

/* Entries never change, so their numbers name what was made of them. */
struct SyncdOperationSchemas {
    GHashTable *of_objects; /* number of an object's record -> that of its schema; 0: it has none */
    GHashTable *compiled; /* number of a schema's record -> SyncdSchema; NULL: it demands nothing */
    guint64 registries;   /* as of which the first one holds */
};

static guint64 *number(guint64 pos)
{
    guint64 *copy = g_new(guint64, 1);
    *copy = pos;
    return copy;
}

SyncdOperationSchemas *syncd_operation_schemas_new(void)
{
    SyncdOperationSchemas *self = g_new0(SyncdOperationSchemas, 1);
    self->of_objects = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    self->compiled = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                           (GDestroyNotify)syncd_schema_free);
    return self;
}

void syncd_operation_schemas_free(SyncdOperationSchemas *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->of_objects);
    g_hash_table_unref(self->compiled);
    g_free(self);
}

bool syncd_operation_schema_compile(SyncdJson record, SyncdSchema **ret_schema, GError **error)
{
    SyncdJson member = syncd_json_member(record, SCHEMA_MEMBER);
    *ret_schema = NULL;
    if (member.type == SYNCD_JSON_NONE || member.type == SYNCD_JSON_NULL)
        return true;
    *ret_schema =
        syncd_schema_compile(SYNCD_BYTES(member.at, syncd_json_size(member)), NULL, error);
    if (*ret_schema != NULL)
        return true;
    g_prefix_error(error, "/record/" SCHEMA_MEMBER ": ");
    return false;
}

/* ---- which schema ---- */

static bool find_schema(SyncdService *service, const SyncdRecordRow *object,
                        SyncdRecordRow *ret_row, bool *ret_found, GError **error)
{
    SyncdJson record;
    g_auto(SyncdBody) body = {0};
    if (!syncd_registry_read(service, object, &body, &record, error))
        return false;
    g_autofree char *id = syncd_record_member(record, "schema_id"),
                    *version = syncd_record_member(record, "schema_version"),
                    *name = g_strconcat(id, "@", version, NULL);
    return syncd_registry_find_live(service, SYNCD_FAMILY_SCHEMA, name, ret_row, ret_found, error);
}

static bool compile(SyncdService *service, const SyncdRecordRow *row, GError **error)
{
    SyncdJson record;
    SyncdSchema *schema;
    g_auto(SyncdBody) body = {0};
    GHashTable *compiled = service->operation_schemas->compiled;
    if (g_hash_table_contains(compiled, &row->pos))
        return true;
    if (!syncd_registry_read(service, row, &body, &record, error) ||
        !syncd_operation_schema_compile(record, &schema, error))
        return false;
    if (g_hash_table_size(compiled) >= SCHEMAS_MAX)
        g_hash_table_remove_all(compiled);
    g_hash_table_insert(compiled, number(row->pos), schema);
    return true;
}

static bool find(SyncdService *service, const SyncdRecordRow *object,
                 const SyncdSchema **ret_schema, GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    SyncdOperationSchemas *self = service->operation_schemas;
    guint64 registries = syncd_store_registries(service->store);
    if (self->registries != registries || g_hash_table_size(self->of_objects) >= OBJECTS_MAX)
        g_hash_table_remove_all(self->of_objects);
    self->registries = registries;
    *ret_schema = NULL;
    const guint64 *known = g_hash_table_lookup(self->of_objects, &object->pos);
    if (known != NULL && *known == 0)
        return true;
    if (known != NULL &&
        g_hash_table_lookup_extended(self->compiled, known, NULL, (void **)ret_schema))
        return true;
    if (!find_schema(service, object, &row, &found, error) ||
        (found && !compile(service, &row, error)))
        return false;
    *ret_schema = found ? g_hash_table_lookup(self->compiled, &row.pos) : NULL;
    g_hash_table_insert(self->of_objects, number(object->pos),
                        number(*ret_schema != NULL ? row.pos : 0));
    return true;
}

bool syncd_service_check_operation_schema(SyncdService *service, const SyncdRequest *request,
                                          GError **error)
{
    const SyncdRecordRow *object;
    const SyncdSchema *schema;
    if (*request->object == '\0' || g_strcmp0(request->lane, SYNCD_LANE_TOMBSTONE) == 0)
        return true;
    if (!syncd_service_known_record(service, SYNCD_FAMILY_OBJECT, request->object, &object, error))
        return false;
    return object == NULL ||
           (find(service, object, &schema, error) &&
            (schema == NULL ||
             syncd_schema_demand(schema, syncd_json_root(request->body.data, request->body.size),
                                 "/body", error)));
}
