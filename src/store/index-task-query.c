/* Finding tasks: those that are offered, those that run, and pages of them. */
#include "store/index-private.h"

#define COLUMNS                                                                                    \
    "entry.op, task.pos, rank, operation, task, attempt, waits, blockers, replays, lost, "         \
    "ready_ms, "                                                                                   \
    "moved, moved_ms, adds, entry.scope, entry.actor, entry.object"
#define JOIN " FROM task JOIN entry ON entry.pos = task.pos "

/* The order of each walk is that of an index, and it begins in that where the last one ended. Of
 * those that are offered it is a walk for each lane: SQLite finds no place by two columns at once.
 */
static const char *const walks[] = {
    [SYNCD_TASKS_ALL] = "SELECT " COLUMNS JOIN "WHERE task.pos > :pos ORDER BY task.pos",
    [SYNCD_TASKS_OFFERED] =
        "SELECT " COLUMNS JOIN "WHERE task.task = 0 AND task.waits = 0 AND rank = :rank"
        " AND task.pos > :pos ORDER BY task.pos",
    [SYNCD_TASKS_RUNNING] =
        "SELECT " COLUMNS JOIN "WHERE task.task = 1 AND task.pos > :pos ORDER BY task.pos",
    [SYNCD_TASKS_FAILED] =
        "SELECT " COLUMNS JOIN "WHERE task.task = 3 AND task.pos > :pos ORDER BY task.pos",
};
G_STATIC_ASSERT(SYNCD_TASK_PENDING == 0 && SYNCD_TASK_RUNNING == 1 && SYNCD_TASK_FAILED == 3);

typedef struct {
    gint64 scope, actor; /* 0: any */
    bool impossible;
} Words;

static bool find_word(SyncdIndex *self, const char *text, gint64 *ret_word, bool *impossible,
                      GError **error)
{
    *ret_word = 0;
    if (text == NULL)
        return true;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(text), ret_word, error))
        return false;
    *impossible |= *ret_word == 0;
    return true;
}

static bool matches(const SyncdTaskQuery *query, const Words *words, SyncdStatement *row,
                    const SyncdTask *task)
{
    return (words->scope == 0 || words->scope == syncd_column_int(row, 14)) &&
           (words->actor == 0 || words->actor == syncd_column_int(row, 15)) &&
           (query->object == NULL || g_strcmp0(query->object, syncd_column_text(row, 16)) == 0) &&
           (query->rank < 0 || (unsigned)query->rank == task->rank) &&
           (query->state < 0 || (SyncdTaskState)query->state == task->state.task) &&
           (query->ready_ms == 0 || task->ready_ms <= query->ready_ms) &&
           (query->stale_ms == 0 || syncd_task_is_stale(task, query->stale_ms));
}

static bool fits(SyncdIndex *self, const SyncdTaskQuery *query, void *data, gint64 scope,
                 bool *ret_fits, GError **error)
{
    const char *scope_id = NULL;
    *ret_fits = query->fits == NULL;
    if (*ret_fits)
        return true;
    if (!syncd_index_word_text(self, scope, &scope_id, error))
        return false;
    *ret_fits = scope_id != NULL && query->fits(data, scope_id);
    return true;
}

typedef struct {
    SyncdIndex *index;
    const SyncdTaskQuery *query;
    SyncdTaskFunc func;
    void *data;
    Words words;
    unsigned examined;
    bool ended;
} Walk;

static bool examine(Walk *walk, SyncdStatement *rows, GError **error)
{
    const SyncdTaskQuery *query = walk->query;
    SyncdTask task;
    bool fitting;
    syncd_index_read_task(rows, 1, &task);
    if (!fits(walk->index, query, walk->data, syncd_column_int(rows, 14), &fitting, error))
        return false;
    bool match = fitting && matches(query, &walk->words, rows, &task);
    walk->ended = !walk->func(walk->data, syncd_column_text(rows, 0), &task, match) ||
                  ++walk->examined == SYNCD_STORE_TASKS_EXAMINED;
    return true;
}

/* Of those that are offered: the ones in that rank. */
static bool walk_on(Walk *walk, unsigned rank, guint64 after, GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(walk->index->db, walks[walk->query->which]);
    syncd_bind_int(rows, ":pos", (gint64)after);
    if (walk->query->which == SYNCD_TASKS_OFFERED)
        syncd_bind_int(rows, ":rank", rank);
    bool row = true;
    while (!walk->ended) {
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        if (!examine(walk, rows, error))
            return false;
    }
    return true;
}

/* All lanes, or the one that is asked for. */
static bool walk_lanes(Walk *walk, GError **error)
{
    const SyncdTaskQuery *query = walk->query;
    int first = MAX(query->rank, 0), last = query->rank >= 0 ? query->rank : (int)SYNCD_N_LANES - 1;
    for (int rank = MAX(query->after_rank, first); rank <= last && !walk->ended; rank++) {
        guint64 after = rank == query->after_rank ? query->after_pos : 0;
        if (!walk_on(walk, (unsigned)rank, after, error))
            return false;
    }
    return true;
}

bool syncd_index_walk_tasks(SyncdIndex *self, const SyncdTaskQuery *query, SyncdTaskFunc func,
                            void *data, GError **error)
{
    Walk walk = {.index = self, .query = query, .func = func, .data = data};
    if (!find_word(self, query->scope_id, &walk.words.scope, &walk.words.impossible, error) ||
        !find_word(self, query->actor, &walk.words.actor, &walk.words.impossible, error))
        return false;
    if (walk.words.impossible)
        return true;
    return query->which == SYNCD_TASKS_OFFERED ? walk_lanes(&walk, error)
                                               : walk_on(&walk, 0, query->after_pos, error);
}

bool syncd_index_next_delay(SyncdIndex *self, guint64 after_ms, guint64 *ret_ms, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT ready_ms FROM task WHERE task = 0 AND ready_ms > 0 AND ready_ms > :after"
                  " ORDER BY ready_ms LIMIT 1");
    syncd_bind_int(row, ":after", (gint64)after_ms);
    return syncd_statement_count(row, ret_ms, error);
}

/* In one walk over the lookup by object, which holds the positions. */
#define NEWEST                                                                                     \
    "(SELECT pos FROM entry WHERE object = :object AND object <> '' ORDER BY pos DESC LIMIT "      \
    ":limit)"

bool syncd_index_count_object_tasks(SyncdIndex *self, const char *object,
                                    SyncdObjectTasks *ret_tasks, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT task.task, attempt > 0, blockers > 0, count(*) FROM " NEWEST
                  " AS newest JOIN task ON task.pos = newest.pos GROUP BY 1, 2, 3");
    bool row;
    syncd_bind_text(rows, ":object", object);
    syncd_bind_int(rows, ":limit", SYNCD_STORE_OBJECT_TASKS);
    *ret_tasks = (SyncdObjectTasks){0};
    for (;;) {
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        unsigned n = (unsigned)syncd_column_int(rows, 3);
        SyncdTaskState state = (SyncdTaskState)syncd_column_int(rows, 0);
        bool pending = state == SYNCD_TASK_PENDING, blocked = syncd_column_int(rows, 2) != 0;
        ret_tasks->operations += n;
        ret_tasks->blocked += pending && blocked ? n : 0;
        ret_tasks->retrying += pending && !blocked && syncd_column_int(rows, 1) != 0 ? n : 0;
        ret_tasks->failed += state == SYNCD_TASK_FAILED ? n : 0;
    }
}
