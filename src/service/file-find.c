#include "service/file-find.h"

#include <string.h>

#define LOOKUPS_MAX 65536u /* for a path that was deleted */

/* ---- down ---- */

bool syncd_file_follow(SyncdStore *store, SyncdBytes path, SyncdFileRow *row, bool *found,
                       GError **error)
{
    SyncdBytes name;
    while (*found && syncd_file_path_take(&path, &name))
        if (!syncd_store_find_file_in(store, row->id, name, row, found, error))
            return false;
    return true;
}

static bool follow_ignored(SyncdStore *store, SyncdBytes path, SyncdFileRow *row, bool *found,
                           GError **error)
{
    SyncdBytes name;
    while (*found && syncd_file_path_take(&path, &name)) {
        guint64 folder = row->id;
        if (!syncd_store_find_file_in(store, folder, name, row, found, error) ||
            (!*found && !syncd_store_find_ignored_in(store, folder, name, row, found, error)))
            return false;
    }
    return true;
}

static bool collect(void *data, const SyncdFileRow *row)
{
    g_array_append_val((GArray *)data, *row);
    return true;
}

/* The last name of the path, which loses it and the "/" before. */
static SyncdBytes cut_last(SyncdBytes *path)
{
    const char *text = path->data, *slash = memrchr(text, '/', path->size);
    size_t before = slash != NULL ? (size_t)(slash - text) : 0,
           from = slash != NULL ? before + 1 : 0;
    SyncdBytes name = SYNCD_BYTES(text + from, path->size - from);
    path->size = before;
    return name;
}

/* From its own name upwards, as far as the path is its. */
static bool had_path(SyncdStore *store, const SyncdFileRow *file, SyncdBytes path, guint *lookups,
                     bool *ret_had, GError **error)
{
    SyncdFileRow row = *file;
    for (*ret_had = true; *ret_had && row.folder != 0 && *lookups > 0; (*lookups)--) {
        SyncdBytes name = cut_last(&path);
        *ret_had = name.size == row.name_size && memcmp(name.data, row.name, name.size) == 0;
        if (*ret_had && !syncd_store_find_file(store, row.folder, &row, ret_had, error))
            return false;
    }
    *ret_had = *ret_had && row.folder == 0 && path.size == 0;
    return true;
}

bool syncd_file_find_deleted(SyncdStore *store, const char *scope_id, SyncdBytes path,
                             SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(SyncdFileRow));
    SyncdBytes rest = path, name = cut_last(&rest);
    guint lookups = LOOKUPS_MAX;
    *ret_found = false;
    if (!syncd_store_walk_deleted(store, scope_id, name, collect, rows, error))
        return false;
    for (guint i = 0; !*ret_found && i < rows->len; i++) {
        *ret_row = g_array_index(rows, SyncdFileRow, i);
        if (!had_path(store, ret_row, path, &lookups, ret_found, error))
            return false;
    }
    return true;
}

bool syncd_file_follow_past(SyncdStore *store, const char *scope_id, SyncdBytes path,
                            SyncdFileRow *row, bool *found, GError **error)
{
    SyncdFileRow folder = *row;
    if (!*found)
        return true;
    if (!syncd_file_follow(store, path, row, found, error))
        return false;
    if (*found)
        return true;
    *row = folder;
    *found = true;
    return follow_ignored(store, path, row, found, error) &&
           (*found || syncd_file_find_deleted(store, scope_id, path, row, found, error));
}

/* ---- up ---- */

bool syncd_file_read_path(SyncdStore *store, const SyncdFileRow *file, GString *path,
                          guint64 *ret_top, bool *ret_whole, GError **error)
{
    SyncdFileRow row = *file;
    for (*ret_whole = true; *ret_whole && row.folder != 0;) {
        if (path->len > 0)
            g_string_prepend_c(path, '/');
        g_string_prepend_len(path, row.name, (gssize)row.name_size);
        if (!syncd_store_find_file(store, row.folder, &row, ret_whole, error))
            return false;
        *ret_whole = *ret_whole && path->len <= SYNCD_FILE_PATH_MAX;
    }
    *ret_top = row.id;
    return true;
}
