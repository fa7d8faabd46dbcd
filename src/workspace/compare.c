#include "workspace/workspace-private.h"

#include <errno.h>
#include <string.h>

typedef struct {
    SyncdWorkspace *workspace;
    SyncdQuestion *question;
    const SyncdWireMessage *found;
    SyncdStore *store;
    bool hashed;
    SyncdHash hash;
} Comparison;

static char *path_of(const Comparison *at)
{
    const SyncdFolder *folder = &at->question->folder;
    int size = (int)at->found->name.size;
    const char *name = at->found->name.data;
    return *folder->path != '\0' ? g_strdup_printf("%s/%.*s", folder->path, size, name)
                                 : g_strdup_printf("%.*s", size, name);
}

static bool is_hidden(const Comparison *at)
{
    g_autofree char *path = at->workspace->hidden != NULL ? path_of(at) : NULL;
    return path != NULL && strcmp(path, at->workspace->hidden) == 0;
}

static SyncdFileChange change_of(const Comparison *at)
{
    const SyncdFileStat *stat = &at->found->stat;
    return (SyncdFileChange){
        .folder = SYNCD_BYTES_TEXT(at->question->folder.object),
        .name = at->found->name,
        .kind = stat->kind,
        .mode = stat->mode,
        .size = stat->kind == SYNCD_FILE_FOLDER ? 0 : stat->size,
        .mtime = stat->kind == SYNCD_FILE_FOLDER ? 0 : stat->mtime,
        .hashed = at->hashed,
        .hash = at->hash,
        .target = at->found->target,
    };
}

/* ---- what is new there ---- */

/* It is judged when all is known. */
static void add_arrival(const Comparison *at, guint64 file)
{
    const SyncdWireMessage *found = at->found;
    SyncdArrival arrival = {
        .file = file,
        .folder = syncd_folder_copy(&at->question->folder),
        .name = {g_memdup2(found->name.data, found->name.size), found->name.size},
        .target = {g_memdup2(found->target.data, found->target.size), found->target.size},
        .stat = found->stat,
        .hashed = at->hashed,
        .hash = at->hash,
    };
    GArray *arrivals = at->workspace->arrivals;
    for (guint i = 0; at->question->type == SYNCD_WIRE_LOOK && i < arrivals->len; i++) {
        SyncdArrival *other = &g_array_index(arrivals, SyncdArrival, i);
        if (other->folder.id == arrival.folder.id && other->name.size == arrival.name.size &&
            memcmp(other->name.data, arrival.name.data, arrival.name.size) == 0) {
            syncd_arrival_clear(other);
            *other = arrival;
            return;
        }
    }
    g_array_append_val(arrivals, arrival);
}

/* The same inode was something of the same kind and content elsewhere in the workspace. */
static bool came_from(const Comparison *at, guint64 *ret_file, GError **error)
{
    SyncdFileRow row;
    bool found;
    *ret_file = 0;
    if (!syncd_store_find_file_seen(at->store, at->workspace->root->scope_id,
                                    at->found->stat.device, at->found->stat.inode, &row, &found,
                                    error))
        return false;
    if (found && row.kind == at->found->stat.kind && row.folder != 0 && row.hashed == at->hashed &&
        (!at->hashed || syncd_hash_equal(&row.hash, &at->hash)))
        *ret_file = row.id;
    return true;
}

static bool take_new(const Comparison *at, bool replaces, GError **error)
{
    guint64 origin;
    if (!came_from(at, &origin, error))
        return false;
    if (origin != 0 || replaces) {
        add_arrival(at, origin);
        return true;
    }
    SyncdFileChange change = change_of(at);
    g_autofree char *path = change.kind == SYNCD_FILE_FOLDER ? path_of(at) : NULL;
    return syncd_recorder_create(at->workspace->recorder, &change, &at->found->stat, path, error);
}

/* ---- what was there ---- */

static bool is_as_seen(const SyncdFileRow *row, const SyncdFileStat *stat)
{
    SyncdFileSeen seen = syncd_file_seen(stat);
    return row->seen && memcmp(&row->at_sight, &seen, sizeof seen) == 0;
}

static bool is_same_content(const Comparison *at, const SyncdFileRow *row)
{
    return row->hashed == at->hashed && (!at->hashed || syncd_hash_equal(&row->hash, &at->hash));
}

static bool take_known(const Comparison *at, const SyncdFileRow *row, GError **error)
{
    const SyncdFileStat *stat = &at->found->stat;
    if (stat->kind == SYNCD_FILE_FOLDER && at->question->type == SYNCD_WIRE_LIST) {
        char object[SYNCD_FILE_ID_SIZE];
        g_autofree char *path = path_of(at);
        if (!syncd_store_file_id(at->store, row->id, object, error))
            return false;
        syncd_workspace_add_folder(at->workspace, row->id, object, path, false);
    }
    if (row->mode == stat->mode && is_same_content(at, row)) {
        SyncdFileSeen seen = syncd_file_seen(stat);
        if (!is_as_seen(row, stat))
            syncd_store_see_file(at->store, row->id, 0, &seen);
        return true;
    }
    SyncdFileChange change = change_of(at);
    return syncd_recorder_change(at->workspace->recorder, row->id, &change, stat, error);
}

/* ---- one name ---- */

static bool find_row(const Comparison *at, SyncdFileRow *ret_row, bool *ret_is, GError **error)
{
    *ret_is = false;
    return at->question->folder.fresh ||
           syncd_store_find_file_in(at->store, at->question->folder.id, at->found->name, ret_row,
                                    ret_is, error);
}

static void note_missing(const Comparison *at, guint64 file)
{
    g_array_append_val(at->workspace->missing, file);
}

/* What can be said of its content: of a file its digest, of a symlink that of where it leads. */
static bool know_content(Comparison *at, const SyncdFileRow *row, bool *ret_ask)
{
    const SyncdWireMessage *found = at->found;
    *ret_ask = false;
    if (found->stat.kind == SYNCD_FILE_SYMLINK) {
        at->hashed = true;
        at->hash = syncd_hash(found->target.data, found->target.size);
    } else if (found->stat.kind == SYNCD_FILE_REGULAR && (found->flags & SYNCD_WIRE_HASHED) != 0) {
        at->hashed = true;
        at->hash = found->hash;
    } else if (found->stat.kind == SYNCD_FILE_REGULAR && row != NULL &&
               is_as_seen(row, &found->stat)) {
        at->hashed = row->hashed;
        at->hash = row->hash;
    } else if (found->stat.kind == SYNCD_FILE_REGULAR) {
        *ret_ask = !at->question->hashing && found->error == 0;
        return *ret_ask;
    }
    return true;
}

bool syncd_workspace_compare(SyncdWorkspace *workspace, SyncdQuestion *question,
                             const SyncdWireMessage *found, GError **error)
{
    Comparison at = {workspace, question, found, syncd_service_store(workspace->service),
                     false,     {{0}}};
    SyncdFileRow row;
    bool is, ask, replaces = false;
    if (!find_row(&at, &row, &is, error))
        return false;
    if (found->error == ENOENT) {
        if (is)
            note_missing(&at, row.id);
        return true;
    }
    bool recorded =
        syncd_file_kind_name(found->stat.kind) != NULL && found->error != EXDEV && !is_hidden(&at);
    if (is && recorded && row.kind == found->stat.kind && question->found != NULL)
        g_array_append_val(question->found, row.id);
    if (!recorded) {
        *(found->stat.kind == 0 && found->error != EXDEV ? &workspace->standing.unreadable
                                                         : &workspace->standing.skipped) += 1;
        /* One that cannot be looked at now may be as it was. */
        if (is && found->stat.kind == 0 && question->found != NULL)
            g_array_append_val(question->found, row.id);
        return true;
    }
    if (is && row.kind != found->stat.kind) {
        if (question->type == SYNCD_WIRE_LOOK)
            note_missing(&at, row.id);
        is = false;
        replaces = true;
    }
    if (!know_content(&at, is ? &row : NULL, &ask)) {
        workspace->standing.unreadable++;
        return true;
    }
    if (ask) {
        syncd_workspace_look(workspace, &question->folder, found->name, true);
        return true;
    }
    return is ? take_known(&at, &row, error) : take_new(&at, replaces, error);
}
