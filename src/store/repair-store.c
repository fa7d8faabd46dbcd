#include "store/repair-store.h"

#include "store/aside.h"
#include "store/store-private.h"

#include <string.h>
#include <sys/stat.h>

#define FOLDER "repair"
#define INDEX_FILE "index.db"

static char *path_of(const char *name)
{
    return g_strconcat(FOLDER "/", name, NULL);
}

static bool may_put(SyncdStore *self, GError **error)
{
    SyncdStoreCondition condition = syncd_store_condition(self);
    return (condition != SYNCD_STORE_MACHINE_CHANGED && condition != SYNCD_STORE_INSPECTING) ||
           syncd_store_may_write(self, error);
}

bool syncd_store_put_repair(SyncdStore *self, const char *name, SyncdBytes bytes, GError **error)
{
    g_autofree char *path = path_of(name);
    g_autoptr(GError) problem = NULL;
    if (!may_put(self, error))
        return false;
    if (syncd_directory_publish(self->directory, path, bytes, &problem))
        return true;
    if (!syncd_store_made_room(self, problem)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return syncd_directory_publish(self->directory, path, bytes, error);
}

bool syncd_store_spend_reserve(SyncdStore *self, const GError *problem)
{
    return syncd_store_made_room(self, problem);
}

SyncdWriting *syncd_store_begin_repair(SyncdStore *self, const char *name, GError **error)
{
    g_autofree char *path = path_of(name);
    return may_put(self, error) ? syncd_writing_new(self->directory, path, error) : NULL;
}

bool syncd_store_add_repair(SyncdStore *self, SyncdWriting *writing, SyncdBytes piece,
                            GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (syncd_writing_add(writing, piece, &problem))
        return true;
    if (syncd_store_made_room(self, problem))
        return syncd_writing_add(writing, piece, error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

char *syncd_store_get_repair(SyncdStore *self, const char *name, size_t max, size_t *ret_size,
                             GError **error)
{
    g_autofree char *path = path_of(name);
    return syncd_directory_read(self->directory, path, max, ret_size, error);
}

bool syncd_store_has_repair(SyncdStore *self, const char *name)
{
    g_autofree char *path = path_of(name);
    return syncd_directory_has(self->directory, path);
}

bool syncd_store_remove_repair(SyncdStore *self, const char *name, GError **error)
{
    g_autofree char *path = path_of(name);
    return may_put(self, error) && syncd_directory_remove(self->directory, path, error);
}

bool syncd_store_remove_repairs(SyncdStore *self, const GPtrArray *names, bool *ret_more,
                                GError **error)
{
    bool more;
    guint max = ret_more != NULL ? SYNCD_REPAIR_REMOVED_AT_ONCE : G_MAXUINT;
    if (!may_put(self, error) ||
        !syncd_directory_remove_some(self->directory, FOLDER, names, max, &more, error))
        return false;
    if (ret_more != NULL)
        *ret_more = more;
    return true;
}

bool syncd_store_rename_repair(SyncdStore *self, const char *from, const char *to, GError **error)
{
    g_autofree char *source = path_of(from), *target = path_of(to);
    return may_put(self, error) && syncd_directory_move(self->directory, source, target, error);
}

bool syncd_store_list_repair(SyncdStore *self, bool (*is_wanted)(const char *name),
                             GPtrArray **ret_names, GError **error)
{
    return syncd_directory_list(self->directory, FOLDER, is_wanted, SYNCD_REPAIR_FILES_MAX,
                                ret_names, error);
}

static bool is_kept_by_a_repair(const char *name)
{
    static const char *const others[] = {".", "..", ".plan", ".state", ".report", ".damaged"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (i < 2 ? strcmp(name, others[i]) == 0 : g_str_has_suffix(name, others[i]))
            return false;
    return true;
}

static guint64 size_of(const SyncdStore *self, const char *name)
{
    struct stat st;
    g_autofree char *path = syncd_directory_file(self->directory, name);
    return lstat(path, &st) == 0 ? (guint64)st.st_size : 0;
}

void syncd_store_each_kept(SyncdStore *self, SyncdStoredFunc func, void *data)
{
    g_autoptr(GPtrArray) names = NULL;
    if (!syncd_directory_list(self->directory, FOLDER, is_kept_by_a_repair, G_MAXUINT - 1, &names,
                              NULL))
        return;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = path_of(names->pdata[i]);
        func(data, names->pdata[i], size_of(self, path));
    }
}

bool syncd_store_remove_kept(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;
    return syncd_directory_list(self->directory, FOLDER, is_kept_by_a_repair, G_MAXUINT - 1, &names,
                                error) &&
           syncd_store_remove_repairs(self, names, ret_more, error);
}

/* ---- the index ---- */

const GError *syncd_store_index_fault(const SyncdStore *self)
{
    bool damaged = self->index != NULL && self->projection == NULL &&
                   g_error_matches(self->index_problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    return damaged ? self->index_problem : self->held;
}

void syncd_store_tell_index_problem(SyncdStore *self, const GError *problem)
{
    if (self->held == NULL)
        return;
    g_clear_error(&self->index_problem);
    self->index_problem = g_error_copy(problem);
}

const GArray *syncd_store_index_differences(const SyncdStore *self)
{
    return self->index_comparison != NULL ? syncd_index_comparison_tables(self->index_comparison)
                                          : NULL;
}

guint64 syncd_store_index_file_bytes(SyncdStore *self)
{
    return size_of(self, INDEX_FILE) + size_of(self, INDEX_FILE "-wal");
}

typedef struct {
    char *main, *wal, *none;
} Snapshot;

static Snapshot snapshot_of(const char *name)
{
    return (Snapshot){g_strdup(name), g_strconcat(name, "-wal", NULL),
                      g_strconcat(name, ".none", NULL)};
}

static void snapshot_clear(Snapshot *snapshot)
{
    g_free(snapshot->main);
    g_free(snapshot->wal);
    g_free(snapshot->none);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Snapshot, snapshot_clear)

static bool is_kept(SyncdStore *self, const Snapshot *snapshot)
{
    return syncd_store_has_repair(self, snapshot->main) ||
           syncd_store_has_repair(self, snapshot->none);
}

static bool keep_none(SyncdStore *self, const Snapshot *snapshot, GError **error)
{
    g_autofree char *path = path_of(snapshot->none);
    return syncd_directory_publish(self->directory, path, SYNCD_BYTES("", 0), error);
}

/* The file first: a WAL without it is nobody's, and is moved when this is done again. */
static bool keep_index(SyncdStore *self, const Snapshot *snapshot, GError **error)
{
    bool was_kept = syncd_store_has_repair(self, snapshot->main);
    if (!was_kept && !syncd_directory_has(self->directory, INDEX_FILE))
        return keep_none(self, snapshot, error);
    return (was_kept || syncd_store_set_aside(self, INDEX_FILE, snapshot->main, error)) &&
           syncd_store_set_aside(self, INDEX_FILE "-wal", snapshot->wal, error) &&
           syncd_directory_remove(self->directory, INDEX_FILE "-journal", error);
}

/* The one that was there is out of the way, and another is begun. */
static bool begin_anew(SyncdStore *self, const Snapshot *snapshot, GError **error)
{
    g_clear_pointer(&self->index_comparison, syncd_index_comparison_free);
    syncd_store_drop_index(self);
    return (syncd_store_has_repair(self, snapshot->none) || keep_index(self, snapshot, error)) &&
           syncd_store_make_index(self, "a repair was carried out", error);
}

static double made_part(const SyncdStore *self)
{
    if (self->projection == NULL || self->to_project == 0)
        return 0;
    double left = (double)syncd_projection_remaining(self->projection);
    return CLAMP(1 - left / (double)self->to_project, 0, 1);
}

static bool step_beside(SyncdStore *self, const Snapshot *snapshot, bool *ret_more,
                        double *ret_progress, GError **error)
{
    g_free(self->index_snapshot);
    self->index_snapshot = g_strdup(snapshot->main);
    bool ok = syncd_store_step_remake(self, ret_more, error);
    g_clear_pointer(&self->index_snapshot, g_free);
    /* Nothing was at the path of one that was removed while it served. */
    if (ok && !*ret_more && !is_kept(self, snapshot))
        ok = keep_none(self, snapshot, error);
    *ret_progress = *ret_more ? syncd_store_remake_part(self) : 1;
    return ok;
}

bool syncd_store_step_index_repair(SyncdStore *self, const char *name, bool *ret_more,
                                   double *ret_progress, GError **error)
{
    g_auto(Snapshot) snapshot = snapshot_of(name);
    *ret_more = true;
    if (!syncd_store_check_readable(self, error))
        return false;
    if (self->projection != NULL) { /* it is being made, whoever began it */
        *ret_progress = made_part(self);
        syncd_store_work(self);
        return true;
    }
    bool serves = self->index != NULL && syncd_store_index_fault(self) == NULL;
    bool kept = is_kept(self, &snapshot);
    if (serves && kept) {
        *ret_more = false;
        *ret_progress = 1;
        return true;
    }
    if (serves)
        return step_beside(self, &snapshot, ret_more, ret_progress, error);
    if (kept && syncd_store_index_fault(self) == NULL)
        return syncd_store_need_index(self, error); /* making it has failed */
    return begin_anew(self, &snapshot, error);
}

/* Its WAL goes before it does (and a journal that was left behind, which would be played back), and
 * the other's comes before it comes: a file is never with a WAL of another one, wherever this ends.
 */
static bool put_back(SyncdStore *self, const Snapshot *snapshot, GError **error)
{
    SyncdDirectory *directory = self->directory;
    if (syncd_directory_has(directory, INDEX_FILE) &&
        (!syncd_directory_remove(directory, INDEX_FILE "-wal", error) ||
         !syncd_directory_remove(directory, INDEX_FILE "-shm", error) ||
         !syncd_directory_remove(directory, INDEX_FILE "-journal", error) ||
         !syncd_directory_remove(directory, INDEX_FILE, error)))
        return false;
    return syncd_store_put_back(self, snapshot->wal, INDEX_FILE "-wal", error) &&
           syncd_store_put_back(self, snapshot->main, INDEX_FILE, error) &&
           syncd_store_remove_repair(self, snapshot->none, error);
}

/* Whoever was interrupted has moved it back, and not given it its mode yet. */
static bool put_mode_back(SyncdStore *self, const Snapshot *snapshot, GError **error)
{
    return syncd_store_put_mode_back(self, snapshot->main, INDEX_FILE, error) &&
           syncd_store_forget_mode(self, snapshot->main, error);
}

bool syncd_store_undo_index_repair(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Snapshot) snapshot = snapshot_of(name);
    syncd_store_end_remake(self);
    if (!is_kept(self, &snapshot))
        return put_mode_back(self, &snapshot, error);
    syncd_store_drop_index(self);
    syncd_index_discard_new(NULL, self->directory); /* what could not be finished */
    bool ok = put_back(self, &snapshot, error);
    /* What stands in for a journal is no log to judge it by, or to make another of. */
    if (self->unreadable == NULL)
        syncd_store_look_for_index(self);
    return ok;
}

bool syncd_store_release_index_snapshot(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Snapshot) snapshot = snapshot_of(name);
    return syncd_store_remove_repair(self, snapshot.wal, error) &&
           syncd_store_remove_repair(self, snapshot.main, error) &&
           syncd_store_remove_repair(self, snapshot.none, error) &&
           syncd_store_forget_mode(self, snapshot.wal, error) &&
           syncd_store_forget_mode(self, snapshot.main, error);
}
