/*
 * Kept content of files, as the log alone says it: what documents name and do not drop again has to
 * be there, and be what its name says. No key is needed for that.
 */
#include "store/verify-private.h"

#include "domain/file-changes.h"
#include "store/blobs.h"
#include "store/chunks.h"

#define BYTES_A_STEP (4u * 1024u * 1024u)
#define DELETED "object.deleted"

typedef struct {
    SyncdHash name;
    gint needs; /* documents that name it, without those that dropped it */
    bool small;
    guint64 pos; /* of the newest that names it */
} Chunk;

static guint hash_chunk(gconstpointer key)
{
    guint hash;
    memcpy(&hash, ((const Chunk *)key)->name.bytes, sizeof hash);
    return hash;
}

static gboolean is_same_chunk(gconstpointer one, gconstpointer other)
{
    return syncd_hash_equal(&((const Chunk *)one)->name, &((const Chunk *)other)->name);
}

/* ---- what is needed ---- */

static void count(SyncdVerify *self, guint64 pos, SyncdBytes names, int needs, bool small)
{
    for (size_t at = 0; at < names.size; at += SYNCD_HASH_SIZE) {
        Chunk wanted;
        memcpy(wanted.name.bytes, (const guint8 *)names.data + at, sizeof wanted.name.bytes);
        Chunk *chunk = g_hash_table_lookup(self->chunks, &wanted);
        if (chunk == NULL) {
            chunk = g_new0(Chunk, 1);
            chunk->name = wanted.name;
            g_hash_table_add(self->chunks, chunk);
        }
        chunk->needs += needs;
        if (needs < 0)
            continue;
        chunk->pos = pos;
        chunk->small = small;
    }
}

bool syncd_verify_counts_content(const SyncdVerify *self, const SyncdHeader *header)
{
    return self->mode == SYNCD_VERIFY_FULL && header->known &&
           syncd_bytes_are(header->schema_id, SYNCD_FILES_SCHEMA);
}

void syncd_verify_count_content(SyncdVerify *self, guint64 pos, const SyncdHeader *header,
                                const SyncdBody *body)
{
    g_auto(SyncdFileChangesReader) reader = {{NULL}};
    SyncdFileChange change;
    if (syncd_bytes_are(header->kind, DELETED) ||
        !syncd_json_check(body->content, body->content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return;
    if (self->chunks == NULL)
        self->chunks = g_hash_table_new_full(hash_chunk, is_same_chunk, g_free, NULL);
    syncd_file_changes_read(&reader, syncd_json_root(body->content, body->content_size));
    while (syncd_file_changes_next(&reader, &change)) {
        const GArray *dropped = change.content.dropped;
        if (change.content.kept)
            count(self, pos, change.content.chunks, 1, change.size <= SYNCD_CONTENT_ROW_MAX);
        for (guint i = 0; dropped != NULL && i < dropped->len; i++) {
            GBytes *names = g_array_index(dropped, SyncdFileDropped, i).chunks;
            count(self, pos, SYNCD_BYTES(g_bytes_get_data(names, NULL), g_bytes_get_size(names)),
                  -1, false);
        }
    }
}

/* ---- whether it is there ---- */

static GBytes *read_chunk(SyncdVerify *self, const Chunk *chunk, GError **error)
{
    GBytes *bytes = NULL;
    if (!chunk->small)
        return syncd_blobs_get_file(self->store->directory, &chunk->name, error);
    return syncd_journal_read_content(self->store->journal, &chunk->name, &bytes, error) ? bytes
                                                                                         : NULL;
}

/* `what` is the matter with it. */
static void add_chunk(SyncdVerify *self, const Chunk *chunk, const char *what)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    g_autofree char *file = syncd_store_file_of_chunk(self->store, chunk->pos, &chunk->name);
    syncd_hash_to_hex(&chunk->name, digits);
    g_autofree char *detail = g_strdup_printf("the chunk %s of the content of %s is %s", digits,
                                              file != NULL ? file : "a file", what);
    const SyncdVerifyFinding found = {.code = "kept-content",
                                      .feed = (char *)"",
                                      .seq = -1,
                                      .pos = (gint64)chunk->pos,
                                      .detail = detail,
                                      .part = digits,
                                      .file = file};
    syncd_verify_add_content(self, &found);
}

static void check_chunk(SyncdVerify *self, const Chunk *chunk)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GBytes) bytes = read_chunk(self, chunk, &problem);
    if (bytes == NULL) {
        g_autofree char *sentence = NULL, *next = NULL;
        if (problem != NULL)
            syncd_error_split(problem->message, &sentence, &next);
        g_autofree char *what =
            sentence != NULL ? g_strconcat("missing: ", sentence, NULL) : g_strdup("missing");
        add_chunk(self, chunk, what);
        return;
    }
    self->step_bytes += g_bytes_get_size(bytes);
    SyncdHash hash = syncd_hash(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    if (!syncd_hash_equal(&hash, &chunk->name))
        add_chunk(self, chunk, "not what was kept");
}

/* What a document after the end of this verification drops may be gone already: nobody is told of
 * that. */
static bool is_still_needed(SyncdVerify *self, const Chunk *chunk)
{
    bool needed = true;
    if (syncd_journal_committed(self->store->journal) == self->target)
        return true;
    return !syncd_store_needs_chunk(self->store, &chunk->name, &needed, NULL) || needed;
}

static GPtrArray *line_of(GHashTable *chunks)
{
    GPtrArray *line = g_ptr_array_sized_new(g_hash_table_size(chunks));
    GHashTableIter iter;
    void *chunk;
    g_hash_table_iter_init(&iter, chunks);
    while (g_hash_table_iter_next(&iter, &chunk, NULL))
        g_ptr_array_add(line, chunk);
    return line;
}

void syncd_verify_content(SyncdVerify *self, bool *ret_more)
{
    self->step_bytes = 0;
    *ret_more = false;
    if (self->chunks == NULL)
        return;
    if (self->chunk_line == NULL)
        self->chunk_line = line_of(self->chunks);
    while (self->next_chunk < self->chunk_line->len && self->step_bytes < BYTES_A_STEP) {
        const Chunk *chunk = self->chunk_line->pdata[self->next_chunk++];
        self->step_bytes += sizeof *chunk;
        if (chunk->needs > 0 && is_still_needed(self, chunk))
            check_chunk(self, chunk);
    }
    *ret_more = self->next_chunk < self->chunk_line->len;
}

void syncd_verify_clear_content(SyncdVerify *self)
{
    g_clear_pointer(&self->chunk_line, g_ptr_array_unref);
    g_clear_pointer(&self->chunks, g_hash_table_unref);
}
