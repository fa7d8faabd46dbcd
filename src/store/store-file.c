#include "store/index-file.h"
#include "store/store-private.h"

/* A page of sightings that nothing is lost by losing. */
#define SIGHTINGS_MAX 65536u

static bool ready(SyncdStore *self, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error);
}

bool syncd_store_find_workspace_folder(SyncdStore *self, const char *scope_id,
                                       SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    return ready(self, error) &&
           syncd_index_find_workspace_folder(self->index, scope_id, ret_row, ret_found, error);
}

bool syncd_store_find_file(SyncdStore *self, guint64 id, SyncdFileRow *ret_row, bool *ret_found,
                           GError **error)
{
    return ready(self, error) && syncd_index_find_file(self->index, id, ret_row, ret_found, error);
}

bool syncd_store_find_file_in(SyncdStore *self, guint64 folder, SyncdBytes name,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    return ready(self, error) &&
           syncd_index_find_file_in(self->index, folder, name, ret_row, ret_found, error);
}

bool syncd_store_find_ignored_in(SyncdStore *self, guint64 folder, SyncdBytes name,
                                 SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    return ready(self, error) &&
           syncd_index_find_ignored_in(self->index, folder, name, ret_row, ret_found, error);
}

bool syncd_store_next_file_in(SyncdStore *self, guint64 folder, SyncdBytes after,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    return ready(self, error) &&
           syncd_index_next_file_in(self->index, folder, after, ret_row, ret_found, error);
}

bool syncd_store_find_file_step(SyncdStore *self, guint64 file, guint64 before, guint64 version,
                                SyncdFileStep *ret_step, bool *ret_found, GError **error)
{
    return ready(self, error) && syncd_index_find_file_step(self->index, file, before, version,
                                                            ret_step, ret_found, error);
}

bool syncd_store_count_files(SyncdStore *self, GHashTable **ret_counts, GError **error)
{
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!ready(self, error) || !syncd_index_count_files(self->index, counts, error))
        return false;
    *ret_counts = g_steal_pointer(&counts);
    return true;
}

bool syncd_store_walk_seen(SyncdStore *self, const char *scope_id, guint64 device, guint64 inode,
                           bool (*take)(void *data, const SyncdFileRow *row), void *data,
                           GError **error)
{
    return ready(self, error) &&
           syncd_index_walk_seen(self->index, scope_id, device, inode, take, data, error);
}

bool syncd_store_walk_mismatched(SyncdStore *self, const char *scope_id, guint64 after,
                                 bool (*take)(void *data, const SyncdFileRow *row), void *data,
                                 GError **error)
{
    return ready(self, error) &&
           syncd_index_walk_mismatched(self->index, scope_id, after, take, data, error);
}

bool syncd_store_sum_files(SyncdStore *self, const char *scope_id, guint64 *ret_size,
                           GError **error)
{
    return ready(self, error) && syncd_index_sum_files(self->index, scope_id, ret_size, error);
}

bool syncd_store_count_mismatched(SyncdStore *self, const char *scope_id, guint64 max,
                                  guint64 *ret_n, GError **error)
{
    return ready(self, error) &&
           syncd_index_count_mismatched(self->index, scope_id, max, ret_n, error);
}

bool syncd_store_walk_deleted(SyncdStore *self, const char *scope_id, SyncdBytes name,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error)
{
    return ready(self, error) &&
           syncd_index_walk_deleted(self->index, scope_id, name, take, data, error);
}

bool syncd_store_has_more_files(SyncdStore *self, const char *scope_id, guint64 max, bool *ret_has,
                                GError **error)
{
    return ready(self, error) &&
           syncd_index_has_more_files(self->index, scope_id, max, ret_has, error);
}

bool syncd_store_walk_folder(SyncdStore *self, guint64 folder,
                             bool (*take)(void *data, const SyncdFileRow *row), void *data,
                             GError **error)
{
    return ready(self, error) && syncd_index_walk_folder(self->index, folder, take, data, error);
}

bool syncd_store_walk_ignored(SyncdStore *self, guint64 folder,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error)
{
    return ready(self, error) && syncd_index_walk_ignored(self->index, folder, take, data, error);
}

bool syncd_store_file_id(SyncdStore *self, guint64 id, char ret_id[SYNCD_FILE_ID_SIZE],
                         GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_store_read(self, syncd_file_place_pos(id), &entry, error))
        return false;
    syncd_file_id(entry.header.op, (guint)(id % SYNCD_FILES_MAX), ret_id);
    return true;
}

bool syncd_store_find_file_id(SyncdStore *self, const char *id, guint64 *ret_file, GError **error)
{
    SyncdFileRow row;
    bool found;
    if (!ready(self, error) ||
        !syncd_index_find_file_place(self->index, SYNCD_BYTES_TEXT(id), ret_file, error))
        return false;
    if (*ret_file == 0)
        return true;
    if (!syncd_index_find_file(self->index, *ret_file, &row, &found, error))
        return false;
    if (!found)
        *ret_file = 0;
    return true;
}

/* ---- what was seen ---- */

typedef struct {
    guint64 file, pos;
    SyncdFileSeen seen;
} Sighting;

void syncd_store_see_file(SyncdStore *self, guint64 file, guint64 pos, const SyncdFileSeen *seen)
{
    Sighting sighting = {file, pos, *seen};
    if (self->sightings == NULL)
        self->sightings = g_array_new(FALSE, FALSE, sizeof(Sighting));
    if (self->sightings->len < SIGHTINGS_MAX)
        g_array_append_val(self->sightings, sighting);
}

bool syncd_store_has_sightings(const SyncdStore *self)
{
    return self->sightings != NULL && self->sightings->len > 0;
}

void syncd_store_forget_sightings(SyncdStore *self)
{
    guint64 committed = syncd_journal_committed(self->journal);
    guint n = 0, len = syncd_store_has_sightings(self) ? self->sightings->len : 0;
    for (guint i = 0; i < len; i++) {
        Sighting sighting = g_array_index(self->sightings, Sighting, i);
        if (sighting.pos <= committed)
            g_array_index(self->sightings, Sighting, n++) = sighting;
    }
    if (len > 0)
        g_array_set_size(self->sightings, n);
}

bool syncd_store_write_sightings(SyncdStore *self, SyncdIndex *index, GError **error)
{
    guint64 committed = syncd_journal_committed(self->journal);
    guint n = 0;
    for (; syncd_store_has_sightings(self) && n < self->sightings->len; n++) {
        const Sighting *sighting = &g_array_index(self->sightings, Sighting, n);
        if (sighting->pos > committed)
            break;
        if (!syncd_index_see_file(index, sighting->file, &sighting->seen, error))
            return false;
    }
    self->seen = n;
    return true;
}

void syncd_store_drop_sightings(SyncdStore *self)
{
    if (self->seen > 0)
        g_array_remove_range(self->sightings, 0, self->seen);
    self->seen = 0;
}
