/* What a purge takes: bodies in the log first, then every other place that held their bytes. */
#include "store/store-private.h"

#include "base/timestamp.h"
#include "store/blobs.h"
#include "store/deletion-move.h"

#define COPY_PREFIX "journal.db.before-"
#define PAGE 512u

static void entry_free(void *data)
{
    SyncdPurgedEntry *entry = data;
    g_free(entry->op);
    g_free(entry->feed);
    g_free(entry);
}

static void chunk_free(void *data)
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

/* ---- chunks ---- */

typedef struct {
    SyncdStore *store;
    const char *scope;
    GHashTable *taken;  /* positions: their lists do not count; NULL when these have no body now */
    GHashTable *chunks; /* name -> SyncdPurgedChunk (borrowed) */
    guint64 unreadable; /* lists that may name any of them */
} Sharing;

static bool note_shared(void *data, const char *name, guint64 size)
{
    SyncdPurgedChunk *chunk = g_hash_table_lookup(((Sharing *)data)->chunks, name);
    if (chunk != NULL)
        chunk->shared = true;
    return true;
}

/* Equal content is stored once in a scope, and once in all that are not sealed. */
static bool may_share(const Sharing *sharing, const SyncdHeader *header, guint64 pos)
{
    gint64 key = (gint64)pos;
    return header->body_is_list &&
           (header->key.size == 0 || syncd_bytes_are(header->scope, sharing->scope)) &&
           (sharing->taken == NULL || !g_hash_table_contains(sharing->taken, &key));
}

static void look_at_list(Sharing *sharing, SyncdStatement *row)
{
    SyncdHeader header;
    g_auto(SyncdBody) body = {0};
    SyncdBytes text = syncd_column_bytes(row, 1);
    bool known = syncd_header_parse(text.data, text.size, &header, NULL);
    if (known && !may_share(sharing, &header, (guint64)syncd_column_int(row, 0)))
        return;
    if (!known ||
        !syncd_store_open_meta(sharing->store, &header, syncd_column_bytes(row, 2), &body, NULL) ||
        !syncd_blobs_each(SYNCD_BYTES(body.content, body.content_size), note_shared, sharing))
        sharing->unreadable++;
}

static void keep_all(Sharing *sharing)
{
    GHashTableIter iter;
    void *chunk;
    g_hash_table_iter_init(&iter, sharing->chunks);
    while (g_hash_table_iter_next(&iter, NULL, &chunk))
        ((SyncdPurgedChunk *)chunk)->shared = true;
}

/* Looks at every list in the log that may name one of them. */
static bool find_shared(Sharing *sharing, GError **error)
{
    static const char needle[] = "\"form\":\"list\"";
    if (g_hash_table_size(sharing->chunks) == 0)
        return true;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_journal_database(sharing->store->journal),
        "SELECT pos, header, body FROM entry WHERE instr(header, :needle) > 0"
        " AND body IS NOT NULL ORDER BY pos");
    syncd_bind_blob(rows, ":needle", SYNCD_BYTES_TEXT(needle));
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            break;
        look_at_list(sharing, rows);
    }
    if (sharing->unreadable > 0)
        keep_all(sharing);
    return true;
}

/* ---- what a purge would take ---- */

typedef struct {
    SyncdStore *store;
    SyncdPurgeable *purgeable;
    GHashTable *taken;  /* gint64 * */
    GHashTable *chunks; /* as above */
    GError *error;
} Gathering;

static bool add_chunk(void *data, const char *name, guint64 size)
{
    Gathering *gathering = data;
    if (g_hash_table_contains(gathering->chunks, name))
        return true;
    SyncdPurgedChunk *chunk = g_new0(SyncdPurgedChunk, 1);
    chunk->name = g_strdup(name);
    chunk->size = size;
    g_ptr_array_add(gathering->purgeable->chunks, chunk);
    g_hash_table_insert(gathering->chunks, chunk->name, chunk);
    gathering->purgeable->chunk_bytes += size;
    return true;
}

/* Up to where all members have what is in a feed. There are none yet but this device, so it is the
 * signed head of its own feeds; a feed of another device has no stable part. */
static guint64 stable_cut(const SyncdFeed *feed)
{
    return feed->own ? feed->committed.size : 0;
}

static SyncdPurgedEntry *describe(Gathering *gathering, guint64 pos, const SyncdHeader *header,
                                  SyncdBytes text)
{
    SyncdPurgeable *purgeable = gathering->purgeable;
    g_autofree char *device = syncd_bytes_dup(header->device),
                    *scope = syncd_bytes_dup(header->scope);
    const SyncdFeed *feed =
        syncd_journal_find_feed(gathering->store->journal, device, scope, header->epoch);
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
static bool take_list(Gathering *gathering, guint64 pos, const SyncdHeader *header)
{
    g_auto(SyncdBody) body = {0};
    if (!header->body_is_list)
        return true;
    g_autoptr(GBytes) stored =
        syncd_journal_read_body(gathering->store->journal, pos, &gathering->error);
    if (stored == NULL || !syncd_store_open_meta(
                              gathering->store, header,
                              SYNCD_BYTES(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored)),
                              &body, &gathering->error))
        return false;
    syncd_blobs_each(SYNCD_BYTES(body.content, body.content_size), add_chunk, gathering);
    return true;
}

static bool add_state(Gathering *gathering, SyncdPurgedEntry *entry)
{
    SyncdTask task;
    bool found;
    if (!syncd_store_find_task(gathering->store, entry->op, &task, &found, &gathering->error))
        return false;
    entry->state = found ? syncd_operation_state_name(task.state.operation) : NULL;
    gathering->purgeable->unfinished +=
        found && (task.state.task == SYNCD_TASK_PENDING || task.state.task == SYNCD_TASK_RUNNING);
    return true;
}

static bool gather(void *data, guint64 pos, SyncdBytes text, SyncdBytes unread)
{
    Gathering *gathering = data;
    SyncdHeader header;
    bool has;
    if (!syncd_header_parse(text.data, text.size, &header, NULL)) {
        syncd_set_error(&gathering->error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The header of the entry %" G_GUINT64_FORMAT " is damaged", pos);
        return false;
    }
    if (!syncd_deletion_purges(header.kind))
        return true;
    if (!syncd_journal_has_body(gathering->store->journal, pos, &has, &gathering->error))
        return false;
    if (!has)
        return true;
    gint64 key = (gint64)pos;
    SyncdPurgedEntry *entry = describe(gathering, pos, &header, text);
    g_hash_table_add(gathering->taken, g_memdup2(&key, sizeof key));
    if (gathering->purgeable->entries->len > SYNCD_PURGE_ENTRIES_MAX) {
        syncd_set_error_next(&gathering->error, SYNCD_ERROR_LIMITS_EXCEEDED,
                             "it has to stay as it is, deleted and hidden",
                             "The object has more than %u entries, which is what one purge takes",
                             SYNCD_PURGE_ENTRIES_MAX);
        return false;
    }
    return add_state(gathering, entry) && take_list(gathering, pos, &header);
}

static bool gather_all(Gathering *gathering, const char *scope_id, const char *object,
                       GError **error)
{
    SyncdStore *self = gathering->store;
    g_autofree char *cursor = g_strdup("");
    do {
        SyncdQuery query = {.order = SYNCD_OLDEST_FIRST,
                            .limit = PAGE,
                            .scope_id = scope_id,
                            .object = object,
                            .cursor = cursor};
        g_autoptr(GArray) positions = NULL;
        char *next = NULL;
        if (!syncd_store_query(self, &query, &positions, &next, error))
            return false;
        g_free(cursor);
        cursor = next;
        if (!syncd_journal_read_many(self->journal, (const guint64 *)(void *)positions->data,
                                     positions->len, false, gather, gathering, error))
            return false;
    } while (*cursor != '\0' && gathering->error == NULL);
    if (gathering->error == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&gathering->error));
    return false;
}

SyncdPurgeable *syncd_store_find_purgeable(SyncdStore *self, const char *scope_id,
                                           const char *object, GError **error)
{
    g_autoptr(SyncdPurgeable) purgeable = g_new0(SyncdPurgeable, 1);
    g_autoptr(GHashTable) chunks = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    purgeable->scope_id = g_strdup(scope_id);
    purgeable->entries = g_ptr_array_new_with_free_func(entry_free);
    purgeable->chunks = g_ptr_array_new_with_free_func(chunk_free);
    Gathering gathering = {self, purgeable, taken, chunks, NULL};
    Sharing sharing = {self, scope_id, taken, chunks, 0};
    if (!gather_all(&gathering, scope_id, object, error) || !find_shared(&sharing, error))
        return NULL;
    return g_steal_pointer(&purgeable);
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

bool syncd_store_find_unproven(SyncdStore *self, guint64 after, guint64 *ret_pos, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_find_deletion_in(self->index, SYNCD_DELETION_PURGED, after, ret_pos, error);
}

/* ---- every other place ---- */

static bool remove_chunks(SyncdStore *self, const char *scope_id, GPtrArray *chunks,
                          SyncdScrubbed *scrubbed, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < chunks->len; i++) {
        SyncdPurgedChunk *chunk = chunks->pdata[i];
        chunk->shared = false;
        g_hash_table_insert(names, chunk->name, chunk);
    }
    /* By now an entry may list one that came after the purge was planned. */
    Sharing sharing = {self, scope_id, NULL, names, 0};
    if (!find_shared(&sharing, error))
        return false;
    scrubbed->unreadable = sharing.unreadable;
    for (guint i = 0; i < chunks->len; i++) {
        const SyncdPurgedChunk *chunk = chunks->pdata[i];
        scrubbed->kept_chunks += chunk->shared;
        if (chunk->shared)
            continue;
        if (!syncd_blobs_remove(self->directory, chunk->name, error))
            return false;
        scrubbed->chunks++;
        scrubbed->chunk_bytes += chunk->size;
    }
    return true;
}

/* They are whole databases of before, with all that was in them. */
static bool remove_copies(SyncdStore *self, SyncdScrubbed *scrubbed, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GDir) folder = g_dir_open(syncd_directory_path(self->directory), 0, &problem);
    const char *name;
    if (folder == NULL) {
        syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "%s", problem->message);
        return false;
    }
    while ((name = g_dir_read_name(folder)) != NULL) {
        if (!g_str_has_prefix(name, COPY_PREFIX))
            continue;
        if (!syncd_directory_remove(self->directory, name, error))
            return false;
        scrubbed->copies++;
    }
    return true;
}

bool syncd_store_scrub(SyncdStore *self, const char *scope_id, GPtrArray *chunks,
                       SyncdScrubbed *ret_scrubbed, GError **error)
{
    SyncdScrubbed scrubbed = {0};
    if (!syncd_store_may_write(self, error) ||
        !remove_chunks(self, scope_id, chunks, &scrubbed, error) ||
        !remove_copies(self, &scrubbed, error) ||
        !syncd_database_empty_wal(syncd_journal_database(self->journal), error) ||
        !syncd_store_remake_index(self, error))
        return false;
    *ret_scrubbed = scrubbed;
    return true;
}
