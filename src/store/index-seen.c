/* What the file system showed of files: the one table of the index that is not made from the log.
 */
#include "store/index-file.h"
#include "store/index-private.h"

bool syncd_index_see_file(SyncdIndex *self, guint64 file, const SyncdFileSeen *seen, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO seen (file, device, inode, size, mtime, ctime, born)"
                  " VALUES (:file, :device, :inode, :size, :mtime, :ctime, :born)"
                  " ON CONFLICT (file) DO UPDATE SET device = excluded.device, inode ="
                  " excluded.inode, size = excluded.size, mtime = excluded.mtime,"
                  " ctime = excluded.ctime, born = excluded.born");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":device", (gint64)seen->device);
    syncd_bind_int(row, ":inode", (gint64)seen->inode);
    syncd_bind_int(row, ":size", (gint64)seen->size);
    syncd_bind_int(row, ":mtime", seen->mtime);
    syncd_bind_int(row, ":ctime", seen->ctime);
    syncd_bind_int(row, ":born", seen->born);
    return syncd_statement_run(row, error);
}

/* Only of a file that is in the other one too: what was purged leaves no sighting either. */
static bool carry(SyncdIndex *to, SyncdStatement *seen, GError **error)
{
    static const char *const names[] = {":file",  ":device", ":inode", ":size",
                                        ":mtime", ":ctime",  ":born"};
    SyncdStatement *row = syncd_database_statement(
        to->db, "INSERT OR REPLACE INTO seen (file, device, inode, size, mtime, ctime, born)"
                " SELECT id, :device, :inode, :size, :mtime, :ctime, :born FROM file WHERE id = "
                ":file AND live <> 0");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        syncd_bind_int(row, names[i], syncd_column_int(seen, (int)i));
    return syncd_statement_run(row, error);
}

static bool carry_rows(SyncdIndex *self, SyncdIndex *to, guint64 *at, guint max, bool *ret_more,
                       GError **error)
{
    guint n = 0;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT file, device, inode, size, mtime, ctime, born FROM seen WHERE file > :at"
                  " ORDER BY file LIMIT :max");
    syncd_bind_int(rows, ":at", (gint64)*at);
    syncd_bind_int(rows, ":max", max);
    for (bool row = true; row;) {
        /* One that cannot be read holds no more than what may be lost. */
        if (!syncd_statement_next(rows, &row, NULL))
            break;
        if (row && !carry(to, rows, error))
            return false;
        if (row)
            *at = (guint64)syncd_column_int(rows, 0);
        n += row;
    }
    *ret_more = n == max;
    return true;
}

bool syncd_index_carry_seen(SyncdIndex *self, SyncdIndex *to, guint64 *at, guint max,
                            bool *ret_more, GError **error)
{
    if (!syncd_index_begin(to, error))
        return false;
    if (carry_rows(self, to, at, max, ret_more, error))
        return syncd_index_commit(to, error);
    syncd_index_rollback(to);
    return false;
}
