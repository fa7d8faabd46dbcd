/* Whether counts are those of the rows: of entries, of what is in lanes, and of chunks. */
#include "store/index-check-private.h"

/* ---- entries, and their kinds ---- */

static void add_kind(SyncdIndexCheck *self, gint64 kind, gint64 change)
{
    void *key = GSIZE_TO_POINTER((gsize)kind);
    gssize n = GPOINTER_TO_SIZE(g_hash_table_lookup(self->kinds, key)) + (gssize)change;
    g_hash_table_insert(self->kinds, key, GSIZE_TO_POINTER((gsize)n));
}

static bool read_tally(SyncdIndexCheck *self, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(syncd_index_database(self->index),
                                                              "SELECT kind, count FROM tally");
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        add_kind(self, syncd_column_int(rows, 0), -syncd_column_int(rows, 1));
    }
}

/* What is said now is of the entries that there are now: those are counted, and not what comes. */
static bool begin_entries(SyncdIndexCheck *self, GError **error)
{
    SyncdDatabase *db = syncd_index_database(self->index);
    self->begun = true;
    self->counted = 0;
    g_hash_table_remove_all(self->kinds);
    syncd_check_rewind(self);
    return syncd_statement_number(
               syncd_database_statement(db, "SELECT coalesce(sum(size), 0) FROM cursor"), 0,
               &self->said, error) &&
           syncd_statement_number(
               syncd_database_statement(db, "SELECT coalesce(max(pos), 0) FROM entry"), 0,
               &self->last, error) &&
           read_tally(self, error);
}

static void take_entry(SyncdIndexCheck *self, SyncdStatement *row)
{
    if (syncd_column_int(row, 1) > self->last)
        return;
    self->counted++;
    add_kind(self, syncd_column_int(row, 0), 1);
}

static void judge_entries(SyncdIndexCheck *self)
{
    guint64 said = (guint64)MAX(self->said, 0), wrong = 0;
    GHashTableIter iter;
    void *difference;
    g_hash_table_iter_init(&iter, self->kinds);
    while (g_hash_table_iter_next(&iter, NULL, &difference))
        wrong += difference != NULL;
    syncd_check_fault(self, "entries", MAX(said, self->counted) - MIN(said, self->counted));
    syncd_check_fault(self, "kind-counts", wrong);
}

bool syncd_check_entries(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    static const SyncdCheckWalk walk = {
        "SELECT kind, pos FROM entry WHERE pos > :a ORDER BY pos LIMIT " SYNCD_CHECK_LIMIT, "i"};
    if ((!self->begun && !begin_entries(self, error)) ||
        !syncd_check_walk(self, &walk, take_entry, ret_more, error))
        return false;
    *ret_more = *ret_more && self->cursor.numbers[0] < self->last;
    if (!*ret_more)
        judge_entries(self);
    return true;
}

/* ---- what is in lanes ---- */

void syncd_check_end_counting(SyncdIndexCheck *self)
{
    if (self->index->counting == &self->lanes)
        self->index->counting = NULL;
}

static void begin_lanes(SyncdIndexCheck *self)
{
    self->begun = true;
    self->table = 0;
    self->lanes = (SyncdIndexCount){.broken = false};
    for (unsigned i = 0; i < SYNCD_N_COUNTED; i++)
        self->lanes.until[i].number = G_MININT64;
    self->lanes.until[SYNCD_COUNTED_OBJECTS].text = self->cursor.texts[1];
    self->index->counting = &self->lanes;
    syncd_check_rewind(self);
}

static void add(SyncdIndexCheck *self, gint64 rank, gint64 counter)
{
    if (rank >= 0 && rank < (gint64)SYNCD_N_LANES && counter >= 0 &&
        counter < (gint64)SYNCD_N_LANE_COUNTERS)
        self->lanes.lanes[rank][counter]++;
}

static void take_task(SyncdIndexCheck *self, SyncdStatement *row)
{
    gint64 rank = syncd_column_int(row, 2), state = syncd_column_int(row, 0);
    add(self, rank, state);
    if (syncd_column_int(row, 3) != 0)
        add(self, rank, SYNCD_LANE_OF_ADDS + state);
}

/* `live` as in store/index-file.c. */
static void take_file(SyncdIndexCheck *self, SyncdStatement *row)
{
    static const gint64 counters[] = {SYNCD_LANE_TOMBSTONES, SYNCD_LANE_OBJECTS};
    gint64 live = syncd_column_int(row, 0);
    if (live == 0 || live == 1)
        add(self, syncd_lane_find(SYNCD_BYTES_TEXT("normal"))->rank, counters[live]);
}

static void take_object(SyncdIndexCheck *self, SyncdStatement *row)
{
    bool deleted = !syncd_column_is_null(row, 0);
    SyncdDeletionState state =
        deleted ? (SyncdDeletionState)syncd_column_int(row, 0) : SYNCD_DELETION_REQUESTED;
    add(self, syncd_column_int(row, 3), syncd_index_object_counter(state));
}

static const struct {
    SyncdCheckWalk walk;
    void (*take)(SyncdIndexCheck *check, SyncdStatement *row);
} tables[] = {
    [SYNCD_COUNTED_TASKS] = {{"SELECT task, pos, rank, adds FROM task WHERE pos > :a"
                              " ORDER BY pos LIMIT " SYNCD_CHECK_LIMIT,
                              "i"},
                             take_task},
    [SYNCD_COUNTED_FILES] = {{"SELECT live, id FROM file WHERE id > :a ORDER BY id"
                              " LIMIT " SYNCD_CHECK_LIMIT,
                              "i"},
                             take_file},
    [SYNCD_COUNTED_OBJECTS] = {{"SELECT state, o.scope, o.object, rank FROM object AS o"
                                " LEFT JOIN deletion AS d ON d.scope = o.scope"
                                " AND d.object = o.object WHERE (o.scope, o.object) > (:a, :b)"
                                " ORDER BY o.scope, o.object LIMIT " SYNCD_CHECK_LIMIT,
                                "it"},
                               take_object},
};

static guint64 count_wrong(const SyncdIndexCheck *self,
                           gint64 said[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS], unsigned first,
                           unsigned last)
{
    guint64 wrong = 0;
    for (unsigned rank = 0; rank < SYNCD_N_LANES; rank++)
        for (unsigned counter = first; counter <= last; counter++)
            wrong += said[rank][counter] != self->lanes.lanes[rank][counter];
    return wrong;
}

static bool judge_lanes(SyncdIndexCheck *self, GError **error)
{
    gint64 said[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS];
    if (!syncd_index_lane_counts(self->index, said, error))
        return false;
    syncd_check_fault(self, "lane-counts", count_wrong(self, said, 0, SYNCD_TASK_CANCELLED));
    syncd_check_fault(
        self, "lane-adds",
        count_wrong(self, said, SYNCD_LANE_OF_ADDS, SYNCD_LANE_OF_ADDS + SYNCD_TASK_CANCELLED));
    syncd_check_fault(self, "lane-objects",
                      count_wrong(self, said, SYNCD_LANE_OBJECTS, SYNCD_LANE_PURGED));
    return true;
}

bool syncd_check_lanes(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    if (!self->begun || self->lanes.broken)
        begin_lanes(self);
    SyncdCountedUntil *until = &self->lanes.until[self->table];
    if (!syncd_check_walk(self, &tables[self->table].walk, tables[self->table].take, ret_more,
                          error))
        return false;
    until->number = self->cursor.numbers[0];
    if (*ret_more)
        return true;
    until->all = true;
    self->table++;
    syncd_check_rewind(self);
    *ret_more = self->table < SYNCD_N_COUNTED;
    return *ret_more || judge_lanes(self, error);
}

/* ---- chunks ---- */

#define AGAIN_MAX 5u
/* Rows of what was dropped are there until somebody has time (store/index-content.c). */
#define IS_NEEDED                                                                                  \
    "EXISTS (SELECT 1 FROM content AS c WHERE c.file = content_chunk.file"                         \
    " AND c.version = content_chunk.version)"

static void begin_chunks(SyncdIndexCheck *self)
{
    self->begun = true;
    self->chunks = 0;
    self->table = 0;
    self->changes = self->index->content_changes;
    syncd_check_rewind(self);
}

static void take_content(SyncdIndexCheck *self, SyncdStatement *row)
{
    self->chunks += syncd_column_int(row, 0);
}

static void take_chunk(SyncdIndexCheck *self, SyncdStatement *row)
{
    self->chunks -= syncd_column_int(row, 0);
}

/* Where content changes again and again all of it is asked for at once. */
static bool ask_at_once(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    *ret_more = false;
    return syncd_statement_number(
        syncd_database_statement(
            syncd_index_database(self->index),
            "SELECT (SELECT coalesce(sum(length(chunks) / 32), 0)"
            " FROM content) - (SELECT count(*) FROM content_chunk WHERE " IS_NEEDED ")"),
        0, &self->chunks, error);
}

static bool walk_chunks(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    static const struct {
        SyncdCheckWalk walk;
        void (*take)(SyncdIndexCheck *check, SyncdStatement *row);
    } walks[] = {
        {{"SELECT length(chunks) / 32, file, version FROM content WHERE (file, version) > (:a, :b)"
          " ORDER BY file, version LIMIT " SYNCD_CHECK_LIMIT,
          "ii"},
         take_content},
        {{"SELECT " IS_NEEDED ", rowid FROM content_chunk WHERE rowid > :a ORDER BY rowid"
          " LIMIT " SYNCD_CHECK_LIMIT,
          "i"},
         take_chunk},
    };
    if (!syncd_check_walk(self, &walks[self->table].walk, walks[self->table].take, ret_more, error))
        return false;
    if (*ret_more)
        return true;
    self->table++;
    syncd_check_rewind(self);
    *ret_more = self->table < G_N_ELEMENTS(walks);
    return true;
}

bool syncd_check_chunks(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    if (self->begun && self->changes != self->index->content_changes) {
        self->begun = false;
        self->again++;
    }
    if (!self->begun)
        begin_chunks(self);
    if (!(self->again < AGAIN_MAX ? walk_chunks(self, ret_more, error)
                                  : ask_at_once(self, ret_more, error)))
        return false;
    if (!*ret_more)
        syncd_check_fault(self, "content-chunks",
                          (guint64)(self->chunks < 0 ? -self->chunks : self->chunks));
    return true;
}
