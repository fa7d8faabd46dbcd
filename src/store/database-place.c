/*
 * Whether a database's files are where they were. A descriptor goes on with a file that was removed
 * or replaced, and nobody would find what is written there. A database never gets smaller, and its
 * WAL is never smaller than the frames that it was said to have.
 */
#include "store/database-private.h"

#include <errno.h>
#include <sys/stat.h>

#define WAL_HEADER 32
#define FRAME (24 + 4096) /* with its header */

static const char *compare(SyncdFilePlace *place, const char *path, gint64 least)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT && place->known ? "was removed" : NULL;
    SyncdFilePlace before = *place;
    if (before.known && (before.device != st.st_dev || before.inode != st.st_ino))
        return "was replaced by another file";
    if (st.st_size < MAX(least, before.size))
        return SYNCD_CUT_SHORT;
    *place = (SyncdFilePlace){true, st.st_dev, st.st_ino, st.st_size};
    return NULL;
}

char *syncd_database_displacement(SyncdDatabase *db)
{
    g_autofree char *wal = g_strconcat(db->path, "-wal", NULL);
    const char *what = compare(&db->file_place, db->path, 0);
    if (what != NULL)
        return g_strdup_printf("%s %s", db->kind->name, what);
    gint64 least = db->wal_pages > 0 ? WAL_HEADER + (gint64)db->wal_pages * FRAME : 0;
    db->wal_place.size = 0; /* it may be emptied */
    what = compare(&db->wal_place, wal, least);
    return what != NULL ? g_strdup_printf("%s-wal %s", db->kind->name, what) : NULL;
}

bool syncd_database_note_displacement(SyncdDatabase *db)
{
    g_autofree char *displacement = db->displaced ? NULL : syncd_database_displacement(db);
    if (displacement == NULL)
        return false;
    db->displaced = true;
    g_free(db->damage);
    db->damage = g_strconcat(displacement, " while it was open", NULL);
    return true;
}
