#include "workspace/workspace-private.h"

#include <string.h>

typedef struct {
    guint64 usec;
    guint64 n;
} Departure;

GArray *syncd_departures_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(Departure));
}

void syncd_arrival_clear(SyncdArrival *self)
{
    syncd_folder_clear(&self->folder);
    g_free((void *)self->name.data);
    g_free((void *)self->target.data);
}

static int compare_ids(const void *a, const void *b)
{
    guint64 left = *(const guint64 *)a, right = *(const guint64 *)b;
    return (left > right) - (left < right);
}

static bool has_id(const GArray *sorted, guint64 id, guint *ret_at)
{
    return g_array_binary_search((GArray *)sorted, &id, compare_ids, ret_at);
}

static void sort_once(GArray *ids)
{
    guint n = 0;
    g_array_sort(ids, compare_ids);
    for (guint i = 0; i < ids->len; i++)
        if (i == 0 || g_array_index(ids, guint64, i) != g_array_index(ids, guint64, i - 1))
            g_array_index(ids, guint64, n++) = g_array_index(ids, guint64, i);
    g_array_set_size(ids, n);
}

static bool add_child(void *data, const SyncdFileRow *row)
{
    g_array_append_val((GArray *)data, row->id);
    return true;
}

/* What is in a folder that is missing is missing too. */
static bool add_contents(SyncdWorkspace *self, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    for (guint i = 0; i < self->missing->len; i++)
        if (!syncd_store_walk_folder(store, g_array_index(self->missing, guint64, i), add_child,
                                     self->missing, error))
            return false;
    sort_once(self->missing);
    return true;
}

/* ---- renamed ---- */

static char *path_of(const SyncdArrival *arrival)
{
    const char *folder = arrival->folder.path;
    return g_strdup_printf("%s%s%.*s", folder, *folder != '\0' ? "/" : "", (int)arrival->name.size,
                           (const char *)arrival->name.data);
}

static bool record_arrival(SyncdWorkspace *self, const SyncdArrival *arrival, bool renamed,
                           GError **error)
{
    bool is_folder = arrival->stat.kind == SYNCD_FILE_FOLDER;
    g_autofree char *path = is_folder ? path_of(arrival) : NULL;
    SyncdFileChange change = {
        .folder = SYNCD_BYTES_TEXT(arrival->folder.object),
        .name = arrival->name,
        .kind = arrival->stat.kind,
        .mode = arrival->stat.mode,
        .size = is_folder ? 0 : arrival->stat.size,
        .mtime = is_folder ? 0 : arrival->stat.mtime,
        .hashed = arrival->hashed,
        .hash = arrival->hash,
        .target = arrival->target,
    };
    if (!renamed)
        return syncd_recorder_create(self->recorder, &change, &arrival->stat, path, error);
    if (is_folder) {
        char object[SYNCD_FILE_ID_SIZE];
        if (!syncd_store_file_id(syncd_service_store(self->service), arrival->file, object, error))
            return false;
        syncd_workspace_add_folder(self, arrival->file, object, path, false);
    }
    return syncd_recorder_change(self->recorder, arrival->file, &change, &arrival->stat, error);
}

/* What came with a folder is where it was in it, until the folder was looked into. */
static bool keep_contents(SyncdWorkspace *self, guint64 folder, GError **error)
{
    g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(guint64));
    SyncdStore *store = syncd_service_store(self->service);
    g_array_append_val(kept, folder);
    for (guint i = 0; i < kept->len; i++) {
        guint at;
        if (has_id(self->missing, g_array_index(kept, guint64, i), &at))
            g_array_remove_index(self->missing, at);
        if (!syncd_store_walk_folder(store, g_array_index(kept, guint64, i), add_child, kept,
                                     error))
            return false;
    }
    return true;
}

static bool judge_arrivals(SyncdWorkspace *self, GError **error)
{
    g_autoptr(GArray) arrivals = g_steal_pointer(&self->arrivals);
    self->arrivals = g_array_new(FALSE, FALSE, sizeof(SyncdArrival));
    g_array_set_clear_func(self->arrivals, (GDestroyNotify)syncd_arrival_clear);
    for (guint i = 0; i < arrivals->len; i++) {
        const SyncdArrival *arrival = &g_array_index(arrivals, SyncdArrival, i);
        bool renamed = arrival->file != 0 && has_id(self->missing, arrival->file, NULL);
        if ((renamed && !keep_contents(self, arrival->file, error)) ||
            !record_arrival(self, arrival, renamed, error))
            return false;
    }
    return true;
}

/* ---- deleted ---- */

static bool is_mass_deletion(SyncdWorkspace *self, guint64 n, bool *ret_is, GError **error)
{
    guint64 now = syncd_service_clock(self->service), sum = n;
    for (guint i = self->departed->len; i-- > 0;) {
        const Departure *departure = &g_array_index(self->departed, Departure, i);
        if (departure->usec + SYNCD_WORKSPACE_DELETIONS_USEC < now)
            g_array_remove_index(self->departed, i);
        else
            sum += departure->n;
    }
    *ret_is = sum > SYNCD_WORKSPACE_DELETIONS_MAX;
    if (*ret_is || sum < SYNCD_WORKSPACE_DELETIONS_MIN)
        return true;
    /* Those that were deleted before are not there any more, and its own folder is no file. */
    guint64 third = 3 * sum - (sum - n) + 1;
    bool more;
    if (!syncd_store_has_more_files(syncd_service_store(self->service), self->root->scope_id,
                                    third - 1, &more, error))
        return false;
    *ret_is = !more;
    return true;
}

static bool delete_missing(SyncdWorkspace *self, GError **error)
{
    const Departure departure = {syncd_service_clock(self->service), self->missing->len};
    bool mass = false;
    if (self->missing->len == 0)
        return true;
    if (!self->accepts && !is_mass_deletion(self, self->missing->len, &mass, error))
        return false;
    if (mass) {
        g_autofree char *reason =
            g_strdup_printf("%u files and folders are gone at once", self->missing->len);
        self->standing.state = SYNCD_WORKSPACE_PAUSED;
        self->standing.reason = "many files were deleted at once";
        g_array_set_size(self->missing, 0);
        return syncd_service_pause_root(self->service, self->root, reason, error);
    }
    for (guint i = 0; i < self->missing->len; i++)
        if (!syncd_recorder_delete(self->recorder, g_array_index(self->missing, guint64, i), error))
            return false;
    if (!self->accepts)
        g_array_append_val(self->departed, departure);
    g_array_set_size(self->missing, 0);
    return true;
}

bool syncd_workspace_judge_missing(SyncdWorkspace *self, GError **error)
{
    return add_contents(self, error) && judge_arrivals(self, error) &&
           delete_missing(self, error) &&
           (self->standing.state == SYNCD_WORKSPACE_PAUSED ||
            syncd_recorder_flush(self->recorder, error));
}
