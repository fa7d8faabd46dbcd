#include "store/index-file.h"

#include "store/index-private.h"

#define COLUMNS                                                                                    \
    "file.id, folder, name, kind, mode, file.size, file.mtime, hash, version, changed, live,"      \
    " seen.device, inode, seen.size, seen.mtime, ctime, born,"                                     \
    " EXISTS (SELECT 1 FROM content WHERE content.file = file.id"                                  \
    " AND content.version = file.version), told, found_size, found_mtime, found_hash"
#define MISMATCH " LEFT JOIN mismatch ON mismatch.file = file.id "
#define FROM " FROM file LEFT JOIN seen ON seen.file = file.id" MISMATCH

static void read_mismatch(SyncdStatement *row, SyncdFileRow *ret_row)
{
    SyncdBytes hash = syncd_column_bytes(row, 21);
    ret_row->mismatched = hash.size == sizeof ret_row->mismatch.hash.bytes;
    if (!ret_row->mismatched)
        return;
    ret_row->mismatch.place = (guint64)syncd_column_int(row, 18);
    ret_row->mismatch.size = (guint64)syncd_column_int(row, 19);
    ret_row->mismatch.mtime = syncd_column_int(row, 20);
    memcpy(ret_row->mismatch.hash.bytes, hash.data, hash.size);
}

static void read_row(SyncdStatement *row, SyncdFileRow *ret_row)
{
    SyncdBytes name = syncd_column_bytes(row, 2), hash = syncd_column_bytes(row, 7);
    *ret_row = (SyncdFileRow){
        .id = (guint64)syncd_column_int(row, 0),
        .folder = (guint64)syncd_column_int(row, 1),
        .name_size = MIN(name.size, SYNCD_FILE_NAME_MAX),
        .kind = (SyncdFileKind)syncd_column_int(row, 3),
        .mode = (guint32)syncd_column_int(row, 4),
        .size = (guint64)syncd_column_int(row, 5),
        .mtime = syncd_column_int(row, 6),
        .hashed = hash.size == sizeof ret_row->hash.bytes,
        .version = (guint64)syncd_column_int(row, 8),
        .changed = (guint64)syncd_column_int(row, 9),
        .live = syncd_column_int(row, 10) == 1,
        .ignored = syncd_column_int(row, 10) == 2,
        .seen = !syncd_column_is_null(row, 11),
        .kept = syncd_column_int(row, 17) != 0,
    };
    memcpy(ret_row->name, name.data, ret_row->name_size);
    if (ret_row->hashed)
        memcpy(ret_row->hash.bytes, hash.data, hash.size);
    if (ret_row->seen)
        ret_row->at_sight =
            (SyncdFileSeen){(guint64)syncd_column_int(row, 11), (guint64)syncd_column_int(row, 12),
                            (guint64)syncd_column_int(row, 13), syncd_column_int(row, 14),
                            syncd_column_int(row, 15),          syncd_column_int(row, 16)};
    read_mismatch(row, ret_row);
}

static bool read_one(SyncdStatement *statement, SyncdFileRow *ret_row, bool *ret_found,
                     GError **error)
{
    g_autoptr(SyncdStatement) rows = statement;
    if (!syncd_statement_next(rows, ret_found, error))
        return false;
    if (*ret_found)
        read_row(rows, ret_row);
    return true;
}

bool syncd_index_find_workspace_folder(SyncdIndex *self, const char *scope_id,
                                       SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    gint64 scope;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT " COLUMNS FROM
                  "WHERE folder = 0 AND live = 1 AND scope = :scope ORDER BY file.id LIMIT 1");
    syncd_bind_int(row, ":scope", scope);
    return read_one(row, ret_row, ret_found, error);
}

bool syncd_index_find_file(SyncdIndex *self, guint64 id, SyncdFileRow *ret_row, bool *ret_found,
                           GError **error)
{
    SyncdStatement *row =
        syncd_database_statement(self->db, "SELECT " COLUMNS FROM "WHERE file.id = :id");
    syncd_bind_int(row, ":id", (gint64)id);
    return read_one(row, ret_row, ret_found, error);
}

/* A literal each: only by that does SQLite know that a partial index will do. */
#define IN_FOLDER(live)                                                                            \
    "SELECT " COLUMNS FROM "WHERE folder = :folder AND name = :name AND live = " live              \
    " ORDER BY file.id LIMIT 1"

static bool find_in(SyncdIndex *self, const char *sql, guint64 folder, SyncdBytes name,
                    SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    SyncdStatement *row = syncd_database_statement(self->db, sql);
    syncd_bind_int(row, ":folder", (gint64)folder);
    syncd_bind_blob(row, ":name", name);
    return read_one(row, ret_row, ret_found, error);
}

bool syncd_index_find_file_in(SyncdIndex *self, guint64 folder, SyncdBytes name,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    return find_in(self, IN_FOLDER("1"), folder, name, ret_row, ret_found, error);
}

bool syncd_index_find_ignored_in(SyncdIndex *self, guint64 folder, SyncdBytes name,
                                 SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    return find_in(self, IN_FOLDER("2"), folder, name, ret_row, ret_found, error);
}

static bool walk(SyncdStatement *statement, bool (*take)(void *data, const SyncdFileRow *row),
                 void *data, GError **error)
{
    g_autoptr(SyncdStatement) rows = statement;
    for (;;) {
        SyncdFileRow row;
        bool found;
        if (!syncd_statement_next(rows, &found, error))
            return false;
        if (!found)
            return true;
        read_row(rows, &row);
        if (!take(data, &row))
            return true;
    }
}

bool syncd_index_next_file_in(SyncdIndex *self, guint64 folder, SyncdBytes after,
                              SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT " COLUMNS FROM "WHERE folder = :folder AND name > :after AND live = 1"
                  " ORDER BY name, file.id LIMIT 1");
    syncd_bind_int(row, ":folder", (gint64)folder);
    syncd_bind_blob(row, ":after", after);
    return read_one(row, ret_row, ret_found, error);
}

bool syncd_index_find_file_step(SyncdIndex *self, guint64 file, guint64 before, guint64 version,
                                SyncdFileStep *ret_step, bool *ret_found, GError **error)
{
    g_autoptr(SyncdStatement) row = syncd_database_statement(
        self->db, "SELECT place, version FROM file_change WHERE file = :file AND place < :before"
                  " AND version <= :version ORDER BY place DESC LIMIT 1");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":before", (gint64)MIN(before, G_MAXINT64));
    syncd_bind_int(row, ":version", (gint64)MIN(version, G_MAXINT64));
    if (!syncd_statement_next(row, ret_found, error))
        return false;
    if (*ret_found)
        *ret_step =
            (SyncdFileStep){(guint64)syncd_column_int(row, 0), (guint64)syncd_column_int(row, 1)};
    return true;
}

static void count(SyncdStatement *row, SyncdFileCounts *counts)
{
    guint64 n = (guint64)syncd_column_int(row, 2);
    switch (syncd_column_int(row, 1)) {
    case SYNCD_FILE_REGULAR:
        counts->files = n;
        counts->size = (guint64)syncd_column_int(row, 3);
        break;
    case SYNCD_FILE_FOLDER:
        counts->folders = n;
        break;
    default:
        counts->symlinks = n;
    }
}

static SyncdFileCounts *counts_of(GHashTable *counts, const char *scope)
{
    SyncdFileCounts *of_scope = g_hash_table_lookup(counts, scope);
    if (of_scope != NULL)
        return of_scope;
    of_scope = g_new0(SyncdFileCounts, 1);
    g_hash_table_insert(counts, g_strdup(scope), of_scope);
    return of_scope;
}

static bool count_mismatched(SyncdIndex *self, GHashTable *counts, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT text, count(*) FROM mismatch JOIN file ON file.id = mismatch.file"
                  " JOIN word ON word.id = scope WHERE live = 1 GROUP BY scope");
    for (;;) {
        bool found;
        if (!syncd_statement_next(rows, &found, error))
            return false;
        if (!found)
            return true;
        counts_of(counts, syncd_column_text(rows, 0))->mismatched =
            (guint64)syncd_column_int(rows, 1);
    }
}

bool syncd_index_count_mismatched(SyncdIndex *self, const char *scope_id, guint64 max,
                                  guint64 *ret_n, GError **error)
{
    gint64 scope;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT count(*) FROM (SELECT 1 FROM mismatch JOIN file ON file.id ="
                  " mismatch.file WHERE live = 1 AND scope = :scope LIMIT :max)");
    syncd_bind_int(row, ":scope", scope);
    syncd_bind_int(row, ":max", (gint64)MIN(max, G_MAXINT64));
    return syncd_statement_count(row, ret_n, error);
}

bool syncd_index_walk_mismatched(SyncdIndex *self, const char *scope_id, guint64 after,
                                 bool (*take)(void *data, const SyncdFileRow *row), void *data,
                                 GError **error)
{
    gint64 scope;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error))
        return false;
    SyncdStatement *rows = syncd_database_statement(
        self->db,
        "SELECT " COLUMNS " FROM mismatch JOIN file ON file.id = mismatch.file LEFT JOIN seen ON"
        " seen.file = file.id WHERE mismatch.file > :after AND scope = :scope AND live ="
        " 1 ORDER BY mismatch.file");
    syncd_bind_int(rows, ":scope", scope);
    syncd_bind_int(rows, ":after", (gint64)after);
    return walk(rows, take, data, error);
}

bool syncd_index_sum_files(SyncdIndex *self, const char *scope_id, guint64 *ret_size,
                           GError **error)
{
    gint64 scope;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT total(size) FROM file WHERE scope = :scope AND live = 1 AND kind = 1");
    syncd_bind_int(row, ":scope", scope);
    return syncd_statement_count(row, ret_size, error);
}

bool syncd_index_count_files(SyncdIndex *self, GHashTable *counts, GError **error)
{
    /* total() does not fail where a sum is none of SQLite's integers. */
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT text, kind, n, bytes FROM (SELECT scope, kind, count(*) AS n,"
                  " total(size) AS bytes FROM file WHERE live = 1 AND folder <> 0"
                  " GROUP BY scope, kind) JOIN word ON word.id = scope");
    for (;;) {
        bool found;
        if (!syncd_statement_next(rows, &found, error))
            return false;
        if (!found)
            return count_mismatched(self, counts, error);
        count(rows, counts_of(counts, syncd_column_text(rows, 0)));
    }
}

bool syncd_index_walk_folder(SyncdIndex *self, guint64 folder,
                             bool (*take)(void *data, const SyncdFileRow *row), void *data,
                             GError **error)
{
    SyncdStatement *rows = syncd_database_statement(
        self->db,
        "SELECT " COLUMNS FROM "WHERE folder = :folder AND live = 1 ORDER BY name, file.id");
    syncd_bind_int(rows, ":folder", (gint64)folder);
    return walk(rows, take, data, error);
}

bool syncd_index_walk_ignored(SyncdIndex *self, guint64 folder,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error)
{
    SyncdStatement *rows = syncd_database_statement(
        self->db,
        "SELECT " COLUMNS FROM "WHERE folder = :folder AND live = 2 ORDER BY name, file.id");
    syncd_bind_int(rows, ":folder", (gint64)folder);
    return walk(rows, take, data, error);
}

bool syncd_index_walk_seen(SyncdIndex *self, const char *scope_id, guint64 device, guint64 inode,
                           bool (*take)(void *data, const SyncdFileRow *row), void *data,
                           GError **error)
{
    gint64 scope;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error))
        return false;
    SyncdStatement *rows = syncd_database_statement(
        self->db, "SELECT " COLUMNS " FROM seen JOIN file ON file.id = seen.file" MISMATCH
                  "WHERE inode = :inode"
                  " AND device = :device AND scope = :scope AND live = 1 ORDER BY file.id");
    syncd_bind_int(rows, ":inode", (gint64)inode);
    syncd_bind_int(rows, ":device", (gint64)device);
    syncd_bind_int(rows, ":scope", scope);
    return walk(rows, take, data, error);
}

/* There is no way to look them up: they are few among many, and seldom asked for. */
bool syncd_index_walk_deleted(SyncdIndex *self, const char *scope_id, SyncdBytes name,
                              bool (*take)(void *data, const SyncdFileRow *row), void *data,
                              GError **error)
{
    gint64 scope;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error))
        return false;
    SyncdStatement *rows = syncd_database_statement(
        self->db, "SELECT " COLUMNS FROM "WHERE name = :name AND live = 0 AND scope = :scope"
                  " ORDER BY changed DESC LIMIT 1000");
    syncd_bind_blob(rows, ":name", name);
    syncd_bind_int(rows, ":scope", scope);
    return walk(rows, take, data, error);
}

bool syncd_index_has_more_files(SyncdIndex *self, const char *scope_id, guint64 max, bool *ret_has,
                                GError **error)
{
    gint64 scope, count;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT count(*) FROM (SELECT 1 FROM file WHERE scope = :scope AND live = 1"
                  " LIMIT :enough)");
    syncd_bind_int(row, ":scope", scope);
    syncd_bind_int(row, ":enough", (gint64)MIN(max, G_MAXINT64 - 1) + 1);
    if (!syncd_statement_number(row, 0, &count, error))
        return false;
    *ret_has = (guint64)count > max;
    return true;
}
