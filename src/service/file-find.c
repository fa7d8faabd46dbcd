#include "service/file-find.h"

#include <string.h>

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

static SyncdBytes last_name(SyncdBytes path)
{
    SyncdBytes name = SYNCD_BYTES("", 0);
    while (syncd_file_path_take(&path, &name))
        ;
    return name;
}

/* The newest is the first. */
static bool find_deleted(SyncdStore *store, const char *scope_id, SyncdBytes path,
                         SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(SyncdFileRow));
    *ret_found = false;
    if (!syncd_store_walk_deleted(store, scope_id, last_name(path), collect, rows, error))
        return false;
    for (guint i = 0; !*ret_found && i < rows->len; i++) {
        g_autoptr(GString) was = g_string_new(NULL);
        guint64 top;
        bool whole;
        *ret_row = g_array_index(rows, SyncdFileRow, i);
        if (!syncd_file_read_path(store, ret_row, was, &top, &whole, error))
            return false;
        *ret_found = whole && was->len == path.size && memcmp(was->str, path.data, path.size) == 0;
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
           (*found || find_deleted(store, scope_id, path, row, found, error));
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
