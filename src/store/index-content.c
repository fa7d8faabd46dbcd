/* Which versions of files have their content kept, and in which chunks. */
#include "store/chunks.h"
#include "store/index-private.h"

/* ---- projecting ---- */

static bool run_for_chunk(SyncdStatement *row, const guint8 *name, GError **error)
{
    syncd_bind_blob(row, ":name", SYNCD_BYTES(name, SYNCD_HASH_SIZE));
    return syncd_statement_run(row, error);
}

static bool keep(SyncdIndex *self, guint64 file, guint64 version, guint64 place,
                 const SyncdFileChange *change, GError **error)
{
    const guint8 *names = change->content.chunks.data;
    gint64 found;
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT count(*) FROM content WHERE file = :file AND version = :version");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":version", (gint64)version);
    if (!syncd_statement_number(row, 0, &found, error))
        return false;
    if (found > 0)
        return true;
    self->content_changes++;
    row = syncd_database_statement(self->db,
                                   "INSERT INTO content (file, version, place, size, chunks)"
                                   " VALUES (:file, :version, :place, :size, :chunks)");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":version", (gint64)version);
    syncd_bind_int(row, ":place", (gint64)place);
    syncd_bind_int(row, ":size", (gint64)change->size);
    syncd_bind_blob(
        row, ":chunks",
        SYNCD_BYTES(names != NULL ? (const void *)names : "", change->content.chunks.size));
    if (!syncd_statement_run(row, error))
        return false;
    for (size_t at = 0; at < change->content.chunks.size; at += SYNCD_HASH_SIZE) {
        row = syncd_database_statement(self->db, "INSERT INTO content_chunk (name, file, version)"
                                                 " VALUES (:name, :file, :version)");
        syncd_bind_int(row, ":file", (gint64)file);
        syncd_bind_int(row, ":version", (gint64)version);
        if (!run_for_chunk(row, names + at, error))
            return false;
    }
    return true;
}

static bool drop_version(SyncdIndex *self, guint64 file, guint64 version, GError **error)
{
    bool found, small;
    g_autoptr(GBytes) names = NULL;
    {
        g_autoptr(SyncdStatement) row =
            syncd_database_statement(self->db, "SELECT chunks, size FROM content WHERE file = :file"
                                               " AND version = :version");
        syncd_bind_int(row, ":file", (gint64)file);
        syncd_bind_int(row, ":version", (gint64)version);
        if (!syncd_statement_next(row, &found, error))
            return false;
        SyncdBytes chunks = found ? syncd_column_bytes(row, 0) : SYNCD_BYTES("", 0);
        small = found && syncd_column_int(row, 1) <= SYNCD_CONTENT_ROW_MAX;
        names = g_bytes_new(chunks.data, chunks.size);
    }
    self->content_changes++;
    SyncdStatement *row = syncd_database_statement(
        self->db, "DELETE FROM content WHERE file = :file AND version = :version");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":version", (gint64)version);
    if (!syncd_statement_run(row, error))
        return false;
    const guint8 *at = g_bytes_get_data(names, NULL);
    for (size_t i = 0; i + SYNCD_HASH_SIZE <= g_bytes_get_size(names); i += SYNCD_HASH_SIZE) {
        row = syncd_database_statement(
            self->db, "INSERT INTO content_dropped (name, small) VALUES (:name, :small)");
        syncd_bind_int(row, ":small", small);
        if (!run_for_chunk(row, at + i, error))
            return false;
    }
    return true;
}

bool syncd_index_drop_content(SyncdIndex *self, guint64 file, const GArray *dropped, GError **error)
{
    for (guint i = 0; dropped != NULL && i < dropped->len; i++)
        if (!drop_version(self, file, g_array_index(dropped, SyncdFileDropped, i).version, error))
            return false;
    return true;
}

bool syncd_index_project_content(SyncdIndex *self, guint64 file, guint64 place,
                                 const SyncdFileChange *change, GError **error)
{
    gint64 version = 1;
    if (change->content.kept) {
        SyncdStatement *row =
            syncd_database_statement(self->db, "SELECT version FROM file WHERE id = :id");
        syncd_bind_int(row, ":id", (gint64)file);
        if (!syncd_statement_number(row, 1, &version, error) ||
            !keep(self, file, (guint64)version, place, change, error))
            return false;
    }
    return syncd_index_drop_content(self, file, change->content.dropped, error);
}

/* ---- asking ---- */

bool syncd_index_next_kept(SyncdIndex *self, guint64 after, guint64 *ret_file, GError **error)
{
    SyncdStatement *row =
        syncd_database_statement(self->db, "SELECT min(file) FROM content WHERE file > :after");
    syncd_bind_int(row, ":after", (gint64)after);
    return syncd_statement_count(row, ret_file, error);
}

bool syncd_index_find_content(SyncdIndex *self, guint64 file, guint64 version, guint newer,
                              SyncdContentRow *ret_row, bool *ret_found, GError **error)
{
    g_autoptr(SyncdStatement) row = syncd_database_statement(
        self->db, "SELECT version, place, size, chunks FROM content WHERE file = :file"
                  " AND version <= :version ORDER BY version DESC LIMIT 1 OFFSET :newer");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":version", (gint64)version);
    syncd_bind_int(row, ":newer", newer);
    if (!syncd_statement_next(row, ret_found, error))
        return false;
    if (!*ret_found)
        return true;
    SyncdBytes chunks = syncd_column_bytes(row, 3);
    *ret_row = (SyncdContentRow){
        .version = (guint64)syncd_column_int(row, 0),
        .place = (guint64)syncd_column_int(row, 1),
        .size = (guint64)syncd_column_int(row, 2),
        .chunks = g_bytes_new(chunks.data, chunks.size),
    };
    return true;
}

bool syncd_index_list_dropped(SyncdIndex *self, guint max, GArray *chunks, gint64 *ret_last,
                              GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT id, name, small FROM content_dropped ORDER BY id LIMIT :max");
    syncd_bind_int(rows, ":max", max);
    for (;;) {
        bool found;
        SyncdDroppedChunk dropped;
        if (!syncd_statement_next(rows, &found, error))
            return false;
        if (!found)
            return true;
        SyncdBytes bytes = syncd_column_bytes(rows, 1);
        *ret_last = syncd_column_int(rows, 0);
        if (bytes.size != sizeof dropped.name.bytes)
            continue;
        memcpy(dropped.name.bytes, bytes.data, sizeof dropped.name.bytes);
        dropped.small = syncd_column_int(rows, 2) != 0;
        g_array_append_val(chunks, dropped);
    }
}

bool syncd_index_needs_chunk(SyncdIndex *self, const SyncdHash *name, bool *ret_needs,
                             GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT EXISTS (SELECT 1 FROM content_chunk JOIN content USING (file, version)"
                  " WHERE content_chunk.name = :name)");
    syncd_bind_blob(row, ":name", SYNCD_BYTES(name->bytes, sizeof name->bytes));
    return syncd_statement_holds(row, ret_needs, error);
}

bool syncd_index_list_chunk_users(SyncdIndex *self, const SyncdHash *name, GArray *users,
                                  GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT DISTINCT file, version FROM (SELECT file, version FROM content_chunk"
                  " JOIN content USING (file, version) WHERE content_chunk.name = :name"
                  " LIMIT :max) ORDER BY file, version DESC");
    syncd_bind_blob(rows, ":name", SYNCD_BYTES(name->bytes, sizeof name->bytes));
    syncd_bind_int(rows, ":max", SYNCD_CHUNK_USERS_MAX);
    for (;;) {
        bool found;
        if (!syncd_statement_next(rows, &found, error))
            return false;
        if (!found)
            return true;
        const SyncdChunkUser user = {(guint64)syncd_column_int(rows, 0),
                                     (guint64)syncd_column_int(rows, 1)};
        g_array_append_val(users, user);
    }
}

bool syncd_index_next_with_chunk(SyncdIndex *self, const SyncdHash *name, guint64 after,
                                 guint64 *ret_file, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT min(file.id) FROM content_chunk JOIN content USING (file, version)"
                  " JOIN file ON file.id = content.file AND file.version = content.version"
                  " WHERE content_chunk.name = :name AND file.id > :after");
    syncd_bind_blob(row, ":name", SYNCD_BYTES(name->bytes, sizeof name->bytes));
    syncd_bind_int(row, ":after", (gint64)after);
    return syncd_statement_count(row, ret_file, error);
}

/* Who needed a chunk, and does no more. */
static bool forget_users(SyncdIndex *self, const SyncdHash *name, GError **error)
{
    return run_for_chunk(
        syncd_database_statement(self->db,
                                 "DELETE FROM content_chunk WHERE name = :name AND NOT EXISTS ("
                                 "SELECT 1 FROM content WHERE content.file = content_chunk.file"
                                 " AND content.version = content_chunk.version)"),
        name->bytes, error);
}

/* To look for a popular chunk is to go through all who need it: once for all who do no more. */
static bool forget(SyncdIndex *self, gint64 last, const GArray *dropped, GError **error)
{
    g_autoptr(GHashTable) done =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    SyncdStatement *row =
        syncd_database_statement(self->db, "DELETE FROM content_dropped WHERE id <= :last");
    syncd_bind_int(row, ":last", last);
    if (!syncd_statement_run(row, error))
        return false;
    for (guint i = 0; i < dropped->len; i++) {
        const SyncdHash *name = &g_array_index(dropped, SyncdDroppedChunk, i).name;
        if (g_hash_table_add(done, g_bytes_new_static(name->bytes, sizeof name->bytes)) &&
            !forget_users(self, name, error))
            return false;
    }
    return true;
}

bool syncd_index_forget_dropped(SyncdIndex *self, gint64 last, const GArray *dropped,
                                GError **error)
{
    if (!syncd_index_begin(self, error))
        return false;
    if (forget(self, last, dropped, error) && syncd_index_commit(self, error))
        return true;
    syncd_index_rollback(self);
    return false;
}
