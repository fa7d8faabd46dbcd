#include "store/store-private.h"

#include "store/record.h"

static bool find_in_index(SyncdStore *self, const SyncdFamily *family, const char *id,
                          SyncdRecordRow *ret_row, bool *ret_found, GError **error)
{
    return syncd_store_need_index(self, error) &&
           syncd_index_find_record(self->index, family, id, ret_row, ret_found, error);
}

static void take_copy(const SyncdRecordRow *row, SyncdRecordRow *ret_row)
{
    g_autofree SyncdRecordRow *copy = syncd_record_row_dup(row);
    *ret_row = *copy;
}

guint64 syncd_store_first_of_record(void *data, const SyncdFamily *family, const char *id)
{
    SyncdStore *self = data;
    bool found = false;
    g_auto(SyncdRecordRow) row = {0};
    return self->index != NULL &&
                   syncd_index_find_record(self->index, family, id, &row, &found, NULL) && found
               ? row.first
               : 0;
}

bool syncd_store_find_record(SyncdStore *self, const SyncdFamily *family, const char *id,
                             SyncdRecordRow *ret_row, bool *ret_found, GError **error)
{
    const SyncdRecordRow *pending = syncd_overlay_find_record(self->overlay, family, id);
    if (pending == NULL)
        return find_in_index(self, family, id, ret_row, ret_found, error);
    take_copy(pending, ret_row);
    *ret_found = true;
    return true;
}

/* What waits in the overlay says more than the index does about the same record. */
static bool is_overlaid(void *data, const SyncdRecordRow *row)
{
    const SyncdStore *self = data;
    return syncd_overlay_find_record(self->overlay, row->family, row->id) != NULL;
}

bool syncd_store_find_identity(SyncdStore *self, const char *identity, SyncdRecordRow *ret_row,
                               bool *ret_found, GError **error)
{
    g_auto(SyncdRecordRow) row = {0};
    if (!syncd_store_need_index(self, error) ||
        !syncd_index_find_identity(self->index, identity, &row, is_overlaid, self, ret_found,
                                   error))
        return false;
    const SyncdRecordRow *pending = syncd_overlay_find_identity(self->overlay, identity);
    if (pending != NULL && (!*ret_found || syncd_record_row_outranks(pending, &row))) {
        take_copy(pending, ret_row);
        *ret_found = true;
    } else if (*ret_found) {
        *ret_row = row;
        row = (SyncdRecordRow){0};
    }
    return true;
}

bool syncd_store_find_actor(SyncdStore *self, const char *identity, char **ret_actor_id,
                            GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    *ret_actor_id = NULL;
    if (!syncd_store_find_identity(self, identity, &row, &found, error))
        return false;
    if (found)
        *ret_actor_id = g_steal_pointer(&row.id);
    return true;
}

bool syncd_store_list_records(SyncdStore *self, const SyncdRecordQuery *query, GPtrArray **ret_rows,
                              char **ret_cursor, GError **error)
{
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)syncd_record_row_free);
    if (!syncd_store_need_index(self, error) || !syncd_store_settle(self, error) ||
        !syncd_index_list_records(self->index, query, rows, ret_cursor, error))
        return false;
    *ret_rows = g_steal_pointer(&rows);
    return true;
}

bool syncd_store_find_records(SyncdStore *self, const SyncdRecordQuery *query, GPtrArray **ret_rows,
                              GError **error)
{
    SyncdRecordQuery page = *query;
    g_autofree char *cursor = g_strdup("");
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)syncd_record_row_free);
    if (!syncd_store_need_index(self, error))
        return false;
    page.limit = G_MAXUINT;
    do {
        char *next = NULL;
        page.cursor = cursor;
        if (!syncd_index_list_records(self->index, &page, rows, &next, error))
            return false;
        g_free(cursor);
        cursor = next;
    } while (*cursor != '\0');
    for (guint i = rows->len; i > 0; i--)
        if (is_overlaid(self, rows->pdata[i - 1]))
            g_ptr_array_remove_index_fast(rows, i - 1);
    syncd_overlay_list_records(self->overlay, query, rows);
    *ret_rows = g_steal_pointer(&rows);
    return true;
}
