/*
 * Bringing a file back, while the workspace goes on as always: whenever it is at rest the next step
 * is done. A folder on the way that is gone is made, and recorded
 * (restore-folder.c); the name is looked at, so that
 * what is there is recorded before it is replaced; the kept bytes go to the reader, which puts them
 * in place; and that is recorded, as what whoever asked did.
 */
#include "workspace/restore-private.h"

#include "base/json-writer.h"
#include "service/file-mismatch.h"
#include "store/chunks.h"

#include <errno.h>
#include <string.h>

void syncd_restoring_free(SyncdRestoring *self)
{
    syncd_restore_free(self->what);
    syncd_folder_clear(&self->folder);
    syncd_folder_clear(&self->made);
    g_clear_pointer(&self->kept, g_bytes_unref);
    g_free(self->missing);
    g_free(self->operation);
    g_free(self);
}

static char *path_of(const SyncdRestore *what)
{
    return g_strdup_printf("%s%s%s", what->folder, *what->folder != '\0' ? "/" : "", what->name);
}

/* ---- the end ---- */

void syncd_workspace_end_restore(SyncdWorkspace *self, const GError *why)
{
    SyncdRestoring *restoring = g_steal_pointer(&self->restoring);
    if (restoring == NULL)
        return;
    syncd_workspace_end_copy(self);
    restoring->done(restoring->data, NULL, why);
    if (restoring->commits)
        restoring->workspace = NULL; /* whoever waits for the commit frees it */
    else
        syncd_restoring_free(restoring);
}

void syncd_restoring_fail(SyncdWorkspace *self, SyncdErrorCode code, const char *next,
                          const char *why)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of(self->restoring->what);
    g_autofree char *shown = g_utf8_make_valid(path, -1);
    bool made = self->restoring->made.path != NULL;
    syncd_set_error_next(&error, code, next, "%s was not %s: %s%s%s", shown,
                         syncd_restore_only_accepts(self->restoring->what) ? "accepted"
                                                                           : "restored",
                         why, made ? "; folders on the way to it were made" : "",
                         self->restoring->accepted ? "; what was there is recorded now" : "");
    syncd_workspace_end_restore(self, error);
}

/* It has its name, and what came after that failed. */
static void fail_placed(SyncdWorkspace *self, guint32 problem)
{
    g_autoptr(GError) error = NULL;
    const SyncdRestore *what = self->restoring->what;
    g_autofree char *path = path_of(what);
    g_autofree char *shown = g_utf8_make_valid(path, -1);
    syncd_set_error_next(&error, SYNCD_ERROR_FAILED,
                         what->over
                             ? "see to that, and compare it with .sourceos-replaced-… beside "
                               "it, which is what was there"
                             : "see to that",
                         "%s was put in its place, but that could not be made durable: %s", shown,
                         g_strerror((int)problem));
    syncd_workspace_end_restore(self, error);
}

static GError *unrecorded(const SyncdRestoring *self, const GError *why)
{
    GError *error = g_error_copy(why);
    if (self->what->accepts)
        return error;
    g_autofree char *path = path_of(self->what);
    g_autofree char *shown = g_utf8_make_valid(path, -1);
    g_prefix_error(&error, "%s was put in its place, but that is not recorded yet: ", shown);
    return error;
}

void syncd_restoring_fail_stale(SyncdWorkspace *self)
{
    syncd_restoring_fail(self, SYNCD_ERROR_STALE_DIGEST,
                         "see what would be done now, and agree to that",
                         "what is there has changed since that was shown");
}

static char *describe_accepted(const SyncdRestoring *self, const char *file)
{
    const SyncdAccepted accepted = {
        .file = (char *)file,
        .operation = self->operation,
        .version = self->version,
        .hash = self->what->expected,
    };
    return syncd_service_describe_accepted(&accepted);
}

static char *describe(const SyncdRestoring *self, const char *file)
{
    if (self->what->accepts)
        return describe_accepted(self, file);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    char digits[SYNCD_HASH_HEX_SIZE];
    g_autofree char *path = path_of(self->what);
    syncd_hash_to_hex(&self->what->hash, digits);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", "sourceos.workspace-restore/v1");
    syncd_json_member_string(&writer, "workspace_id", self->what->workspace);
    syncd_file_bytes_write(&writer, "path", "path_base64", SYNCD_BYTES_TEXT(path));
    syncd_json_member_string(&writer, "file_id", file);
    syncd_json_member_string(&writer, "operation_id", self->operation);
    syncd_json_member_uint(&writer, "version", self->version);
    syncd_json_member_uint(&writer, "size", self->what->size);
    syncd_json_member_string(&writer, "sha256", digits);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

/* What was there is a version by now, and may be replaced. */
static void replace_accepted(SyncdWorkspace *self)
{
    SyncdRestoring *restoring = self->restoring;
    restoring->commits = false;
    restoring->accepted = true;
    restoring->what->accepts = false;
    restoring->stage = SYNCD_RESTORE_CHECK;
    g_clear_pointer(&restoring->operation, g_free);
    syncd_workspace_go_on(self);
}

static void on_commit(void *data, const GError *error)
{
    SyncdRestoring *restoring = data;
    SyncdWorkspace *self = restoring->workspace;
    char file[SYNCD_FILE_ID_SIZE];
    if (self == NULL) {
        syncd_restoring_free(restoring);
        return;
    }
    if (error == NULL && restoring->what->accepts && !syncd_restore_only_accepts(restoring->what)) {
        replace_accepted(self);
        return;
    }
    restoring->commits = false;
    self->restoring = NULL;
    if (restoring->file == 0)
        syncd_file_id(SYNCD_BYTES_TEXT(restoring->operation), 0, file);
    g_autoptr(GError) problem = error != NULL ? unrecorded(restoring, error) : NULL;
    bool known = restoring->file == 0 || syncd_store_file_id(syncd_service_store(self->service),
                                                             restoring->file, file, NULL);
    g_autofree char *result = describe(restoring, known ? file : "");
    restoring->done(restoring->data, error == NULL ? result : NULL, problem);
    syncd_restoring_free(restoring);
    /* What is there was taken for recorded when it was looked at since. */
    if (error != NULL)
        syncd_workspace_fail(self, error);
    syncd_workspace_go_on(self);
}

/* ---- what it does ---- */

static bool check(SyncdWorkspace *self, GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    const SyncdRestore *what = restoring->what;
    SyncdFileRow row;
    bool found;
    if (!syncd_store_find_file_in(syncd_service_store(self->service), restoring->folder.id,
                                  SYNCD_BYTES_TEXT(what->name), &row, &found, error))
        return false;
    bool as_seen = found == what->over;
    if (found && what->over)
        as_seen =
            row.kind == SYNCD_FILE_REGULAR && row.hashed &&
            syncd_hash_equal(row.mismatched ? &row.mismatch.hash : &row.hash, &what->expected);
    if (!as_seen) {
        syncd_restoring_fail_stale(self);
        return true;
    }
    bool same = found && (what->kept_as != NULL || syncd_hash_equal(&row.hash, &what->hash));
    restoring->file = found ? row.id : 0;
    restoring->version = !found ? 1 : row.version + !same;
    restoring->stage =
        found && (what->keep_as != NULL || what->offers) ? SYNCD_RESTORE_COPY : SYNCD_RESTORE_SEND;
    return true;
}

static void end_offer(SyncdWorkspace *self)
{
    SyncdRestoring *restoring = g_steal_pointer(&self->restoring);
    restoring->done(restoring->data, "null", NULL);
    syncd_restoring_free(restoring);
}

void syncd_workspace_copied(SyncdWorkspace *self, const GError *problem)
{
    if (self->restoring != NULL && problem != NULL)
        syncd_workspace_end_restore(self, problem);
    else if (self->restoring != NULL && self->restoring->what->offers)
        end_offer(self);
    else if (self->restoring != NULL)
        self->restoring->stage = SYNCD_RESTORE_SEND;
}

static void place(SyncdWorkspace *self)
{
    const SyncdRestore *what = self->restoring->what;
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_PLACE,
        .flags = SYNCD_WIRE_HASHED | (what->over ? SYNCD_WIRE_OVER : 0u),
        .path = SYNCD_BYTES_TEXT(what->folder),
        .name = SYNCD_BYTES_TEXT(what->name),
        .stat = {.kind = SYNCD_FILE_REGULAR,
                 .mode = what->mode,
                 .size = what->size,
                 .mtime = what->mtime},
        .hash = what->hash,
        .expected = what->expected,
    };
    self->restoring->stage = SYNCD_RESTORE_PLACE;
    self->restoring->request = syncd_workspace_place(self, &request);
}

/* A chunk at a time, as the reader takes them. */
static void send_next(SyncdWorkspace *self, bool *ret_more)
{
    SyncdRestoring *restoring = self->restoring;
    const SyncdRestore *what = restoring->what;
    g_autoptr(GError) problem = NULL;
    *ret_more = false;
    if (syncd_reader_process_has_unsent(self->process))
        return;
    *ret_more = true;
    if (restoring->chunk == syncd_file_chunk_count(what->size)) {
        place(self);
        return;
    }
    size_t size = MIN(what->size - restoring->chunk * SYNCD_FILE_CHUNK, SYNCD_FILE_CHUNK);
    if (syncd_workspace_send_chunk(self, what, restoring->chunk, size, &restoring->kept, &problem))
        restoring->chunk++;
    else
        syncd_workspace_end_restore(self, problem);
}

/* What is offered is recorded, or it is not what was looked for: it is not to be kept once more,
 * where that may be just what fails. */
static void look(SyncdWorkspace *self)
{
    const SyncdRestoring *restoring = self->restoring;
    const SyncdBytes name = SYNCD_BYTES_TEXT(restoring->what->name);
    if (restoring->what->offers)
        syncd_workspace_look_deep(self, &restoring->folder, name);
    else
        syncd_workspace_look(self, &restoring->folder, name, true);
}

bool syncd_workspace_step_restore(SyncdWorkspace *self, bool *ret_more, GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    *ret_more = false;
    if (restoring == NULL || self->standing.state != SYNCD_WORKSPACE_WATCHING)
        return true;
    switch (restoring->stage) {
    case SYNCD_RESTORE_LOCATE:
        return syncd_restoring_locate(self, ret_more, error);
    case SYNCD_RESTORE_LOOK:
        restoring->stage = SYNCD_RESTORE_CHECK;
        *ret_more = true;
        look(self);
        return true;
    case SYNCD_RESTORE_CHECK:
        *ret_more = true;
        /* What was agreed to is recorded by whoever finds it (accept.c). */
        if (!restoring->what->accepts)
            return check(self, error);
        syncd_restoring_fail_stale(self);
        return true;
    case SYNCD_RESTORE_COPY:
        *ret_more = true;
        syncd_workspace_copy(self, &restoring->folder, restoring->what);
        return true;
    case SYNCD_RESTORE_SEND:
        send_next(self, ret_more);
        return true;
    case SYNCD_RESTORE_MAKE:
    case SYNCD_RESTORE_ENTER:
    case SYNCD_RESTORE_PLACE:
    case SYNCD_RESTORE_RECORD:
        return true;
    }
    g_assert_not_reached();
}

/* ---- what came of it ---- */

/* Whether the version that is brought back is kept still: others may have taken its place since. */
static bool find_source(SyncdWorkspace *self, bool *ret_kept, GError **error)
{
    const SyncdRestore *what = self->restoring->what;
    SyncdStore *store = syncd_service_store(self->service);
    g_auto(SyncdContentRow) row = {0};
    guint64 file;
    if (!syncd_store_find_file_id(store, what->from, &file, error) ||
        !syncd_store_find_content(store, file, what->version, &row, ret_kept, error))
        return false;
    *ret_kept = *ret_kept && row.version == what->version;
    return true;
}

static bool write_document(SyncdWorkspace *self, const SyncdFileStat *stat, GString *text,
                           GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    const SyncdRestore *what = restoring->what;
    SyncdFileChangesWriter writer;
    char object[SYNCD_FILE_ID_SIZE];
    g_autoptr(GArray) dropped = syncd_file_dropped_new();
    bool kept;
    if (!find_source(self, &kept, error))
        return false;
    SyncdFileChange change =
        syncd_file_change(stat, SYNCD_BYTES_TEXT(restoring->folder.object),
                          SYNCD_BYTES_TEXT(what->name), SYNCD_BYTES_TEXT(""), &what->hash);
    change.content = (SyncdFileContent){
        .chunks = {g_bytes_get_data(what->chunks, NULL), g_bytes_get_size(what->chunks)},
        .dropped = dropped,
    };
    change.restored_from = SYNCD_BYTES_TEXT(what->from);
    change.restored_version = what->version;
    if (restoring->file != 0) {
        SyncdFileRow row;
        bool found;
        SyncdStore *store = syncd_service_store(self->service);
        if (!syncd_store_file_id(store, restoring->file, object, error) ||
            !syncd_store_find_file(store, restoring->file, &row, &found, error) ||
            !syncd_recorder_find_dropped(self->recorder, restoring->file, restoring->version - 1,
                                         dropped, error))
            return false;
        change.object = SYNCD_BYTES_TEXT(object);
        kept = kept && !(row.kept && row.version == restoring->version);
    }
    change.content.kept = kept;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_RESTORE);
    syncd_file_changes_add(&writer, &change);
    syncd_file_changes_end(&writer);
    return true;
}

/* Its record is what it was, and it has other bytes again. */
static bool write_checked(SyncdWorkspace *self, const SyncdFileStat *stat, GString *text,
                          GError **error)
{
    SyncdFileChangesWriter writer;
    char object[SYNCD_FILE_ID_SIZE];
    if (!syncd_store_file_id(syncd_service_store(self->service), self->restoring->file, object,
                             error))
        return false;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_RESTORE);
    syncd_file_changes_add_checked(&writer, object, stat->size, stat->mtime,
                                   &self->restoring->what->hash);
    syncd_file_changes_end(&writer);
    return true;
}

void syncd_restoring_wait(SyncdWorkspace *self, guint64 file, guint64 pos,
                          const SyncdFileStat *stat)
{
    SyncdFileSeen seen = syncd_file_seen(stat);
    syncd_store_see_file(syncd_service_store(self->service), file, pos, &seen);
    self->restoring->stage = SYNCD_RESTORE_RECORD;
    self->restoring->commits = true;
    syncd_service_after_commit(self->service, on_commit, self->restoring);
}

static bool record(SyncdWorkspace *self, const SyncdFileStat *stat, GError **error)
{
    SyncdRestoring *restoring = self->restoring;
    g_autoptr(GString) text = g_string_new(NULL);
    guint64 pos;
    bool checks = restoring->what->kept_as != NULL;
    restoring->operation = syncd_service_new_operation(self->service);
    if (checks ? !write_checked(self, stat, text, error) : !write_document(self, stat, text, error))
        return false;
    const SyncdFilesDraft draft = {
        .kind = checks                 ? SYNCD_FILES_CHECKED
                : restoring->file != 0 ? "object.changed"
                                       : "object.created",
        .operation = restoring->operation,
        .content = SYNCD_BYTES(text->str, text->len),
        .caller = &restoring->what->caller,
    };
    if (!syncd_service_record_files(self->service, self->root, &draft, &pos, error))
        return false;
    syncd_restoring_wait(self, restoring->file != 0 ? restoring->file : syncd_file_place(pos, 0),
                         pos, stat);
    return true;
}

/* ---- what the reader says ---- */

static void tell_problem(SyncdWorkspace *self, guint32 problem)
{
    static const guint32 stale[] = {EEXIST, ENOENT, ENOTDIR, ELOOP, EISDIR};
    if (problem == ECANCELED) {
        syncd_restoring_fail(self, SYNCD_ERROR_ENGINE_DISABLED,
                             "see how it stands with `sourceos-syncd workspace show`",
                             self->restoring->made.path == NULL && !self->restoring->accepted
                                 ? "its workspace was stopped meanwhile, so nothing was changed"
                                 : "its workspace was stopped meanwhile");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(stale); i++) {
        if (problem != stale[i])
            continue;
        syncd_restoring_fail_stale(self);
        return;
    }
    syncd_restoring_fail(
        self, problem == ENOSPC || problem == EDQUOT ? SYNCD_ERROR_NO_SPACE : SYNCD_ERROR_FAILED,
        "see to that and try again", g_strerror((int)problem));
}

void syncd_workspace_placed(SyncdWorkspace *self, const SyncdWireMessage *done)
{
    SyncdRestoring *restoring = self->restoring;
    g_autoptr(GError) problem = NULL;
    if (restoring == NULL)
        return;
    bool made = restoring->stage == SYNCD_RESTORE_MAKE;
    if (made && done->error == EEXIST)
        syncd_restoring_take_made(self);
    else if ((done->flags & SYNCD_WIRE_PLACED) != 0)
        fail_placed(self, done->error);
    else if (done->error != 0)
        tell_problem(self, done->error);
    else if (made && !syncd_restoring_enter(self, &done->stat, &problem))
        syncd_workspace_end_restore(self, problem);
    else if (!made && !record(self, &done->stat, &problem)) {
        g_autoptr(GError) error = unrecorded(restoring, problem);
        syncd_workspace_end_restore(self, error);
    }
}

bool syncd_workspace_hurry_restore(SyncdWorkspace *self)
{
    const SyncdRestoring *restoring = self->restoring;
    SyncdWireMessage cancel = {.type = SYNCD_WIRE_CANCEL};
    if (restoring == NULL)
        return false;
    if (restoring->stage == SYNCD_RESTORE_MAKE || restoring->stage == SYNCD_RESTORE_PLACE) {
        cancel.request = restoring->request;
        syncd_reader_process_tell(self->process, &cancel);
        return true;
    }
    return restoring->commits;
}

bool syncd_workspace_is_recording_restore(const SyncdWorkspace *self)
{
    return self->restoring != NULL && self->restoring->commits;
}

bool syncd_workspace_may_restore(const SyncdWorkspace *self)
{
    return self->restoring == NULL && (self->standing.state == SYNCD_WORKSPACE_SCANNING ||
                                       self->standing.state == SYNCD_WORKSPACE_WATCHING);
}

void syncd_workspace_restore(SyncdWorkspace *self, SyncdRestore *what, SyncdRestoreDone done,
                             void *data)
{
    g_assert(self->restoring == NULL);
    self->restoring = g_new0(SyncdRestoring, 1);
    self->restoring->workspace = self;
    self->restoring->what = what;
    self->restoring->done = done;
    self->restoring->data = data;
    syncd_workspace_go_on(self);
}
