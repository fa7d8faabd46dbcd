/*
 * What was purged, where the rows that say so cannot be read: headers say it as well. A body that
 * is not there was taken by the first entry behind its own that takes bodies, and this one's.
 * Nobody brings it back, wherever there is another copy of it.
 */
#include "store/mend-private.h"

#include "store/deletion-move.h"

typedef struct {
    guint64 pos;
    char *text; /* of its header */
    size_t size;
} Purge;

static void purge_free(void *data)
{
    Purge *purge = data;
    g_free(purge->text);
    g_free(purge);
}

static void take(SyncdMend *self, SyncdStatement *row)
{
    SyncdHeader header;
    SyncdDeletionEvent event;
    SyncdBytes text = syncd_column_bytes(row, 1);
    if (!syncd_header_parse(text.data, text.size, &header, NULL) ||
        !syncd_deletion_kind(header.kind, &event) || event != SYNCD_DELETION_PURGE)
        return;
    Purge *purge = g_new(Purge, 1);
    *purge = (Purge){(guint64)syncd_column_int(row, 0), g_strndup(text.data, text.size), text.size};
    g_ptr_array_add(self->purged, purge);
}

/* As far as they can be read; in one go, as nothing can be told of a body before it is known.
 * False: not even the first of them can be. */
static bool list(SyncdMend *self)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_mend_journal(self), "SELECT pos, header FROM entry ORDER BY pos");
    bool row, any = false;
    self->purged = g_ptr_array_new_with_free_func(purge_free);
    for (; syncd_statement_next(rows, &row, NULL) && row; any = true)
        take(self, rows);
    return any;
}

bool syncd_mend_count_purges(SyncdMend *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    SyncdStatement *row =
        syncd_database_statement(syncd_mend_journal(self), "SELECT count(*) FROM purge");
    if (syncd_statement_number(row, 0, &self->purges, &problem))
        return true;
    self->purges = -1;
    if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT) || !list(self)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    syncd_mend_add(self, "purge", SYNCD_MEND_DERIVED, NULL, -1, -1, NULL);
    return true;
}

void syncd_mend_forget_purges(SyncdMend *self)
{
    g_clear_pointer(&self->purged, g_ptr_array_unref);
}

bool syncd_mend_purges_are_the_same(SyncdMend *self, GError **error)
{
    gint64 purges = -1;
    SyncdStatement *row =
        syncd_database_statement(syncd_mend_journal(self), "SELECT count(*) FROM purge");
    if (!syncd_statement_number(row, 0, &purges, self->purges < 0 ? NULL : error))
        return self->purges < 0; /* so none is written, either */
    if (purges == self->purges)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_BUSY, "plan the repair again",
                         "Something was purged from the log since the repair began");
    return false;
}

bool syncd_mend_purged_by(SyncdMend *self, guint64 pos, const SyncdHeader *header, guint64 *ret_by,
                          GError **error)
{
    if (self->purged == NULL)
        return syncd_journal_purged_by(self->store->journal, pos, ret_by, error);
    *ret_by = 0;
    for (guint i = 0; i < self->purged->len && *ret_by == 0; i++) {
        const Purge *purge = self->purged->pdata[i];
        SyncdHeader parsed;
        if (purge->pos > pos && syncd_header_parse(purge->text, purge->size, &parsed, NULL) &&
            syncd_deletion_covers(&parsed, header))
            *ret_by = purge->pos;
    }
    return true;
}
