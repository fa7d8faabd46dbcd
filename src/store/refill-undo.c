/* Taking back what was brought back, but for what nothing else has by now. */
#include "store/refill-private.h"

#include "store/aside.h"
#include "store/repair-store.h"
#include "store/snapshot.h"
#include "store/store-private.h"

static bool take_away(SyncdRefill *self, const SyncdWrongChunk *chunk, GError **error)
{
    SyncdStore *store = self->store;
    g_autofree char *path = syncd_blobs_path(chunk->of, &chunk->name);
    if (!chunk->small)
        return syncd_directory_remove(store->directory, path, error);
    if (syncd_journal_drop_content(store->journal, &chunk->name, error) &&
        (!syncd_store_has_turn(store) || syncd_store_commit(store, NULL, error)))
        return true;
    if (syncd_store_has_turn(store))
        syncd_store_discard(store);
    return false;
}

static bool has_erred(const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
}

/* As far as is recorded. */
static bool a_file_has(SyncdRefill *self, const SyncdWrongChunk *chunk, GError **error)
{
    SyncdFileRow row;
    bool found;
    guint64 file = 0;
    while (syncd_refill_next_file(self, chunk, file, &file, error) && file != 0)
        if (syncd_store_find_file(self->store, file, &row, &found, NULL) && found && row.live &&
            !row.mismatched)
            return true;
    return false;
}

/* What it came from may have gone or changed since: a version may have no other bytes. Where the
 * disk erred nobody knows. */
static bool find_only_copy(SyncdRefill *self, const SyncdWrongChunk *chunk, bool *ret_only,
                           GError **error)
{
    const char *source;
    g_autoptr(GError) unread = NULL, unindexed = NULL, erred = NULL;
    g_autoptr(GBytes) bytes = syncd_refill_read_chunk(self, chunk, &unread);
    *ret_only = false;
    if ((!syncd_refill_hashes_to(bytes, &chunk->name) && !has_erred(unread)) ||
        a_file_has(self, chunk, &unindexed))
        return true;
    g_autoptr(GBytes) other = syncd_refill_find(self, &chunk->name, &source, &erred);
    GError **problem = has_erred(unread) ? &unread : has_erred(unindexed) ? &unindexed : &erred;
    *ret_only = other == NULL;
    if (other != NULL || *problem == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(problem));
    return false;
}

static bool undo_one(SyncdRefill *self, SyncdWrongChunk *chunk, const GPtrArray *lost,
                     GError **error)
{
    size_t size;
    g_autofree char *name = syncd_refill_kept_name(self, chunk);
    if (chunk->was != SYNCD_CHUNK_MISSING && !syncd_store_has_repair(self->store, name))
        return true; /* nothing was put in its place, or it is gone, which `lost` says */
    if (syncd_lost_has(lost, name))
        return true;
    if (!find_only_copy(self, chunk, &chunk->stays, error))
        return false;
    if (chunk->stays)
        return true;
    if (chunk->was == SYNCD_CHUNK_MISSING)
        return take_away(self, chunk, error);
    g_autoptr(GError) problem = NULL;
    g_autofree char *path = syncd_blobs_path(chunk->of, &chunk->name);
    g_autofree char *bytes =
        syncd_store_get_repair(self->store, name, 2 * SYNCD_CHUNK_SIZE, &size, &problem);
    if (bytes != NULL)
        return syncd_refill_put(self, chunk, SYNCD_BYTES(bytes, size), error) &&
               (chunk->small || syncd_store_put_mode_back(self->store, name, path, error));
    if (!chunk->small)
        return syncd_store_put_back(self->store, name, path, error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool syncd_refill_undo(SyncdRefill *self, const GPtrArray *lost, bool *ret_more, GError **error)
{
    bool found;
    *ret_more = false;
    syncd_refill_end_offers(self);
    if (!syncd_refill_load(self, &found, error))
        return false;
    if (self->undone < self->chunks->len &&
        !undo_one(self, self->chunks->pdata[self->undone++], lost, error))
        return false;
    *ret_more = self->undone < self->chunks->len;
    return true;
}
