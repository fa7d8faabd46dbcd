/* What a repair gave up is named, and has to be gone as it says. */
#include "store/verify-private.h"

static void add_loss(SyncdVerify *self, SyncdStatement *row)
{
    SyncdVerifyFinding *loss = g_new0(SyncdVerifyFinding, 1);
    const SyncdFeed *feed = syncd_journal_feed(self->store->journal, syncd_column_int(row, 2));
    bool header = syncd_column_int(row, 1) != 0;
    *loss = (SyncdVerifyFinding){
        .code = header ? "entry-lost" : "body-lost",
        .feed = g_strdup(feed != NULL ? feed->text : ""),
        .seq = syncd_column_int(row, 3),
        .pos = syncd_column_int(row, 0),
        .detail = g_strdup(header ? "a repair found neither header nor content anywhere"
                                  : "a repair found the content nowhere"),
        .error = SYNCD_ERROR_NOT_FOUND,
    };
    g_ptr_array_add(self->losses, loss);
}

static bool name_losses(SyncdVerify *self, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_journal_database(self->store->journal),
        "SELECT lost.pos, leaf IS NOT NULL, feed, seq FROM lost JOIN entry USING (pos) "
        "ORDER BY lost.pos LIMIT :max");
    syncd_bind_int(rows, ":max", SYNCD_VERIFY_MAX_FINDINGS);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        add_loss(self, rows);
    }
}

bool syncd_verify_losses_hold(SyncdVerify *self, GError **error)
{
    gint64 n, wrong;
    SyncdDatabase *db = syncd_journal_database(self->store->journal);
    if (!syncd_statement_number(syncd_database_statement(db, "SELECT count(*) FROM lost"), 0, &n,
                                error))
        return false;
    self->n_losses = (guint64)n;
    if (n == 0)
        return true;
    SyncdStatement *row = syncd_database_statement(
        db, "SELECT count(*) FROM lost WHERE pos IN (SELECT pos FROM purge)"
            " OR coalesce(length(leaf), 32) <> 32 OR NOT EXISTS (SELECT 1 FROM entry"
            " WHERE entry.pos = lost.pos AND body IS NULL"
            " AND (length(header) > 0) = (leaf IS NULL))");
    if (!syncd_statement_number(row, 0, &wrong, error))
        return false;
    if (wrong > 0)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "stray-lost", NULL, -1, -1,
                         "%" G_GINT64_FORMAT
                         " entries are said to be lost that are there, were purged, or are none",
                         wrong);
    return name_losses(self, error);
}
