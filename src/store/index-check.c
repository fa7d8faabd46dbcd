#include "store/index-check.h"

#include "store/index-private.h"
#include "store/store-private.h"

/* The first counters of a lane are the states of a task; those of operations that add an object,
 * and those of objects, follow. Files are in the lane `normal`. */
#define OF_ADDS "11"
#define OBJECTS "22"
#define TOMBSTONES "23"
#define PURGED "24"
#define NORMAL "7"
G_STATIC_ASSERT(SYNCD_LANE_OF_ADDS == 11 && SYNCD_LANE_OBJECTS == 22 &&
                SYNCD_LANE_TOMBSTONES == 23 && SYNCD_LANE_PURGED == 24);
G_STATIC_ASSERT(SYNCD_DELETION_TOMBSTONED == 2 && SYNCD_DELETION_HIDDEN == 4 &&
                SYNCD_DELETION_PURGED == 5 && SYNCD_DELETION_PROVEN == 6);

/* Of the counters from `first` to `last`, those that are not what the rows say: rank, counter,
 * count. */
#define COUNT_WRONG(first, last, rows)                                                             \
    "WITH right (r, c, n) AS (" rows                                                               \
    ") SELECT (SELECT count(*) FROM right LEFT JOIN lane_count ON rank = r AND counter = c"        \
    " WHERE count IS NOT n) + (SELECT count(*) FROM lane_count WHERE counter BETWEEN " first       \
    " AND " last " AND count <> 0 AND (rank, counter) NOT IN (SELECT r, c FROM right))"

/* Each gives the number of rows that are wrong. */
static const struct {
    const char *what;
    const char *sql;
} questions[] = {
    {"entries", "SELECT abs((SELECT coalesce(sum(size), 0) FROM cursor)"
                " - (SELECT count(*) FROM entry))"},
    {"kind-counts",
     "SELECT (SELECT count(*) FROM (SELECT kind AS k, count(*) AS n FROM entry GROUP BY kind)"
     " LEFT JOIN tally ON kind = k WHERE count IS NOT n)"
     " + (SELECT count(*) FROM tally WHERE count <> 0 AND kind NOT IN (SELECT kind FROM entry))"},
    {"lane-counts",
     COUNT_WRONG("0", "4", "SELECT rank, task, count(*) FROM task GROUP BY rank, task")},
    {"lane-adds", COUNT_WRONG(OF_ADDS, OF_ADDS " + 4",
                              "SELECT rank, task + " OF_ADDS ", count(*) FROM task WHERE adds"
                              " GROUP BY rank, task")},
    {"lane-objects",
     COUNT_WRONG(OBJECTS, PURGED,
                 "SELECT rank, counter, count(*) FROM (SELECT rank, CASE"
                 " WHEN state BETWEEN 2 AND 4 THEN " TOMBSTONES " WHEN state IN (5, 6) THEN " PURGED
                 " ELSE " OBJECTS " END AS counter FROM object LEFT JOIN deletion"
                 " USING (scope, object) UNION ALL SELECT " NORMAL
                 ", CASE live WHEN 0 THEN " TOMBSTONES " ELSE " OBJECTS
                 " END FROM file WHERE live < 2)"
                 " GROUP BY rank, counter")},
    {"tasks", "SELECT count(*) FROM task WHERE pos NOT IN (SELECT pos FROM entry)"
              " OR moved NOT IN (SELECT pos FROM entry)"},
    {"dependencies", "SELECT count(*) FROM dependency WHERE child NOT IN (SELECT pos FROM task)"
                     " OR parent NOT IN (SELECT pos FROM task)"},
    {"records", "SELECT count(*) FROM record WHERE pos NOT IN (SELECT pos FROM entry)"
                " OR first NOT IN (SELECT pos FROM entry)"},
    {"names", "SELECT count(*) FROM name WHERE pos NOT IN (SELECT pos FROM entry)"},
    {"keys", "SELECT count(*) FROM idempotency WHERE pos NOT IN (SELECT pos FROM entry)"},
    {"decisions", "SELECT count(*) FROM decision WHERE pos NOT IN (SELECT pos FROM entry)"},
    {"deletions", "SELECT count(*) FROM deletion WHERE pos NOT IN (SELECT pos FROM entry)"},
    {"words", "SELECT count(*) FROM entry WHERE kind NOT IN (SELECT id FROM word)"
              " OR actor NOT IN (SELECT id FROM word) OR scope NOT IN (SELECT id FROM word)"},
    {"folders", "SELECT count(*) FROM file WHERE folder <> 0 AND folder NOT IN"
                " (SELECT id FROM file)"},
    {"file-history", "SELECT count(*) FROM file_change WHERE file NOT IN (SELECT id FROM file)"},
    {"content", "SELECT count(*) FROM content WHERE file NOT IN (SELECT id FROM file)"},
    {"content-chunks", "SELECT abs((SELECT coalesce(sum(length(chunks) / 32), 0) FROM content)"
                       " - (SELECT count(*) FROM content_chunk))"},
    {"mismatches", "SELECT count(*) FROM mismatch WHERE file NOT IN (SELECT id FROM file)"},
};

struct SyncdIndexCheck {
    SyncdStore *store;
    size_t next;
    GArray *faults;
};

SyncdIndexCheck *syncd_index_check_new(SyncdStore *store)
{
    SyncdIndexCheck *self = g_new0(SyncdIndexCheck, 1);
    self->store = store;
    self->faults = g_array_new(FALSE, FALSE, sizeof(SyncdIndexFault));
    return self;
}

void syncd_index_check_free(SyncdIndexCheck *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->faults);
    g_free(self);
}

const GArray *syncd_index_check_faults(const SyncdIndexCheck *self)
{
    return self->faults;
}

/* Damage that SQLite itself runs into is what is looked for. */
static bool ask(SyncdIndexCheck *self, const char *sql, gint64 *ret_rows, GError **error)
{
    g_autoptr(GError) problem = NULL;
    SyncdDatabase *db = syncd_index_database(self->store->index);
    if (syncd_statement_number(syncd_database_statement(db, sql), 0, ret_rows, &problem))
        return true;
    *ret_rows = 1;
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT))
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool syncd_index_check_step(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    gint64 rows;
    if (!syncd_store_settle(self->store, error) ||
        !ask(self, questions[self->next].sql, &rows, error))
        return false;
    if (rows > 0) {
        const SyncdIndexFault fault = {questions[self->next].what, (guint64)rows};
        g_array_append_val(self->faults, fault);
    }
    *ret_more = ++self->next < G_N_ELEMENTS(questions);
    return true;
}
