#include "store/database-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* SQLite would make it readable for others as far as the umask allows. */
int syncd_create_private(const char *path, int flags)
{
    int fd = (int)TEMP_FAILURE_RETRY(
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
    /* On Linux an interrupted close has closed. */
    return fd < 0 || (close(fd) < 0 && errno != EINTR) ? errno : 0;
}

static int sync_path(const char *path, int flags)
{
    int fd = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC | flags));
    int problem = fd < 0 || TEMP_FAILURE_RETRY(fsync(fd)) < 0 ? errno : 0;
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
    bool full = rc != SQLITE_OK && syncd_database_had_no_room(target, rc);
    if (sqlite3_close(target) != SQLITE_OK && rc == SQLITE_OK)
        rc = SQLITE_IOERR;
    if (rc == SQLITE_OK)
        return true;
    syncd_set_error(error, full ? SYNCD_ERROR_NO_SPACE : SYNCD_ERROR_STORAGE_FAILED,
                    "Cannot copy %s: %s", db->kind->name, sqlite3_errstr(rc));
    return false;
}

bool syncd_database_copy(SyncdDatabase *db, const char *copy, GError **error)
{
    g_autofree char *making = g_strconcat(copy, ".new", NULL);
    g_autofree char *folder = g_path_get_dirname(db->path);
    unlink(making);
    int problem = syncd_create_private(making, O_EXCL);
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
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot copy %s",
                          db->kind->name);
    return false;
}

/* A copy of the file as it was, durable before the first change. */
static bool keep_old_version(SyncdDatabase *db, gint64 version, GError **error)
{
    g_autofree char *copy = g_strdup_printf("%s.before-%" G_GINT64_FORMAT, db->path, version + 1);
    return syncd_database_copy(db, copy, error);
}

bool syncd_database_migrate(SyncdDatabase *db, unsigned up_to, GError **error)
{
    gint64 version, pages;
    if (!syncd_database_number(db, "PRAGMA user_version", &version, error) ||
        !syncd_database_number(db, "PRAGMA page_count", &pages, error))
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
            !syncd_database_number(db, "PRAGMA user_version", &reached, error)) {
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
