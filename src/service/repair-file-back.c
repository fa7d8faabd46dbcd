/*
 * What is recorded of a file becomes again what it was before a repair, while the file itself has
 * the bytes that were found then: the record of the version is written once more, as a further one,
 * and that other bytes were found. Nothing of the file is touched.
 */
#include "service/file-mismatch.h"
#include "service/repair-file.h"
#include "store/chunks.h"

/* What is found out of a workspace that is not at rest is known in a moment. */
bool syncd_repair_file_wait_if_busy(SyncdRepairAct *act, GError *problem, bool *ret_more,
                                    GError **error)
{
    *ret_more = true;
    if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_BUSY)) {
        g_propagate_error(error, problem);
        return false;
    }
    g_error_free(problem);
    return syncd_repair_file_wait(act, error);
}

typedef struct {
    SyncdRepairAct *act;
    const SyncdRepairFile *file;
    const SyncdRepairFileNote *note;
    char object[SYNCD_FILE_ID_SIZE], folder[SYNCD_FILE_ID_SIZE];
    SyncdContentRow content;
    bool kept; /* it is that of the version */
} Undoing;

static void undoing_clear(Undoing *undoing)
{
    syncd_content_row_clear(&undoing->content);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Undoing, undoing_clear)

static bool find_version(Undoing *self, GError **error)
{
    SyncdStore *store = self->act->service->store;
    const SyncdFileRow *row = &self->file->row;
    bool found;
    if (!syncd_store_file_id(store, row->id, self->object, error) ||
        !syncd_store_file_id(store, row->folder, self->folder, error) ||
        !syncd_store_find_content(store, row->id, self->note->version, &self->content, &found,
                                  error))
        return false;
    self->kept = found && self->content.version == self->note->version;
    return true;
}

static bool record(Undoing *self, const char *kind, GString *text, GError **error)
{
    SyncdService *service = self->act->service;
    g_autofree char *operation = syncd_service_new_operation(service);
    guint64 pos;
    const SyncdFilesDraft draft = {
        .kind = kind,
        .operation = operation,
        .content = SYNCD_BYTES(text->str, text->len),
        .caller = &self->act->caller,
    };
    return syncd_service_record_files(service, self->file->root, &draft, &pos, error);
}

static bool write_version(Undoing *self, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const SyncdFileRow *row = &self->file->row;
    const SyncdRepairFileNote *note = self->note;
    SyncdFileChangesWriter writer;
    SyncdFileChange change = {
        .object = SYNCD_BYTES_TEXT(self->object),
        .folder = SYNCD_BYTES_TEXT(self->folder),
        .name = SYNCD_BYTES(row->name, row->name_size),
        .kind = row->kind,
        .mode = row->mode,
        .size = note->size,
        .mtime = note->mtime,
        .hashed = true,
        .hash = note->recorded,
        .restored_from = SYNCD_BYTES_TEXT(self->object),
        .restored_version = note->version,
    };
    if (self->kept)
        change.content = (SyncdFileContent){
            .kept = true,
            .chunks = {g_bytes_get_data(self->content.chunks, NULL),
                       g_bytes_get_size(self->content.chunks)},
        };
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_RESTORE);
    syncd_file_changes_add(&writer, &change);
    syncd_file_changes_end(&writer);
    return record(self, "object.changed", text, error);
}

static bool write_found(Undoing *self, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const SyncdFileRow *row = &self->file->row;
    SyncdFileChangesWriter writer;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_RESTORE);
    syncd_file_changes_add_checked(&writer, self->object, row->size, row->mtime,
                                   &self->note->found);
    syncd_file_changes_end(&writer);
    return record(self, SYNCD_FILES_CHECKED, text, error);
}

/* Both, or none. */
bool syncd_repair_file_write_back(SyncdRepairAct *act, const SyncdRepairFile *file,
                                  const SyncdRepairFileNote *note, bool *ret_more, GError **error)
{
    g_auto(Undoing) undoing = {.act = act, .file = file, .note = note};
    GError *failure = NULL;
    *ret_more = false;
    if (!syncd_file_check_rest(act->service, file->root, &failure))
        return syncd_repair_file_wait_if_busy(act, failure, ret_more, error);
    if (!find_version(&undoing, error) || !syncd_service_begin_whole(act->service, error))
        return false;
    bool done = write_version(&undoing, &failure) && write_found(&undoing, &failure);
    if (!syncd_service_end_whole(act->service, done, &failure, error) ||
        !syncd_service_commit_turn(act->service, error))
        return false;
    if (!undoing.kept)
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("The digest of version %" G_GUINT64_FORMAT " of %s; its "
                                        "bytes are not kept",
                                        note->version, act->object));
    return true;
}
