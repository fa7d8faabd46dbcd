/* The counts of lanes: what rows add to them, and whoever counts the rows anew meanwhile. */
#include "store/index-private.h"

static int compare(SyncdBytes one, SyncdBytes other)
{
    int order = memcmp(one.data, other.data, MIN(one.size, other.size));
    return order != 0 ? order : (one.size > other.size) - (one.size < other.size);
}

/* It was counted already, as it was before. */
static bool is_behind(const SyncdIndexCount *counting, const SyncdCountedRow *row)
{
    const SyncdCountedUntil *until = &counting->until[row->table];
    if (until->all || row->number != until->number)
        return until->all || row->number < until->number;
    return until->text == NULL ||
           compare(row->text, SYNCD_BYTES(until->text->str, until->text->len)) <= 0;
}

void syncd_index_count_lane(SyncdIndex *self, const SyncdCountedRow *row, unsigned rank,
                            unsigned counter, gint64 change)
{
    self->lanes[rank][counter] += change;
    if (self->counting != NULL && is_behind(self->counting, row))
        self->counting->lanes[rank][counter] += change;
}

bool syncd_index_write_lanes(SyncdIndex *self, GError **error)
{
    for (unsigned rank = 0; rank < SYNCD_N_LANES; rank++) {
        for (unsigned counter = 0; counter < SYNCD_N_LANE_COUNTERS; counter++) {
            if (self->lanes[rank][counter] == 0)
                continue;
            SyncdStatement *row = syncd_database_statement(
                self->db, "INSERT INTO lane_count (rank, counter, count) VALUES (:rank, :counter, "
                          ":count) ON CONFLICT (rank, counter) DO UPDATE SET count = count + "
                          "excluded.count");
            syncd_bind_int(row, ":rank", rank);
            syncd_bind_int(row, ":counter", counter);
            syncd_bind_int(row, ":count", self->lanes[rank][counter]);
            if (!syncd_statement_run(row, error))
                return false;
        }
    }
    memset(self->lanes, 0, sizeof self->lanes);
    /* Whether a count was another one in between depends on how many entries were projected at
     * once. */
    return syncd_statement_run(
        syncd_database_statement(self->db, "DELETE FROM lane_count WHERE count = 0"), error);
}

bool syncd_index_lane_counts(SyncdIndex *self, gint64 counts[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS],
                             GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT rank, counter, count FROM lane_count ORDER BY rank, counter");
    memset(counts, 0, sizeof(gint64) * SYNCD_N_LANES * SYNCD_N_LANE_COUNTERS);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        gint64 rank = syncd_column_int(rows, 0), counter = syncd_column_int(rows, 1);
        if (rank >= 0 && rank < (gint64)SYNCD_N_LANES && counter >= 0 &&
            counter < (gint64)SYNCD_N_LANE_COUNTERS)
            counts[rank][counter] = syncd_column_int(rows, 2);
    }
}
