#include "store/chunks.h"

#include "domain/file-changes.h"
#include "store/blobs.h"
#include "store/index-file.h"
#include "store/store-private.h"

G_STATIC_ASSERT(SYNCD_FILE_CHUNK == SYNCD_CHUNK_CONTENT);

#define CLEARED_AT_ONCE 16u

/* ---- putting ---- */

bool syncd_store_has_content_room(SyncdStore *self, guint64 bytes)
{
    guint64 room = 0;
    return syncd_directory_room(self->directory, 0, &room, NULL) &&
           room >= bytes + SYNCD_CONTENT_ROOM;
}

static GHashTable *pins(SyncdStore *self)
{
    if (self->pins == NULL)
        self->pins = g_hash_table_new_full(syncd_hash_of_key, syncd_hash_is_same_key, g_free, NULL);
    return self->pins;
}

static guint pinned(SyncdStore *self, const SyncdHash *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(pins(self), name));
}

bool syncd_store_is_pinned(SyncdStore *self, const SyncdHash *name)
{
    return pinned(self, name) > 0;
}

static void pin(SyncdStore *self, const SyncdHash *name)
{
    guint times = pinned(self, name) + 1;
    g_hash_table_replace(pins(self), g_memdup2(name, sizeof *name), GUINT_TO_POINTER(times));
}

static void add_loose(SyncdStore *self, const SyncdHash *name)
{
    const SyncdDroppedChunk chunk = {.name = *name};
    if (self->loose == NULL)
        self->loose = g_array_new(FALSE, FALSE, sizeof(SyncdDroppedChunk));
    g_array_append_val(self->loose, chunk);
}

void syncd_store_unpin_chunk(SyncdStore *self, const SyncdHash *name)
{
    guint times = pinned(self, name);
    if (times > 1)
        g_hash_table_replace(pins(self), g_memdup2(name, sizeof *name),
                             GUINT_TO_POINTER(times - 1));
    if (times > 1)
        return;
    g_hash_table_remove(pins(self), name);
    add_loose(self, name);
    self->content_waits = true;
}

static bool key_of(SyncdStore *self, const char *scope_id, const SyncdSealKey **ret_key,
                   GError **error)
{
    const SyncdScope *scope = syncd_store_scope(self, scope_id);
    if (scope != NULL)
        return syncd_store_scope_key(self, scope, ret_key, error);
    syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "There is no scope %s", scope_id);
    return false;
}

bool syncd_store_put_chunk(SyncdStore *self, const char *scope_id, SyncdBytes part, bool row,
                           SyncdHash *ret_name, GBytes **ret_row, GError **error)
{
    const SyncdSealKey *key;
    if (!syncd_store_may_write(self, error) || !key_of(self, scope_id, &key, error))
        return false;
    size_t size;
    g_autofree guint8 *file =
        syncd_blobs_seal(SYNCD_CHUNK_OF_FILE, scope_id, key, self->sources, part, &size);
    *ret_name = syncd_hash(file, size);
    *ret_row = NULL;
    if (row) {
        *ret_row = g_bytes_new_take(g_steal_pointer(&file), size);
        return true;
    }
    pin(self, ret_name);
    if (syncd_blobs_put_file(self->directory, ret_name, SYNCD_BYTES(file, size), error))
        return true;
    syncd_store_unpin_chunk(self, ret_name);
    return false;
}

/* ---- getting ---- */

/* NULL, and no error: nothing is there. */
static GBytes *read_stored(SyncdStore *self, const SyncdHash *name, bool row, GError **error)
{
    GBytes *stored = NULL;
    g_autoptr(GError) problem = NULL;
    if (row)
        return syncd_journal_read_content(self->journal, name, &stored, error) ? stored : NULL;
    stored = syncd_blobs_get_file(self->directory, name, &problem);
    if (problem != NULL && !g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&problem));
    return stored;
}

static bool hashes_to(GBytes *stored, const SyncdHash *name)
{
    SyncdHash hash = syncd_hash(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored));
    return syncd_hash_equal(&hash, name);
}

bool syncd_store_chunk_is_whole(SyncdStore *self, const SyncdHash *name, bool row)
{
    g_autoptr(GBytes) stored = read_stored(self, name, row, NULL);
    return stored != NULL && hashes_to(stored, name);
}

GBytes *syncd_store_get_chunk(SyncdStore *self, const char *scope_id, const SyncdHash *name,
                              size_t size, bool row, GError **error)
{
    const SyncdSealKey *key;
    char digits[SYNCD_HASH_HEX_SIZE];
    g_autoptr(GError) problem = NULL;
    if (!key_of(self, scope_id, &key, error))
        return NULL;
    syncd_hash_to_hex(name, digits);
    g_autoptr(GBytes) sealed = read_stored(self, name, row, &problem);
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    if (sealed == NULL) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "The chunk %s is not there", digits);
        return NULL;
    }
    g_autoptr(GByteArray) plain = g_byte_array_new();
    if (!hashes_to(sealed, name) ||
        !syncd_blobs_open(SYNCD_CHUNK_OF_FILE, scope_id, key,
                          SYNCD_BYTES(g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed)),
                          plain) ||
        plain->len != size) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The chunk %s is not what was kept",
                        digits);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&plain));
}

void syncd_content_row_clear(SyncdContentRow *row)
{
    g_clear_pointer(&row->chunks, g_bytes_unref);
}

bool syncd_store_find_content(SyncdStore *self, guint64 file, guint64 version,
                              SyncdContentRow *ret_row, bool *ret_found, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_find_content(self->index, file, version, 0, ret_row, ret_found, error);
}

bool syncd_store_find_content_behind(SyncdStore *self, guint64 file, guint64 version, guint newer,
                                     SyncdContentRow *ret_row, bool *ret_found, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_find_content(self->index, file, version, newer, ret_row, ret_found, error);
}

bool syncd_store_next_kept(SyncdStore *self, guint64 after, guint64 *ret_file, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_next_kept(self->index, after, ret_file, error);
}

/* ---- what nobody needs ---- */

bool syncd_store_list_chunk_users(SyncdStore *self, const SyncdHash *name, GArray *users,
                                  GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_list_chunk_users(self->index, name, users, error);
}

bool syncd_store_next_with_chunk(SyncdStore *self, const SyncdHash *name, guint64 after,
                                 guint64 *ret_file, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_next_with_chunk(self->index, name, after, ret_file, error);
}

bool syncd_store_needs_chunk(SyncdStore *self, const SyncdHash *name, bool *ret_needs,
                             GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_needs_chunk(self->index, name, ret_needs, error);
}

/* Those that are pinned are looked at when they are not. */
static bool add_needless(SyncdStore *self, const GArray *from, GArray *chunks, GError **error)
{
    for (guint i = 0; i < from->len; i++) {
        const SyncdDroppedChunk *chunk = &g_array_index(from, SyncdDroppedChunk, i);
        bool needed = syncd_store_is_pinned(self, &chunk->name);
        if (!needed && !syncd_index_needs_chunk(self->index, &chunk->name, &needed, error))
            return false;
        if (!needed)
            g_array_append_val(chunks, *chunk);
    }
    return true;
}

/* What is not there is nothing. Rows go with a commit. */
static bool remove_chunks(SyncdStore *self, const GArray *chunks, GError **error)
{
    bool good = true;
    for (guint i = 0; good && i < chunks->len; i++) {
        const SyncdDroppedChunk *chunk = &g_array_index(chunks, SyncdDroppedChunk, i);
        good = chunk->small ? syncd_journal_drop_content(self->journal, &chunk->name, error)
                            : syncd_blobs_remove_file(self->directory, &chunk->name, error);
    }
    if (good && syncd_store_has_turn(self))
        return syncd_store_commit(self, NULL, error);
    if (syncd_store_has_turn(self))
        syncd_store_discard(self);
    return good;
}

bool syncd_store_clear_content(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(GArray) dropped = g_array_new(FALSE, FALSE, sizeof(SyncdDroppedChunk));
    g_autoptr(GArray) chunks = g_array_new(FALSE, FALSE, sizeof(SyncdDroppedChunk));
    gint64 last = 0;
    *ret_more = false;
    if (syncd_store_has_turn(self)) {
        syncd_set_error(error, SYNCD_ERROR_BUSY, "Entries wait to be committed first");
        return false;
    }
    if (!syncd_store_may_write(self, error) || !syncd_store_settle(self, error) ||
        !syncd_index_list_dropped(self->index, CLEARED_AT_ONCE, dropped, &last, error) ||
        !add_needless(self, dropped, chunks, error) ||
        (self->loose != NULL && !add_needless(self, self->loose, chunks, error)) ||
        !remove_chunks(self, chunks, error))
        return false;
    if (self->loose != NULL)
        g_array_set_size(self->loose, 0);
    *ret_more = dropped->len > 0;
    return dropped->len == 0 || syncd_index_forget_dropped(self->index, last, dropped, error);
}

/* ---- whose they are ---- */

static bool names_chunk(const SyncdFileChange *change, const SyncdHash *chunk)
{
    SyncdBytes names = change->content.chunks;
    for (size_t at = 0; change->content.kept && at + SYNCD_HASH_SIZE <= names.size;
         at += SYNCD_HASH_SIZE)
        if (memcmp((const guint8 *)names.data + at, chunk->bytes, SYNCD_HASH_SIZE) == 0)
            return true;
    return false;
}

char *syncd_store_file_of_chunk(SyncdStore *self, guint64 pos, const SyncdHash *chunk)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_auto(SyncdFileChangesReader) reader = {{NULL}};
    SyncdFileChange change;
    char id[SYNCD_FILE_ID_SIZE];
    if (!syncd_store_read(self, pos, &entry, NULL) ||
        !syncd_bytes_are(entry.header.schema_id, SYNCD_FILES_SCHEMA) ||
        !syncd_store_read_body(self, &entry, &body, NULL) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return NULL;
    syncd_file_changes_read(&reader, syncd_json_root(body.content, body.content_size));
    while (syncd_file_changes_next(&reader, &change)) {
        if (!names_chunk(&change, chunk))
            continue;
        if (change.object.data != NULL)
            return syncd_bytes_dup(change.object);
        syncd_file_id(entry.header.op, reader.number, id);
        return g_strdup(id);
    }
    return NULL;
}
