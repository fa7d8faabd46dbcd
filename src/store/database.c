#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a hostile database file may make SQLite do is bounded here, whatever its schema says. */
static const struct {
    int limit;
    int value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024},
    {SQLITE_LIMIT_SQL_LENGTH, 256 * 1024},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_COLUMN, 64},
    {SQLITE_LIMIT_EXPR_DEPTH, 64},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 8},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

struct SyncdStatement {
    SyncdDatabase *db;
    sqlite3_stmt *stmt;
    int rc; /* the first error of binding or stepping */
};

struct SyncdDatabase {
    sqlite3 *handle;
    const SyncdDatabaseKind *kind;
    SyncdDatabaseMode mode;
    char *path;
    bool wal_is_ours;       /* inspecting: SQLite makes an empty one where there was none */
    GHashTable *statements; /* const char * (by address) -> SyncdStatement * */
    int wal_pages;
};

static int last_errno(sqlite3_file *file)
{
    int os = 0;
    if (file != NULL && file->pMethods != NULL)
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &os);
    return os;
}

/* What the system said to a write that failed. sqlite3_system_errno() forgets it on the way up, the
 * files do not: the WAL, or the database itself where there is none. */
static int errno_of_write(sqlite3 *handle)
{
    sqlite3_file *wal = NULL, *file = NULL;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    int os = last_errno(wal);
    return os != 0 ? os : last_errno(file);
}

/* A write that failed for want of room left nothing behind, and may be tried again. A failed sync
 * is no such thing, whatever its reason: nobody knows what the disk took. */
static bool had_no_room(sqlite3 *handle, int rc)
{
    if ((rc & 0xff) == SQLITE_FULL)
        return true;
    int os = 0;
    if (handle != NULL && rc == SQLITE_IOERR_WRITE)
        os = errno_of_write(handle);
    else if (handle != NULL && (rc & 0xff) == SQLITE_CANTOPEN)
        os = sqlite3_system_errno(handle);
    return os == ENOSPC || os == EDQUOT;
}

static void set_error(SyncdDatabase *db, int rc, GError **error)
{
    static const struct {
        int rc;
        SyncdErrorCode code;
    } codes[] = {
        {SQLITE_CORRUPT, SYNCD_ERROR_JOURNAL_CORRUPT},
        {SQLITE_NOTADB, SYNCD_ERROR_JOURNAL_CORRUPT},
        {SQLITE_BUSY, SYNCD_ERROR_BUSY},
        {SQLITE_LOCKED, SYNCD_ERROR_BUSY},
        {SQLITE_TOOBIG, SYNCD_ERROR_TOO_LARGE},
        {SQLITE_CONSTRAINT, SYNCD_ERROR_JOURNAL_CORRUPT},
    };
    SyncdErrorCode code = SYNCD_ERROR_STORAGE_FAILED;
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if ((rc & 0xff) == codes[i].rc)
            code = codes[i].code;

    if (had_no_room(db->handle, rc))
        code = SYNCD_ERROR_NO_SPACE;
    const char *text = db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
    syncd_set_error(error, code, "%s: %s (SQLite %d)", db->kind->name, text, rc);
}

static int note_wal_size(void *data, sqlite3 *handle, const char *schema, int pages)
{
    ((SyncdDatabase *)data)->wal_pages = pages;
    return SQLITE_OK;
}

static void configure_handle(SyncdDatabase *db)
{
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
        sqlite3_limit(db->handle, limits[i].limit, limits[i].value);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                      db->mode == SYNCD_DATABASE_INSPECT, NULL);
    sqlite3_extended_result_codes(db->handle, 1);
}

/* locking_mode before journal_mode: only then does SQLite keep the WAL's index in memory and need
 * no shared file. */
static const char pragmas_first[] = "PRAGMA locking_mode = EXCLUSIVE;"
                                    "PRAGMA cell_size_check = ON;"
                                    "PRAGMA trusted_schema = OFF;"
                                    "PRAGMA recursive_triggers = ON;"
                                    "PRAGMA temp_store = MEMORY;"
                                    "PRAGMA mmap_size = 0;"
                                    "PRAGMA cache_size = -8192;"; /* KiB */
static const char *const pragmas_writing[] = {
    [SYNCD_DURABLE] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216;",
    [SYNCD_ORDERED] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216;",
    /* A batch that fails must leave the one before it: no journal at all would not. */
    [SYNCD_SCRATCH] = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;",
};
static const char *const journal_modes[] = {
    [SYNCD_DURABLE] = "wal", [SYNCD_ORDERED] = "wal", [SYNCD_SCRATCH] = "memory"};

static bool read_number(SyncdDatabase *db, const char *sql, gint64 *ret_value, GError **error)
{
    return syncd_statement_number(syncd_database_statement(db, sql), 0, ret_value, error);
}

static bool check_identity(SyncdDatabase *db, bool *ret_empty, GError **error)
{
    gint64 application, version, pages;
    if (!read_number(db, "PRAGMA application_id", &application, error) ||
        !read_number(db, "PRAGMA user_version", &version, error) ||
        !read_number(db, "PRAGMA page_count", &pages, error))
        return false;

    *ret_empty = pages == 0;
    if (*ret_empty && db->mode != SYNCD_DATABASE_CREATE) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "%s is empty", db->kind->name);
        return false;
    }
    if (pages > 0 && application != db->kind->application_id) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "%s is not a database of this program",
                        db->kind->name);
        return false;
    }
    if (version < 0 || (size_t)version > db->kind->migrations->n_steps) {
        syncd_set_error_next(
            error, SYNCD_ERROR_NOT_INITIALIZED,
            "use the newer version again, or restore a copy made before it",
            "%s was written by a newer version of this program (schema %" G_GINT64_FORMAT
            ", known up to %" G_GSIZE_FORMAT ")",
            db->kind->name, version, db->kind->migrations->n_steps);
        return false;
    }
    if (pages > 0 && version == 0) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "%s has no schema", db->kind->name);
        return false;
    }
    return true;
}

/* SQLite would make it readable for others as far as the umask allows. */
static int create_private(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    return fd < 0 || close(fd) < 0 ? errno : 0;
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    int problem = fd < 0 || fsync(fd) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return problem;
}

static bool copy_pages(SyncdDatabase *db, const char *copy, GError **error)
{
    sqlite3 *target = NULL;
    int rc = sqlite3_open_v2(copy, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    sqlite3_backup *backup =
        rc == SQLITE_OK ? sqlite3_backup_init(target, "main", db->handle, "main") : NULL;
    if (backup != NULL) {
        rc = sqlite3_backup_step(backup, -1);
        int finish = sqlite3_backup_finish(backup);
        rc = rc == SQLITE_DONE ? finish : rc;
    } else if (rc == SQLITE_OK) {
        rc = sqlite3_extended_errcode(target);
    }
    bool full = rc != SQLITE_OK && had_no_room(target, rc);
    if (sqlite3_close(target) != SQLITE_OK && rc == SQLITE_OK)
        rc = SQLITE_IOERR;
    if (rc == SQLITE_OK)
        return true;
    syncd_set_error(error, full ? SYNCD_ERROR_NO_SPACE : SYNCD_ERROR_STORAGE_FAILED,
                    "Cannot copy %s before changing its schema: %s", db->kind->name,
                    sqlite3_errstr(rc));
    return false;
}

/* A copy of the file as it was, durable before the first change; its name appears only when it is
 * whole. */
static bool keep_old_version(SyncdDatabase *db, gint64 version, GError **error)
{
    g_autofree char *copy = g_strdup_printf("%s.before-%" G_GINT64_FORMAT, db->path, version + 1);
    g_autofree char *making = g_strconcat(copy, ".new", NULL);
    g_autofree char *folder = g_path_get_dirname(db->path);
    unlink(making);
    int problem = create_private(making, O_EXCL);
    if (problem == 0 && !copy_pages(db, making, error)) {
        unlink(making);
        return false;
    }
    if (problem == 0)
        problem = sync_path(making, 0);
    if (problem == 0 && rename(making, copy) < 0)
        problem = errno;
    if (problem == 0)
        problem = sync_path(folder, O_DIRECTORY);
    if (problem == 0)
        return true;
    unlink(making);
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                          "Cannot copy %s before changing its schema", db->kind->name);
    return false;
}

bool syncd_database_migrate(SyncdDatabase *db, unsigned up_to, GError **error)
{
    gint64 version, pages;
    if (!read_number(db, "PRAGMA user_version", &version, error) ||
        !read_number(db, "PRAGMA page_count", &pages, error))
        return false;

    const SyncdMigrations *migrations = db->kind->migrations;
    bool pending = (guint64)version < MIN(up_to, migrations->n_steps);
    if (pending && version > 0 && db->kind->keep_old && !keep_old_version(db, version, error))
        return false;

    for (size_t i = (size_t)version;
         i < migrations->n_steps && migrations->steps[i].number <= up_to; i++) {
        gint64 reached;
        if (!syncd_database_begin(db, error))
            return false;
        if (!syncd_database_run(db, migrations->steps[i].sql, error) ||
            !read_number(db, "PRAGMA user_version", &reached, error)) {
            syncd_database_rollback(db);
            return false;
        }
        if (reached != migrations->steps[i].number) {
            syncd_database_rollback(db);
            syncd_set_error(error, SYNCD_ERROR_FAILED,
                            "Migration %u of %s does not set its version",
                            migrations->steps[i].number, db->kind->name);
            return false;
        }
        if (!syncd_database_commit(db, error))
            return false;
    }
    return true;
}

/* SQLite keeps the old mode, and says so only in the answer, when it cannot have the one asked for.
 */
static bool set_journal_mode(SyncdDatabase *db, GError **error)
{
    bool row;
    if (!syncd_database_run(db, pragmas_writing[db->kind->durability], error))
        return false;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(db, "PRAGMA journal_mode");
    if (!syncd_statement_next(rows, &row, error))
        return false;
    if (row && strcmp(syncd_column_text(rows, 0), journal_modes[db->kind->durability]) == 0)
        return true;
    syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "%s cannot be written in the mode '%s'",
                    db->kind->name, journal_modes[db->kind->durability]);
    return false;
}

static bool set_up(SyncdDatabase *db, unsigned up_to, GError **error)
{
    bool empty;
    if (!syncd_database_run(db, pragmas_first, error) || !check_identity(db, &empty, error))
        return false;
    if (db->mode == SYNCD_DATABASE_INSPECT)
        return syncd_database_run(db, "PRAGMA query_only = ON;", error);

    if (empty && !syncd_database_run(db, "PRAGMA page_size = 4096;", error))
        return false;
    if (!set_journal_mode(db, error))
        return false;
    if (empty) {
        /* Takes a number only as a literal. */
        g_assert(db->kind->application_id == 0x53595244);
        if (!syncd_database_run(db, "PRAGMA application_id = 0x53595244;", error))
            return false;
    }
    sqlite3_wal_hook(db->handle, note_wal_size, db);
    return syncd_database_migrate(db, up_to, error);
}

static void statement_free(void *data)
{
    SyncdStatement *statement = data;
    sqlite3_finalize(statement->stmt);
    g_free(statement);
}

SyncdDatabase *syncd_database_open_up_to(const char *path, const SyncdDatabaseKind *kind,
                                         SyncdDatabaseMode mode, unsigned up_to, GError **error)
{
    g_autoptr(SyncdDatabase) db = g_new0(SyncdDatabase, 1);
    db->kind = kind;
    db->mode = mode;
    db->path = g_strdup(path);
    db->statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, statement_free);

    int problem = mode == SYNCD_DATABASE_CREATE ? create_private(path, 0) : 0;
    if (problem != 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot create %s",
                              kind->name);
        return NULL;
    }
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    db->wal_is_ours = mode == SYNCD_DATABASE_INSPECT && access(wal, F_OK) < 0;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_NOFOLLOW;
    int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (rc != SQLITE_OK) {
        set_error(db, rc, error);
        return NULL;
    }
    configure_handle(db);
    if (!set_up(db, up_to, error))
        return NULL;
    return g_steal_pointer(&db);
}

SyncdDatabase *syncd_database_open(const char *path, const SyncdDatabaseKind *kind,
                                   SyncdDatabaseMode mode, GError **error)
{
    return syncd_database_open_up_to(path, kind, mode, G_MAXUINT, error);
}

static void remove_empty_wal(SyncdDatabase *db)
{
    struct stat st;
    g_autofree char *wal = g_strconcat(db->path, "-wal", NULL);
    if (lstat(wal, &st) == 0 && st.st_size == 0)
        unlink(wal);
}

void syncd_database_free(SyncdDatabase *db)
{
    if (db == NULL)
        return;
    g_clear_pointer(&db->statements, g_hash_table_unref);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        g_critical("%s: a statement is still in use", db->kind->name);
    if (db->wal_is_ours)
        remove_empty_wal(db);
    g_free(db->path);
    g_free(db);
}

SyncdStatement *syncd_database_statement(SyncdDatabase *db, const char *sql)
{
    SyncdStatement *statement = g_hash_table_lookup(db->statements, sql);
    if (statement == NULL) {
        statement = g_new0(SyncdStatement, 1);
        statement->db = db;
        g_hash_table_insert(db->statements, (void *)sql, statement);
    }
    if (statement->stmt == NULL)
        statement->rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                           &statement->stmt, NULL);
    return statement;
}

void syncd_statement_done(SyncdStatement *statement)
{
    if (statement == NULL)
        return;
    /* Without a statement (it could not be prepared) there is nothing to reset. */
    if (statement->stmt != NULL) {
        sqlite3_reset(statement->stmt);
        sqlite3_clear_bindings(statement->stmt);
    }
    statement->rc = SQLITE_OK;
}

static int parameter(SyncdStatement *statement, const char *name)
{
    int index = sqlite3_bind_parameter_index(statement->stmt, name);
    /* A name that the statement does not have is a slip of ours, and must not pass as NULL. */
    if (index == 0 && statement->rc == SQLITE_OK)
        statement->rc = SQLITE_RANGE;
    return index;
}

static void note(SyncdStatement *statement, int rc)
{
    if (statement->rc == SQLITE_OK)
        statement->rc = rc;
}

void syncd_bind_int(SyncdStatement *statement, const char *name, gint64 value)
{
    note(statement, sqlite3_bind_int64(statement->stmt, parameter(statement, name), value));
}

void syncd_bind_text(SyncdStatement *statement, const char *name, const char *text)
{
    syncd_bind_text_bytes(statement, name, SYNCD_BYTES_TEXT(text));
}

void syncd_bind_text_bytes(SyncdStatement *statement, const char *name, SyncdBytes text)
{
    note(statement, sqlite3_bind_text64(statement->stmt, parameter(statement, name),
                                        text.size > 0 ? text.data : "", text.size, SQLITE_STATIC,
                                        SQLITE_UTF8));
}

void syncd_bind_blob(SyncdStatement *statement, const char *name, SyncdBytes blob)
{
    note(statement, sqlite3_bind_blob64(statement->stmt, parameter(statement, name),
                                        blob.size > 0 ? blob.data : "", blob.size, SQLITE_STATIC));
}

bool syncd_statement_next(SyncdStatement *statement, bool *ret_row, GError **error)
{
    if (statement->rc == SQLITE_OK) {
        int rc = sqlite3_step(statement->stmt);
        if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
            *ret_row = rc == SQLITE_ROW;
            return true;
        }
        statement->rc = rc;
    }
    set_error(statement->db, statement->rc, error);
    return false;
}

bool syncd_statement_run(SyncdStatement *statement, GError **error)
{
    bool row = false;
    bool ok = syncd_statement_next(statement, &row, error);
    syncd_statement_done(statement);
    return ok;
}

bool syncd_statement_number(SyncdStatement *statement, gint64 fallback, gint64 *ret_value,
                            GError **error)
{
    bool row = false;
    bool ok = syncd_statement_next(statement, &row, error);
    if (ok)
        *ret_value = row ? sqlite3_column_int64(statement->stmt, 0) : fallback;
    syncd_statement_done(statement);
    return ok;
}

gint64 syncd_column_int(SyncdStatement *statement, int column)
{
    return sqlite3_column_int64(statement->stmt, column);
}

const char *syncd_column_text(SyncdStatement *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement->stmt, column);
    return text != NULL ? text : "";
}

SyncdBytes syncd_column_bytes(SyncdStatement *statement, int column)
{
    const void *data = sqlite3_column_blob(statement->stmt, column);
    return SYNCD_BYTES(data != NULL ? data : "",
                       (size_t)sqlite3_column_bytes(statement->stmt, column));
}

bool syncd_database_run(SyncdDatabase *db, const char *sql, GError **error)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return true;
    set_error(db, rc, error);
    return false;
}

bool syncd_database_begin(SyncdDatabase *db, GError **error)
{
    return syncd_statement_run(syncd_database_statement(db, "BEGIN IMMEDIATE"), error);
}

bool syncd_database_commit(SyncdDatabase *db, GError **error)
{
    if (syncd_statement_run(syncd_database_statement(db, "COMMIT"), error))
        return true;
    syncd_database_rollback(db);
    return false;
}

void syncd_database_rollback(SyncdDatabase *db)
{
    /* SQLite has rolled back by itself after some errors. */
    if (syncd_database_in_transaction(db))
        syncd_statement_run(syncd_database_statement(db, "ROLLBACK"), NULL);
}

bool syncd_database_in_transaction(SyncdDatabase *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

bool syncd_database_checkpoint(SyncdDatabase *db, int beyond_pages, GError **error)
{
    if (db->wal_pages <= beyond_pages)
        return true;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK) {
        set_error(db, rc, error);
        return false;
    }
    db->wal_pages = 0;
    return true;
}

/* ---- what the schema must be ---- */

static const char sql_schema[] =
    "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name, type";

static GHashTable *expected_schema(SyncdDatabase *db, GError **error)
{
    SyncdDatabaseKind kind = *db->kind;
    g_autoptr(SyncdDatabase) fresh = g_new0(SyncdDatabase, 1);
    fresh->kind = &kind;
    fresh->statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, statement_free);
    int rc = sqlite3_open_v2(":memory:", &fresh->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             NULL);
    if (rc != SQLITE_OK) {
        set_error(fresh, rc, error);
        return NULL;
    }
    for (size_t i = 0; i < kind.migrations->n_steps; i++)
        if (!syncd_database_run(fresh, kind.migrations->steps[i].sql, error))
            return NULL;

    g_autoptr(GHashTable) schema = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(SyncdStatement) rows = syncd_database_statement(fresh, sql_schema);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return NULL;
        if (!row)
            break;
        g_hash_table_insert(schema, g_strdup(syncd_column_text(rows, 0)),
                            g_strdup(syncd_column_text(rows, 1)));
    }
    return g_steal_pointer(&schema);
}

bool syncd_database_check_schema(SyncdDatabase *db, GPtrArray *faults, GError **error)
{
    g_autoptr(GHashTable) expected = expected_schema(db, error);
    if (expected == NULL)
        return false;

    g_autoptr(SyncdStatement) rows = syncd_database_statement(db, sql_schema);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            break;
        const char *name = syncd_column_text(rows, 0);
        const char *sql = g_hash_table_lookup(expected, name);
        if (sql == NULL)
            g_ptr_array_add(faults, g_strdup_printf("the schema has an unknown object '%s'", name));
        else if (strcmp(sql, syncd_column_text(rows, 1)) != 0)
            g_ptr_array_add(faults, g_strdup_printf("the schema of '%s' was changed", name));
        g_hash_table_remove(expected, name);
    }

    GHashTableIter iter;
    void *name;
    g_hash_table_iter_init(&iter, expected);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(faults, g_strdup_printf("the schema lacks '%s'", (const char *)name));
    return true;
}

bool syncd_database_check_structure(SyncdDatabase *db, GPtrArray *faults, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(db, "PRAGMA integrity_check(20)");
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        const char *text = syncd_column_text(rows, 0);
        if (strcmp(text, "ok") != 0)
            g_ptr_array_add(faults, g_strdup(text));
    }
}
