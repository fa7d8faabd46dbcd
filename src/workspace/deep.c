/*
 * A deep scan: every file that is recorded is read, whatever its times say. It goes through the
 * tree of what is recorded, a few files at a time and only while nothing else is to be done, so
 * that what changes meanwhile is recorded as always. What changes its place during that may be left
 * out.
 */
#include "workspace/workspace-private.h"

#include <string.h>

#define FILES_AT_ONCE 64u
#define ROWS_AT_ONCE 1024u /* that are looked up, whatever they are */
#define BYTES_AT_ONCE                                                                              \
    (16u * 1024u * 1024u) /* what has changed waits for so much, or for one file */

/* A folder on the way, and behind which name of it to go on. */
typedef struct {
    guint64 folder;
    char after[SYNCD_FILE_NAME_MAX + 1];
    size_t after_size;
} Level;

struct SyncdDeep {
    GArray *levels; /* Level; without any it has not begun */
    bool begun;
    bool deferred; /* it goes on when others had their turn */
};

/* What one step has done so far. */
typedef struct {
    guint files;
    guint64 bytes;
    guint rows;
} Step;

static void descend(SyncdDeep *self, guint64 folder)
{
    const Level level = {.folder = folder};
    g_array_append_val(self->levels, level);
}

void syncd_workspace_end_deep(SyncdWorkspace *self)
{
    SyncdDeep *deep = g_steal_pointer(&self->deep);
    self->standing.deep.running = false;
    if (deep == NULL)
        return;
    g_array_unref(deep->levels);
    g_free(deep);
    for (GList *at = self->questions.head; at != NULL; at = at->next) {
        const SyncdQuestion *question = at->data;
        const SyncdWireMessage cancel = {.type = SYNCD_WIRE_CANCEL, .request = question->request};
        if (question->deep)
            syncd_reader_process_tell(self->process, &cancel);
    }
}

void syncd_workspace_scan_deep(SyncdWorkspace *self)
{
    bool had = self->deep != NULL;
    if (!had) {
        self->deep = g_new0(SyncdDeep, 1);
        self->deep->levels = g_array_new(FALSE, FALSE, sizeof(Level));
        memset(&self->standing.deep, 0, sizeof self->standing.deep);
        self->standing.deep.running = true;
        syncd_workspace_scan(self);
    }
}

static bool begin(SyncdWorkspace *self, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    SyncdFileRow row;
    bool found;
    self->deep->begun = true;
    if (!syncd_store_settle_seen(store, error) ||
        !syncd_store_sum_files(store, self->root->scope_id, &self->standing.deep.to_read, error) ||
        !syncd_store_find_workspace_folder(store, self->root->scope_id, &row, &found, error))
        return false;
    if (found)
        descend(self->deep, row.id);
    return true;
}

static bool may_go_on(const Step *step)
{
    return step->files < FILES_AT_ONCE && step->bytes < BYTES_AT_ONCE && step->rows < ROWS_AT_ONCE;
}

/* The files of the folder that is next, from where it stands; folders come on top of it. */
static bool ask_in(SyncdWorkspace *self, Step *step, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    GArray *levels = self->deep->levels;
    guint depth = levels->len;
    SyncdFolder folder = {0};
    SyncdFileRow row;
    bool found;
    if (!syncd_workspace_find_folder(self, g_array_index(levels, Level, depth - 1).folder, &folder,
                                     &found, error))
        return false;
    bool good = true, there = found;
    step->rows += depth;
    while (good && found && levels->len == depth && may_go_on(step)) {
        Level *level = &g_array_index(levels, Level, depth - 1);
        good = syncd_store_next_file_in(store, level->folder,
                                        SYNCD_BYTES(level->after, level->after_size), &row, &found,
                                        error);
        step->rows++;
        if (!good || !found)
            break;
        memcpy(level->after, row.name, row.name_size);
        level->after_size = row.name_size;
        if (row.kind == SYNCD_FILE_FOLDER)
            descend(self->deep, row.id);
        if (row.kind != SYNCD_FILE_REGULAR)
            continue;
        syncd_workspace_look_deep(self, &folder, SYNCD_BYTES(row.name, row.name_size));
        step->bytes += row.size;
        step->files++;
    }
    if (good && (!there || !found))
        g_array_remove_index(levels, depth - 1);
    syncd_folder_clear(&folder);
    return good;
}

bool syncd_workspace_defers_deep(const SyncdWorkspace *self)
{
    return self->deep != NULL && self->deep->deferred &&
           self->standing.state == SYNCD_WORKSPACE_WATCHING;
}

bool syncd_workspace_step_deep(SyncdWorkspace *self, bool *ret_more, GError **error)
{
    SyncdDeep *deep = self->deep;
    Step step = {0};
    *ret_more = false;
    if (deep == NULL || self->standing.state != SYNCD_WORKSPACE_WATCHING)
        return true;
    if (!deep->begun && !begin(self, error))
        return false;
    while (deep->levels->len > 0 && may_go_on(&step))
        if (!ask_in(self, &step, error))
            return false;
    *ret_more = step.files > 0;
    deep->deferred = step.files == 0 && deep->levels->len > 0;
    if (step.files == 0 && !deep->deferred)
        syncd_workspace_end_deep(self);
    return true;
}
