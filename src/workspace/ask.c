#include "workspace/workspace-private.h"

#include <string.h>

#define LISTS_AT_ONCE 8u
#define LOOKS_AT_ONCE 256u
#define NAMES_MAX 65536u /* beyond, looking at everything is as good */
#define PATH_MAX_BYTES (SYNCD_WIRE_PATH_MAX - SYNCD_FILE_NAME_MAX - 1) /* of a folder */

/* ---- folders ---- */

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

char *syncd_folder_path(const SyncdFolder *folder, SyncdBytes name)
{
    return g_strdup_printf("%s%s%.*s", folder->path, *folder->path != '\0' ? "/" : "",
                           (int)name.size, (const char *)name.data);
}

bool syncd_workspace_find_folder(SyncdWorkspace *self, guint64 id, SyncdFolder *ret_folder,
                                 bool *ret_found, GError **error)
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

void syncd_workspace_add_folder(SyncdWorkspace *self, guint64 id, const char *object,
                                const char *path, bool fresh)
{
    SyncdFolder folder = {.id = id, .fresh = fresh};
    bool now = fresh || self->pass == SYNCD_PASS_FOLDERS;
    if (strlen(path) > PATH_MAX_BYTES) {
        g_hash_table_add(self->troubles, syncd_name_new(id, SYNCD_BYTES_TEXT("")));
        return;
    }
    if (self->cancelled) {
        self->standing.unwatched = true;
        return;
    }
    /* Each folder lies in one other, so a scan comes to it once. */
    if (!self->whole && !g_hash_table_add(self->listed, SYNCD_NUMBER(id)))
        return;
    folder.path = g_strdup(path);
    g_strlcpy(folder.object, object, sizeof folder.object);
    g_array_append_val(now ? self->folders : self->next_folders, folder);
}

/* ---- names ---- */

void syncd_workspace_add_name(SyncdWorkspace *self, guint64 folder, SyncdBytes text, bool hashing)
{
    SyncdName *name = syncd_name_new(folder, text);
    name->hashing = hashing;
    g_hash_table_add(self->names, name);
    if (g_hash_table_size(self->names) > NAMES_MAX) {
        g_hash_table_remove_all(self->names);
        self->lost = true;
    }
}

void syncd_workspace_add_later(SyncdWorkspace *self, guint64 folder, SyncdBytes name)
{
    if (g_hash_table_size(self->later) == 0)
        self->later_at = syncd_service_clock(self->service) + SYNCD_WORKSPACE_LATER_USEC;
    g_hash_table_add(self->later, syncd_name_new(folder, name));
    if (g_hash_table_size(self->later) > NAMES_MAX) {
        g_hash_table_remove_all(self->later);
        self->lost = true;
    }
}

bool syncd_workspace_add_unlinked(SyncdWorkspace *self, guint64 folder, bool later, GError **error)
{
    SyncdFileRow row;
    bool found;
    if (!syncd_store_find_file(syncd_service_store(self->service), folder, &row, &found, error))
        return false;
    /* It is so new that it is not in the log yet. */
    self->lost |= !found;
    if (!found || !row.live)
        return true;
    if (row.folder == 0) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "Its directory was moved or deleted");
        return false;
    }
    g_hash_table_add(self->unlinked, SYNCD_NUMBER(folder));
    SyncdBytes name = SYNCD_BYTES(row.name, row.name_size);
    if (later)
        syncd_workspace_add_later(self, row.folder, name);
    else
        syncd_workspace_add_name(self, row.folder, name, false);
    return true;
}

/* ---- asking ---- */

void syncd_workspace_question_free(void *data)
{
    SyncdQuestion *question = data;
    syncd_folder_clear(&question->folder);
    g_clear_pointer(&question->found, g_array_unref);
    g_free(question);
}

/* What is read can be kept. */
static void ask_for_content(SyncdWorkspace *self, SyncdWireMessage *request)
{
    if (!self->root->keeps || (request->flags & SYNCD_WIRE_HASH) == 0)
        return;
    request->flags |= SYNCD_WIRE_KEEP;
    request->max = self->root->keep_max;
}

static SyncdQuestion *put(SyncdWorkspace *self, SyncdWireMessage *request,
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

static SyncdQuestion *ask(SyncdWorkspace *self, SyncdWireMessage *request,
                          const SyncdFolder *folder)
{
    ask_for_content(self, request);
    return put(self, request, folder);
}

void syncd_workspace_open(SyncdWorkspace *self)
{
    const SyncdFolder nothing = {.path = (char *)""};
    SyncdWireMessage request = {.type = SYNCD_WIRE_ROOT,
                                .path = SYNCD_BYTES_TEXT(self->root->directory),
                                .stat = self->hidden};
    ask(self, &request, &nothing);
    syncd_workspace_tell_rules(self);
}

void syncd_workspace_forget(SyncdWorkspace *self, guint64 folder)
{
    SyncdWireMessage request = {.type = SYNCD_WIRE_FORGET, .folder = folder};
    syncd_reader_process_ask(self->process, &request);
}

/* What was never looked into is read at once; of all else only what has changed. */
static void ask_list(SyncdWorkspace *self, const SyncdFolder *folder)
{
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_LIST,
        .flags = SYNCD_WIRE_WATCH | (folder->fresh || folder->hashing ? SYNCD_WIRE_HASH : 0),
        .folder = folder->id,
        .path = SYNCD_BYTES_TEXT(folder->path),
    };
    g_hash_table_remove(self->unlinked, SYNCD_NUMBER(folder->id));
    g_hash_table_remove(self->unruled, folder->path); /* unless it is told again */
    ask(self, &request, folder)->found = g_array_new(FALSE, FALSE, sizeof(guint64));
}

void syncd_workspace_look(SyncdWorkspace *self, const SyncdFolder *folder, SyncdBytes name,
                          bool hashing)
{
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_LOOK,
        .flags = hashing ? SYNCD_WIRE_HASH : 0,
        .path = SYNCD_BYTES_TEXT(folder->path),
        .name = name,
    };
    ask(self, &request, folder);
}

/* Its bytes are those that are recorded, or are not to be kept. */
void syncd_workspace_look_deep(SyncdWorkspace *self, const SyncdFolder *folder, SyncdBytes name)
{
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_LOOK,
        .flags = SYNCD_WIRE_HASH,
        .path = SYNCD_BYTES_TEXT(folder->path),
        .name = name,
    };
    SyncdQuestion *question = put(self, &request, folder);
    question->deep = true;
}

void syncd_workspace_look_copying(SyncdWorkspace *self, const SyncdFolder *folder, SyncdBytes name,
                                  guint64 max)
{
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_LOOK,
        .flags = SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP,
        .path = SYNCD_BYTES_TEXT(folder->path),
        .name = name,
        .max = max,
    };
    put(self, &request, folder)->copying = true;
}

guint32 syncd_workspace_place(SyncdWorkspace *self, SyncdWireMessage *request)
{
    const SyncdFolder nothing = {.path = (char *)""};
    return ask(self, request, &nothing)->request;
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

/* Names in the same folder mostly come together. */
static bool ask_looks(SyncdWorkspace *self, GError **error)
{
    GHashTableIter iter;
    void *key;
    SyncdFolder folder = {0};
    bool found = false, good = true;
    g_hash_table_iter_init(&iter, self->looking);
    while (good && g_queue_get_length(&self->questions) < LOOKS_AT_ONCE &&
           g_hash_table_iter_next(&iter, &key, NULL)) {
        const SyncdName *name = key;
        if (folder.id != name->folder) {
            syncd_folder_clear(&folder);
            folder.id = name->folder;
            good = syncd_workspace_find_folder(self, name->folder, &folder, &found, error);
        }
        if (good && found && !syncd_workspace_ignores_any(self, &folder, syncd_name_text(name)))
            syncd_workspace_look(self, &folder, syncd_name_text(name), name->hashing);
        g_hash_table_iter_remove(&iter);
    }
    syncd_folder_clear(&folder);
    return good;
}

bool syncd_workspace_ask(SyncdWorkspace *self, GError **error)
{
    if (self->pass == SYNCD_PASS_FOLDERS)
        ask_lists(self);
    return self->pass != SYNCD_PASS_NAMES || ask_looks(self, error);
}
