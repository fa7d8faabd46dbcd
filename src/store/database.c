#include "store/database-private.h"

#include "store/vfs.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSTRUCTIONS_TO_OPEN 5000
/* A WAL that is longer does not wait for who looks at the file. */
#define WAL_PAGES_LOOKED_AT 8192

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

static bool is_looking(SyncdDatabaseMode mode)
{
    return mode != SYNCD_DATABASE_EXISTING && mode != SYNCD_DATABASE_CREATE;
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
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, !is_looking(db->mode), NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_looking(db->mode), NULL);
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
                      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216;"
                      "PRAGMA cache_size = -4096; PRAGMA secure_delete = ON;",
    [SYNCD_ORDERED] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216;"
                      "PRAGMA cache_size = -4096;",
    /* A batch that fails must leave the one before it: no journal at all would not. */
    [SYNCD_SCRATCH] =
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;",
};
/* The log is what is walked. Nothing is mapped: see store/read-ahead.c; any number will do. */
static const char pragmas_walked[] = "PRAGMA mmap_size = 1073741824;";
static const char *const journal_modes[] = {
    [SYNCD_DURABLE] = "wal", [SYNCD_ORDERED] = "wal", [SYNCD_SCRATCH] = "memory"};

/* The first pages come before the schema does, so a start that was cut short may leave a file that
 * is not empty and holds nothing. */
static bool holds_nothing(SyncdDatabase *db, gint64 version, bool *ret_nothing, GError **error)
{
    gint64 objects = 1;
    if (version == 0 &&
        !syncd_database_number(db, "SELECT count(*) FROM sqlite_schema", &objects, error))
        return false;
    *ret_nothing = objects == 0;
    return true;
}

static bool check_identity(SyncdDatabase *db, bool *ret_empty, GError **error)
{
    gint64 application, version;
    if (!syncd_database_number(db, "PRAGMA application_id", &application, error) ||
        !syncd_database_number(db, "PRAGMA user_version", &version, error) ||
        !holds_nothing(db, version, ret_empty, error))
        return false;

    if (*ret_empty && db->mode != SYNCD_DATABASE_CREATE) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "%s is empty", db->kind->name);
        return false;
    }
    if ((!*ret_empty || application != 0) && application != db->kind->application_id) {
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
    if (version > 0 && (size_t)version < db->kind->migrations->n_steps &&
        db->mode == SYNCD_DATABASE_INSPECT) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_INITIALIZED,
                             "start the daemon on it once, which brings it up to date",
                             "%s was written by an older version of this program (schema "
                             "%" G_GINT64_FORMAT ", now %" G_GSIZE_FORMAT ")",
                             db->kind->name, version, db->kind->migrations->n_steps);
        return false;
    }
    if (!*ret_empty && version == 0) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "%s has no schema", db->kind->name);
        return false;
    }
    return true;
}

/* Sorting all rows of a long log does not fit into memory. What is put aside lies where the rest
 * lies, without a name, and not in a directory for everybody. */
static void sort_beside(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_setenv("SQLITE_TMPDIR", folder, TRUE);
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

/* SQLite takes a WAL that it could not open for writing as one that is only for reading, and tells
 * only the first who writes. */
static bool check_writable(SyncdDatabase *db, GError **error)
{
    if (!syncd_database_begin(db, error))
        return false;
    syncd_database_rollback(db);
    return true;
}

static bool prepare(SyncdDatabase *db, unsigned up_to, GError **error)
{
    bool empty;
    bool walked = db->kind->durability == SYNCD_DURABLE;
    if (!syncd_database_run(db, pragmas_first, error) ||
        (walked && !syncd_database_run(db, pragmas_walked, error)) ||
        !check_identity(db, &empty, error) ||
        (db->kind->foreign && !empty && !syncd_database_judge_schema(db, error)))
        return false;
    if (is_looking(db->mode))
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
    return syncd_database_migrate(db, up_to, error) && check_writable(db, error);
}

static int refuse_more(void *data)
{
    return 1;
}

/* SQLite reads all of a schema before it answers anything. One of ours takes a small part of this.
 */
static bool set_up(SyncdDatabase *db, unsigned up_to, GError **error)
{
    g_autoptr(GError) problem = NULL;
    bool bounded = db->kind->foreign && is_looking(db->mode);
    if (bounded)
        sqlite3_progress_handler(db->handle, INSTRUCTIONS_TO_OPEN, refuse_more, NULL);
    bool ok = prepare(db, up_to, &problem);
    bool stopped = !ok && sqlite3_errcode(db->handle) == SQLITE_INTERRUPT;
    sqlite3_progress_handler(db->handle, 0, NULL, NULL);
    if (stopped)
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "%s has a larger schema than any",
                        db->kind->name);
    else if (!ok)
        g_propagate_error(error, g_steal_pointer(&problem));
    return ok;
}

static void refuse_file(const char *path, const SyncdDatabaseKind *kind, int problem,
                        GError **error)
{
    struct stat st;
    if (problem != EACCES || lstat(path, &st) < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot create %s",
                              kind->name);
        return;
    }
    bool own = st.st_uid == geteuid();
    g_autofree char *next =
        own ? g_strdup_printf("run `chmod 600 %s`", path)
            : g_strdup_printf("have an administrator run `chown %u %s`", (unsigned)geteuid(), path);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, next,
                         "%s cannot be opened: it belongs to uid %u and has the mode %04o",
                         kind->name, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
}

/* SQLite would end what somebody left half done in it, which writes it and removes files that its
 * journal names. */
static bool check_untouched(const SyncdDatabase *db, GError **error)
{
    g_autofree char *rollback = g_strconcat(db->path, "-journal", NULL);
    if (!is_looking(db->mode) || access(rollback, F_OK) < 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                         "have it made again, or opened once by the sqlite3 program",
                         "%s is in the middle of a transaction", db->kind->name);
    return false;
}

/* `salvaged` NULL: it has pages of its own. */
static SyncdDatabase *open_database(const char *path, const SyncdDatabaseKind *kind,
                                    SyncdDatabaseMode mode, unsigned up_to,
                                    const SyncdVfsPages *salvaged, GError **error)
{
    g_autoptr(SyncdDatabase) db = g_new0(SyncdDatabase, 1);
    db->kind = kind;
    db->mode = mode;
    db->path = g_strdup(path);
    db->looks = g_rc_box_new0(SyncdLooks);
    db->statements =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, syncd_statement_free);

    bool in_memory = strcmp(path, SYNCD_DATABASE_IN_MEMORY) == 0;
    if (kind->durability == SYNCD_SCRATCH && !in_memory)
        sort_beside(path);
    int problem = mode == SYNCD_DATABASE_CREATE && !in_memory ? syncd_create_private(path, 0) : 0;
    if (problem != 0) {
        refuse_file(path, kind, problem, error);
        return NULL;
    }
    if (!check_untouched(db, error))
        return NULL;
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    db->wal_is_ours = is_looking(mode) && mode != SYNCD_DATABASE_BESIDE && access(wal, F_OK) < 0;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_NOFOLLOW;
    int rc = sqlite3_open_v2(path, &db->handle, flags, syncd_vfs());
    if (rc == SQLITE_OK)
        rc = syncd_rows_register(db->handle);
    if (rc == SQLITE_OK)
        rc = syncd_lookups_register(db->handle);
    if (rc == SQLITE_OK && salvaged != NULL && !syncd_vfs_salvage(db->handle, salvaged))
        rc = SQLITE_NOMEM;
    if (rc == SQLITE_OK && mode == SYNCD_DATABASE_BESIDE)
        syncd_vfs_leave_unlocked(db->handle);
    if (rc != SQLITE_OK) {
        syncd_database_set_error(db, rc, error);
        return NULL;
    }
    configure_handle(db);
    if (!set_up(db, up_to, error)) {
        /* What cannot be opened stays as it is, with its WAL. Only then: the call expires what is
         * prepared, and with it the ROLLBACK that has to work when memory is short. */
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return NULL;
    }
    g_free(syncd_database_displacement(db, NULL)); /* remembers where they are */
    return g_steal_pointer(&db);
}

SyncdDatabase *syncd_database_open_up_to(const char *path, const SyncdDatabaseKind *kind,
                                         SyncdDatabaseMode mode, unsigned up_to, GError **error)
{
    return open_database(path, kind, mode, up_to, NULL, error);
}

SyncdDatabase *syncd_database_open(const char *path, const SyncdDatabaseKind *kind,
                                   SyncdDatabaseMode mode, GError **error)
{
    return open_database(path, kind, mode, G_MAXUINT, NULL, error);
}

SyncdDatabase *syncd_database_open_salvaged(const char *path, const SyncdDatabaseKind *kind,
                                            const SyncdVfsPages *salvaged, GError **error)
{
    return open_database(path, kind, SYNCD_DATABASE_OWN_COPY, G_MAXUINT, salvaged, error);
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
    syncd_database_stop_steps(db);
    g_clear_pointer(&db->statements, g_hash_table_unref);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        g_critical("%s: a statement is still in use", db->kind->name);
    if (db->wal_is_ours)
        remove_empty_wal(db);
    g_clear_pointer(&db->looks, g_rc_box_release);
    g_free(db->damage);
    g_free(db->schema_fault);
    g_free(db->path);
    g_free(db);
}

void syncd_database_hold(SyncdDatabase *db, bool held)
{
    if (db->held == held)
        return;
    db->held = held;
    bool stays = held || db->frozen || is_looking(db->mode);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, stays, NULL);
}

bool syncd_database_is_held(const SyncdDatabase *db)
{
    return db->held;
}

void syncd_database_freeze(SyncdDatabase *db)
{
    db->frozen = true;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

bool syncd_database_is_written(const SyncdDatabase *db)
{
    return !is_looking(db->mode) && !db->frozen && !db->held &&
           db->kind->durability != SYNCD_SCRATCH && strcmp(db->path, SYNCD_DATABASE_IN_MEMORY) != 0;
}

bool syncd_database_checkpoint(SyncdDatabase *db, int beyond_pages, GError **error)
{
    if (db->looks->n > 0)
        beyond_pages = MAX(beyond_pages, WAL_PAGES_LOOKED_AT);
    if (db->frozen || db->held || db->wal_pages <= beyond_pages)
        return true;
    db->looks->moved++;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK) {
        syncd_database_set_error(db, rc, error);
        return false;
    }
    db->wal_pages = 0;
    return true;
}

bool syncd_database_empty_wal(SyncdDatabase *db, GError **error)
{
    int left = 0;
    if (db->frozen) {
        syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "%s is not written any more",
                        db->kind->name);
        return false;
    }
    db->looks->moved++;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, NULL);
    if (rc == SQLITE_OK && left == 0) {
        db->wal_pages = 0;
        return true;
    }
    syncd_database_set_error(db, rc != SQLITE_OK ? rc : SQLITE_BUSY, error);
    return false;
}
