#include "workspace/workspace-private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define NAME_PASSES_MAX 16u                         /* until what has come is judged nevertheless */
#define RESCAN_USEC (10u * G_USEC_PER_SEC)          /* after a scan, when changes were lost */
#define UNWATCHED_USEC (15u * 60u * G_USEC_PER_SEC) /* … when not all can be watched */

/* ---- the workspace's own folder ---- */

/* What is mounted there has the same number as another one that was. */
static bool is_another(const SyncdFileRow *row, const SyncdFileStat *own)
{
    return row->seen && (row->at_sight.born != own->born ||
                         (own->born != 0 && row->at_sight.inode != own->inode));
}

/* Whoever registers a directory anew says that it is the workspace, whatever it was before. */
static bool adopt(SyncdWorkspace *self, const SyncdFileRow *row, GError **error)
{
    SyncdFileChange change = syncd_file_change(&self->own, SYNCD_BYTES_TEXT(""),
                                               SYNCD_BYTES_TEXT(""), SYNCD_BYTES_TEXT(""), NULL);
    return syncd_workspace_record_change(self, "", row->id, &change, &self->own, NULL, error);
}

/* It is known, new, or another one than it was. */
static bool begin_folders(SyncdWorkspace *self, GError **error)
{
    SyncdFileRow row;
    bool found;
    char object[SYNCD_FILE_ID_SIZE];
    SyncdStore *store = syncd_service_store(self->service);
    SyncdFileSeen seen = syncd_file_seen(&self->own);
    if (!syncd_store_find_workspace_folder(store, self->root->scope_id, &row, &found, error))
        return false;
    self->pass = SYNCD_PASS_FOLDERS;
    self->whole = true;
    if (!found) {
        SyncdFileChange change = syncd_file_change(
            &self->own, SYNCD_BYTES_TEXT(""), SYNCD_BYTES_TEXT(""), SYNCD_BYTES_TEXT(""), NULL);
        return syncd_workspace_record_new(self, "", &change, &self->own, NULL, "", error);
    }
    bool anew = self->root->since > syncd_file_place_pos(row.changed);
    if (is_another(&row, &self->own) && !anew) {
        syncd_workspace_set_missing(
            self, "another directory is where it was; to go on with it, remove the "
                  "workspace and add it again");
        return true;
    }
    if (!syncd_store_file_id(store, row.id, object, error) || (anew && !adopt(self, &row, error)))
        return false;
    if (!row.seen)
        syncd_store_see_file(store, row.id, 0, &seen);
    syncd_workspace_add_folder(self, row.id, object, "", false);
    return true;
}

static bool take_root(SyncdWorkspace *self, const SyncdWireMessage *done, GError **error)
{
    self->opened = done->error == 0;
    self->own = done->stat;
    if (self->opened)
        return begin_folders(self, error);
    syncd_workspace_set_missing(
        self, done->error == ELOOP        ? "there is a symlink on the way to its directory"
              : done->error == EXDEV      ? "its directory is that of the daemon's own state"
              : done->error == EOPNOTSUPP ? "its directory shows what the kernel says, and no files"
              : done->error == EACCES     ? "its directory may not be opened"
                                          : "its directory is not there");
    return true;
}

/* ---- what the reader says ---- */

static bool take_done(SyncdWorkspace *self, const SyncdWireMessage *done, GError **error)
{
    static const guint32 told[] = {0, ENOENT, ENOTDIR, ELOOP};
    SyncdQuestion *question = g_queue_pop_head(&self->questions);
    bool taken = true, is_told = false;
    if (done->error == ESTALE)
        syncd_workspace_set_missing(self, "its directory is not there any more");
    else if (question->type == SYNCD_WIRE_ROOT)
        taken = take_root(self, done, error);
    else if (question->type == SYNCD_WIRE_LIST)
        taken = syncd_workspace_end_list(self, question, done, error);
    else if (question->type == SYNCD_WIRE_PLACE)
        syncd_workspace_placed(self, done);
    else if (question->deep)
        syncd_workspace_end_look_deep(self, question, done->error);
    /* Why a folder cannot be opened is mostly told by what happens to it. */
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        is_told |= done->error == told[i];
    if (question->type == SYNCD_WIRE_LOOK && !question->deep && !is_told) {
        self->lost |= *question->folder.path == '\0';
        taken = *question->folder.path == '\0' ||
                syncd_workspace_add_unlinked(self, question->folder.id, true, error);
    }
    syncd_workspace_question_free(question);
    return taken;
}

static bool take_event(SyncdWorkspace *self, const SyncdWireMessage *event, GError **error)
{
    if ((event->flags & SYNCD_WIRE_UNLINKED) != 0)
        return syncd_workspace_add_unlinked(self, event->folder, false, error);
    if (event->flags == SYNCD_WIRE_WRITTEN)
        syncd_workspace_add_later(self, event->folder, event->name);
    else
        syncd_workspace_add_name(self, event->folder, event->name, false);
    return syncd_workspace_check_rules(self, event->folder, event->name, error);
}

static bool take_found(SyncdWorkspace *self, SyncdQuestion *question, const SyncdWireMessage *found,
                       GError **error)
{
    g_autoptr(SyncdKept) kept = NULL;
    if (question->deep)
        return syncd_workspace_compare_deep(self, question, found, error);
    return syncd_keeping_end(self->keeping, found, &kept, error) &&
           syncd_workspace_compare(self, question, found, &kept, error);
}

static bool take_message(void *data, const SyncdWireMessage *message, GError **error)
{
    SyncdWorkspace *self = data;
    SyncdQuestion *question = g_queue_peek_head(&self->questions);
    bool answers = question != NULL && question->request == message->request;
    bool reads = answers && question->hashing && question->type != SYNCD_WIRE_ROOT;
    if (message->type == SYNCD_WIRE_EVENT)
        return take_event(self, message, error);
    if (message->type == SYNCD_WIRE_LOST) {
        self->lost = true;
        return true;
    }
    if (answers && question->copying)
        return (message->type != SYNCD_WIRE_DONE ||
                take_done(self, message, error)) && /* the question is gone then */
               syncd_workspace_take_copied(self, message, error);
    if (reads && self->root->keeps && message->type == SYNCD_WIRE_BYTES)
        return syncd_keeping_take(self->keeping, message, error);
    if (answers && message->type == SYNCD_WIRE_RULED) {
        syncd_workspace_take_rules(self, question, message);
        return true;
    }
    if (answers && message->type == SYNCD_WIRE_FOUND)
        return take_found(self, question, message, error);
    if (answers && message->type == SYNCD_WIRE_DONE)
        return take_done(self, message, error);
    syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING,
                    "The reader of the workspace answers what nobody asked");
    return false;
}

/* ---- passes ---- */

static void clear_folders(GArray *folders)
{
    for (guint i = 0; i < folders->len; i++)
        syncd_folder_clear(&g_array_index(folders, SyncdFolder, i));
    g_array_set_size(folders, 0);
}

/* All that is known to be looked at is part of it. */
static bool begin_scan(SyncdWorkspace *self, GError **error)
{
    GHashTable *const tables[] = {self->names,    self->unlinked, self->listed,  self->missing,
                                  self->arrivals, self->troubles, self->ignored, self->ignoring};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        g_hash_table_remove_all(tables[i]);
    self->ruled = false;
    clear_folders(self->folders);
    clear_folders(self->next_folders);
    self->rescan = self->lost = false;
    self->standing.state = SYNCD_WORKSPACE_SCANNING;
    self->standing.reason = NULL;
    self->standing.folders = self->standing.skipped = 0;
    self->standing.unwatched = false;
    syncd_recorder_set_found(self->recorder, SYNCD_FOUND_SCAN);
    /* What was seen by the last one: else it would be taken for changed. */
    if (!syncd_store_settle_seen(syncd_service_store(self->service), error))
        return false;
    if (self->opened)
        return begin_folders(self, error);
    self->pass = SYNCD_PASS_ROOT;
    syncd_workspace_open(self);
    return true;
}

static bool begin_names(SyncdWorkspace *self, GError **error)
{
    /* As for a scan: what rotted since it was seen would be recorded as a change. */
    if (!syncd_store_settle_seen(syncd_service_store(self->service), error))
        return false;
    GHashTable *looking = self->looking;
    self->looking = self->names;
    self->names = looking;
    self->name_passes++;
    self->pass = SYNCD_PASS_NAMES;
    return true;
}

/* What is found twice in one pass would be new twice. */
static void begin_listing(SyncdWorkspace *self)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < self->next_folders->len; i++) {
        SyncdFolder folder = g_array_index(self->next_folders, SyncdFolder, i);
        if (g_hash_table_add(taken, SYNCD_NUMBER(folder.id)))
            g_array_append_val(self->folders, folder);
        else
            syncd_folder_clear(&folder);
        g_hash_table_add(self->listed, SYNCD_NUMBER(folder.id));
    }
    g_array_set_size(self->next_folders, 0);
    self->ruled = false;
    self->pass = SYNCD_PASS_FOLDERS;
}

static void end_pass(SyncdWorkspace *self)
{
    if (self->pass == SYNCD_PASS_FOLDERS) {
        g_hash_table_remove_all(self->listed);
        self->whole = self->cancelled = false;
    }
    g_hash_table_remove_all(self->linked);
    self->pass = SYNCD_PASS_NONE;
}

static void rest(SyncdWorkspace *self)
{
    if (self->standing.state == SYNCD_WORKSPACE_SCANNING)
        self->scanned_at = syncd_service_clock(self->service);
    self->standing.state = SYNCD_WORKSPACE_WATCHING;
    self->standing.reason = NULL;
    self->accepts &= self->lost;
    syncd_recorder_set_found(self->recorder, SYNCD_FOUND_WATCH);
}

static guint64 next_scan(const SyncdWorkspace *self)
{
    if (self->rescan)
        return 0;
    if (self->standing.state != SYNCD_WORKSPACE_WATCHING)
        return G_MAXUINT64;
    if (self->lost)
        return self->scanned_at + RESCAN_USEC;
    return self->standing.unwatched ? self->scanned_at + UNWATCHED_USEC : G_MAXUINT64;
}

/* False in `ret_begun`: there is nothing to do. */
static bool begin_pass(SyncdWorkspace *self, bool *ret_begun, GError **error)
{
    guint names = g_hash_table_size(self->names);
    *ret_begun = true;
    end_pass(self);
    if (next_scan(self) <= syncd_service_clock(self->service))
        return begin_scan(self, error);
    bool ruled = self->ruled && self->next_folders->len > 0;
    if (names > 0 && self->name_passes < NAME_PASSES_MAX && !ruled)
        return begin_names(self, error);
    if (self->folders->len + self->next_folders->len > 0) {
        begin_listing(self);
        return true;
    }
    self->name_passes = 0;
    /* Where something was not told, what is missing may be somewhere else. */
    if (self->lost) {
        g_hash_table_remove_all(self->arrivals);
        g_hash_table_remove_all(self->missing);
    }
    if (g_hash_table_size(self->arrivals) + g_hash_table_size(self->missing) +
            g_hash_table_size(self->ignoring) >
        0)
        return syncd_workspace_judge(self, error);
    rest(self);
    *ret_begun = names > 0;
    return true;
}

/* Until something has to be waited for. */
static bool go_on(SyncdWorkspace *self, GError **error)
{
    while (!syncd_workspace_is_stopped(self)) {
        bool begun;
        if (!syncd_workspace_ask(self, error))
            return false;
        if (!g_queue_is_empty(&self->questions))
            return true;
        if (!syncd_recorder_flush(self->recorder, error))
            return false;
        /* New folders have numbers only now. */
        if (self->pass == SYNCD_PASS_FOLDERS && self->folders->len > 0)
            continue;
        if (!syncd_recorder_is_settled(self->recorder) ||
            syncd_workspace_is_recording_restore(self))
            return true;
        if (!begin_pass(self, &begun, error) ||
            (!begun && !syncd_workspace_step_restore(self, &begun, error)) ||
            (!begun && !syncd_workspace_step_deep(self, &begun, error)))
            return false;
        if (!begun)
            return true;
    }
    return true;
}

static void stop_restoring(SyncdWorkspace *self)
{
    g_autoptr(GError) why = NULL;
    syncd_set_error_next(&why, SYNCD_ERROR_FAILED,
                         "see why with `sourceos-syncd workspace show`, and try again",
                         "The workspace %s is not recorded any more", self->root->workspace);
    syncd_workspace_end_restore(self, why);
}

static void work(SyncdWorkspace *self)
{
    g_autoptr(GError) error = NULL;
    self->busy = true;
    if (!syncd_workspace_is_stopped(self) && !go_on(self, &error))
        syncd_workspace_fail(self, error);
    if (syncd_workspace_is_stopped(self))
        stop_restoring(self);
    self->busy = false;
    self->changed(self->data);
}

void syncd_workspace_go_on(SyncdWorkspace *self)
{
    if (!self->busy)
        work(self);
}

/* A document that is written may end a turn: who writes it goes on by himself. */
static void on_settled(void *data, const GError *error)
{
    SyncdWorkspace *self = data;
    self->standing.durable |= error == NULL;
    if (error != NULL)
        syncd_workspace_fail(self, error);
    syncd_workspace_go_on(self);
}

static void on_folder(void *data, guint64 id, const char *object, const char *path)
{
    syncd_workspace_add_folder(data, id, object, path, true);
}

void syncd_workspace_dispatch(SyncdWorkspace *self)
{
    g_autoptr(GError) error = NULL;
    self->busy = true;
    if (!syncd_reader_process_receive(self->process, take_message, self, &error))
        syncd_workspace_fail(self, error);
    work(self);
}

guint64 syncd_workspace_due(const SyncdWorkspace *self)
{
    guint64 due = g_hash_table_size(self->later) > 0 ? self->later_at : G_MAXUINT64;
    bool at_work = self->questions.length > 0 || !syncd_recorder_is_settled(self->recorder);
    if (!at_work && !syncd_workspace_is_stopped(self) && syncd_workspace_defers_deep(self))
        return 0;
    return syncd_workspace_is_stopped(self) ? G_MAXUINT64
           : at_work                        ? due
                                            : MIN(due, next_scan(self));
}

/* Its rules change before it is known what it is; what cannot be found out now is by the next scan.
 */
static gboolean move_name(void *key, void *value, void *data)
{
    SyncdWorkspace *self = data;
    const SyncdName *name = key;
    syncd_workspace_add_name(self, name->folder, syncd_name_text(name), false);
    self->lost |= !syncd_workspace_check_rules(self, name->folder, syncd_name_text(name), NULL);
    return TRUE;
}

void syncd_workspace_tick(SyncdWorkspace *self)
{
    if (self->later_at <= syncd_service_clock(self->service))
        g_hash_table_foreach_remove(self->later, move_name, self);
    work(self);
}

/* ---- life ---- */

SyncdWorkspace *syncd_workspace_new(SyncdService *service, SyncdRoot *root,
                                    SyncdReaderProcess *process, const SyncdFileStat *hidden,
                                    void (*changed)(void *data), void *data)
{
    SyncdWorkspace *self = g_new0(SyncdWorkspace, 1);
    self->service = service;
    self->root = root;
    self->process = process;
    self->hidden = *hidden;
    self->changed = changed;
    self->data = data;
    self->recorder = syncd_recorder_new(
        service, root,
        &(SyncdRecorderListener){.data = self, .folder = on_folder, .settled = on_settled});
    self->keeping = syncd_keeping_new(syncd_service_store(service), root);
    g_queue_init(&self->questions);
    self->looking = syncd_names_new(NULL);
    self->names = syncd_names_new(NULL);
    self->later = syncd_names_new(NULL);
    self->folders = g_array_new(FALSE, FALSE, sizeof(SyncdFolder));
    self->next_folders = g_array_new(FALSE, FALSE, sizeof(SyncdFolder));
    self->listed = g_hash_table_new(NULL, NULL);
    self->unlinked = g_hash_table_new(NULL, NULL);
    self->linked = g_hash_table_new(NULL, NULL);
    self->missing = g_hash_table_new(NULL, NULL);
    self->arrivals = syncd_names_new(syncd_arrival_free);
    self->troubles = syncd_names_new(NULL);
    self->ignoring = g_hash_table_new(NULL, NULL);
    self->ignored = g_hash_table_new(NULL, NULL);
    self->unruled = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->rules = syncd_ignore_new();
    self->departed = syncd_departures_new();
    self->rescan = true;
    work(self);
    return self;
}

void syncd_workspace_free(SyncdWorkspace *self)
{
    if (self == NULL)
        return;
    stop_restoring(self);
    syncd_workspace_end_deep(self);
    syncd_workspace_end_copy(self);
    GHashTable *const tables[] = {self->looking,  self->names,   self->later,    self->listed,
                                  self->unlinked, self->linked,  self->missing,  self->arrivals,
                                  self->troubles, self->ignored, self->ignoring, self->unruled};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        g_hash_table_unref(tables[i]);
    syncd_ignore_free(self->rules);
    g_queue_clear_full(&self->questions, syncd_workspace_question_free);
    clear_folders(self->folders);
    clear_folders(self->next_folders);
    g_array_unref(self->folders);
    g_array_unref(self->next_folders);
    g_array_unref(self->departed);
    syncd_recorder_free(self->recorder);
    syncd_keeping_free(self->keeping);
    syncd_reader_process_free(self->process);
    syncd_root_free(self->root);
    g_free(self);
}

int syncd_workspace_fd(const SyncdWorkspace *self)
{
    return syncd_reader_process_fd(self->process);
}

short syncd_workspace_events(const SyncdWorkspace *self)
{
    return syncd_reader_process_has_unsent(self->process) ? POLLIN | POLLOUT : POLLIN;
}

void syncd_workspace_scan(SyncdWorkspace *self)
{
    self->rescan = true;
    work(self);
}

void syncd_workspace_cancel_scan(SyncdWorkspace *self)
{
    syncd_workspace_end_deep(self);
    if (!self->whole)
        return;
    self->cancelled = true;
    self->standing.unwatched |= self->folders->len > 0;
    clear_folders(self->folders);
    work(self);
}

void syncd_workspace_accept_deletions(SyncdWorkspace *self)
{
    self->accepts = true;
}
