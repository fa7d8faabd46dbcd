/* A journal that is not opened, as that alone would destroy what it has. */
#include "store/journal-private.h"
#include "store/wal.h"

bool syncd_journal_is_left_alone(SyncdDirectory *directory, const char *name, GError **error)
{
    g_autofree char *path = syncd_directory_file(directory, name),
                    *wal = g_strconcat(name, "-wal", NULL);
    SyncdWalEnd end;
    bool has_entries = false;
    if (!syncd_wal_look(directory, wal, &end, NULL) || !syncd_wal_is_cut(&end))
        return false;
    g_autoptr(SyncdDatabase) db =
        syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_INSPECT, NULL);
    if (db != NULL &&
        syncd_statement_holds(syncd_database_statement(db, "SELECT EXISTS (SELECT 1 FROM entry)"),
                              &has_entries, NULL) &&
        has_entries)
        return false;
    syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                         "put a sound copy of it back, or of both files",
                         "%s is damaged, and before that place there is no log of this version; "
                         "what lies behind it is left as it is",
                         wal);
    return true;
}
