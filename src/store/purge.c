/* What a purge takes from the log: looking for it, and taking it. */
#include "store/purge.h"

#include "base/timestamp.h"
#include "store/blobs.h"
#include "store/deletion-move.h"
#include "store/sharing.h"
#include "store/store-private.h"

#define PAGE 512u

static void entry_free(void *data)
{
    SyncdPurgedEntry *entry = data;
    g_free(entry->op);
    g_free(entry->feed);
    g_free(entry);
}

void syncd_purged_chunk_free(void *data)
{
    SyncdPurgedChunk *chunk = data;
    g_free(chunk->name);
    g_free(chunk);
}

void syncd_purgeable_free(SyncdPurgeable *purgeable)
{
    if (purgeable == NULL)
        return;
    g_ptr_array_unref(purgeable->entries);
    g_ptr_array_unref(purgeable->chunks);
    g_free(purgeable->scope_id);
    g_free(purgeable);
}

/* ---- what was purged says so ---- */

bool syncd_store_tell_purged(SyncdStore *self, guint64 pos, const SyncdHeader *header,
                             guint64 *ret_by, GError **error)
{
    g_auto(SyncdEntry) purge = {0};
    char when[SYNCD_TIME_SIZE];
    *ret_by = 0;
    if (!syncd_journal_purged_by(self->journal, pos, ret_by, error))
        return false;
    if (*ret_by == 0)
        return true;
    if (!syncd_store_read(self, *ret_by, &purge, error))
        return false;
    syncd_time_format_ms(purge.header.hlc.ms, when);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "nothing brings it back but a backup",
                         "What %.*s said was purged by %.*s at %s", (int)header->op.size,
                         (const char *)header->op.data, (int)purge.header.op.size,
                         (const char *)purge.header.op.data, when);
    return false;
}

/* ---- what a purge would take ---- */

struct SyncdPurgeSearch {
    SyncdStore *store;
    char *object;
    SyncdPurgeable *purgeable;
    GHashTable *taken;  /* gint64 *: positions of its entries */
    GHashTable *chunks; /* name: SyncdPurgedChunk (borrowed) */
    SyncdSharing sharing;
    guint64 began; /* the last entry that was committed then */
    guint64 after; /* up to this one there is no other of the object; with `cursor` */
    char *cursor;
    GError *error;
};

static bool add_chunk(void *data, const char *name, guint64 size)
{
    SyncdPurgeSearch *search = data;
    if (g_hash_table_contains(search->chunks, name))
        return true;
    SyncdPurgedChunk *chunk = g_new0(SyncdPurgedChunk, 1);
    chunk->name = g_strdup(name);
    chunk->size = size;
    g_ptr_array_add(search->purgeable->chunks, chunk);
    g_hash_table_insert(search->chunks, chunk->name, chunk);
    search->purgeable->chunk_bytes += size;
    return true;
}

/* Up to where all members have what is in a feed. There are none yet but this device, so it is the
 * signed head of its own feeds; a feed of another device has no stable part. */
static guint64 stable_cut(const SyncdFeed *feed)
{
    return feed->own ? feed->committed.size : 0;
}

static SyncdPurgedEntry *describe(SyncdPurgeSearch *search, guint64 pos, const SyncdHeader *header,
                                  SyncdBytes text)
{
    SyncdPurgeable *purgeable = search->purgeable;
    g_autofree char *device = syncd_bytes_dup(header->device),
                    *scope = syncd_bytes_dup(header->scope);
    const SyncdFeed *feed =
        syncd_journal_find_feed(search->store->journal, device, scope, header->epoch);
    SyncdPurgedEntry *entry = g_new0(SyncdPurgedEntry, 1);
    entry->pos = pos;
    entry->op = syncd_bytes_dup(header->op);
    entry->feed = g_strdup(feed != NULL ? feed->text : "");
    entry->own = feed != NULL && feed->own;
    entry->stable = feed != NULL && header->seq < stable_cut(feed);
    entry->leaf = syncd_tree_leaf(text.data, text.size);
    entry->digest = header->body_digest;
    entry->size = header->body_size;
    g_ptr_array_add(purgeable->entries, entry);
    purgeable->bytes += entry->size;
    purgeable->unstable += !entry->stable;
    return entry;
}

/* Of all bodies only lists are read: they are small. */
static bool take_list(SyncdPurgeSearch *search, guint64 pos, const SyncdHeader *header)
{
    g_auto(SyncdBody) body = {0};
    if (!header->body_is_list)
        return true;
    g_autoptr(GBytes) stored = syncd_journal_read_body(search->store->journal, pos, &search->error);
    if (stored == NULL || !syncd_store_open_meta(
                              search->store, header,
                              SYNCD_BYTES(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored)),
                              &body, &search->error))
        return false;
    syncd_blobs_each(SYNCD_BYTES(body.content, body.content_size), add_chunk, search);
    return true;
}

/* What was found earlier may not hold any more. */
static bool refuse_change(SyncdPurgeSearch *search)
{
    syncd_set_error_next(&search->error, SYNCD_ERROR_BUSY, "plan again",
                         "The object changes while the log is searched for it");
    return false;
}

static bool add_state(SyncdPurgeSearch *search, SyncdPurgedEntry *entry)
{
    SyncdTask task;
    bool found;
    if (syncd_store_is_moving(search->store, entry->op))
        return refuse_change(search);
    if (!syncd_store_find_task(search->store, entry->op, &task, &found, &search->error))
        return false;
    entry->state = found ? syncd_operation_state_name(task.state.operation) : NULL;
    search->purgeable->unfinished +=
        found && (task.state.task == SYNCD_TASK_PENDING || task.state.task == SYNCD_TASK_RUNNING);
    return true;
}

static bool gather(void *data, guint64 pos, SyncdBytes text, SyncdBytes unread)
{
    SyncdPurgeSearch *search = data;
    SyncdHeader header;
    bool has;
    if (!syncd_header_parse(text.data, text.size, &header, NULL)) {
        syncd_set_error(&search->error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The header of the entry %" G_GUINT64_FORMAT " is damaged", pos);
        return false;
    }
    if (pos > search->began)
        return refuse_change(search);
    if (!syncd_deletion_purges(header.kind))
        return true;
    if (!syncd_journal_has_body(search->store->journal, pos, &has, &search->error))
        return false;
    if (!has)
        return true;
    gint64 key = (gint64)pos;
    SyncdPurgedEntry *entry = describe(search, pos, &header, text);
    g_hash_table_add(search->taken, g_memdup2(&key, sizeof key));
    if (search->purgeable->entries->len > SYNCD_PURGE_ENTRIES_MAX) {
        syncd_set_error_next(&search->error, SYNCD_ERROR_LIMITS_EXCEEDED,
                             "it has to stay as it is, deleted and hidden",
                             "The object has more than %u entries, which is what one purge takes",
                             SYNCD_PURGE_ENTRIES_MAX);
        return false;
    }
    return add_state(search, entry) && take_list(search, pos, &header);
}

static bool gather_page(SyncdPurgeSearch *search, bool *ret_more, GError **error)
{
    SyncdQuery query = {.order = SYNCD_OLDEST_FIRST,
                        .limit = PAGE,
                        .scope_id = search->purgeable->scope_id,
                        .object = search->object,
                        .after = search->after,
                        .cursor = search->cursor};
    g_autoptr(GArray) positions = NULL;
    char *next = NULL;
    guint64 committed = syncd_journal_committed(search->store->journal);
    if (!syncd_store_query(search->store, &query, &positions, &next, error))
        return false;
    g_free(search->cursor);
    search->cursor = next;
    *ret_more = *next != '\0';
    if (!*ret_more)
        search->after = committed;
    if (syncd_journal_read_many(search->store->journal, (const guint64 *)(void *)positions->data,
                                positions->len, false, gather, search, error) &&
        search->error == NULL)
        return true;
    if (search->error != NULL)
        g_propagate_error(error, g_steal_pointer(&search->error));
    return false;
}

SyncdPurgeSearch *syncd_store_begin_purge_search(SyncdStore *self, const char *scope_id,
                                                 const char *object)
{
    SyncdPurgeable *purgeable = g_new0(SyncdPurgeable, 1);
    purgeable->scope_id = g_strdup(scope_id);
    purgeable->entries = g_ptr_array_new_with_free_func(entry_free);
    purgeable->chunks = g_ptr_array_new_with_free_func(syncd_purged_chunk_free);
    SyncdPurgeSearch *search = g_new0(SyncdPurgeSearch, 1);
    search->store = self;
    search->object = g_strdup(object);
    search->purgeable = purgeable;
    search->taken = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    search->chunks = g_hash_table_new(g_str_hash, g_str_equal);
    search->sharing = (SyncdSharing){.store = self,
                                     .scope = purgeable->scope_id,
                                     .taken = search->taken,
                                     .chunks = search->chunks};
    search->began = syncd_journal_committed(self->journal);
    return search;
}

void syncd_purge_search_free(SyncdPurgeSearch *search)
{
    if (search == NULL)
        return;
    syncd_purgeable_free(search->purgeable);
    g_hash_table_unref(search->taken);
    g_hash_table_unref(search->chunks);
    g_free(search->object);
    g_free(search->cursor);
    g_clear_error(&search->error);
    g_free(search);
}

bool syncd_purge_search_step(SyncdPurgeSearch *search, bool *ret_more, GError **error)
{
    return gather_page(search, ret_more, error) &&
           (*ret_more || syncd_sharing_step(&search->sharing, ret_more, error));
}

bool syncd_purge_search_gather(SyncdPurgeSearch *search, bool *ret_more, GError **error)
{
    return gather_page(search, ret_more, error);
}

SyncdPurgeable *syncd_purge_search_take(SyncdPurgeSearch *search)
{
    return g_steal_pointer(&search->purgeable);
}

/* ---- taking it ---- */

bool syncd_store_purge(SyncdStore *self, const SyncdPurgeable *purgeable, guint64 by,
                       GError **error)
{
    for (guint i = 0; i < purgeable->entries->len; i++) {
        const SyncdPurgedEntry *entry = purgeable->entries->pdata[i];
        if (!syncd_journal_purge(self->journal, entry->pos, by, error))
            return false;
    }
    return true;
}

bool syncd_store_next_hidden(SyncdStore *self, guint64 after, guint64 *ret_pos, char **ret_scope_id,
                             char **ret_object, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_next_hidden(self->index, after, ret_pos, ret_scope_id, ret_object, error);
}

bool syncd_store_find_unproven(SyncdStore *self, guint64 after, guint64 *ret_pos, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_find_deletion_in(self->index, SYNCD_DELETION_PURGED, after, ret_pos, error);
}
