#include "store/index-private.h"

#include "domain/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define INDEX_FILE "index.db"
#define NEW_FILE "index.db.new"
/* Lookups are made by the later migrations: a new file gets its rows first. */
#define MIGRATION_BEFORE_LOOKUPS 4u

/* No backup of anything is needed for it. */
#define NEXT                                                                                       \
    "see how it is mended with `sourceos-syncd doctor`: it is made from the log, which has all "   \
    "of it"

static const char check_search[] = "INSERT INTO search (search) VALUES ('integrity-check');";

const SyncdDatabaseKind syncd_index_kind = {
    .name = INDEX_FILE,
    .next = NEXT,
    .application_id = 0x53595244,
    .durability = SYNCD_ORDERED,
    .migrations = &syncd_index_migrations,
    .check = check_search,
};

static const SyncdDatabaseKind new_index_kind = {
    .name = NEW_FILE,
    .next = NEXT,
    .application_id = 0x53595244,
    .durability = SYNCD_SCRATCH,
    .migrations = &syncd_index_migrations,
    .check = check_search,
};

static SyncdIndex *wrap(SyncdDatabase *db)
{
    SyncdIndex *self = g_new0(SyncdIndex, 1);
    self->db = db;
    syncd_index_init_words(self);
    self->tally = g_hash_table_new(g_direct_hash, g_direct_equal);
    self->pending = syncd_index_pending_new();
    self->search = syncd_index_search_known_new();
    self->objects = syncd_index_known_objects_new();
    return self;
}

static SyncdIndex *open_as(SyncdDirectory *directory, SyncdDatabaseMode mode, GError **error)
{
    g_autofree char *path = syncd_directory_file(directory, INDEX_FILE);
    /* One of an older version is not migrated: what its rows would have to be is only in the log.
     */
    g_autoptr(SyncdDatabase) db =
        syncd_database_open_up_to(path, &syncd_index_kind, mode, 0, error);
    if (db == NULL)
        return NULL;

    /* A file that opens may still be of other making, or torn: its schema is small enough to
     * compare at each start. */
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    if (!syncd_database_check_schema(db, faults, error))
        return NULL;
    if (faults->len > 0) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "index.db: %s",
                        (const char *)faults->pdata[0]);
        return NULL;
    }
    return wrap(g_steal_pointer(&db));
}

SyncdIndex *syncd_index_open(SyncdDirectory *directory, GError **error)
{
    return open_as(directory, SYNCD_DATABASE_EXISTING, error);
}

SyncdIndex *syncd_index_look(SyncdDirectory *directory, GError **error)
{
    return open_as(directory, SYNCD_DATABASE_INSPECT, error);
}

static bool remove_file(const char *path, const char *suffix)
{
    g_autofree char *name = g_strconcat(path, suffix, NULL);
    return unlink(name) == 0 || errno == ENOENT;
}

SyncdIndex *syncd_index_begin_new(SyncdDirectory *directory, GError **error)
{
    g_autofree char *path = syncd_directory_file(directory, NEW_FILE);
    remove_file(path, "");
    remove_file(path, "-wal");
    remove_file(path, "-journal");
    SyncdDatabase *db = syncd_database_open_up_to(path, &new_index_kind, SYNCD_DATABASE_CREATE,
                                                  MIGRATION_BEFORE_LOOKUPS, error);
    if (db == NULL)
        return NULL;
    SyncdIndex *self = wrap(db);
    self->making = true;
    self->version = MIGRATION_BEFORE_LOOKUPS;
    return self;
}

static bool has_lookups(const SyncdIndex *self)
{
    return self->version == syncd_index_migrations.n_steps;
}

bool syncd_index_add_lookup(SyncdIndex *self, SyncdStepLength length, bool *ret_more,
                            GError **error)
{
    bool goes_on;
    if (!syncd_database_migrate_step(self->db, self->version + 1, length, &goes_on, error))
        return false;
    self->version += !goes_on;
    *ret_more = !has_lookups(self);
    return true;
}

static bool sync_file(const char *path, GError **error)
{
    int fd = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
    bool ok = fd >= 0 && TEMP_FAILURE_RETRY(fsync(fd)) == 0;
    if (!ok)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot sync the new index");
    if (fd >= 0)
        close(fd);
    return ok;
}

bool syncd_index_sync_new(SyncdIndex *self, SyncdDirectory *directory, GError **error)
{
    g_autofree char *path = syncd_directory_file(directory, NEW_FILE);
    return sync_file(path, error);
}

static bool make_whole(SyncdIndex *index, const char *path, GError **error)
{
    g_autoptr(SyncdIndex) self = index;
    if (!syncd_database_migrate(self->db, G_MAXUINT, error))
        return false;
    g_clear_pointer(&self, syncd_index_free);
    return sync_file(path, error);
}

SyncdIndex *syncd_index_finish_new(SyncdIndex *index, SyncdDirectory *directory, GError **error)
{
    g_autofree char *path = syncd_directory_file(directory, INDEX_FILE);
    g_autofree char *new_path = syncd_directory_file(directory, NEW_FILE);
    if (!make_whole(index, new_path, error)) {
        remove_file(new_path, "");
        return NULL;
    }

    /* The old WAL goes, durably, before the new file comes: SQLite would take its frames for the
     * new file's. A crash in between leaves no index, and this file, by which the next start knows
     * that it has to be made anew. */
    bool gone = remove_file(path, "") && remove_file(path, "-shm") && remove_file(path, "-wal") &&
                remove_file(path, "-journal");
    if (gone && !syncd_directory_sync(directory, error))
        return NULL;
    if (!gone || rename(new_path, path) < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot put the new index in its place");
        return NULL;
    }
    if (!syncd_directory_sync(directory, error))
        return NULL;
    return syncd_index_open(directory, error);
}

void syncd_index_discard_new(SyncdIndex *self, SyncdDirectory *directory)
{
    g_autofree char *path = syncd_directory_file(directory, NEW_FILE);
    syncd_index_free(self);
    remove_file(path, "");
}

void syncd_index_free(SyncdIndex *self)
{
    if (self == NULL)
        return;
    syncd_index_clear_words(self);
    g_hash_table_unref(self->tally);
    syncd_index_pending_free(self->pending);
    syncd_index_search_known_free(self->search);
    syncd_index_known_objects_free(self->objects);
    syncd_database_free(self->db);
    g_free(self);
}

bool syncd_index_is_new(const SyncdIndex *self)
{
    return self->making;
}

SyncdDatabase *syncd_index_database(SyncdIndex *self)
{
    return self->db;
}

bool syncd_index_bytes(SyncdIndex *self, guint64 *ret_bytes, GError **error)
{
    gint64 pages, size;
    if (!syncd_statement_number(syncd_database_statement(self->db, "PRAGMA page_count"), 0, &pages,
                                error) ||
        !syncd_statement_number(syncd_database_statement(self->db, "PRAGMA page_size"), 0, &size,
                                error))
        return false;
    *ret_bytes = (guint64)pages * (guint64)size;
    return true;
}

bool syncd_index_begin(SyncdIndex *self, GError **error)
{
    return syncd_database_begin(self->db, error);
}

void syncd_index_rollback(SyncdIndex *self)
{
    syncd_database_rollback(self->db);
    syncd_index_forget_pending(self);
    /* Words that the transaction made are not there any more. */
    syncd_index_forget_words(self);
    self->file_operation[0] = '\0';
    syncd_index_forget_search(self);
    syncd_index_forget_objects(self);
    g_hash_table_remove_all(self->tally);
    memset(self->lanes, 0, sizeof self->lanes);
    if (self->counting != NULL)
        self->counting->broken = true;
}

static bool write_tally(SyncdIndex *self, GError **error)
{
    GHashTableIter iter;
    void *kind, *count;
    g_hash_table_iter_init(&iter, self->tally);
    while (g_hash_table_iter_next(&iter, &kind, &count)) {
        SyncdStatement *row = syncd_database_statement(
            self->db, "INSERT INTO tally (kind, count) VALUES (:kind, :count)"
                      " ON CONFLICT (kind) DO UPDATE SET count = count + excluded.count");
        syncd_bind_int(row, ":kind", GPOINTER_TO_SIZE(kind));
        syncd_bind_int(row, ":count", GPOINTER_TO_SIZE(count));
        if (!syncd_statement_run(row, error))
            return false;
    }
    g_hash_table_remove_all(self->tally);
    return true;
}

bool syncd_index_commit(SyncdIndex *self, GError **error)
{
    if (syncd_index_write_pending(self, error) && write_tally(self, error) &&
        syncd_index_write_lanes(self, error) && syncd_database_commit(self->db, error))
        return true;
    syncd_index_rollback(self);
    return false;
}

bool syncd_index_set_cursor(SyncdIndex *self, gint64 feed, guint64 size, const SyncdHash *root,
                            GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO cursor (feed, size, root) VALUES (:feed, :size, :root)"
                  " ON CONFLICT (feed) DO UPDATE SET size = excluded.size, root = excluded.root");
    syncd_bind_int(row, ":feed", feed);
    syncd_bind_int(row, ":size", (gint64)size);
    syncd_bind_blob(row, ":root", SYNCD_BYTES(root->bytes, sizeof root->bytes));
    return syncd_statement_run(row, error);
}

bool syncd_index_cursor(SyncdIndex *self, gint64 feed, guint64 *ret_size, SyncdHash *ret_root,
                        GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT size, root FROM cursor WHERE feed = :feed");
    bool row;
    syncd_bind_int(rows, ":feed", feed);
    if (!syncd_statement_next(rows, &row, error))
        return false;
    *ret_size = 0;
    memset(ret_root, 0, sizeof *ret_root);
    if (row) {
        SyncdBytes root = syncd_column_bytes(rows, 1);
        *ret_size = (guint64)syncd_column_int(rows, 0);
        memcpy(ret_root->bytes, root.data, MIN(root.size, sizeof ret_root->bytes));
    }
    return true;
}

bool syncd_index_projected(SyncdIndex *self, guint64 *ret_pos, GError **error)
{
    return syncd_statement_count(syncd_database_statement(self->db, "SELECT max(pos) FROM entry"),
                                 ret_pos, error);
}

bool syncd_index_cursors(SyncdIndex *self, guint64 *ret_n, guint64 *ret_sum, GError **error)
{
    bool row;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT count(*), coalesce(sum(size), 0) FROM cursor");
    if (!syncd_statement_next(rows, &row, error))
        return false;
    *ret_n = row ? (guint64)syncd_column_int(rows, 0) : 0;
    *ret_sum = row ? (guint64)syncd_column_int(rows, 1) : 0;
    return true;
}

bool syncd_index_entry_at(SyncdIndex *self, guint64 pos, char **ret_op, guint64 *ret_ms,
                          GError **error)
{
    bool row;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT op, ms FROM entry WHERE pos = :pos");
    syncd_bind_int(rows, ":pos", (gint64)pos);
    if (!syncd_statement_next(rows, &row, error))
        return false;
    *ret_op = row ? g_strdup(syncd_column_text(rows, 0)) : NULL;
    *ret_ms = row ? (guint64)syncd_column_int(rows, 1) : 0;
    return true;
}

/* ---- projecting ---- */

static bool insert_entry(SyncdIndex *self, guint64 pos, const SyncdHeader *header, GError **error)
{
    SyncdEntryWords words;
    if (!syncd_index_add_word(self, header->kind, &words.kind, error) ||
        !syncd_index_add_word(self, header->actor, &words.actor, error) ||
        !syncd_index_add_word(self, header->scope, &words.scope, error) ||
        !syncd_index_put_entry(self, pos, header, &words, error))
        return false;

    void *kind = GSIZE_TO_POINTER(words.kind);
    size_t count = GPOINTER_TO_SIZE(g_hash_table_lookup(self->tally, kind));
    g_hash_table_insert(self->tally, kind, GSIZE_TO_POINTER(count + 1));
    return true;
}

bool syncd_index_keeps_content(SyncdBytes kind)
{
    return syncd_index_is_registry_kind(kind) || syncd_lifecycle_kind(kind, NULL, NULL) ||
           syncd_deletion_kind(kind, NULL);
}

bool syncd_index_needs_body(const SyncdHeader *header)
{
    return header->keyed || header->n_parents > 0 || syncd_index_keeps_content(header->kind);
}

static bool project_body(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                         const SyncdBody *body, GError **error)
{
    if (syncd_index_is_registry_kind(header->kind) &&
        !syncd_index_project_registry(self, pos, header, body, error))
        return false;
    return !header->keyed || syncd_index_project_key(self, pos, header, body, error);
}

bool syncd_index_project(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                         const SyncdBody *body, GError **error)
{
    bool adds;
    if (!insert_entry(self, pos, header, error))
        return false;
    return (body == NULL || project_body(self, pos, header, body, error)) &&
           syncd_index_project_object(self, pos, header, &adds, error) &&
           syncd_index_project_task(self, pos, header, adds, body, error) &&
           syncd_index_project_deletion(self, pos, header, body, error);
}

bool syncd_index_scope_of(SyncdIndex *self, guint64 pos, char **ret_scope, GError **error)
{
    bool row;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT text FROM entry JOIN word ON word.id = entry.scope WHERE pos = :pos");
    syncd_bind_int(rows, ":pos", (gint64)pos);
    if (!syncd_statement_next(rows, &row, error))
        return false;
    *ret_scope = row ? g_strdup(syncd_column_text(rows, 0)) : NULL;
    return true;
}

bool syncd_index_find_op(SyncdIndex *self, const char *op, guint64 *ret_pos, GError **error)
{
    *ret_pos = syncd_index_pending_op(self, op);
    if (*ret_pos != 0)
        return true;
    SyncdStatement *row =
        syncd_database_statement(self->db, "SELECT pos FROM entry WHERE op = :op");
    syncd_bind_text(row, ":op", op);
    return syncd_statement_count(row, ret_pos, error);
}

bool syncd_index_count_kind(SyncdIndex *self, const char *kind, guint64 *ret_count, GError **error)
{
    gint64 word;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(kind), &word, error))
        return false;
    SyncdStatement *row =
        syncd_database_statement(self->db, "SELECT count FROM tally WHERE kind = :kind");
    syncd_bind_int(row, ":kind", word);
    return syncd_statement_count(row, ret_count, error);
}
