#include "service/file-step.h"

#include "base/json-writer.h"

#include <string.h>

/* ---- reading ---- */

/* The content that was purged tells nothing, and takes nothing from the other steps. */
static void open_body(SyncdFileEntries *entries, guint64 *cost)
{
    if (entries->opened)
        return;
    entries->opened = true;
    if (!syncd_store_read_body(entries->service->store, &entries->entry, &entries->body, NULL) ||
        !syncd_json_check(entries->body.content, entries->body.content_size,
                          SYNCD_JSON_MUST_BE_OBJECT, NULL))
        syncd_body_clear(&entries->body);
    *cost += entries->body.content_size;
}

static void take(const SyncdFileChange *change, SyncdFileFacts *facts)
{
    if (change->kind == 0 || change->folder.size >= sizeof facts->folder ||
        change->name.size > SYNCD_FILE_NAME_MAX)
        return;
    facts->known = true;
    facts->kind = change->kind;
    facts->mode = change->mode;
    facts->size = change->size;
    facts->hashed = change->hashed;
    facts->hash = change->hash;
    facts->name_size = change->name.size;
    if (change->folder.size > 0)
        memcpy(facts->folder, change->folder.data, change->folder.size);
    if (change->name.size > 0)
        memcpy(facts->name, change->name.data, change->name.size);
}

bool syncd_file_facts_read(SyncdFileEntries *entries, const SyncdFileStep *step,
                           SyncdFileFacts *ret_facts, guint64 *cost, GError **error)
{
    guint64 pos = syncd_file_place_pos(step->place);
    g_auto(SyncdFileChangesReader) reader = {0};
    SyncdFileChange change;
    *ret_facts = (SyncdFileFacts){.step = *step};
    if (!syncd_file_entries_read(entries, pos, error))
        return false;
    open_body(entries, cost);
    if (entries->body.content == NULL)
        return true;
    syncd_file_changes_read(&reader,
                            syncd_json_root(entries->body.content, entries->body.content_size));
    while (syncd_file_changes_next(&reader, &change))
        if (syncd_file_place(pos, reader.number) == step->place) {
            take(&change, ret_facts);
            break;
        }
    return true;
}

/* ---- writing ---- */

static const struct {
    const char *kind, *change;
} changes[] = {
    {"object.created", "created"},    {"object.changed", "changed"},
    {"object.deleted", "deleted"},    {SYNCD_FILES_IGNORED, "ignored"},
    {SYNCD_FILES_CHECKED, "checked"},
};

static void write_facts(const SyncdFileFacts *facts, SyncdJsonWriter *writer)
{
    syncd_json_member_string(writer, "kind", syncd_file_kind_name(facts->kind));
    syncd_json_member_uint(writer, "mode", facts->mode);
    syncd_json_member_uint(writer, "size", facts->size);
    if (facts->hashed)
        syncd_file_hash_write(&facts->hash, writer);
    if (facts->name_size > 0)
        syncd_file_bytes_write(writer, "name", "name_base64",
                               SYNCD_BYTES(facts->name, facts->name_size));
}

static void write_differences(const SyncdFileFacts *now, const SyncdFileFacts *before,
                              SyncdJsonWriter *writer)
{
    const struct {
        const char *name;
        bool differs;
    } differences[] = {
        {"kind", now->kind != before->kind},
        {"content",
         now->hashed != before->hashed || memcmp(&now->hash, &before->hash, sizeof now->hash) != 0},
        {"mode", now->mode != before->mode},
        {"name", now->name_size != before->name_size ||
                     memcmp(now->name, before->name, now->name_size) != 0},
        {"folder", strcmp(now->folder, before->folder) != 0},
    };
    syncd_json_name(writer, "differences");
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++)
        if (differences[i].differs)
            syncd_json_string(writer, differences[i].name);
    syncd_json_end_array(writer);
}

bool syncd_file_facts_write(SyncdFileEntries *entries, const SyncdFileFacts *facts,
                            const SyncdFileFacts *before, GString *out, GError **error)
{
    SyncdJsonWriter writer;
    if (!syncd_file_entries_read(entries, syncd_file_place_pos(facts->step.place), error))
        return false;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        if (syncd_bytes_are(entries->entry.header.kind, changes[i].kind))
            syncd_json_member_string(&writer, "change", changes[i].change);
    syncd_json_member_uint(&writer, "version", facts->step.version);
    syncd_json_member_bool(&writer, "kept", facts->step.kept);
    if (facts->fault != NULL)
        syncd_json_member_string(&writer, "content_fault", facts->fault);
    if (facts->known)
        write_facts(facts, &writer);
    if (facts->known && before != NULL && before->known)
        write_differences(facts, before, &writer);
    syncd_file_entry_write(entries->service, &entries->entry, &writer);
    syncd_json_end_object(&writer);
    return true;
}
