#include "workspace/workspace-private.h"

#include "base/log.h"

#include <string.h>

#define LISTS_AT_ONCE 8u
#define LOOKS_AT_ONCE 256u
#define PATH_MAX_BYTES (SYNCD_WIRE_PATH_MAX - SYNCD_FILE_NAME_MAX - 1) /* of a folder */

/* Outlives the workspace when that ends before the commit. */
typedef struct SyncdWaiter {
    SyncdWorkspace *workspace; /* NULL: it has ended */
} SyncdWaiter;

static void begin_round(SyncdWorkspace *self);

/* ---- parts ---- */

void syncd_folder_clear(SyncdFolder *self)
{
    g_clear_pointer(&self->path, g_free);
}

SyncdFolder syncd_folder_copy(const SyncdFolder *folder)
{
    SyncdFolder copy = *folder;
    copy.path = g_strdup(folder->path);
    return copy;
}

static void free_question(void *data)
{
    SyncdQuestion *question = data;
    syncd_folder_clear(&question->folder);
    g_clear_pointer(&question->found, g_array_unref);
    g_free(question);
}

static guint hash_dirty(const void *key)
{
    const SyncdDirty *dirty = key;
    guint hash = (guint)dirty->folder;
    for (size_t i = 0; i < dirty->size; i++)
        hash = hash * 31 + (guchar)dirty->name[i];
    return hash;
}

static gboolean same_dirty(const void *a, const void *b)
{
    const SyncdDirty *left = a, *right = b;
    return left->folder == right->folder && left->size == right->size &&
           memcmp(left->name, right->name, left->size) == 0;
}

/* ---- asking ---- */

static SyncdQuestion *ask(SyncdWorkspace *self, SyncdWireMessage *request,
                          const SyncdFolder *folder)
{
    SyncdQuestion *question = g_new0(SyncdQuestion, 1);
    question->type = request->type;
    question->hashing = (request->flags & SYNCD_WIRE_HASH) != 0;
    question->folder = syncd_folder_copy(folder);
    question->request = syncd_reader_process_ask(self->process, request);
    g_queue_push_tail(&self->questions, question);
    return question;
}

static void ask_root(SyncdWorkspace *self)
{
    const SyncdFolder nothing = {.path = (char *)""};
    SyncdWireMessage request = {.type = SYNCD_WIRE_ROOT,
                                .path = SYNCD_BYTES_TEXT(self->root->directory)};
    ask(self, &request, &nothing);
}

/* What was never looked into is read at once; of all else only what has changed. */
static void ask_list(SyncdWorkspace *self, const SyncdFolder *folder)
{
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_LIST,
        .flags = SYNCD_WIRE_WATCH | (folder->fresh ? SYNCD_WIRE_HASH : 0),
        .folder = folder->id,
        .path = SYNCD_BYTES_TEXT(folder->path),
    };
    ask(self, &request, folder)->found = g_array_new(FALSE, FALSE, sizeof(guint64));
}

void syncd_workspace_look(SyncdWorkspace *self, const SyncdFolder *folder, SyncdBytes name,
                          bool hashing)
{
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_LOOK,
        .flags = hashing ? SYNCD_WIRE_HASH : 0,
        .folder = folder->id,
        .path = SYNCD_BYTES_TEXT(folder->path),
        .name = name,
    };
    ask(self, &request, folder);
}

void syncd_workspace_add_folder(SyncdWorkspace *self, guint64 id, const char *object,
                                const char *path, bool fresh)
{
    SyncdFolder folder = {.id = id, .fresh = fresh};
    if (strlen(path) > PATH_MAX_BYTES) {
        self->standing.unreadable++;
        return;
    }
    folder.path = g_strdup(path);
    g_strlcpy(folder.object, object, sizeof folder.object);
    g_array_append_val(self->folders, folder);
}

/* SyncdFolderFunc: one that was just recorded. */
static void add_fresh(void *data, guint64 id, const char *object, const char *path)
{
    syncd_workspace_add_folder(data, id, object, path, true);
}

static void ask_lists(SyncdWorkspace *self)
{
    while (self->folders->len > 0 && g_queue_get_length(&self->questions) < LISTS_AT_ONCE) {
        SyncdFolder folder = g_array_index(self->folders, SyncdFolder, self->folders->len - 1);
        g_array_set_size(self->folders, self->folders->len - 1);
        ask_list(self, &folder);
        syncd_folder_clear(&folder);
    }
}

/* ---- the way to a folder ---- */

/* From its number, as the log has it; NULL when it is not beneath the workspace any more. */
static bool find_folder(SyncdWorkspace *self, guint64 id, SyncdFolder *ret_folder, bool *ret_found,
                        GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    g_autofree char *path = g_strdup("");
    *ret_found = false;
    for (guint64 at = id;;) {
        SyncdFileRow row;
        bool found;
        if (!syncd_store_find_file(store, at, &row, &found, error))
            return false;
        if (!found || !row.live || row.kind != SYNCD_FILE_FOLDER || strlen(path) > PATH_MAX_BYTES)
            return true;
        if (row.folder == 0)
            break;
        char *longer = *path != '\0' ? g_strconcat(row.name, "/", path, NULL) : g_strdup(row.name);
        g_free(path);
        path = longer;
        at = row.folder;
    }
    *ret_folder = (SyncdFolder){.id = id, .path = g_steal_pointer(&path)};
    *ret_found = true;
    return syncd_store_file_id(store, id, ret_folder->object, error);
}

/* ---- answers ---- */

static void fail(SyncdWorkspace *self, const GError *error)
{
    self->standing.state = SYNCD_WORKSPACE_FAILED;
    self->standing.reason = syncd_error_info_of(error)->name;
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "The workspace %s is not recorded: %s",
              self->root->workspace, error->message);
}

static void set_missing(SyncdWorkspace *self, const char *reason)
{
    self->standing.state = SYNCD_WORKSPACE_MISSING;
    self->standing.reason = reason;
}

/* The workspace's own folder: known, new, or another one than it was. */
static bool begin_scan(SyncdWorkspace *self, GError **error)
{
    SyncdFileRow row;
    bool found;
    char object[SYNCD_FILE_ID_SIZE];
    SyncdStore *store = syncd_service_store(self->service);
    SyncdFileSeen seen = syncd_file_seen(&self->own);
    if (!syncd_store_find_workspace_folder(store, self->root->scope_id, &row, &found, error))
        return false;
    if (!found) {
        const SyncdFileChange change = {
            .folder = SYNCD_BYTES_TEXT(""),
            .name = SYNCD_BYTES_TEXT(""),
            .kind = SYNCD_FILE_FOLDER,
            .mode = self->own.mode,
        };
        return syncd_recorder_create(self->recorder, &change, &self->own, "", error);
    }
    if (row.seen && (row.at_sight.device != seen.device || row.at_sight.inode != seen.inode)) {
        set_missing(self, "another directory is where it was");
        return true;
    }
    if (!syncd_store_file_id(store, row.id, object, error))
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
        return begin_scan(self, error);
    set_missing(self, "its directory is not there");
    return true;
}

typedef struct {
    const GArray *found; /* sorted */
    GArray *missing;
} Lacking;

static int compare_ids(const void *a, const void *b)
{
    guint64 left = *(const guint64 *)a, right = *(const guint64 *)b;
    return (left > right) - (left < right);
}

static bool add_lacking(void *data, const SyncdFileRow *row)
{
    const Lacking *lacking = data;
    if (!g_array_binary_search((GArray *)lacking->found, &row->id, compare_ids, NULL))
        g_array_append_val(lacking->missing, row->id);
    return true;
}

static bool take_list(SyncdWorkspace *self, SyncdQuestion *question, const SyncdWireMessage *done,
                      GError **error)
{
    Lacking lacking = {question->found, self->missing};
    self->standing.folders++;
    self->standing.unwatched |= (done->flags & SYNCD_WIRE_UNWATCHED) != 0;
    if (done->error != 0) {
        /* Where it is gone, the folder that it was in says so. */
        self->standing.unreadable++;
        return true;
    }
    g_array_sort(question->found, compare_ids);
    return question->folder.fresh || (done->flags & SYNCD_WIRE_UNTOLD) != 0 ||
           syncd_store_walk_folder(syncd_service_store(self->service), question->folder.id,
                                   add_lacking, &lacking, error);
}

static bool take_done(SyncdWorkspace *self, const SyncdWireMessage *done, GError **error)
{
    SyncdQuestion *question = g_queue_pop_head(&self->questions);
    bool taken = true;
    if (question->type == SYNCD_WIRE_ROOT)
        taken = take_root(self, done, error);
    else if (question->type == SYNCD_WIRE_LIST)
        taken = take_list(self, question, done, error);
    free_question(question);
    return taken;
}

/* A write that goes on is looked at when it is closed. */
static void take_event(SyncdWorkspace *self, const SyncdWireMessage *event)
{
    if ((event->flags & ~SYNCD_WIRE_WRITTEN) == 0 || event->name.size == 0)
        return;
    SyncdDirty *dirty = g_malloc(sizeof *dirty + event->name.size);
    dirty->folder = event->folder;
    dirty->size = event->name.size;
    memcpy(dirty->name, event->name.data, event->name.size);
    g_hash_table_add(self->dirty, dirty);
}

static bool take_message(void *data, const SyncdWireMessage *message, GError **error)
{
    SyncdWorkspace *self = data;
    SyncdQuestion *question = g_queue_peek_head(&self->questions);
    bool answers = question != NULL && question->request == message->request;
    if (message->type == SYNCD_WIRE_EVENT)
        take_event(self, message);
    else if (message->type == SYNCD_WIRE_LOST)
        self->rescan = true;
    else if (answers && message->type == SYNCD_WIRE_FOUND)
        return syncd_workspace_compare(self, question, message, error);
    else if (answers && message->type == SYNCD_WIRE_DONE)
        return take_done(self, message, error);
    else {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING,
                        "The reader of the workspace answers what nobody asked");
        return false;
    }
    return true;
}

/* ---- rounds ---- */

static void on_committed(void *data, const GError *error)
{
    SyncdWaiter *waiter = data;
    SyncdWorkspace *self = waiter->workspace;
    g_free(waiter);
    if (self == NULL)
        return;
    self->waits = NULL;
    self->in_round = false;
    if (error != NULL) {
        /* Nothing of it is there, and what was numbered is not: all is looked at again. */
        self->rescan = true;
        fail(self, error);
        return;
    }
    begin_round(self);
}

static void wait_for_commit(SyncdWorkspace *self)
{
    self->waits = g_new0(SyncdWaiter, 1);
    self->waits->workspace = self;
    syncd_service_after_commit(self->service, on_committed, self->waits);
}

/* Goes on until nothing is left of the round. */
static bool go_on(SyncdWorkspace *self, GError **error)
{
    ask_lists(self);
    if (!g_queue_is_empty(&self->questions))
        return true;
    /* New folders have numbers only now. */
    if (!syncd_recorder_flush(self->recorder, error))
        return false;
    ask_lists(self);
    if (!g_queue_is_empty(&self->questions))
        return true;
    if (!syncd_workspace_judge_missing(self, error))
        return false;
    ask_lists(self);
    if (!g_queue_is_empty(&self->questions))
        return true;
    wait_for_commit(self);
    return true;
}

static bool ask_dirty(SyncdWorkspace *self, GError **error)
{
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, self->dirty);
    while (g_queue_get_length(&self->questions) < LOOKS_AT_ONCE &&
           g_hash_table_iter_next(&iter, &key, NULL)) {
        const SyncdDirty *dirty = key;
        SyncdFolder folder = {0};
        bool found;
        if (!find_folder(self, dirty->folder, &folder, &found, error))
            return false;
        if (found)
            syncd_workspace_look(self, &folder, SYNCD_BYTES(dirty->name, dirty->size), false);
        syncd_folder_clear(&folder);
        g_hash_table_iter_remove(&iter);
    }
    return true;
}

static bool is_stopped(const SyncdWorkspace *self)
{
    return self->standing.state == SYNCD_WORKSPACE_PAUSED ||
           self->standing.state == SYNCD_WORKSPACE_MISSING;
}

static bool ask_all(SyncdWorkspace *self, GError **error)
{
    self->rescan = false;
    self->standing.state = SYNCD_WORKSPACE_SCANNING;
    self->standing.reason = NULL;
    self->standing.folders = self->standing.skipped = self->standing.unreadable = 0;
    self->standing.unwatched = false;
    g_hash_table_remove_all(self->dirty);
    syncd_recorder_set_found(self->recorder, SYNCD_FOUND_SCAN);
    if (self->opened)
        return begin_scan(self, error) && (is_stopped(self) || go_on(self, error));
    ask_root(self);
    return true;
}

static bool try_round(SyncdWorkspace *self, GError **error)
{
    self->in_round = self->rescan || g_hash_table_size(self->dirty) > 0;
    if (self->rescan)
        return ask_all(self, error);
    self->standing.state = SYNCD_WORKSPACE_WATCHING;
    self->accepts = false;
    syncd_recorder_set_found(self->recorder, SYNCD_FOUND_WATCH);
    return !self->in_round ||
           (ask_dirty(self, error) && (!g_queue_is_empty(&self->questions) || go_on(self, error)));
}

static void begin_round(SyncdWorkspace *self)
{
    g_autoptr(GError) error = NULL;
    if (!is_stopped(self) && !self->in_round && !try_round(self, &error))
        fail(self, error);
}

bool syncd_workspace_dispatch(SyncdWorkspace *self)
{
    g_autoptr(GError) error = NULL;
    bool done = syncd_reader_process_receive(self->process, take_message, self, &error);
    if (done && !is_stopped(self) && self->standing.state != SYNCD_WORKSPACE_FAILED)
        done =
            !self->in_round ? try_round(self, &error) : self->waits != NULL || go_on(self, &error);
    if (!done)
        fail(self, error);
    return done;
}

/* ---- life ---- */

SyncdWorkspace *syncd_workspace_new(SyncdService *service, SyncdRoot *root,
                                    SyncdReaderProcess *process, const char *hidden)
{
    g_autoptr(GError) error = NULL;
    SyncdWorkspace *self = g_new0(SyncdWorkspace, 1);
    self->service = service;
    self->root = root;
    self->process = process;
    self->hidden = g_strdup(hidden);
    self->recorder = syncd_recorder_new(service, root, add_fresh, self);
    g_queue_init(&self->questions);
    self->folders = g_array_new(FALSE, FALSE, sizeof(SyncdFolder));
    self->dirty = g_hash_table_new_full(hash_dirty, same_dirty, g_free, NULL);
    self->missing = g_array_new(FALSE, FALSE, sizeof(guint64));
    self->arrivals = g_array_new(FALSE, FALSE, sizeof(SyncdArrival));
    g_array_set_clear_func(self->arrivals, (GDestroyNotify)syncd_arrival_clear);
    self->departed = syncd_departures_new();
    self->rescan = true;
    if (!try_round(self, &error))
        fail(self, error);
    return self;
}

void syncd_workspace_free(SyncdWorkspace *self)
{
    if (self == NULL)
        return;
    if (self->waits != NULL)
        self->waits->workspace = NULL;
    g_queue_clear_full(&self->questions, free_question);
    for (guint i = 0; i < self->folders->len; i++)
        syncd_folder_clear(&g_array_index(self->folders, SyncdFolder, i));
    g_array_unref(self->folders);
    g_hash_table_unref(self->dirty);
    g_array_unref(self->missing);
    g_array_unref(self->arrivals);
    g_array_unref(self->departed);
    syncd_recorder_free(self->recorder);
    syncd_reader_process_free(self->process);
    syncd_root_free(self->root);
    g_free(self->hidden);
    g_free(self);
}

const SyncdRoot *syncd_workspace_root(const SyncdWorkspace *self)
{
    return self->root;
}

int syncd_workspace_fd(const SyncdWorkspace *self)
{
    return syncd_reader_process_fd(self->process);
}

void syncd_workspace_scan(SyncdWorkspace *self)
{
    self->rescan = true;
    if (is_stopped(self) || self->standing.state == SYNCD_WORKSPACE_FAILED)
        self->standing.state = SYNCD_WORKSPACE_SCANNING;
    begin_round(self);
}

void syncd_workspace_accept_deletions(SyncdWorkspace *self)
{
    self->accepts = true;
}

void syncd_workspace_standing(const SyncdWorkspace *self, SyncdWorkspaceStanding *ret_standing)
{
    SyncdRecorded recorded = syncd_recorder_count(self->recorder);
    *ret_standing = self->standing;
    ret_standing->waiting = self->folders->len + g_queue_get_length((GQueue *)&self->questions);
    ret_standing->created = recorded.created;
    ret_standing->changed = recorded.changed;
    ret_standing->deleted = recorded.deleted;
}
