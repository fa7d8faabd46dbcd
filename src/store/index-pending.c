/*
 * Rows of entries, and of the tasks that begin with them, stand in line and are written many at
 * once: at the latest with the transaction's commit. An entry and its task are in line together.
 * Who looks for an operation looks here too; before any other statement about these tables is run
 * within the transaction, what is in line is written.
 */
#include "store/index-private.h"

/* More at once would cost as much for each. */
#define PENDING_MAX 64u

enum { POS, OP, KIND, ACTOR, SCOPE, OBJECT, MS, N_ENTRY_COLUMNS };

struct SyncdPendingRows {
    SyncdRows *entries;
    GArray *tasks;        /* SyncdTask: what moves one that is in line moves it here */
    SyncdRows *task_rows; /* the same, on their way */
};

struct SyncdPendingRows *syncd_index_pending_new(void)
{
    struct SyncdPendingRows *pending = g_new(struct SyncdPendingRows, 1);
    pending->entries = syncd_rows_new(N_ENTRY_COLUMNS);
    pending->tasks = g_array_new(FALSE, FALSE, sizeof(SyncdTask));
    pending->task_rows = syncd_rows_new(SYNCD_INDEX_TASK_COLUMNS);
    return pending;
}

void syncd_index_pending_free(struct SyncdPendingRows *pending)
{
    syncd_rows_free(pending->entries);
    syncd_rows_free(pending->task_rows);
    g_array_unref(pending->tasks);
    g_free(pending);
}

void syncd_index_forget_pending(SyncdIndex *self)
{
    syncd_rows_clear(self->pending->entries);
    g_array_set_size(self->pending->tasks, 0);
}

/* ---- writing ---- */

static bool write_rows(SyncdStatement *statement, const SyncdRows *rows, GError **error)
{
    syncd_bind_rows(statement, ":rows", rows);
    return syncd_statement_run(statement, error);
}

static bool write_tasks(SyncdIndex *self, GError **error)
{
    const GArray *tasks = self->pending->tasks;
    SyncdRows *rows = self->pending->task_rows;
    syncd_rows_clear(rows);
    for (guint i = 0; i < tasks->len; i++)
        syncd_index_add_task_row(rows, &g_array_index(tasks, SyncdTask, i));
    return write_rows(
        syncd_database_statement(
            self->db, "INSERT OR FAIL INTO task (pos, rank, operation, task, attempt, waits,"
                      " blockers, replays, lost, ready_ms, moved, moved_ms, adds) SELECT c0, c1,"
                      " c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 FROM syncd_rows(:rows)"),
        rows, error);
}

bool syncd_index_write_pending(SyncdIndex *self, GError **error)
{
    struct SyncdPendingRows *pending = self->pending;
    if (syncd_rows_length(pending->entries) == 0)
        return true;
    bool ok =
        write_rows(syncd_database_statement(
                       self->db, "INSERT OR FAIL INTO entry (pos, op, kind, actor, scope, object,"
                                 " ms) SELECT c0, c1, c2, c3, c4, c5, c6 FROM syncd_rows(:rows)"),
                   pending->entries, error) &&
        (pending->tasks->len == 0 || write_tasks(self, error));
    syncd_index_forget_pending(self);
    return ok;
}

/* ---- in line ---- */

bool syncd_index_put_entry(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                           const SyncdEntryWords *words, GError **error)
{
    SyncdRows *entries = self->pending->entries;
    if (syncd_rows_length(entries) == PENDING_MAX && !syncd_index_write_pending(self, error))
        return false;
    syncd_rows_add_int(entries, (gint64)pos);
    syncd_rows_add_text(entries, header->op);
    syncd_rows_add_int(entries, words->kind);
    syncd_rows_add_int(entries, words->actor);
    syncd_rows_add_int(entries, words->scope);
    syncd_rows_add_text(entries, header->object);
    syncd_rows_add_int(entries, (gint64)header->hlc.ms);
    return true;
}

void syncd_index_put_task(SyncdIndex *self, const SyncdTask *task)
{
    const SyncdRows *entries = self->pending->entries;
    guint n = syncd_rows_length(entries);
    g_assert(n > 0 && (guint64)syncd_rows_int(entries, n - 1, POS) == task->pos);
    g_array_append_val(self->pending->tasks, *task);
}

/* ---- and looked for there ---- */

guint64 syncd_index_pending_op(const SyncdIndex *self, const char *op)
{
    const SyncdRows *entries = self->pending->entries;
    for (guint i = syncd_rows_length(entries); i-- > 0;)
        if (syncd_bytes_are(syncd_rows_text(entries, i, OP), op))
            return (guint64)syncd_rows_int(entries, i, POS);
    return 0;
}

SyncdTask *syncd_index_pending_task(const SyncdIndex *self, guint64 pos)
{
    const GArray *tasks = self->pending->tasks;
    for (guint i = tasks->len; i-- > 0;)
        if (g_array_index(tasks, SyncdTask, i).pos == pos)
            return &g_array_index(tasks, SyncdTask, i);
    return NULL;
}
