/* Checkpoints: each is judged alone, by the signature of its feed. */
#include "store/mend-private.h"

#include "crypto/note.h"

#define ROWS_A_STEP 64u /* a signature is looked at for each */

/* One that does not say anything that its feed has signed is none. */
static bool is_checkpoint(SyncdMend *self, SyncdStatement *row)
{
    const char *note = syncd_column_text(row, 3);
    const SyncdMendFeed *feed = syncd_mend_feed(self, syncd_column_int(row, 1));
    g_autoptr(SyncdCheckpoint) head = syncd_checkpoint_parse(note, strlen(note), NULL);
    return feed != NULL && head != NULL && strcmp(head->origin, feed->feed->origin) == 0 &&
           (gint64)head->size == syncd_column_int(row, 2) &&
           syncd_note_verify(note, strlen(note), feed->feed->origin, &feed->signer);
}

static bool copy(SyncdMend *self, SyncdStatement *from, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db,
        "INSERT INTO checkpoint (feed, size, reason, note) VALUES (:feed, :size, :reason, :note)");
    syncd_bind_int(row, ":feed", syncd_column_int(from, 1));
    syncd_bind_int(row, ":size", syncd_column_int(from, 2));
    syncd_bind_text(row, ":reason", "checkpoint.write");
    syncd_bind_text(row, ":note", syncd_column_text(from, 3));
    return syncd_statement_run(row, error);
}

/* As far as the rows can be read. */
static bool walk(SyncdMend *self,
                 bool (*take)(SyncdMend *mend, SyncdStatement *row, GError **error), bool *ret_more,
                 GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(syncd_mend_journal(self), "SELECT id, feed, size, note FROM "
                                                           "checkpoint WHERE id > :after "
                                                           "ORDER BY id");
    bool row;
    syncd_bind_int(rows, ":after", self->checkpoint);
    for (unsigned i = 0; i < ROWS_A_STEP; i++) {
        bool ok = syncd_statement_next(rows, &row, NULL);
        *ret_more = ok && row && syncd_column_int(rows, 0) > self->checkpoint;
        if (ok && !row)
            return true;
        if (!take(self, *ret_more ? rows : NULL, error))
            return false;
        if (!*ret_more)
            return true;
        self->checkpoint = syncd_column_int(rows, 0);
    }
    return true;
}

static bool examine(SyncdMend *self, SyncdStatement *row, GError **error)
{
    if (row == NULL || !is_checkpoint(self, row))
        syncd_mend_add(self, "checkpoint", SYNCD_MEND_LOST, NULL, -1, -1, NULL);
    return true;
}

bool syncd_mend_examine_checkpoints(SyncdMend *self, GError **error)
{
    bool more;
    if (!walk(self, examine, &more, error))
        return false;
    if (!more)
        self->phase = MEND_STRUCTURE;
    return true;
}

static bool take_over(SyncdMend *self, SyncdStatement *row, GError **error)
{
    return row == NULL || !is_checkpoint(self, row) || copy(self, row, error);
}

bool syncd_mend_copy_checkpoints(SyncdMend *self, bool *ret_more, GError **error)
{
    return walk(self, take_over, ret_more, error);
}
