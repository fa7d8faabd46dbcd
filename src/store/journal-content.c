/* Chunks of kept content that are rows of the journal. */
#include "store/journal-private.h"

bool syncd_journal_put_content(SyncdJournal *self, const SyncdHash *name, SyncdBytes bytes,
                               GError **error)
{
    g_autoptr(GBytes) present = NULL;
    if (!syncd_journal_begin(self, error) ||
        !syncd_journal_read_content(self, name, &present, error))
        return false;
    if (present != NULL && g_bytes_get_size(present) == bytes.size &&
        memcmp(g_bytes_get_data(present, NULL), bytes.data, bytes.size) == 0)
        return true;
    /* One that is there and is not what its name says was damaged since. */
    if (present != NULL && !syncd_journal_drop_content(self, name, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO content (name, bytes) VALUES (:name, :bytes)");
    syncd_bind_blob(row, ":name", SYNCD_BYTES(name->bytes, sizeof name->bytes));
    syncd_bind_blob(row, ":bytes", bytes);
    return syncd_journal_write_row(self, row, error);
}

bool syncd_journal_drop_content(SyncdJournal *self, const SyncdHash *name, GError **error)
{
    if (!syncd_journal_begin(self, error))
        return false;
    SyncdStatement *row =
        syncd_database_statement(self->db, "DELETE FROM content WHERE name = :name");
    syncd_bind_blob(row, ":name", SYNCD_BYTES(name->bytes, sizeof name->bytes));
    return syncd_journal_write_row(self, row, error);
}

bool syncd_journal_read_content(SyncdJournal *self, const SyncdHash *name, GBytes **ret_bytes,
                                GError **error)
{
    bool found;
    g_autoptr(SyncdStatement) row =
        syncd_database_statement(self->db, "SELECT bytes FROM content WHERE name = :name");
    syncd_bind_blob(row, ":name", SYNCD_BYTES(name->bytes, sizeof name->bytes));
    if (!syncd_statement_next(row, &found, error))
        return false;
    SyncdBytes bytes = found ? syncd_column_bytes(row, 0) : SYNCD_BYTES("", 0);
    *ret_bytes = found ? g_bytes_new(bytes.data, bytes.size) : NULL;
    return true;
}
