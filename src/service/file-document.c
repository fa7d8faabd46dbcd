#include "service/file-document.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "domain/file-changes.h"
#include "service/file-mismatch.h"
#include "service/files.h"

void syncd_file_entries_clear(SyncdFileEntries *entries)
{
    syncd_entry_clear(&entries->entry);
    syncd_body_clear(&entries->body);
    syncd_content_faults_clear(&entries->faults);
}

bool syncd_file_entries_read(SyncdFileEntries *entries, guint64 pos, GError **error)
{
    if (entries->pos == pos)
        return true;
    syncd_entry_clear(&entries->entry);
    syncd_body_clear(&entries->body);
    entries->entry = (SyncdEntry){0};
    entries->body = (SyncdBody){0};
    entries->pos = 0;
    entries->opened = false;
    if (!syncd_store_read(entries->service->store, pos, &entries->entry, error))
        return false;
    entries->pos = pos;
    return true;
}

void syncd_file_hash_write(const SyncdHash *hash, SyncdJsonWriter *writer)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, digits);
    syncd_json_member_string(writer, "sha256", digits);
}

static void write_state(const SyncdFileRow *row, SyncdJsonWriter *writer)
{
    syncd_json_member_string(writer, "kind", syncd_file_kind_name(row->kind));
    syncd_json_member_uint(writer, "mode", row->mode);
    syncd_json_member_uint(writer, "size", row->size);
    syncd_json_member_int(writer, "mtime", row->mtime);
    if (row->hashed)
        syncd_file_hash_write(&row->hash, writer);
    syncd_json_member_uint(writer, "version", row->version);
}

static void write_text(SyncdJsonWriter *writer, const char *name, SyncdBytes text)
{
    syncd_json_name(writer, name);
    syncd_json_string_sized(writer, text.data, text.size);
}

bool syncd_service_is_by_nobody(SyncdService *service, const SyncdHeader *header)
{
    return syncd_bytes_are(header->schema_id, SYNCD_FILES_SCHEMA) &&
           syncd_bytes_are(header->actor, syncd_service_nobody(service));
}

void syncd_file_entry_write(SyncdService *service, const SyncdEntry *entry, SyncdJsonWriter *writer)
{
    char time[SYNCD_TIME_SIZE];
    syncd_time_format_ms(entry->header.hlc.ms, time);
    syncd_json_member_string(writer, "recorded_at", time);
    write_text(writer, "operation_id", entry->header.op);
    syncd_json_member_uint(writer, "sequence", entry->pos);
    write_text(writer, "actor_id", entry->header.actor);
    if (syncd_service_is_by_nobody(service, &entry->header))
        syncd_json_member_string(writer, "changed_by", "unknown");
    write_text(writer, "policy_decision_ref", entry->header.decision);
}

bool syncd_file_document_write(SyncdFileEntries *entries, const SyncdFileRow *row, SyncdBytes path,
                               GString *out, GError **error)
{
    char id[SYNCD_FILE_ID_SIZE];
    SyncdJsonWriter writer;
    if (!syncd_store_file_id(entries->service->store, row->id, id, error))
        return false;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_file_bytes_write(&writer, "path", "path_base64", path);
    syncd_json_member_string(&writer, "file_id", id);
    if (!row->live)
        syncd_json_member_string(&writer, "gone", row->ignored ? "ignored" : "deleted");
    write_state(row, &writer);
    if (!syncd_file_mismatch_write(entries, row, &writer, error) ||
        !syncd_file_entries_read(entries, syncd_file_place_pos(row->changed), error))
        return false;
    syncd_file_entry_write(entries->service, &entries->entry, &writer);
    syncd_json_end_object(&writer);
    return true;
}
