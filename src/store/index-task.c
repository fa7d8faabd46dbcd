#include "store/index-private.h"

#include "base/json.h"
#include "domain/names.h"
#include "store/task-move.h"

/* ---- rows ---- */

#define TASK_COLUMNS                                                                               \
    "task.pos, rank, operation, task, attempt, waits, blockers, replays, lost, ready_ms, moved, "  \
    "moved_ms, adds"

void syncd_index_read_task(SyncdStatement *row, int first, SyncdTask *task)
{
    *task = (SyncdTask){
        .pos = (guint64)syncd_column_int(row, first),
        .rank = (unsigned)syncd_column_int(row, first + 1),
        .state = {(SyncdOperationState)syncd_column_int(row, first + 2),
                  (SyncdTaskState)syncd_column_int(row, first + 3)},
        .attempt = (guint)syncd_column_int(row, first + 4),
        .waits = (guint)syncd_column_int(row, first + 5),
        .blockers = (guint)syncd_column_int(row, first + 6),
        .replays = (guint)syncd_column_int(row, first + 7),
        .lost = syncd_column_int(row, first + 8) != 0,
        .ready_ms = (guint64)syncd_column_int(row, first + 9),
        .moved = (guint64)syncd_column_int(row, first + 10),
        .moved_ms = (guint64)syncd_column_int(row, first + 11),
        .adds = syncd_column_int(row, first + 12) != 0,
    };
}

static bool take_task(SyncdStatement *rows, SyncdTask *ret_task, bool *ret_found, GError **error)
{
    if (!syncd_statement_next(rows, ret_found, error))
        return false;
    if (*ret_found)
        syncd_index_read_task(rows, 0, ret_task);
    return true;
}

static bool take_pending(const SyncdIndex *self, guint64 pos, SyncdTask *ret_task)
{
    const SyncdTask *task = syncd_index_pending_task(self, pos);
    if (task != NULL)
        *ret_task = *task;
    return task != NULL;
}

bool syncd_index_find_task(SyncdIndex *self, const char *op, SyncdTask *ret_task, bool *ret_found,
                           GError **error)
{
    guint64 in_line = syncd_index_pending_op(self, op);
    if (in_line != 0) {
        *ret_found = take_pending(self, in_line, ret_task);
        return true;
    }
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT " TASK_COLUMNS " FROM entry JOIN task USING (pos)"
                  " WHERE op = :op");
    syncd_bind_text(rows, ":op", op);
    return take_task(rows, ret_task, ret_found, error);
}

bool syncd_index_find_task_at(SyncdIndex *self, guint64 pos, SyncdTask *ret_task, bool *ret_found,
                              GError **error)
{
    *ret_found = take_pending(self, pos, ret_task);
    if (*ret_found)
        return true;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT " TASK_COLUMNS " FROM task WHERE pos = :pos");
    syncd_bind_int(rows, ":pos", (gint64)pos);
    return take_task(rows, ret_task, ret_found, error);
}

void syncd_index_add_task_row(SyncdRows *rows, const SyncdTask *task)
{
    const guint64 values[SYNCD_INDEX_TASK_COLUMNS] = {
        task->pos,     task->rank,     task->state.operation, task->state.task,
        task->attempt, task->waits,    task->blockers,        task->replays,
        task->lost,    task->ready_ms, task->moved,           task->moved_ms,
        task->adds,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        syncd_rows_add_int(rows, (gint64)values[i]);
}

/* What a move changes. */
static bool write_move(SyncdIndex *self, const SyncdTask *task, GError **error)
{
    SyncdTask *in_line = syncd_index_pending_task(self, task->pos);
    if (in_line != NULL) {
        *in_line = *task;
        return true;
    }
    SyncdStatement *row = syncd_database_statement(
        self->db, "UPDATE task SET operation = :operation, task = :task, attempt = :attempt,"
                  " replays = :replays, lost = :lost, ready_ms = :ready_ms, moved = :moved,"
                  " moved_ms = :moved_ms WHERE pos = :pos");
    const struct {
        const char *name;
        guint64 value;
    } values[] = {
        {":operation", task->state.operation},
        {":task", task->state.task},
        {":attempt", task->attempt},
        {":replays", task->replays},
        {":lost", task->lost},
        {":ready_ms", task->ready_ms},
        {":moved", task->moved},
        {":moved_ms", task->moved_ms},
        {":pos", task->pos},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        syncd_bind_int(row, values[i].name, (gint64)values[i].value);
    return syncd_statement_run(row, error);
}

/* ---- parents ---- */

static bool is_failed(SyncdLifecycle state)
{
    return state.task == SYNCD_TASK_FAILED || state.task == SYNCD_TASK_CANCELLED;
}

static bool add_dependency(SyncdIndex *self, guint64 child, guint64 parent, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO dependency (child, parent) VALUES (:child, :parent)"
                  " ON CONFLICT DO NOTHING");
    syncd_bind_int(row, ":child", (gint64)child);
    syncd_bind_int(row, ":parent", (gint64)parent);
    return syncd_statement_run(row, error);
}

/* Only operations that have a task of their own are waited for; what else can be a parent was done
 * when it was written. */
static bool add_parents(SyncdIndex *self, const SyncdHeader *header, const SyncdBody *body,
                        SyncdTask *task, GError **error)
{
    task->waits = 0;
    if (header->n_parents == 0 || body == NULL ||
        !syncd_json_check(body->meta, body->meta_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return true;
    SyncdJsonIter iter;
    SyncdJson value;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    syncd_json_iter_init(
        &iter, syncd_json_member(syncd_json_root(body->meta, body->meta_size), "parents"));
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        SyncdTask parent;
        bool found = false;
        char *op = syncd_json_dup_text(value);
        if (op == NULL || !g_hash_table_add(seen, op))
            continue;
        if (!syncd_index_find_task(self, op, &parent, &found, error) ||
            (found && !add_dependency(self, task->pos, parent.pos, error)))
            return false;
        task->waits += found && !syncd_lifecycle_is_finished(parent.state);
        task->blockers += found && is_failed(parent.state);
    }
    return true;
}

static bool tell_children(SyncdIndex *self, const SyncdTask *parent, SyncdLifecycle before,
                          GError **error)
{
    SyncdLifecycle after = parent->state;
    gint64 waits = (gint64)syncd_lifecycle_is_finished(before) - syncd_lifecycle_is_finished(after);
    gint64 blockers = (gint64)is_failed(after) - is_failed(before);
    if (waits == 0 && blockers == 0)
        return true;
    if (!syncd_index_write_pending(self, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "UPDATE task SET waits = waits + :waits, blockers = blockers + :blockers"
                  " WHERE pos IN (SELECT child FROM dependency WHERE parent = :parent)");
    syncd_bind_int(row, ":waits", waits);
    syncd_bind_int(row, ":blockers", blockers);
    syncd_bind_int(row, ":parent", (gint64)parent->pos);
    return syncd_statement_run(row, error);
}

/* ---- counts of lanes ---- */

/* Of its lane, and of those that add an object where it does. */
static void count(SyncdIndex *self, const SyncdTask *task, unsigned counter, gint64 change)
{
    const SyncdCountedRow row = {SYNCD_COUNTED_TASKS, (gint64)task->pos, SYNCD_BYTES("", 0)};
    syncd_index_count_lane(self, &row, task->rank, counter, change);
    if (task->adds)
        syncd_index_count_lane(self, &row, task->rank, SYNCD_LANE_OF_ADDS + counter, change);
}

static void count_state(SyncdIndex *self, const SyncdTask *task, SyncdTaskState before)
{
    count(self, task, before, -1);
    count(self, task, task->state.task, 1);
}

static void count_move(SyncdIndex *self, const SyncdTask *task, SyncdTaskState before,
                       SyncdEvent event)
{
    static const struct {
        SyncdEvent event;
        SyncdLaneCounter counter;
    } happened[] = {
        {SYNCD_EVENT_CLAIM, SYNCD_LANE_ATTEMPTS},
        {SYNCD_EVENT_LOSE, SYNCD_LANE_LOST},
        {SYNCD_EVENT_REPLAY, SYNCD_LANE_REPLAYED},
        {SYNCD_EVENT_RECONCILE, SYNCD_LANE_RECONCILED},
    };
    count_state(self, task, before);
    for (size_t i = 0; i < G_N_ELEMENTS(happened); i++)
        if (event == happened[i].event)
            count(self, task, happened[i].counter, 1);
}

/* ---- projecting ---- */

static bool begin_task(SyncdIndex *self, guint64 pos, const SyncdHeader *header, bool adds,
                       const SyncdBody *body, GError **error)
{
    SyncdTask task;
    if (!syncd_task_begin(header, pos, &task))
        return true;
    task.adds = adds;
    count(self, &task, task.state.task, 1);
    count(self, &task, SYNCD_LANE_OPERATIONS, 1);
    if (!add_parents(self, header, body, &task, error))
        return false;
    syncd_index_put_task(self, &task);
    return true;
}

/* A move that the machines do not have, or of an operation that is not here, changes nothing. */
static bool move_task(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                      const SyncdBody *body, GError **error)
{
    SyncdTask task;
    SyncdTaskMove move;
    bool found;
    g_autofree char *op = NULL;
    if (!syncd_task_move_parse(header, pos, body, &move, &op))
        return true;
    if (!syncd_index_find_task(self, op, &task, &found, error))
        return false;
    SyncdLifecycle before = task.state;
    if (!found || !syncd_task_apply(&task, &move))
        return true;
    count_move(self, &task, before.task, move.event);
    return write_move(self, &task, error) && tell_children(self, &task, before, error);
}

/* ---- purges ---- */

static bool is_of_object(SyncdIndex *self, guint64 pos, const SyncdHeader *purge, bool *ret_is,
                         GError **error)
{
    gint64 scope;
    if (!syncd_index_write_pending(self, error) ||
        !syncd_index_word(self, purge->scope, &scope, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db,
        "SELECT count(*) FROM entry WHERE pos = :pos AND object = :object AND scope = :scope");
    syncd_bind_int(row, ":pos", (gint64)pos);
    syncd_bind_text_bytes(row, ":object", purge->object);
    syncd_bind_int(row, ":scope", scope);
    return syncd_statement_holds(row, ret_is, error);
}

static bool end_purged(SyncdIndex *self, const char *op, SyncdLifecycle end, guint64 pos,
                       const SyncdHeader *header, GError **error)
{
    SyncdTask task;
    bool found, is = false;
    if (!syncd_index_find_task(self, op, &task, &found, error) ||
        (found && !is_of_object(self, task.pos, header, &is, error)))
        return false;
    SyncdLifecycle before = task.state;
    if (!is || before.operation == end.operation)
        return true;
    syncd_task_end(&task, end, pos, header->hlc.ms);
    count_state(self, &task, before.task);
    return write_move(self, &task, error) && tell_children(self, &task, before, error);
}

/* What moved them may be purged with them: operations are then what their purge says. */
static bool end_all_purged(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                           const SyncdBody *body, GError **error)
{
    SyncdDeletionEvent event;
    SyncdJsonIter iter;
    SyncdJson entry;
    if (!syncd_deletion_kind(header->kind, &event) || event != SYNCD_DELETION_PURGE ||
        body == NULL || body->content == NULL ||
        !syncd_json_check(body->content, body->content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return true;
    syncd_json_iter_init(
        &iter, syncd_json_member(syncd_json_root(body->content, body->content_size), "entries"));
    while (syncd_json_iter_next(&iter, NULL, &entry)) {
        SyncdLifecycle end;
        g_autofree char *op = syncd_json_dup_text(syncd_json_member(entry, "operation")),
                        *state = syncd_json_dup_text(syncd_json_member(entry, "state"));
        if (op != NULL && state != NULL && syncd_lifecycle_ended(state, &end) &&
            !end_purged(self, op, end, pos, header, error))
            return false;
    }
    return true;
}

typedef struct {
    SyncdIndex *index;
    SyncdBytes scope;
    guint64 pos;
    GError *error;
} Naming;

static void take_name(void *data, const char *family, const char *name)
{
    Naming *naming = data;
    if (naming->error == NULL)
        syncd_index_add_name(naming->index, family, name, naming->scope, naming->pos,
                             &naming->error);
}

static bool take_names(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                       const SyncdBody *body, GError **error)
{
    Naming naming = {self, header->scope, pos, NULL};
    if (body == NULL || body->content == NULL ||
        !syncd_json_check(body->content, body->content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return true;
    syncd_names_each(header->kind, syncd_json_root(body->content, body->content_size), take_name,
                     &naming);
    if (naming.error == NULL)
        return true;
    g_propagate_error(error, naming.error);
    return false;
}

bool syncd_index_project_task(SyncdIndex *self, guint64 pos, const SyncdHeader *header, bool adds,
                              const SyncdBody *body, GError **error)
{
    const SyncdLane *lane = syncd_lane_find(header->lane);
    if (lane != NULL)
        self->lanes[lane->rank][SYNCD_LANE_ENTRIES]++;
    if (!begin_task(self, pos, header, adds, body, error) ||
        !end_all_purged(self, pos, header, body, error))
        return false;
    return !syncd_lifecycle_kind(header->kind, NULL, NULL) ||
           (move_task(self, pos, header, body, error) &&
            take_names(self, pos, header, body, error));
}

/* ---- rates ---- */

bool syncd_index_count_recent(SyncdIndex *self, const char *kind, const char *actor,
                              guint64 since_ms, guint max, guint *ret_all, guint *ret_actor,
                              GError **error)
{
    gint64 kind_word, actor_word;
    *ret_all = *ret_actor = 0;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(kind), &kind_word, error) ||
        !syncd_index_word(self, SYNCD_BYTES_TEXT(actor), &actor_word, error))
        return false;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT ms, actor FROM entry WHERE kind = :kind ORDER BY pos DESC LIMIT :max");
    syncd_bind_int(rows, ":kind", kind_word);
    syncd_bind_int(rows, ":max", max);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row || (guint64)syncd_column_int(rows, 0) < since_ms)
            return true;
        ++*ret_all;
        *ret_actor += syncd_column_int(rows, 1) == actor_word;
    }
}
