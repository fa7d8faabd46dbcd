#include "store/refill-private.h"

#include "domain/file-changes.h"
#include "store/aside.h"
#include "store/chunks.h"
#include "store/repair-store.h"
#include "store/source.h"
#include "store/store-private.h"

#include <stdio.h>
#include <string.h>

#define BYTES_A_STEP (4u * 1024u * 1024u)
#define LIST_MAX (16u * 1024u * 1024u)

static void chunk_free(void *data)
{
    SyncdWrongChunk *chunk = data;
    g_free(chunk->source);
    g_clear_error(&chunk->unwritten);
    g_free(chunk);
}

static guint hash_chunk(gconstpointer key)
{
    guint hash;
    memcpy(&hash, ((const SyncdWrongChunk *)key)->name.bytes, sizeof hash);
    return hash;
}

static gboolean is_same_chunk(gconstpointer one, gconstpointer other)
{
    return syncd_hash_equal(&((const SyncdWrongChunk *)one)->name,
                            &((const SyncdWrongChunk *)other)->name);
}

SyncdRefill *syncd_refill_new(SyncdStore *store, const char *snapshot)
{
    SyncdRefill *self = g_new0(SyncdRefill, 1);
    self->store = store;
    self->snapshot = g_strdup(snapshot);
    self->chunks = g_ptr_array_new_with_free_func(chunk_free);
    self->by_name = g_hash_table_new(hash_chunk, is_same_chunk);
    return self;
}

void syncd_refill_end_offers(SyncdRefill *self)
{
    if (self->store->refill == self)
        self->store->refill = NULL;
}

void syncd_refill_free(SyncdRefill *self)
{
    if (self == NULL)
        return;
    syncd_refill_end_offers(self);
    g_hash_table_unref(self->by_name);
    g_ptr_array_unref(self->chunks);
    g_clear_pointer(&self->sources, g_ptr_array_unref);
    g_free(self->snapshot);
    g_free(self);
}

const GPtrArray *syncd_refill_chunks(const SyncdRefill *self)
{
    return self->chunks;
}

static SyncdWrongChunk *add(SyncdRefill *self, const SyncdWrongChunk *chunk)
{
    SyncdWrongChunk *known = g_hash_table_lookup(self->by_name, chunk);
    if (known != NULL)
        return known;
    known = g_memdup2(chunk, sizeof *chunk);
    g_ptr_array_add(self->chunks, known);
    g_hash_table_add(self->by_name, known);
    return known;
}

/* ---- what entries name ---- */

typedef struct {
    SyncdRefill *self;
    guint64 pos;
} Naming;

static bool add_listed(void *data, const char *name, guint64 size)
{
    const Naming *naming = data;
    SyncdWrongChunk chunk = {.of = SYNCD_CHUNK_OF_ENTRY, .pos = naming->pos};
    if (syncd_hash_from_hex(name, strlen(name), &chunk.name))
        add(naming->self, &chunk);
    return true;
}

static void add_change(SyncdRefill *self, guint64 pos, const SyncdFileChange *change)
{
    SyncdWrongChunk chunk = {
        .of = SYNCD_CHUNK_OF_FILE, .small = change->size <= SYNCD_CONTENT_ROW_MAX, .pos = pos};
    SyncdBytes names = change->content.chunks;
    for (size_t at = 0; change->content.kept && at + SYNCD_HASH_SIZE <= names.size;
         at += SYNCD_HASH_SIZE) {
        bool needed = true;
        memcpy(chunk.name.bytes, (const guint8 *)names.data + at, SYNCD_HASH_SIZE);
        /* Without an index nobody knows; what is not needed does no harm. */
        if (!syncd_store_needs_chunk(self->store, &chunk.name, &needed, NULL) || needed)
            add(self, &chunk);
    }
}

static void add_files(SyncdRefill *self, guint64 pos, SyncdBytes document)
{
    g_auto(SyncdFileChangesReader) reader = {{NULL}};
    SyncdFileChange change;
    if (!syncd_json_check(document.data, document.size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return;
    syncd_file_changes_read(&reader, syncd_json_root(document.data, document.size));
    while (syncd_file_changes_next(&reader, &change))
        add_change(self, pos, &change);
}

static GBytes *read_stored(SyncdRefill *self, guint64 pos, SyncdEntry *ret_entry, GError **error)
{
    return syncd_store_read(self->store, pos, ret_entry, error)
               ? syncd_journal_read_body(self->store->journal, pos, error)
               : NULL;
}

bool syncd_refill_add(SyncdRefill *self, guint64 pos, GError **error)
{
    Naming naming = {self, pos};
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) problem = NULL;
    g_autoptr(GBytes) stored = read_stored(self, pos, &entry, &problem);
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (stored == NULL || !entry.header.known ||
        !syncd_store_open_meta(
            self->store, &entry.header,
            SYNCD_BYTES(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored)), &body, NULL))
        return true;
    if (entry.header.body_is_list)
        syncd_blobs_each(SYNCD_BYTES(body.content, body.content_size), add_listed, &naming);
    else if (syncd_bytes_are(entry.header.schema_id, SYNCD_FILES_SCHEMA))
        add_files(self, pos, SYNCD_BYTES(body.content, body.content_size));
    return true;
}

/* ---- whether it is there ---- */

bool syncd_refill_hashes_to(GBytes *bytes, const SyncdHash *name)
{
    if (bytes == NULL)
        return false;
    SyncdHash hash = syncd_hash(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return syncd_hash_equal(&hash, name);
}

static GBytes *read_file(SyncdRefill *self, const SyncdWrongChunk *chunk, GError **error)
{
    size_t size;
    g_autofree char *path = syncd_blobs_path(chunk->of, &chunk->name);
    /* One that is longer than chunks are is kept as far as that. */
    char *bytes =
        syncd_directory_read(self->store->directory, path, 2 * SYNCD_CHUNK_SIZE, &size, error);
    return bytes != NULL ? g_bytes_new_take(bytes, size) : NULL;
}

/* NULL, and no error: it is not there. */
GBytes *syncd_refill_read_chunk(SyncdRefill *self, const SyncdWrongChunk *chunk, GError **error)
{
    GBytes *bytes = NULL;
    g_autoptr(GError) problem = NULL;
    if (chunk->small)
        return syncd_journal_read_content(self->store->journal, &chunk->name, &bytes, error) ? bytes
                                                                                             : NULL;
    bytes = read_file(self, chunk, &problem);
    if (problem != NULL && !g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&problem));
    return bytes;
}

static void look_at(SyncdRefill *self, SyncdWrongChunk *chunk, size_t *size)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GBytes) bytes = syncd_refill_read_chunk(self, chunk, &problem);
    chunk->was = syncd_refill_hashes_to(bytes, &chunk->name) ? SYNCD_CHUNK_SOUND
                 : bytes != NULL || problem != NULL          ? SYNCD_CHUNK_DAMAGED
                                                             : SYNCD_CHUNK_MISSING;
    *size += bytes != NULL ? g_bytes_get_size(bytes) : 0;
}

bool syncd_refill_is_back(SyncdRefill *self, SyncdWrongChunk *chunk)
{
    g_autoptr(GBytes) bytes = syncd_refill_read_chunk(self, chunk, NULL);
    chunk->back = syncd_refill_hashes_to(bytes, &chunk->name);
    return chunk->back;
}

/* ---- the list ---- */

static char *list_name(const SyncdRefill *self)
{
    return g_strconcat(self->snapshot, ".list", NULL);
}

char *syncd_refill_kept_name(const SyncdRefill *self, const SyncdWrongChunk *chunk)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&chunk->name, digits);
    return g_strdup_printf("%s.%s.was", self->snapshot, digits);
}

/* A line a chunk. */
#define LINE "%64s %u %u %u %" G_GUINT64_FORMAT

static bool write_list(SyncdRefill *self, bool back_alone, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *name = list_name(self);
    for (guint i = 0; i < self->chunks->len; i++) {
        const SyncdWrongChunk *chunk = self->chunks->pdata[i];
        char digits[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&chunk->name, digits);
        if (!back_alone || chunk->back)
            g_string_append_printf(lines, LINE "\n", digits, (unsigned)chunk->of,
                                   (unsigned)chunk->small, (unsigned)chunk->was, chunk->pos);
    }
    return syncd_store_put_repair(self->store, name, SYNCD_BYTES(lines->str, lines->len), error);
}

static bool read_line(SyncdRefill *self, const char *line)
{
    SyncdWrongChunk chunk = {.pos = 0};
    unsigned of, small, was;
    char digits[SYNCD_HASH_HEX_SIZE];
    if (sscanf(line, LINE, digits, &of, &small, &was, &chunk.pos) != 5 ||
        !syncd_hash_from_hex(digits, strlen(digits), &chunk.name) || of > SYNCD_CHUNK_OF_FILE ||
        (was != SYNCD_CHUNK_DAMAGED && was != SYNCD_CHUNK_MISSING))
        return false;
    chunk.of = (SyncdChunkOf)of;
    chunk.small = small != 0;
    chunk.was = (SyncdChunkWas)was;
    add(self, &chunk);
    return true;
}

bool syncd_refill_load(SyncdRefill *self, bool *ret_found, GError **error)
{
    size_t size;
    bool sound = true;
    g_autofree char *name = list_name(self);
    *ret_found = self->listed || syncd_store_has_repair(self->store, name);
    if (!*ret_found || self->listed)
        return true;
    g_autofree char *text = syncd_store_get_repair(self->store, name, LIST_MAX, &size, error);
    if (text == NULL)
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        sound &= **line == '\0' || read_line(self, *line);
    if (!sound)
        syncd_set_error(error, SYNCD_ERROR_FAILED, "What was kept for a repair is damaged");
    self->looked = self->chunks->len;
    self->listed = sound;
    return sound;
}

static void drop_sound(SyncdRefill *self)
{
    for (guint i = self->chunks->len; i-- > 0;) {
        SyncdWrongChunk *chunk = self->chunks->pdata[i];
        if (chunk->was != SYNCD_CHUNK_SOUND)
            continue;
        g_hash_table_remove(self->by_name, chunk);
        g_ptr_array_remove_index(self->chunks, i);
    }
}

bool syncd_refill_look(SyncdRefill *self, bool *ret_more, GError **error)
{
    size_t size = 0;
    *ret_more = true;
    while (self->looked < self->chunks->len && size < BYTES_A_STEP) {
        SyncdWrongChunk *chunk = self->chunks->pdata[self->looked++];
        if (chunk->was == SYNCD_CHUNK_UNSEEN)
            look_at(self, chunk, &size);
    }
    if (self->looked < self->chunks->len)
        return true;
    drop_sound(self);
    self->looked = self->chunks->len;
    self->listed = write_list(self, false, error);
    *ret_more = false;
    return self->listed;
}

/* ---- keeping what is there ---- */

/* What cannot be read can be moved away still; a row cannot, and is left to whoever mends the log.
 */
static bool keep_unread(SyncdRefill *self, const SyncdWrongChunk *chunk, const char *name,
                        GError **error)
{
    g_autofree char *path = syncd_blobs_path(chunk->of, &chunk->name);
    return chunk->small || syncd_store_set_aside(self->store, path, name, error);
}

/* What takes the place of a file has a mode of its own. */
static bool keep_bytes(SyncdRefill *self, const SyncdWrongChunk *chunk, const char *name,
                       GBytes *bytes, GError **error)
{
    g_autofree char *path = syncd_blobs_path(chunk->of, &chunk->name);
    return (chunk->small || syncd_store_note_mode(self->store, path, name, error)) &&
           syncd_store_put_repair(
               self->store, name,
               SYNCD_BYTES(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)), error);
}

bool syncd_refill_keep(SyncdRefill *self, SyncdWrongChunk *chunk, GError **error)
{
    g_autofree char *name = syncd_refill_kept_name(self, chunk);
    g_autoptr(GError) problem = NULL;
    chunk->kept = chunk->was == SYNCD_CHUNK_MISSING || syncd_store_has_repair(self->store, name);
    if (chunk->kept)
        return true;
    g_autoptr(GBytes) bytes = syncd_refill_read_chunk(self, chunk, &problem);
    if (syncd_refill_hashes_to(bytes, &chunk->name))
        return true;
    chunk->kept = bytes != NULL ? keep_bytes(self, chunk, name, bytes, error)
                                : keep_unread(self, chunk, name, error);
    return chunk->kept;
}

bool syncd_refill_release(SyncdRefill *self, bool *ret_more, GError **error)
{
    bool found;
    g_autofree char *list = list_name(self);
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    if (!syncd_refill_load(self, &found, error))
        return false;
    for (guint i = 0; i < self->chunks->len; i++)
        syncd_aside_add(kept, syncd_refill_kept_name(self, self->chunks->pdata[i]));
    return syncd_store_remove_repairs(self->store, kept, ret_more, error) &&
           ((ret_more != NULL && *ret_more) || syncd_store_remove_repair(self->store, list, error));
}

/* ---- bringing it back ---- */

/* An entry of the open turn, if there is one, has the row with it. */
static bool put_row(SyncdStore *store, const SyncdHash *name, SyncdBytes bytes, GError **error)
{
    bool alone = !syncd_store_has_turn(store);
    if (syncd_journal_put_content(store->journal, name, bytes, error) &&
        (!alone || !syncd_store_has_turn(store) || syncd_store_commit(store, NULL, error)))
        return true;
    if (alone && syncd_store_has_turn(store))
        syncd_store_discard(store);
    return false;
}

bool syncd_refill_put(SyncdRefill *self, const SyncdWrongChunk *chunk, SyncdBytes bytes,
                      GError **error)
{
    g_autofree char *path = syncd_blobs_path(chunk->of, &chunk->name);
    return chunk->small ? put_row(self->store, &chunk->name, bytes, error)
                        : syncd_directory_publish(self->store->directory, path, bytes, error);
}

static bool put_back(SyncdRefill *self, SyncdWrongChunk *chunk, SyncdBytes bytes,
                     const char *source, GError **error)
{
    if (!syncd_refill_put(self, chunk, bytes, error))
        return false;
    chunk->back = true;
    g_free(chunk->source);
    chunk->source = g_strdup(source);
    return true;
}

static GPtrArray *sources_of(SyncdRefill *self)
{
    if (self->sources == NULL)
        self->sources = syncd_source_find_content(self->store->directory);
    return self->sources;
}

/* It is not lost where the disk erred when it was looked for. */
static void refuse_erred(const SyncdSource *source, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_STORAGE_FAILED, "check the disk, and try again",
                         "It could not be read whether %s has a chunk that is missing",
                         source->name);
}

/* NULL, and no error: none has it. */
GBytes *syncd_refill_find(SyncdRefill *self, const SyncdHash *name, const char **ret_source,
                          GError **error)
{
    const GPtrArray *sources = sources_of(self);
    const SyncdSource *erred = NULL;
    for (guint i = 0; i < sources->len; i++) {
        SyncdSource *source = sources->pdata[i];
        source->erred = false;
        g_autoptr(GBytes) bytes = source->content(source, name);
        *ret_source = source->name;
        if (syncd_refill_hashes_to(bytes, name))
            return g_steal_pointer(&bytes);
        erred = source->erred ? source : erred;
    }
    if (erred != NULL)
        refuse_erred(erred, error);
    return NULL;
}

bool syncd_refill_from_sources(SyncdRefill *self, SyncdWrongChunk *chunk, GError **error)
{
    const char *source;
    g_autoptr(GError) problem = NULL;
    if (chunk->back || !chunk->kept)
        return true;
    g_autoptr(GBytes) bytes = syncd_refill_find(self, &chunk->name, &source, &problem);
    if (bytes != NULL)
        return put_back(self, chunk,
                        SYNCD_BYTES(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)), source,
                        error);
    if (problem == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

void syncd_refill_take_offers(SyncdRefill *self)
{
    self->store->refill = self;
}

/* What is in the way of one file is in the way of no other. */
static bool take_offer(SyncdRefill *self, SyncdWrongChunk *chunk, SyncdBytes bytes, GError **error)
{
    g_clear_error(&chunk->unwritten);
    return put_back(self, chunk, bytes, NULL, chunk->small ? error : &chunk->unwritten) ||
           !chunk->small;
}

bool syncd_store_offer_part(SyncdStore *store, const char *scope_id, SyncdBytes part, bool small,
                            GError **error)
{
    SyncdRefill *self = store->refill;
    const SyncdScope *scope = syncd_store_scope(store, scope_id);
    const SyncdSealKey *key = NULL;
    if (self == NULL || scope == NULL)
        return true;
    if (!syncd_store_scope_key(store, scope, &key, error))
        return false;
    size_t size;
    g_autofree guint8 *sealed =
        syncd_blobs_seal(SYNCD_CHUNK_OF_FILE, scope_id, key, store->sources, part, &size);
    const SyncdWrongChunk made = {.name = syncd_hash(sealed, size)};
    SyncdWrongChunk *chunk = g_hash_table_lookup(self->by_name, &made);
    if (chunk == NULL || chunk->back || chunk->small != small || !chunk->kept)
        return true;
    return take_offer(self, chunk, SYNCD_BYTES(sealed, size), error);
}

bool syncd_refill_next_file(SyncdRefill *self, const SyncdWrongChunk *chunk, guint64 after,
                            guint64 *ret_file, GError **error)
{
    *ret_file = 0;
    return chunk->of != SYNCD_CHUNK_OF_FILE ||
           syncd_store_next_with_chunk(self->store, &chunk->name, after, ret_file, error);
}

bool syncd_refill_let_be(SyncdRefill *self, const SyncdWrongChunk *chunk, GError **error)
{
    g_autofree char *name = syncd_refill_kept_name(self, chunk),
                    *path = syncd_blobs_path(chunk->of, &chunk->name);
    if (!syncd_store_has_repair(self->store, name))
        return true;
    if (!chunk->small && !syncd_directory_has(self->store->directory, path))
        return syncd_store_put_back(self->store, name, path, error);
    return syncd_store_forget_mode(self->store, name, error) &&
           syncd_store_remove_repair(self->store, name, error);
}

bool syncd_refill_conclude(SyncdRefill *self, GError **error)
{
    syncd_refill_end_offers(self);
    return write_list(self, true, error);
}
