#include "store/database-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* SQLite would make it readable for others as far as the umask allows. */
int syncd_create_private(const char *path, int flags)
{
    int fd = (int)TEMP_FAILURE_RETRY(
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
    /* On Linux an interrupted close has closed. */
    return fd < 0 || (close(fd) < 0 && errno != EINTR) ? errno : 0;
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
