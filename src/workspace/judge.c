#include "workspace/workspace-private.h"

#include <string.h>

/* So that others have their turn. */
#define DELETIONS_AT_ONCE 1024u
#define CLIMBED_AT_ONCE 8192u /* folders on the way to them, before another one */

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
    syncd_kept_free(arrival->kept);
    g_free(arrival);
}

/* ---- where it came from ---- */

/* It, or a folder that it is in; `moving` are those that have only moved, NULL for none. */
static bool is_missing(SyncdWorkspace *self, guint64 file, GHashTable *moving, bool *ret_is,
                       GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    *ret_is = false;
    for (guint64 at = file; at != 0 && !*ret_is;) {
        SyncdFileRow row;
        bool found;
        if (moving != NULL && g_hash_table_contains(moving, SYNCD_NUMBER(at)))
            return true;
        if (!syncd_store_find_file(store, at, &row, &found, error))
            return false;
        *ret_is = !found || !row.live || g_hash_table_contains(self->missing, SYNCD_NUMBER(at)) ||
                  g_hash_table_contains(self->ignoring, SYNCD_NUMBER(at));
        at = found ? row.folder : 0;
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
                          (!row->hashed || syncd_hash_equal(&row->hash, &arrival->hash) ||
                           syncd_file_is_mismatch(row, &arrival->hash));
    if (same && row->kind == arrival->stat.kind && row->folder != 0)
        g_array_append_val(search->candidates, row->id);
    return true;
}

/* Of each arrival what it was, in `moving`: one that is missing, and that nothing else came from.
 */
static bool find_origin(SyncdWorkspace *self, SyncdArrival *arrival, GHashTable *moving,
                        GHashTable *exhausted, GError **error)
{
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(guint64));
    Search search = {arrival, candidates};
    arrival->origin = 0;
    /* A file may have very many names. */
    if (g_hash_table_contains(exhausted, SYNCD_NUMBER(arrival->stat.inode)))
        return true;
    if (!syncd_store_walk_seen(syncd_service_store(self->service), self->root->scope_id,
                               arrival->stat.device, arrival->stat.inode, consider, &search, error))
        return false;
    for (guint i = 0; i < candidates->len && arrival->origin == 0; i++) {
        guint64 file = g_array_index(candidates, guint64, i);
        bool missing = false;
        if (!g_hash_table_contains(moving, SYNCD_NUMBER(file)) &&
            !is_missing(self, file, NULL, &missing, error))
            return false;
        if (missing)
            arrival->origin = file;
    }
    if (arrival->origin != 0)
        g_hash_table_add(moving, SYNCD_NUMBER(arrival->origin));
    else
        g_hash_table_add(exhausted, SYNCD_NUMBER(arrival->stat.inode));
    return true;
}

static bool find_origins(SyncdWorkspace *self, GHashTable *moving, GError **error)
{
    g_autoptr(GHashTable) exhausted = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    void *value;
    g_hash_table_remove_all(moving);
    g_hash_table_iter_init(&iter, self->arrivals);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (!find_origin(self, value, moving, exhausted, error))
            return false;
    return true;
}

/* What came into a folder that is gone since is gone with it. */
static bool drop_gone(SyncdWorkspace *self, GHashTable *moving, bool *ret_dropped, GError **error)
{
    GHashTableIter iter;
    void *value;
    *ret_dropped = false;
    g_hash_table_iter_init(&iter, self->arrivals);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        bool gone;
        if (!is_missing(self, ((SyncdArrival *)value)->folder.id, moving, &gone, error))
            return false;
        *ret_dropped |= gone;
        if (gone)
            g_hash_table_iter_remove(&iter);
    }
    return true;
}

/* Without one of them others have other origins. */
static bool judge_origins(SyncdWorkspace *self, GHashTable *moving, GError **error)
{
    bool dropped = true;
    while (dropped)
        if (!find_origins(self, moving, error) || !drop_gone(self, moving, &dropped, error))
            return false;
    return true;
}

/* ---- what has come ---- */

/* Its name is another one, and its content is what was recorded until it can be read. */
static bool record_unread(SyncdWorkspace *self, const SyncdArrival *arrival, GError **error)
{
    SyncdFileRow row;
    bool found;
    if (arrival->origin == 0)
        return true;
    if (!syncd_store_find_file(syncd_service_store(self->service), arrival->origin, &row, &found,
                               error))
        return false;
    SyncdFileStat stat = arrival->stat;
    stat.size = row.size;
    stat.mtime = row.mismatched ? row.mismatch.mtime : row.mtime;
    stat.ctime = row.at_sight.ctime; /* so it is not as it was seen */
    SyncdFileChange change =
        syncd_file_change(&stat, SYNCD_BYTES_TEXT(arrival->folder.object), arrival->name,
                          arrival->target, row.hashed ? &row.hash : NULL);
    g_hash_table_remove(self->missing, SYNCD_NUMBER(arrival->origin));
    return syncd_workspace_record_change(self, arrival->folder.path, arrival->origin, &change,
                                         &stat, NULL, error);
}

/* Before anything is told of that is in it. */
static bool move_rules(SyncdWorkspace *self, guint64 origin, const char *path, GError **error)
{
    SyncdFolder before;
    bool found;
    if (!syncd_workspace_find_folder(self, origin, &before, &found, error))
        return false;
    if (found)
        syncd_workspace_move_rules(self, before.path, path);
    if (found)
        syncd_folder_clear(&before);
    return true;
}

/* Bytes that are not those of its record are no change because it has another name by now. */
static bool keep_record(SyncdWorkspace *self, SyncdArrival *arrival, GError **error)
{
    SyncdFileRow row;
    bool found;
    if (arrival->origin == 0 || !arrival->hashed)
        return true;
    if (!syncd_store_find_file(syncd_service_store(self->service), arrival->origin, &row, &found,
                               error))
        return false;
    if (found && syncd_file_is_mismatch(&row, &arrival->hash)) {
        if (arrival->stat.mtime != row.mismatch.mtime &&
            !syncd_recorder_check(self->recorder, row.id, &arrival->stat, &arrival->hash, error))
            return false;
        arrival->hash = row.hash;
        g_clear_pointer(&arrival->kept, syncd_kept_free);
    }
    return true;
}

static bool record_arrival(SyncdWorkspace *self, SyncdArrival *arrival, GError **error)
{
    guint64 origin = arrival->origin;
    if (arrival->unread)
        return record_unread(self, arrival, error);
    if (!keep_record(self, arrival, error))
        return false;
    SyncdFileChange change =
        syncd_file_change(&arrival->stat, SYNCD_BYTES_TEXT(arrival->folder.object), arrival->name,
                          arrival->target, arrival->hashed ? &arrival->hash : NULL);
    g_autofree char *path = arrival->stat.kind == SYNCD_FILE_FOLDER
                                ? syncd_folder_path(&arrival->folder, arrival->name)
                                : NULL;
    if (origin == 0)
        return syncd_workspace_record_new(self, arrival->folder.path, &change, &arrival->stat,
                                          g_steal_pointer(&arrival->kept), path, error);
    g_hash_table_remove(self->missing, SYNCD_NUMBER(origin));
    g_hash_table_remove(self->ignoring, SYNCD_NUMBER(origin));
    if (path != NULL) {
        char object[SYNCD_FILE_ID_SIZE];
        if (!syncd_store_file_id(syncd_service_store(self->service), origin, object, error) ||
            !move_rules(self, origin, path, error))
            return false;
        syncd_workspace_add_folder(self, origin, object, path, false);
    }
    return syncd_workspace_record_change(self, arrival->folder.path, origin, &change,
                                         &arrival->stat, g_steal_pointer(&arrival->kept), error);
}

static bool record_arrivals(SyncdWorkspace *self, GError **error)
{
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, self->arrivals);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (!record_arrival(self, value, error))
            return false;
    g_hash_table_remove_all(self->arrivals);
    return true;
}

/* ---- what is deleted, or ignored ---- */

static bool add_child(void *data, const SyncdFileRow *row)
{
    g_array_append_val((GArray *)data, row->id);
    return true;
}

/* What is missing and all that is in it, but for what has moved; and not many more than `max`. */
static bool count_missing(SyncdWorkspace *self, GHashTable *moving, guint max, guint *ret_n,
                          GError **error)
{
    g_autoptr(GHashTable) counted = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) line = g_array_new(FALSE, FALSE, sizeof(guint64));
    SyncdStore *store = syncd_service_store(self->service);
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, self->missing);
    while (line->len <= max + g_hash_table_size(moving) &&
           g_hash_table_iter_next(&iter, &key, NULL)) {
        guint64 id = GPOINTER_TO_SIZE(key);
        g_array_append_val(line, id);
    }
    for (guint i = 0; i < line->len && g_hash_table_size(counted) <= max; i++) {
        guint64 id = g_array_index(line, guint64, i);
        if (!g_hash_table_contains(moving, SYNCD_NUMBER(id)) &&
            g_hash_table_add(counted, SYNCD_NUMBER(id)) &&
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
    guint64 before = lately(self);
    g_autofree char *recorded =
        before > 0 ? g_strdup_printf(", %" G_GUINT64_FORMAT " of them recorded already", before)
                   : g_strdup("");
    g_autofree char *reason = g_strdup_printf(
        n > SYNCD_WORKSPACE_DELETIONS_MAX
            ? "more than %" G_GUINT64_FORMAT " files and folders were deleted within a minute%s"
            : "%" G_GUINT64_FORMAT " files and folders were deleted within a minute%s",
        n > SYNCD_WORKSPACE_DELETIONS_MAX ? SYNCD_WORKSPACE_DELETIONS_MAX : before + n, recorded);
    g_hash_table_remove_all(self->missing);
    if (!syncd_service_pause_root(self->service, self->root, SYNCD_PAUSE_DELETIONS, reason, error))
        return false;
    self->standing.state = SYNCD_WORKSPACE_PAUSED;
    self->standing.reason = "many files were deleted at once";
    return true;
}

/* One that is to be deleted. What is in it comes first: a folder is there for as long as anything
 * in it is, so that what is not deleted in the end can be found. */
typedef struct {
    guint64 id;
    bool opened; /* what is in it was put on the pile above it */
} Doomed;

typedef struct {
    GHashTable *from; /* what is missing, or is ignored */
    bool (*record)(SyncdWorkspace *workspace, SyncdLineage *lineage, const SyncdFileRow *row,
                   GError **error);
    SyncdLineage *lineage;
    GHashTable *moving, *deleted;
    GArray *pile; /* Doomed */
    guint room;
} Deletion;

static void doom(Deletion *deletion, guint64 id)
{
    const Doomed doomed = {.id = id};
    g_array_append_val(deletion->pile, doomed);
}

static bool doom_child(void *data, const SyncdFileRow *row)
{
    Deletion *deletion = data;
    void *id = SYNCD_NUMBER(row->id);
    if (g_hash_table_contains(deletion->moving, id) || g_hash_table_contains(deletion->deleted, id))
        return true;
    doom(deletion, row->id);
    return --deletion->room > 0;
}

/* What is ignored in a folder that is no more is no more either. */
static bool doom_children(SyncdStore *store, Deletion *deletion, guint64 id, GError **error)
{
    deletion->room = DELETIONS_AT_ONCE - g_hash_table_size(deletion->deleted);
    return syncd_store_walk_folder(store, id, doom_child, deletion, error) &&
           (deletion->record != syncd_workspace_record_deleted || deletion->room == 0 ||
            syncd_store_walk_ignored(store, id, doom_child, deletion, error));
}

static bool delete_top(SyncdWorkspace *self, Deletion *deletion, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    Doomed *top = &g_array_index(deletion->pile, Doomed, deletion->pile->len - 1);
    guint64 id = top->id;
    SyncdFileRow row;
    bool found;
    if (!syncd_store_find_file(store, id, &row, &found, error))
        return false;
    if (found && (row.live || row.ignored) && row.kind == SYNCD_FILE_FOLDER && !top->opened) {
        top->opened = true;
        return doom_children(store, deletion, id, error);
    }
    g_array_set_size(deletion->pile, deletion->pile->len - 1);
    g_hash_table_remove(deletion->from, SYNCD_NUMBER(id));
    if (!g_hash_table_add(deletion->deleted, SYNCD_NUMBER(id)) || !found ||
        (!row.live && !row.ignored))
        return true;
    if (row.kind == SYNCD_FILE_FOLDER) {
        syncd_workspace_forget(self, id);
        syncd_workspace_count_ignored(self, id, 0);
    }
    return deletion->record(self, deletion->lineage, &row, error);
}

/* `*ret_n` of them; `*ret_more`: there are more perhaps. */
static bool delete_some(SyncdWorkspace *self, Deletion *how, GHashTable *moving, guint *ret_n,
                        bool *ret_more, GError **error)
{
    g_autoptr(SyncdLineage) lineage = syncd_lineage_new(self, moving);
    g_autoptr(GHashTable) deleted = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) pile = g_array_new(FALSE, FALSE, sizeof(Doomed));
    Deletion deletion = *how;
    GHashTableIter iter;
    void *key;
    deletion.moving = moving;
    deletion.deleted = deleted;
    deletion.pile = pile;
    deletion.lineage = lineage;
    g_hash_table_iter_init(&iter, how->from);
    while (pile->len < DELETIONS_AT_ONCE && g_hash_table_iter_next(&iter, &key, NULL))
        if (!g_hash_table_contains(moving, key))
            doom(&deletion, GPOINTER_TO_SIZE(key));
    while (pile->len > 0 && g_hash_table_size(deleted) < DELETIONS_AT_ONCE &&
           syncd_lineage_climbed(lineage) < CLIMBED_AT_ONCE)
        if (!delete_top(self, &deletion, error))
            return false;
    for (guint i = 0; i < pile->len; i++)
        g_hash_table_add(how->from, SYNCD_NUMBER(g_array_index(pile, Doomed, i).id));
    *ret_n = g_hash_table_size(deleted);
    *ret_more = pile->len > 0 || *ret_n >= DELETIONS_AT_ONCE;
    return true;
}

static bool judge_missing(SyncdWorkspace *self, GHashTable *moving, bool *ret_more, GError **error)
{
    bool mass = false;
    guint n = 0;
    *ret_more = false;
    if (!self->accepts) {
        if (!count_missing(self, moving, SYNCD_WORKSPACE_DELETIONS_MAX, &n, error) ||
            !is_mass_deletion(self, n, &mass, error))
            return false;
    }
    if (mass)
        return pause_it(self, n, error);
    Deletion deletion = {.from = self->missing, .record = syncd_workspace_record_deleted};
    if (!delete_some(self, &deletion, moving, &n, ret_more, error))
        return false;
    const Departure departure = {syncd_service_clock(self->service), n};
    if (!self->accepts && n > 0)
        g_array_append_val(self->departed, departure);
    return true;
}

/* Some folder has moved, and nothing takes the place of what is deleted. */
static bool waits_for_folders(SyncdWorkspace *self)
{
    GHashTableIter iter;
    void *value;
    bool moved = false;
    g_hash_table_iter_init(&iter, self->arrivals);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const SyncdArrival *arrival = value;
        if (arrival->replaces)
            return false;
        moved |= arrival->origin != 0 && arrival->stat.kind == SYNCD_FILE_FOLDER;
    }
    return moved;
}

static bool record_ignored(SyncdWorkspace *self, SyncdLineage *lineage, const SyncdFileRow *row,
                           GError **error)
{
    return syncd_recorder_ignore(self->recorder, row->id, error);
}

static bool judge_ignored(SyncdWorkspace *self, GHashTable *moving, bool *ret_more, GError **error)
{
    guint n;
    Deletion deletion = {.from = self->ignoring, .record = record_ignored};
    return delete_some(self, &deletion, moving, &n, ret_more, error);
}

/* What is deleted comes first, so that no name is taken before it is free; but what may be in a
 * folder that has moved is not judged before that was looked into. */
bool syncd_workspace_judge(SyncdWorkspace *self, GError **error)
{
    g_autoptr(GHashTable) moving = g_hash_table_new(NULL, NULL);
    bool more;
    if (!judge_origins(self, moving, error))
        return false;
    if (waits_for_folders(self))
        return record_arrivals(self, error);
    if (!judge_ignored(self, moving, &more, error))
        return false;
    /* The rest of it is no deletion. */
    if (more)
        return true;
    if (!judge_missing(self, moving, &more, error))
        return false;
    return more || self->standing.state == SYNCD_WORKSPACE_PAUSED || record_arrivals(self, error);
}
