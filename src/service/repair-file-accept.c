/*
 * What is in a file becomes a version of it, as by `workspace accept`: the file stays as it is, and
 * what was recorded is an older version.
 *
 * The way back writes the record of that version once more, as a further one, and that other bytes
 * were found in the file. Its content is that of the older version, as far as that is still kept;
 * of the file itself nothing is touched.
 */
#include "service/file-mismatch.h"
#include "service/repair-file.h"
#include "store/chunks.h"

/* What is found out of a workspace that is not at rest is known in a moment. */
static bool wait_if_busy(SyncdRepairAct *act, GError *problem, bool *ret_more, GError **error)
{
    *ret_more = true;
    if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_BUSY)) {
        g_propagate_error(error, problem);
        return false;
    }
    g_error_free(problem);
    return syncd_repair_file_wait(act, error);
}

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    SyncdRepairFileNote note;
    SyncdAccepted accepted = {NULL};
    GError *problem = NULL;
    *ret_more = false;
    if (!syncd_repair_file_note(act, &note))
        return syncd_repair_file_refuse(act, error);
    if (!syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    SyncdFileNow now = syncd_repair_file_now(&file, &note);
    if (now == SYNCD_FILE_IS_FOUND)
        return true;
    if (now != SYNCD_FILE_DIFFERS || file.root == NULL)
        return syncd_repair_file_refuse(act, error);
    if (!syncd_file_accept(act->service, file.root, &act->caller, &file.row, &note.found, &accepted,
                           &problem))
        return wait_if_busy(act, problem, ret_more, error);
    syncd_accepted_clear(&accepted);
    return true;
}

static bool check(SyncdRepairAct *act, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    SyncdRepairFileNote note;
    if (!syncd_repair_file_note(act, &note) ||
        !syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    if (syncd_repair_file_now(&file, &note) != SYNCD_FILE_IS_FOUND)
        return syncd_repair_file_refuse(act, error);
    g_ptr_array_add(act->rebuilt,
                    g_strdup_printf("The record of %s, as what is in it", act->object));
    g_ptr_array_add(act->preserved, g_strdup_printf("%s itself, and version %" G_GUINT64_FORMAT
                                                    " of it as an older one",
                                                    act->object, note.version));
    return true;
}

/* ---- back ---- */

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
    const SyncdRepairFileNote *note = self->note;
    SyncdFileChangesWriter writer;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_RESTORE);
    syncd_file_changes_add_checked(&writer, self->object, note->found_size, note->found_mtime,
                                   &note->found);
    syncd_file_changes_end(&writer);
    return record(self, SYNCD_FILES_CHECKED, text, error);
}

/* Both, or none. */
static bool write_back(SyncdRepairAct *act, const SyncdRepairFile *file,
                       const SyncdRepairFileNote *note, GError **error)
{
    g_auto(Undoing) undoing = {.act = act, .file = file, .note = note};
    GError *failure = NULL;
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

static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    SyncdRepairFileNote note;
    GError *problem = NULL;
    *ret_more = false;
    syncd_repair_file_turn(act);
    if (!syncd_repair_file_note(act, &note))
        return true;
    if (!syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    SyncdFileNow now = syncd_repair_file_now(&file, &note);
    if (now == SYNCD_FILE_DIFFERS || now == SYNCD_FILE_IS_RECORDED)
        return true;
    if (now == SYNCD_FILE_IS_OTHER || file.root == NULL) {
        syncd_repair_file_leave(act);
        return true;
    }
    if (!syncd_file_check_rest(act->service, file.root, &problem))
        return wait_if_busy(act, problem, ret_more, error);
    return write_back(act, &file, &note, error);
}

const SyncdRepairKind syncd_repair_file_accept = {
    .name = "file-accept",
    .kind = "reconcile",
    .risk = "medium",
    .description =
        "Record the bytes that are in a file as a new version of it; the file stays as it "
        "is. Taking that back records the earlier version once more, with its bytes as "
        "far as they are still kept.",
    .expected_result = "The record of the file is what is in it.",
    .of_file = true,
    .begin = syncd_repair_file_begin,
    .step = step,
    .check = check,
    .undo = undo,
    .stop = syncd_repair_file_stop,
};
