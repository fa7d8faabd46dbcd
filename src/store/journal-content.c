/* Chunks of kept content that are rows of the journal. */
#include "store/journal-private.h"

void syncd_journal_follow_content(SyncdJournal *self, bool follow)
{
    if (self->changes != NULL)
        g_queue_free_full(self->changes, g_free);
    self->changes = follow ? g_queue_new() : NULL;
}

static void note_change(SyncdJournal *self, const SyncdHash *name)
{
    if (self->changes != NULL)
        g_queue_push_tail(self->changes, g_memdup2(name, sizeof *name));
}

bool syncd_journal_take_content_change(SyncdJournal *self, SyncdHash *ret_name)
{
    g_autofree SyncdHash *name = self->changes != NULL ? g_queue_pop_head(self->changes) : NULL;
    if (name != NULL)
        *ret_name = *name;
    return name != NULL;
}

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
    note_change(self, name);
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
    note_change(self, name);
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
