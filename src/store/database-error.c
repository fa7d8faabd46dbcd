#include "store/database-private.h"

#include <errno.h>
#include <string.h>

#define SQLITE_CODE " (SQLite " /* and its number, for who knows SQLite */

static bool is_of_the_disk(int os)
{
    return os == EIO || os == ENXIO || os == ERANGE;
}

static int last_errno(sqlite3_file *file)
{
    int os = 0;
    /* A journal in memory is a file that cannot be asked. */
    if (file != NULL && file->pMethods != NULL && file->pMethods->xFileControl != NULL)
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
bool syncd_database_had_no_room(sqlite3 *handle, int rc)
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

/* SQLite says of what the disk does not give that it is malformed. Which it is, its files remember
 * until they are closed. */
bool syncd_database_could_not_read(sqlite3 *handle)
{
    sqlite3_file *wal = NULL, *file = NULL;
    if (handle == NULL)
        return false;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return is_of_the_disk(last_errno(wal)) || is_of_the_disk(last_errno(file));
}

/* What it means, where SQLite has no words for who is not a programmer. */
static const char *words_for(const SyncdDatabase *db, int rc)
{
    static const struct {
        int rc;
        const char *words;
    } known[] = {
        {SQLITE_CORRUPT, "what is in it does not fit together any more"},
        {SQLITE_NOTADB, "it is not a database any more, or its beginning was overwritten"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if ((rc & 0xff) == known[i].rc)
            return known[i].words;
    return db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
}

char *syncd_database_without_code(const char *message)
{
    const char *code = strstr(message, SQLITE_CODE);
    const char *end = code != NULL ? strchr(code, ')') : NULL;
    return end == NULL ? g_strdup(message)
                       : g_strdup_printf("%.*s%s", (int)(code - message), message, end + 1);
}

void syncd_database_set_error(SyncdDatabase *db, int rc, GError **error)
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
    /* Our questions go with our schema. */
    if ((rc & 0xff) == SQLITE_ERROR && db->schema_fault != NULL)
        code = SYNCD_ERROR_JOURNAL_CORRUPT;

    const char *text = words_for(db, rc);
    if ((rc & 0xff) == SQLITE_CORRUPT && syncd_database_could_not_read(db->handle)) {
        code = SYNCD_ERROR_STORAGE_FAILED;
        text = "the disk did not give what is in it";
    }
    if (syncd_database_had_no_room(db->handle, rc))
        code = SYNCD_ERROR_NO_SPACE;
    db->met_damage += code == SYNCD_ERROR_JOURNAL_CORRUPT;
    db->has_wrong_rows |= code == SYNCD_ERROR_JOURNAL_CORRUPT && (rc & 0xff) != SQLITE_CORRUPT &&
                          (rc & 0xff) != SQLITE_NOTADB;
    if (code == SYNCD_ERROR_JOURNAL_CORRUPT && db->damage == NULL)
        db->damage = g_strdup_printf("%s" SQLITE_CODE "%d)", text, rc);
    const char *next = code == SYNCD_ERROR_JOURNAL_CORRUPT ? db->kind->next : NULL;
    syncd_set_error_next(error, code, next != NULL ? next : syncd_error_info(code)->next,
                         "%s: %s" SQLITE_CODE "%d)", db->kind->name, text, rc);
}

const char *syncd_database_damage(const SyncdDatabase *db)
{
    return db->damage;
}

guint64 syncd_database_met_damage(const SyncdDatabase *db)
{
    return db->met_damage;
}

void syncd_database_forget_damage(SyncdDatabase *db)
{
    g_clear_pointer(&db->damage, g_free);
    db->has_wrong_rows = false;
}

bool syncd_database_has_wrong_rows(const SyncdDatabase *db)
{
    return db->has_wrong_rows;
}

/* SQLite holds pages, and what was read ahead is held below it. */
void syncd_database_forget_pages(SyncdDatabase *db)
{
    sqlite3_file *file = NULL;
    sqlite3_db_release_memory(db->handle);
    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
        file->pMethods != NULL && file->pMethods->iVersion >= 3 && file->pMethods->xUnfetch != NULL)
        file->pMethods->xUnfetch(file, 0, NULL);
}
