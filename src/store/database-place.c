/*
 * Whether a database's files are where they were. A descriptor goes on with a file that was removed
 * or replaced, and nobody would find what is written there. A database never gets smaller, and its
 * WAL is never smaller than the frames that it was said to have. One in which something malformed
 * was met, and that has no header any more, was overwritten.
 */
#include "store/database-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define WAL_HEADER 32
#define FRAME (24 + 4096) /* with its header */

static const char *const words[] = {
    [SYNCD_WAS_REMOVED] = "was removed",
    [SYNCD_WAS_REPLACED] = "was replaced by another file",
    [SYNCD_WAS_CUT_SHORT] = "was cut short",
    [SYNCD_WAS_OVERWRITTEN] = "was overwritten",
};

static SyncdDisplacement compare(SyncdFilePlace *place, const char *path, gint64 least)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT && place->known ? SYNCD_WAS_REMOVED : SYNCD_IN_ITS_PLACE;
    SyncdFilePlace before = *place;
    if (before.known && (before.device != st.st_dev || before.inode != st.st_ino))
        return SYNCD_WAS_REPLACED;
    if (st.st_size < MAX(least, before.size))
        return SYNCD_WAS_CUT_SHORT;
    *place = (SyncdFilePlace){true, st.st_dev, st.st_ino, st.st_size};
    return SYNCD_IN_ITS_PLACE;
}

/* SQLite looks at the header once. One that cannot be read says nothing. */
static bool lost_its_header(SyncdDatabase *db)
{
    char header[16];
    sqlite3_file *file = NULL;
    return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
               SQLITE_OK &&
           file->pMethods != NULL &&
           file->pMethods->xRead(file, header, sizeof header, 0) == SQLITE_OK &&
           memcmp(header, "SQLite format 3", sizeof header) != 0;
}

char *syncd_database_displacement(SyncdDatabase *db, SyncdDisplacement *ret_what)
{
    g_autofree char *wal = g_strconcat(db->path, "-wal", NULL);
    const char *file = "";
    SyncdDisplacement what = compare(&db->file_place, db->path, 0);
    if (what == SYNCD_IN_ITS_PLACE) {
        gint64 least = db->wal_pages > 0 ? WAL_HEADER + (gint64)db->wal_pages * FRAME : 0;
        db->wal_place.size = 0; /* it may be emptied */
        file = "-wal";
        what = compare(&db->wal_place, wal, least);
    }
    if (what == SYNCD_IN_ITS_PLACE && db->damage != NULL && lost_its_header(db)) {
        file = "";
        what = SYNCD_WAS_OVERWRITTEN;
    }
    if (ret_what != NULL)
        *ret_what = what;
    return what != SYNCD_IN_ITS_PLACE
               ? g_strdup_printf("%s%s %s", db->kind->name, file, words[what])
               : NULL;
}

bool syncd_database_note_displacement(SyncdDatabase *db)
{
    SyncdDisplacement what = SYNCD_IN_ITS_PLACE;
    g_autofree char *displacement =
        db->displaced == SYNCD_IN_ITS_PLACE ? syncd_database_displacement(db, &what) : NULL;
    if (displacement == NULL)
        return false;
    db->displaced = what;
    g_free(db->damage);
    db->damage = g_strconcat(displacement, " while it was open", NULL);
    return true;
}

bool syncd_database_is_elsewhere(const SyncdDatabase *db)
{
    return db->displaced == SYNCD_WAS_REMOVED || db->displaced == SYNCD_WAS_REPLACED;
}
