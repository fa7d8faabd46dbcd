#include "service/file-document.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "domain/file-changes.h"

void syncd_file_entries_clear(SyncdFileEntries *entries)
{
    syncd_entry_clear(&entries->entry);
}

/* Files that were found together have one. */
static bool read_entry(SyncdFileEntries *entries, guint64 pos, GError **error)
{
    if (entries->pos == pos)
        return true;
    syncd_entry_clear(&entries->entry);
    entries->entry = (SyncdEntry){0};
    entries->pos = 0;
    if (!syncd_store_read(entries->service->store, pos, &entries->entry, error))
        return false;
    entries->pos = pos;
    return true;
}

static void write_path(SyncdBytes path, SyncdJsonWriter *writer)
{
    if (g_utf8_validate(path.data, (gssize)path.size, NULL)) {
        syncd_json_name(writer, "path");
        syncd_json_string_sized(writer, path.data, path.size);
        return;
    }
    g_autofree char *base64 = g_base64_encode(path.data, path.size);
    syncd_json_member_string(writer, "path_base64", base64);
}

static void write_state(const SyncdFileRow *row, SyncdJsonWriter *writer)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_json_member_string(writer, "kind", syncd_file_kind_name(row->kind));
    syncd_json_member_uint(writer, "mode", row->mode);
    syncd_json_member_uint(writer, "size", row->size);
    syncd_json_member_int(writer, "mtime", row->mtime);
    if (row->hashed) {
        syncd_hash_to_hex(&row->hash, digits);
        syncd_json_member_string(writer, "sha256", digits);
    }
    syncd_json_member_uint(writer, "version", row->version);
}

static void write_text(SyncdJsonWriter *writer, const char *name, SyncdBytes text)
{
    syncd_json_name(writer, name);
    syncd_json_string_sized(writer, text.data, text.size);
}

/* What was recorded last about it, when and by whom. */
static void write_entry(const SyncdEntry *entry, SyncdJsonWriter *writer)
{
    char time[SYNCD_TIME_SIZE];
    syncd_time_format_ms(entry->header.hlc.ms, time);
    syncd_json_member_string(writer, "recorded_at", time);
    write_text(writer, "operation_id", entry->header.op);
    syncd_json_member_uint(writer, "sequence", entry->pos);
    write_text(writer, "actor_id", entry->header.actor);
    write_text(writer, "policy_decision_ref", entry->header.decision);
}

static const struct {
    const char *kind, *change;
} changes[] = {
    {"object.created", "created"},
    {"object.changed", "changed"},
    {"object.deleted", "deleted"},
};

bool syncd_file_step_write(SyncdFileEntries *entries, const SyncdFileStep *step, GString *out,
                           GError **error)
{
    SyncdJsonWriter writer;
    if (!read_entry(entries, syncd_file_place_pos(step->place), error))
        return false;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        if (syncd_bytes_are(entries->entry.header.kind, changes[i].kind))
            syncd_json_member_string(&writer, "change", changes[i].change);
    syncd_json_member_uint(&writer, "version", step->version);
    write_entry(&entries->entry, &writer);
    syncd_json_end_object(&writer);
    return true;
}

bool syncd_file_document_write(SyncdFileEntries *entries, const SyncdFileRow *row, SyncdBytes path,
                               GString *out, GError **error)
{
    char id[SYNCD_FILE_ID_SIZE];
    SyncdJsonWriter writer;
    if (!syncd_store_file_id(entries->service->store, row->id, id, error) ||
        !read_entry(entries, syncd_file_place_pos(row->changed), error))
        return false;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    write_path(path, &writer);
    syncd_json_member_string(&writer, "file_id", id);
    write_state(row, &writer);
    write_entry(&entries->entry, &writer);
    syncd_json_end_object(&writer);
    return true;
}
