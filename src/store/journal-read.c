/* Reading the journal's entries. */
#include "store/journal-private.h"
#include "store/lost.h"

static bool not_found(guint64 pos, const char *what, GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_NOT_FOUND,
                    "There is no %s with sequence number %" G_GUINT64_FORMAT, what, pos);
    return false;
}

bool syncd_journal_lost(SyncdJournal *self, guint64 pos, bool *ret_lost, SyncdHash *ret_leaf,
                        bool *ret_header, GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT leaf FROM lost WHERE pos = :pos");
    syncd_bind_int(rows, ":pos", (gint64)pos);
    if (!syncd_statement_next(rows, ret_lost, error))
        return false;
    SyncdBytes leaf = *ret_lost ? syncd_column_bytes(rows, 0) : SYNCD_BYTES("", 0);
    *ret_header = leaf.size == sizeof ret_leaf->bytes;
    if (*ret_header)
        memcpy(ret_leaf->bytes, leaf.data, leaf.size);
    return true;
}

char *syncd_journal_stand_in(SyncdJournal *self, guint64 pos, gint64 feed_id, guint64 seq,
                             size_t *ret_size, GError **error)
{
    SyncdHash leaf;
    bool lost, header;
    const SyncdFeed *feed = syncd_journal_feed(self, feed_id);
    if (!syncd_journal_lost(self, pos, &lost, &leaf, &header, error))
        return NULL;
    if (feed != NULL && header)
        return syncd_lost_header(feed->device, feed->scope, feed->epoch, seq, &leaf, ret_size);
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                    "The entry %" G_GUINT64_FORMAT " has no header", pos);
    return NULL;
}

char *syncd_journal_read_header(SyncdJournal *self, guint64 pos, size_t *ret_size, GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT header, feed, seq FROM entry WHERE pos = :pos");
    bool row;
    syncd_bind_int(rows, ":pos", (gint64)pos);
    if (!syncd_statement_next(rows, &row, error))
        return NULL;
    if (!row) {
        not_found(pos, "entry", error);
        return NULL;
    }
    SyncdBytes header = syncd_column_bytes(rows, 0);
    if (header.size == 0)
        return syncd_journal_stand_in(self, pos, syncd_column_int(rows, 1),
                                      (guint64)syncd_column_int(rows, 2), ret_size, error);
    *ret_size = header.size;
    return g_strndup(header.data, header.size);
}

/* How many of the positions follow one another, up or down. */
static guint count_run(const guint64 *positions, guint n, bool *ret_up)
{
    guint run = 1;
    *ret_up = n < 2 || positions[1] > positions[0];
    while (run < n && positions[run] == positions[run - 1] + (*ret_up ? 1 : G_MAXUINT64))
        run++;
    return run;
}

typedef struct {
    bool bodies;
    SyncdTakeStored take;
    void *data;
    bool enough;
} Reading;

static bool read_run(SyncdJournal *self, const guint64 *positions, guint n, bool up,
                     Reading *reading, GError **error)
{
    static const char *const walks[2][2] = {
        {"SELECT pos, header, x'', feed, seq FROM entry WHERE pos BETWEEN :low AND :high ORDER BY "
         "pos DESC",
         "SELECT pos, header, x'', feed, seq FROM entry WHERE pos BETWEEN :low AND :high ORDER BY "
         "pos ASC"},
        {"SELECT pos, header, body, feed, seq FROM entry WHERE pos BETWEEN :low AND :high ORDER BY "
         "pos DESC",
         "SELECT pos, header, body, feed, seq FROM entry WHERE pos BETWEEN :low AND :high ORDER BY "
         "pos ASC"},
    };
    guint64 first = positions[0], last = positions[n - 1];
    g_autoptr(SyncdStatement) rows = syncd_database_statement(self->db, walks[reading->bodies][up]);
    syncd_bind_int(rows, ":low", (gint64)MIN(first, last));
    syncd_bind_int(rows, ":high", (gint64)MAX(first, last));
    for (guint i = 0; i < n && !reading->enough; i++) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row || (guint64)syncd_column_int(rows, 0) != positions[i])
            return not_found(positions[i], "entry", error);
        size_t size = 0;
        SyncdBytes header = syncd_column_bytes(rows, 1);
        g_autofree char *stand_in = NULL;
        if (header.size == 0) {
            stand_in = syncd_journal_stand_in(self, positions[i], syncd_column_int(rows, 3),
                                              (guint64)syncd_column_int(rows, 4), &size, error);
            if (stand_in == NULL)
                return false;
            header = SYNCD_BYTES(stand_in, size);
        }
        reading->enough =
            !reading->take(reading->data, positions[i], header, syncd_column_bytes(rows, 2));
    }
    return true;
}

bool syncd_journal_read_many(SyncdJournal *self, const guint64 *positions, guint n, bool bodies,
                             SyncdTakeStored take, void *data, GError **error)
{
    Reading reading = {bodies, take, data, false};
    bool up;
    for (guint run; n > 0 && !reading.enough; positions += run, n -= run) {
        run = count_run(positions, n, &up);
        if (!read_run(self, positions, run, up, &reading, error))
            return false;
    }
    return true;
}

GBytes *syncd_journal_read_body(SyncdJournal *self, guint64 pos, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT body FROM entry WHERE pos = :pos AND body IS NOT NULL");
    bool row;
    syncd_bind_int(rows, ":pos", (gint64)pos);
    if (!syncd_statement_next(rows, &row, error))
        return NULL;
    if (!row) {
        not_found(pos, "body", error);
        return NULL;
    }
    SyncdBytes blob = syncd_column_bytes(rows, 0);
    return g_bytes_new(blob.data, blob.size);
}

bool syncd_journal_has_body(SyncdJournal *self, guint64 pos, bool *ret_has, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT count(*) FROM entry WHERE pos = :pos AND body IS NOT NULL");
    syncd_bind_int(row, ":pos", (gint64)pos);
    return syncd_statement_holds(row, ret_has, error);
}

bool syncd_journal_purged_by(SyncdJournal *self, guint64 pos, guint64 *ret_by, GError **error)
{
    SyncdStatement *row =
        syncd_database_statement(self->db, "SELECT by FROM purge WHERE pos = :pos");
    syncd_bind_int(row, ":pos", (gint64)pos);
    return syncd_statement_count(row, ret_by, error);
}

bool syncd_journal_find_seq(SyncdJournal *self, const SyncdFeed *feed, guint64 seq,
                            guint64 *ret_pos, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT pos FROM entry WHERE feed = :feed AND seq = :seq");
    syncd_bind_int(row, ":feed", feed->id);
    syncd_bind_int(row, ":seq", (gint64)seq);
    return syncd_statement_count(row, ret_pos, error);
}
