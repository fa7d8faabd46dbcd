#include "workspace/workspace-private.h"

#include <string.h>

#define DELETIONS_AT_ONCE 1024u /* so that others have their turn */

typedef struct {
    guint64 usec;
    guint64 n;
} Departure;

GArray *syncd_departures_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(Departure));
}

void syncd_arrival_free(void *data)
{
    SyncdArrival *arrival = data;
    syncd_folder_clear(&arrival->folder);
    g_free((void *)arrival->name.data);
    g_free((void *)arrival->target.data);
    g_free(arrival);
}

/* ---- where it came from ---- */

static bool is_noted(SyncdWorkspace *self, guint64 file)
{
    return g_hash_table_contains(self->missing, SYNCD_NUMBER(file));
}

/* It, or a folder that it is in. */
static bool is_missing(SyncdWorkspace *self, guint64 file, bool *ret_is, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    bool found = true;
    *ret_is = false;
    for (guint64 at = file; found && at != 0 && !*ret_is;) {
        SyncdFileRow row;
        *ret_is = is_noted(self, at);
        if (!syncd_store_find_file(store, at, &row, &found, error))
            return false;
        at = row.folder;
    }
    return true;
}

typedef struct {
    const SyncdArrival *arrival;
    GArray *candidates; /* guint64 */
} Search;

/* The same inode was something of the same kind. Without the time of its making the inode may have
 * become another file, and the content has to be the same too. */
static bool consider(void *data, const SyncdFileRow *row)
{
    const Search *search = data;
    const SyncdArrival *arrival = search->arrival;
    gint64 born = arrival->stat.born;
    bool same = born != 0 && row->at_sight.born != 0
                    ? row->at_sight.born == born
                    : row->hashed == arrival->hashed &&
                          (!row->hashed || syncd_hash_equal(&row->hash, &arrival->hash));
    if (same && row->kind == arrival->stat.kind && row->folder != 0)
        g_array_append_val(search->candidates, row->id);
    return true;
}

/* One that is missing, and that nothing else came from. 0: it is new. */
static bool find_origin(SyncdWorkspace *self, const SyncdArrival *arrival, GHashTable *taken,
                        guint64 *ret_origin, GError **error)
{
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(guint64));
    Search search = {arrival, candidates};
    *ret_origin = 0;
    if (!syncd_store_walk_seen(syncd_service_store(self->service), self->root->scope_id,
                               arrival->stat.device, arrival->stat.inode, consider, &search, error))
        return false;
    for (guint i = 0; i < candidates->len && *ret_origin == 0; i++) {
        guint64 file = g_array_index(candidates, guint64, i);
        bool missing = false;
        if (!g_hash_table_contains(taken, SYNCD_NUMBER(file)) &&
            !is_missing(self, file, &missing, error))
            return false;
        *ret_origin = missing ? file : 0;
    }
    return true;
}

/* ---- what has come ---- */

static bool record_arrival(SyncdWorkspace *self, const SyncdArrival *arrival, guint64 origin,
                           GError **error)
{
    SyncdFileChange change =
        syncd_file_change(&arrival->stat, SYNCD_BYTES_TEXT(arrival->folder.object), arrival->name,
                          arrival->target, arrival->hashed ? &arrival->hash : NULL);
    g_autofree char *path = arrival->stat.kind == SYNCD_FILE_FOLDER
                                ? syncd_folder_path(&arrival->folder, arrival->name)
                                : NULL;
    if (origin == 0)
        return syncd_recorder_create(self->recorder, &change, &arrival->stat, path, error);
    g_hash_table_remove(self->missing, SYNCD_NUMBER(origin));
    if (path != NULL) {
        char object[SYNCD_FILE_ID_SIZE];
        if (!syncd_store_file_id(syncd_service_store(self->service), origin, object, error))
            return false;
        syncd_workspace_add_folder(self, origin, object, path, false);
    }
    return syncd_recorder_change(self->recorder, origin, &change, &arrival->stat, error);
}

/* Of one kind, or those that were renamed. */
static bool take_arrivals(SyncdWorkspace *self, bool folders_that_moved, GHashTable *taken,
                          GError **error)
{
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, self->arrivals);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const SyncdArrival *arrival = value;
        guint64 origin;
        if (folders_that_moved && arrival->stat.kind != SYNCD_FILE_FOLDER)
            continue;
        if (!find_origin(self, arrival, taken, &origin, error))
            return false;
        if (folders_that_moved && origin == 0)
            continue;
        if (origin != 0)
            g_hash_table_add(taken, SYNCD_NUMBER(origin));
        if (!record_arrival(self, arrival, origin, error))
            return false;
        g_hash_table_iter_remove(&iter);
    }
    return true;
}

/* Folders that moved come first: only when they were looked into is it known what is still in them.
 */
static bool judge_arrivals(SyncdWorkspace *self, GError **error)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
    if (!take_arrivals(self, true, taken, error))
        return false;
    return g_hash_table_size(taken) > 0 || take_arrivals(self, false, taken, error);
}

/* ---- what is deleted ---- */

static bool add_child(void *data, const SyncdFileRow *row)
{
    g_array_append_val((GArray *)data, row->id);
    return true;
}

/* What is missing and all that is in it, but not many more than `max`. */
static bool count_missing(SyncdWorkspace *self, guint max, guint *ret_n, GError **error)
{
    g_autoptr(GHashTable) counted = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) line = g_array_new(FALSE, FALSE, sizeof(guint64));
    SyncdStore *store = syncd_service_store(self->service);
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, self->missing);
    while (line->len <= max && g_hash_table_iter_next(&iter, &key, NULL)) {
        guint64 id = GPOINTER_TO_SIZE(key);
        g_array_append_val(line, id);
    }
    for (guint i = 0; i < line->len && g_hash_table_size(counted) <= max; i++) {
        guint64 id = g_array_index(line, guint64, i);
        if (g_hash_table_add(counted, SYNCD_NUMBER(id)) &&
            !syncd_store_walk_folder(store, id, add_child, line, error))
            return false;
    }
    *ret_n = g_hash_table_size(counted);
    return true;
}

/* Those that were deleted within the last minute. */
static guint64 lately(SyncdWorkspace *self)
{
    guint64 now = syncd_service_clock(self->service), sum = 0;
    for (guint i = self->departed->len; i-- > 0;) {
        const Departure *departure = &g_array_index(self->departed, Departure, i);
        if (departure->usec + SYNCD_WORKSPACE_DELETIONS_USEC < now)
            g_array_remove_index(self->departed, i);
        else
            sum += departure->n;
    }
    return sum;
}

static bool is_mass_deletion(SyncdWorkspace *self, guint n, bool *ret_is, GError **error)
{
    guint64 before = lately(self), sum = before + n;
    *ret_is = sum > SYNCD_WORKSPACE_DELETIONS_MAX;
    if (*ret_is || sum < SYNCD_WORKSPACE_DELETIONS_MIN)
        return true;
    /* Those that were deleted before are not there any more, and its own folder is no file. */
    bool more;
    if (!syncd_store_has_more_files(syncd_service_store(self->service), self->root->scope_id,
                                    3 * sum - before, &more, error))
        return false;
    *ret_is = !more;
    return true;
}

static bool pause_it(SyncdWorkspace *self, guint n, GError **error)
{
    g_autofree char *reason = g_strdup_printf(
        n > SYNCD_WORKSPACE_DELETIONS_MAX ? "more than %u files and folders are gone at once"
                                          : "%u files and folders are gone at once",
        MIN(n, SYNCD_WORKSPACE_DELETIONS_MAX));
    g_hash_table_remove_all(self->missing);
    if (!syncd_service_pause_root(self->service, self->root, SYNCD_PAUSE_DELETIONS, reason, error))
        return false;
    self->standing.state = SYNCD_WORKSPACE_PAUSED;
    self->standing.reason = "many files were deleted at once";
    return true;
}

/* What is in it is missing too, as long as the log has it there. */
static bool delete_one(SyncdWorkspace *self, guint64 id, GArray *contents, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    SyncdFileRow row;
    bool found;
    if (!syncd_store_find_file(store, id, &row, &found, error))
        return false;
    if (!found || !row.live)
        return true;
    if (row.kind == SYNCD_FILE_FOLDER) {
        syncd_workspace_forget(self, id);
        if (!syncd_store_walk_folder(store, id, add_child, contents, error))
            return false;
    }
    return syncd_recorder_delete(self->recorder, id, error);
}

static bool delete_some(SyncdWorkspace *self, guint *ret_n, GError **error)
{
    g_autoptr(GArray) contents = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autoptr(GHashTable) deleted = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, self->missing);
    while (g_hash_table_size(deleted) < DELETIONS_AT_ONCE &&
           g_hash_table_iter_next(&iter, &key, NULL)) {
        if (!delete_one(self, GPOINTER_TO_SIZE(key), contents, error))
            return false;
        g_hash_table_add(deleted, key);
        g_hash_table_iter_remove(&iter);
    }
    for (guint i = 0; i < contents->len; i++) {
        void *id = SYNCD_NUMBER(g_array_index(contents, guint64, i));
        if (!g_hash_table_contains(deleted, id))
            g_hash_table_add(self->missing, id);
    }
    *ret_n = g_hash_table_size(deleted);
    return true;
}

static bool judge_missing(SyncdWorkspace *self, GError **error)
{
    guint n;
    bool mass = false;
    if (!self->accepts) {
        if (!count_missing(self, SYNCD_WORKSPACE_DELETIONS_MAX, &n, error) ||
            !is_mass_deletion(self, n, &mass, error))
            return false;
    }
    if (mass)
        return pause_it(self, n, error);
    if (!delete_some(self, &n, error))
        return false;
    const Departure departure = {syncd_service_clock(self->service), n};
    if (!self->accepts)
        g_array_append_val(self->departed, departure);
    return true;
}

bool syncd_workspace_judge(SyncdWorkspace *self, GError **error)
{
    return g_hash_table_size(self->arrivals) > 0 ? judge_arrivals(self, error)
                                                 : judge_missing(self, error);
}
