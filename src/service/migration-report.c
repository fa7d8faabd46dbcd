#include "service/migration.h"

#include "base/json-writer.h"
#include "base/timestamp.h"

static void write_end(SyncdJsonWriter *writer, const char *name, const SyncdMigrationEnd *end)
{
    syncd_json_name(writer, name);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "schema_id", end->schema_id);
    syncd_json_member_string(writer, "schema_version", end->schema_version);
    syncd_json_end_object(writer);
}

static void write_losses(SyncdJsonWriter *writer, const SyncdMigration *migration)
{
    g_autoptr(GPtrArray) losses = syncd_migration_losses(migration);
    syncd_json_member_strings(writer, "losses", losses);
}

static void write_head(const SyncdMigrationPlan *plan, SyncdJsonWriter *writer)
{
    char digest[SYNCD_DIGEST_SIZE];
    const SyncdMigrationRequest *request = plan->request;
    syncd_migration_digest(plan->manifest.record, digest);
    syncd_json_member_string(writer, "schema", SYNCD_MIGRATION_REPORT_SCHEMA);
    syncd_json_member_string(writer, "migration_id", plan->manifest.migration->id);
    syncd_json_member_string(writer, "manifest_digest", digest);
    syncd_json_member_string(writer, "direction", request->run != NULL ? "rollback" : "forward");
    syncd_json_member_string(writer, "actor_id", plan->actor);
    if (request->run != NULL)
        syncd_json_member_string(writer, "rolls_back", request->run);
    write_end(writer, "from", plan->from);
    write_end(writer, "to", plan->to);
    syncd_json_member_bool(writer, "reversible", plan->back != NULL);
    write_losses(writer, plan->manifest.migration);
    syncd_json_member_value(writer, "compatibility",
                            syncd_json_member(plan->manifest.record, "compatibility"));
    syncd_json_member_string(writer, "cursor", request->cursor != NULL ? request->cursor : "");
    syncd_json_member_string(writer, "next_cursor", plan->next_cursor);
    syncd_json_member_uint(writer, "examined", plan->examined);
}

static void write_object(const SyncdMigrationObject *object, bool with_operation,
                         SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "object_id", object->object);
    syncd_json_member_uint(writer, "sequence", object->sequence);
    syncd_json_member_string(writer, "before", object->before);
    syncd_json_member_string(writer, "after", object->after);
    syncd_json_member_bool(writer, "reversible", object->reversible);
    if (with_operation && object->operation != NULL)
        syncd_json_member_string(writer, "operation", object->operation);
    syncd_json_end_object(writer);
}

static void write_failure(const SyncdMigrationObject *object, SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "object_id", object->object);
    syncd_json_member_uint(writer, "sequence", object->sequence);
    if (*object->before != '\0')
        syncd_json_member_string(writer, "digest", object->before);
    syncd_json_member_string(writer, "reason", object->reason);
    syncd_json_name(writer, "errors");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < object->errors->len; i++) {
        const SyncdMigrationError *error = &g_array_index(object->errors, SyncdMigrationError, i);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "path", error->path);
        syncd_json_member_string(writer, "sentence", error->sentence);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
    syncd_json_end_object(writer);
}

static void write_objects(const SyncdMigrationPlan *plan, bool with_operations,
                          SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "objects");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->objects->len; i++) {
        const SyncdMigrationObject *object = plan->objects->pdata[i];
        if (object->reason == NULL)
            write_object(object, with_operations, writer);
    }
    syncd_json_end_array(writer);
    syncd_json_name(writer, "failures");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->objects->len; i++) {
        const SyncdMigrationObject *object = plan->objects->pdata[i];
        if (object->reason != NULL)
            write_failure(object, writer);
    }
    syncd_json_end_array(writer);
}

/* What was planned and what was applied have one digest: it covers neither times nor entries. */
void syncd_migration_report_digest(SyncdMigrationPlan *plan)
{
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    write_head(plan, &writer);
    write_objects(plan, false, &writer);
    syncd_json_end_object(&writer);
    SyncdHash hash = syncd_hash_canonical(syncd_json_root(text->str, text->len));
    syncd_hash_to_digest(&hash, plan->digest);
}

char *syncd_migration_report_write(const SyncdMigrationPlan *plan, const char *status)
{
    char now[SYNCD_TIME_SIZE];
    SyncdJsonWriter writer;
    GString *text = g_string_new(NULL);
    syncd_time_format_ms(syncd_service_now_ms(plan->service), now);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    write_head(plan, &writer);
    syncd_json_member_string(&writer, "status", status);
    write_objects(plan, true, &writer);
    syncd_json_member_string(&writer, "digest", plan->digest);
    syncd_json_member_string(&writer, "generated_at", now);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}
