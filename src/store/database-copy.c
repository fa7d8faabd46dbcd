/*
 * A copy of a whole database, durable before its name appears. Once in a while what was written of
 * it is synced, so that the sync at its end has little left to do.
 */
#include "store/database-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define STEPS_A_SYNC 4u

static int sync_path(const char *path, int flags)
{
    int fd = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC | flags));
    int problem = fd < 0 || TEMP_FAILURE_RETRY(fsync(fd)) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return problem;
}

static char *making_of(const char *copy)
{
    return g_strconcat(copy, ".new", NULL);
}

/* ---- the pages ---- */

static bool copy_pages(SyncdDatabase *db, const char *copy, GError **error)
{
    sqlite3 *target = NULL;
    int rc = sqlite3_open_v2(copy, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    /* What is half made is thrown away, and what is whole is synced by whoever made it. */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL,
                          NULL);
    sqlite3_backup *backup =
        rc == SQLITE_OK ? sqlite3_backup_init(target, "main", db->handle, "main") : NULL;
    if (backup != NULL) {
        rc = sqlite3_backup_step(backup, -1);
        int finish = sqlite3_backup_finish(backup);
        rc = rc == SQLITE_DONE ? finish : rc;
    } else if (rc == SQLITE_OK) {
        rc = sqlite3_extended_errcode(target);
    }
    bool full = rc != SQLITE_OK && syncd_database_had_no_room(target, rc);
    if (sqlite3_close(target) != SQLITE_OK && rc == SQLITE_OK)
        rc = SQLITE_IOERR;
    if (rc == SQLITE_OK)
        return true;
    syncd_set_error(error, full ? SYNCD_ERROR_NO_SPACE : SYNCD_ERROR_STORAGE_FAILED,
                    "Cannot copy %s: %s", db->kind->name, sqlite3_errstr(rc));
    return false;
}

static bool write_anew(SyncdDatabase *db, const char *copy, GError **error)
{
    SyncdStatement *vacuum = syncd_database_statement(db, "VACUUM INTO :copy");
    syncd_bind_text(vacuum, ":copy", copy);
    return syncd_statement_run(vacuum, error);
}

/* What is copied to is attached meanwhile, and is what is written. */
static bool copy_what_is_used(SyncdDatabase *db, const char *copy, GError **error)
{
    gint64 query_only;
    if (!syncd_database_number(db, "PRAGMA query_only", &query_only, error))
        return false;
    int attached = sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 1);
    bool ok =
        syncd_database_run(db, "PRAGMA query_only = OFF;", error) && write_anew(db, copy, error);
    sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, attached);
    return (query_only == 0 ||
            syncd_database_run(db, "PRAGMA query_only = ON;", ok ? error : NULL)) &&
           ok;
}

/* ---- the file ---- */

static bool copy_file(SyncdDatabase *db, const SyncdDatabaseTask *task, GError **error)
{
    g_autofree char *making = making_of(task->copy);
    g_autofree char *folder = g_path_get_dirname(db->path);
    unlink(making);
    int problem = syncd_create_private(making, O_EXCL);
    if (problem == 0 && !(task->compact ? copy_what_is_used : copy_pages)(db, making, error)) {
        unlink(making);
        return false;
    }
    if (problem == 0)
        problem = sync_path(making, 0);
    if (problem == 0 && rename(making, task->copy) < 0)
        problem = errno;
    if (problem == 0)
        problem = sync_path(folder, O_DIRECTORY);
    if (problem == 0)
        return true;
    unlink(making);
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot copy %s",
                          db->kind->name);
    return false;
}

bool syncd_database_copy(SyncdDatabase *db, const char *copy, GError **error)
{
    const SyncdDatabaseTask task = {.copy = copy};
    return copy_file(db, &task, error);
}

/* After a sync that failed one that succeeds proves nothing. */
static bool sync_part(SyncdDatabase *db, const char *copy, GError **error)
{
    g_autofree char *making = making_of(copy);
    int problem = sync_path(making, 0);
    if (problem == 0)
        return true;
    syncd_database_stop_steps(db);
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot copy %s",
                          db->kind->name);
    return false;
}

bool syncd_database_copy_step(SyncdDatabase *db, const char *copy, SyncdCopyKind kind,
                              bool *ret_more, GError **error)
{
    const SyncdDatabaseTask task = {
        .work = copy_file, .copy = copy, .compact = kind == SYNCD_COPY_COMPACT};
    if (!syncd_database_step(db, &task, ret_more, error))
        return false;
    return !*ret_more || syncd_database_steps_taken(db) % STEPS_A_SYNC != 0 ||
           sync_part(db, copy, error);
}
