#include "store/lookups.h"
#include "store/verify-private.h"

/* Entries of a feed that stand one after another are looked up together at the end of the step. */
void syncd_verify_note_place(const SyncdVerify *self, SyncdFeedCheck *check, guint64 seq,
                             guint64 pos)
{
    if (check->run_positions->len == 0)
        check->run = seq;
    if (self->lookups_hold &&
        seq == check->run + check->run_positions->len) /* else it was told as out of order */
        g_array_append_val(check->run_positions, pos);
}

static void bind_run(SyncdStatement *rows, const SyncdFeedCheck *check)
{
    syncd_bind_int(rows, ":feed", check->feed->id);
    syncd_bind_int(rows, ":first", (gint64)check->run);
    syncd_bind_int(rows, ":end", (gint64)(check->run + check->run_positions->len));
}

/* Whether looking the places of this step up leads to the entries that are there. */
static bool are_right(SyncdVerify *self, const SyncdFeedCheck *check, bool *ret_right,
                      GError **error)
{
    SyncdStatement *rows = syncd_database_statement(
        syncd_journal_database(self->store->journal),
        "SELECT syncd_lookups(:lookups, seq, pos) FROM entry INDEXED BY entry_by_seq "
        "WHERE feed = :feed AND seq >= :first AND seq < :end");
    SyncdLookups places = {.first = (gint64)check->run,
                           .numbers = (const guint64 *)(const void *)check->run_positions->data,
                           .n = check->run_positions->len};
    syncd_bind_lookups(rows, ":lookups", &places);
    bind_run(rows, check);
    return syncd_statement_holds(rows, ret_right, error);
}

/* Tells which of them do not. */
static bool tell_wrong(SyncdVerify *self, SyncdFeedCheck *check, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_journal_database(self->store->journal),
        "SELECT seq, pos FROM entry INDEXED BY entry_by_seq WHERE feed = :feed AND seq >= :first "
        "AND seq < :end ORDER BY seq");
    bool row = true;
    gint64 seq = -1, found = 0;
    bind_run(rows, check);
    for (guint i = 0; i < check->run_positions->len; i++) {
        gint64 expected = (gint64)(check->run + i);
        gint64 pos = (gint64)g_array_index(check->run_positions, guint64, i);
        if (row && seq < expected) {
            if (!syncd_statement_next(rows, &row, error))
                return false;
            seq = row ? syncd_column_int(rows, 0) : G_MAXINT64;
            found = row ? syncd_column_int(rows, 1) : 0;
        }
        if (seq == expected && found == pos)
            continue;
        check->broken = true;
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "entry-lookup", check->feed, expected,
                         pos, "looking this place up leads to sequence number %" G_GINT64_FORMAT,
                         seq == expected ? found : 0);
    }
    return true;
}

bool syncd_verify_places(SyncdVerify *self, GError **error)
{
    for (guint i = 0; self->lookups_hold && i < self->checks->len; i++) {
        SyncdFeedCheck *check = self->checks->pdata[i];
        bool right = true;
        if (check->run_positions->len > 0 &&
            (!are_right(self, check, &right, error) || (!right && !tell_wrong(self, check, error))))
            return false;
        g_array_set_size(check->run_positions, 0);
    }
    return true;
}
