/* The folders on the way to a file that is brought back. */
#include "workspace/restore-private.h"

#define FOLDER_MODE 0755 /* of one that nobody knows */

/* ---- finding them ---- */

/* One step down, if that is there. */
static bool find_in(SyncdWorkspace *self, const SyncdFileRow *folder, const char *name,
                    SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    return syncd_store_find_file_in(syncd_service_store(self->service), folder->id,
                                    SYNCD_BYTES_TEXT(name), ret_row, ret_found, error);
}

/* The folder that it goes to, or how far that is there. */
static bool find_folder(SyncdWorkspace *self, bool *ret_found, GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    SyncdStore *store = syncd_service_store(self->service);
    SyncdFileRow row;
    g_auto(GStrv) names = g_strsplit(restoring->what->folder, "/", -1);
    g_autoptr(GString) path = g_string_new(NULL);
    if (!syncd_store_find_workspace_folder(store, self->root->scope_id, &row, ret_found, error))
        return false;
    g_clear_pointer(&restoring->missing, g_free);
    restoring->depth = 0;
    for (size_t i = 0; *ret_found && names[i] != NULL; i++) {
        SyncdFileRow next;
        if (!find_in(self, &row, names[i], &next, ret_found, error))
            return false;
        *ret_found = *ret_found && next.kind == SYNCD_FILE_FOLDER;
        if (!*ret_found) {
            restoring->missing = g_strdup(names[i]);
            break;
        }
        g_string_append_printf(path, "%s%s", i > 0 ? "/" : "", names[i]);
        restoring->depth++;
        row = next;
    }
    syncd_folder_clear(&restoring->folder);
    restoring->folder = (SyncdFolder){.id = row.id, .path = g_strdup(path->str)};
    return (!*ret_found && restoring->missing == NULL) ||
           syncd_store_file_id(store, row.id, restoring->folder.object, error);
}

static void make_folder(SyncdWorkspace *self)
{
    SyncdRestoring *restoring = self->restoring;
    const GArray *modes = restoring->what->modes;
    guint32 mode =
        restoring->depth < modes->len ? g_array_index(modes, guint32, restoring->depth) : 0;
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_PLACE,
        .flags = SYNCD_WIRE_FOLDER,
        .path = SYNCD_BYTES_TEXT(restoring->folder.path),
        .name = SYNCD_BYTES_TEXT(restoring->missing),
        .stat = {.kind = SYNCD_FILE_FOLDER,
                 .mode = mode != 0 ? mode & SYNCD_RESTORE_MODE_BITS : FOLDER_MODE},
    };
    restoring->tried = restoring->depth + 1;
    restoring->stage = SYNCD_RESTORE_MAKE;
    self->restoring->request = syncd_workspace_place(self, &request);
}

bool syncd_restoring_locate(SyncdWorkspace *self, bool *ret_more, GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    bool found;
    if (!find_folder(self, &found, error))
        return false;
    *ret_more = true;
    if (found)
        restoring->stage = SYNCD_RESTORE_LOOK;
    else if (restoring->what->offers || restoring->what->accepts)
        syncd_restoring_fail_stale(self);
    else if (restoring->missing != NULL && restoring->tried <= restoring->depth)
        make_folder(self);
    else
        syncd_restoring_fail(self, SYNCD_ERROR_FAILED,
                             "try again, or restore it to another place with --to",
                             "its folder cannot be recorded");
    return true;
}

/* ---- one that was made ---- */

static void on_entered(void *data, const GError *error)
{
    SyncdRestoring *restoring = data;
    SyncdWorkspace *self = restoring->workspace;
    if (self == NULL) {
        syncd_restoring_free(restoring);
        return;
    }
    const SyncdFolder *made = &restoring->made;
    restoring->commits = false;
    restoring->stage = SYNCD_RESTORE_LOCATE;
    /* Only now, as without its entry nothing that is in it may be recorded. */
    if (error == NULL) {
        syncd_workspace_add_folder(self, made->id, made->object, made->path, true);
    } else {
        syncd_workspace_end_restore(self, error);
        syncd_workspace_fail(self, error);
    }
    syncd_workspace_go_on(self);
}

/* It is there because of whoever restores something into it. */
bool syncd_restoring_enter(SyncdWorkspace *self, const SyncdFileStat *stat, GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *operation = syncd_service_new_operation(self->service);
    SyncdFileSeen seen = syncd_file_seen(stat);
    SyncdFileChangesWriter writer;
    guint64 pos;
    const SyncdFileChange change =
        syncd_file_change(stat, SYNCD_BYTES_TEXT(restoring->folder.object),
                          SYNCD_BYTES_TEXT(restoring->missing), SYNCD_BYTES_TEXT(""), NULL);
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_RESTORE);
    syncd_file_changes_add(&writer, &change);
    syncd_file_changes_end(&writer);
    const SyncdFilesDraft draft = {
        .kind = "object.created",
        .operation = operation,
        .content = SYNCD_BYTES(text->str, text->len),
        .caller = &restoring->what->caller,
    };
    syncd_folder_clear(&restoring->made);
    restoring->made.path =
        syncd_folder_path(&restoring->folder, SYNCD_BYTES_TEXT(restoring->missing));
    if (!syncd_service_record_files(self->service, self->root, &draft, &pos, error))
        return false;
    restoring->made.id = syncd_file_place(pos, 0);
    syncd_file_id(SYNCD_BYTES_TEXT(operation), 0, restoring->made.object);
    syncd_store_see_file(syncd_service_store(self->service), restoring->made.id, pos, &seen);
    restoring->stage = SYNCD_RESTORE_ENTER;
    restoring->commits = true;
    syncd_service_after_commit(self->service, on_entered, restoring);
    return true;
}

void syncd_restoring_take_made(SyncdWorkspace *self)
{
    SyncdRestoring *restoring = self->restoring;
    restoring->stage = SYNCD_RESTORE_LOCATE;
    syncd_workspace_add_name(self, restoring->folder.id, SYNCD_BYTES_TEXT(restoring->missing),
                             false);
}
