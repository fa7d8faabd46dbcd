/* The workspaces that are directories here, as others see them. */
#include "service/file-reading.h"

#include "base/json-writer.h"
#include "service/files.h"
#include "service/internal.h"
#include "store/files.h"

#include <string.h>

static void write_counts(const SyncdFileCounts *counts, SyncdJsonWriter *writer)
{
    syncd_json_member_uint(writer, "files", counts->files);
    syncd_json_member_uint(writer, "folders", counts->folders);
    syncd_json_member_uint(writer, "symlinks", counts->symlinks);
    syncd_json_member_uint(writer, "size", counts->size);
    syncd_json_member_uint(writer, "mismatched", counts->mismatched);
}

static void write_member(SyncdJson record, const char *name, SyncdJsonWriter *writer)
{
    SyncdJson value = syncd_json_member(record, name);
    if (value.type == SYNCD_JSON_STRING)
        syncd_json_member_value(writer, name, value);
}

static void write_standing(SyncdService *service, const char *root, SyncdJsonWriter *writer)
{
    SyncdRootStanding standing;
    const SyncdListener *listener = &service->listener;
    if (listener->standing == NULL || !listener->standing(listener->data, root, &standing))
        return;
    syncd_json_member_string(writer, "recording", standing.state);
    if (standing.reason != NULL)
        syncd_json_member_string(writer, "recording_reason", standing.reason);
    syncd_json_member_uint(writer, "folders_scanned", standing.folders);
    syncd_json_member_uint(writer, "waiting", standing.waiting);
    syncd_json_member_uint(writer, "unreadable", standing.unreadable);
    syncd_json_member_uint(writer, "skipped", standing.skipped);
    syncd_json_member_uint(writer, "ignored", standing.ignored);
    syncd_json_member_uint(writer, "unruled", standing.unruled);
    syncd_json_member_bool(writer, "unwatched", standing.unwatched);
}

/* One whose record cannot be read is there all the same. */
static bool write_root(SyncdService *service, const SyncdRecordRow *row,
                       const SyncdFileCounts *counts, SyncdJsonWriter *writer, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    SyncdJson record = {0};
    if (!syncd_store_read(service->store, row->pos, &entry, error))
        return false;
    if (syncd_store_read_body(service->store, &entry, &body, NULL) &&
        syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        record = syncd_json_root(body.content, body.content_size);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "workspace_id", row->columns[SYNCD_COLUMN_WORKSPACE]);
    syncd_json_member_string(writer, "directory", row->columns[SYNCD_COLUMN_TYPE]);
    syncd_json_member_string(writer, "state", row->state);
    write_member(record, "pause_cause", writer);
    write_member(record, "pause_reason", writer);
    syncd_json_member_string(writer, "root_id", row->id);
    write_member(record, "created_at", writer);
    write_member(record, "updated_at", writer);
    write_counts(counts, writer);
    write_standing(service, row->id, writer);
    syncd_json_end_object(writer);
    return true;
}

typedef struct {
    GHashTable *counts; /* id of a scope -> SyncdFileCounts */
    SyncdJsonWriter *writer;
} Listing;

static bool add_root(SyncdService *service, const SyncdRecordRow *row, void *data, GError **error)
{
    static const SyncdFileCounts none;
    const Listing *listing = data;
    const SyncdFileCounts *of_workspace = NULL;
    const char *class, *name;
    g_autoptr(SyncdScope) scope = NULL;
    if (syncd_scope_parse(row->columns[SYNCD_COLUMN_WORKSPACE], &class, &name, NULL) &&
        !syncd_store_find_scope(service->store, class, name, &scope, error))
        return false;
    if (scope != NULL)
        of_workspace = g_hash_table_lookup(listing->counts, scope->id);
    return write_root(service, row, of_workspace != NULL ? of_workspace : &none, listing->writer,
                      error);
}

static bool add_roots(SyncdService *service, SyncdJsonWriter *writer, GError **error)
{
    g_autoptr(GHashTable) counts = NULL;
    if (!syncd_store_count_files(service->store, &counts, error))
        return false;
    Listing listing = {counts, writer};
    return syncd_service_each_root(service, add_root, &listing, error);
}

char *syncd_service_list_workspaces(SyncdService *service, const SyncdCaller *caller,
                                    GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SyncdJsonWriter writer;
    bool may;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_array(&writer);
    if (!syncd_service_may_read_files(service, caller, &may, error) ||
        (may && !add_roots(service, &writer, error)))
        return NULL;
    syncd_json_end_array(&writer);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
