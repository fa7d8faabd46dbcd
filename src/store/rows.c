#include "store/rows.h"

#include "store/database-private.h"

typedef struct {
    bool is_text;
    gint64 number; /* the value, or where the text begins */
    size_t size;   /* of the text */
} Value;

struct SyncdRows {
    unsigned n_columns;
    GArray *values; /* Value, row after row */
    GString *texts;
};

SyncdRows *syncd_rows_new(unsigned n_columns)
{
    g_assert(n_columns >= 1 && n_columns <= SYNCD_ROWS_COLUMNS);
    SyncdRows *self = g_new(SyncdRows, 1);
    self->n_columns = n_columns;
    self->values = g_array_new(FALSE, FALSE, sizeof(Value));
    self->texts = g_string_new(NULL);
    return self;
}

void syncd_rows_free(SyncdRows *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->values);
    g_string_free(self->texts, TRUE);
    g_free(self);
}

void syncd_rows_add_int(SyncdRows *self, gint64 number)
{
    Value value = {.number = number};
    g_array_append_val(self->values, value);
}

void syncd_rows_add_text(SyncdRows *self, SyncdBytes text)
{
    Value value = {.is_text = true, .number = (gint64)self->texts->len, .size = text.size};
    g_array_append_val(self->values, value);
    if (text.size > 0) /* else it may be nowhere */
        syncd_text_append(self->texts, text);
}

void syncd_rows_clear(SyncdRows *self)
{
    g_array_set_size(self->values, 0);
    g_string_truncate(self->texts, 0);
}

guint syncd_rows_length(const SyncdRows *self)
{
    return self->values->len / self->n_columns;
}

static const Value *value_at(const SyncdRows *self, guint row, unsigned column)
{
    return &g_array_index(self->values, Value, row * self->n_columns + column);
}

gint64 syncd_rows_int(const SyncdRows *self, guint row, unsigned column)
{
    return value_at(self, row, column)->number;
}

SyncdBytes syncd_rows_text(const SyncdRows *self, guint row, unsigned column)
{
    const Value *value = value_at(self, row, column);
    return SYNCD_BYTES(self->texts->str + value->number, value->size);
}

/* ---- as SQLite sees them ---- */

#define POINTER_TYPE "syncd-rows"
#define WHICH SYNCD_ROWS_COLUMNS /* the hidden column, which an argument stands for */

static const char shape[] =
    "CREATE TABLE x (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, rows HIDDEN)";

typedef struct {
    sqlite3_vtab_cursor base;
    const SyncdRows *rows;
    const Value *at, *end; /* the row it is at, and past the last */
} Cursor;

static int connect_table(sqlite3 *db, void *data, int argc, const char *const *argv,
                         sqlite3_vtab **ret_table, char **ret_problem)
{
    sqlite3_vtab *table = sqlite3_malloc(sizeof *table);
    if (table == NULL)
        return SQLITE_NOMEM;
    *table = (sqlite3_vtab){0};
    *ret_table = table;
    sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
    return sqlite3_declare_vtab(db, shape);
}

static int disconnect_table(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

/* Always from the first row to the last, and of one argument. */
static int plan_walk(sqlite3_vtab *table, sqlite3_index_info *plan)
{
    for (int i = 0; i < plan->nConstraint; i++) {
        if (plan->aConstraint[i].iColumn != (int)WHICH || !plan->aConstraint[i].usable)
            continue;
        plan->aConstraintUsage[i].argvIndex = 1;
        plan->aConstraintUsage[i].omit = 1;
        return SQLITE_OK;
    }
    return SQLITE_CONSTRAINT;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
    Cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (cursor == NULL)
        return SQLITE_NOMEM;
    *cursor = (Cursor){.rows = NULL};
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int begin_walk(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                      sqlite3_value **argv)
{
    Cursor *cursor = (Cursor *)base;
    const SyncdRows *rows = argc == 1 ? sqlite3_value_pointer(argv[0], POINTER_TYPE) : NULL;
    if (rows == NULL)
        return SQLITE_MISUSE;
    cursor->rows = rows;
    cursor->at = (const Value *)(const void *)rows->values->data;
    cursor->end = cursor->at + (size_t)syncd_rows_length(rows) * rows->n_columns;
    return SQLITE_OK;
}

static int go_on(sqlite3_vtab_cursor *base)
{
    Cursor *cursor = (Cursor *)base;
    cursor->at += cursor->rows->n_columns;
    return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    const Cursor *cursor = (const Cursor *)base;
    return cursor->at == cursor->end;
}

static int give_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    const Cursor *cursor = (const Cursor *)base;
    if ((unsigned)column >= cursor->rows->n_columns)
        return SQLITE_OK; /* NULL */
    const Value *value = &cursor->at[column];
    if (value->is_text)
        sqlite3_result_text64(context, cursor->rows->texts->str + value->number, value->size,
                              SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_result_int64(context, value->number);
    return SQLITE_OK;
}

static int give_number(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_number)
{
    const Cursor *cursor = (const Cursor *)base;
    *ret_number = (cursor->end - cursor->at) / cursor->rows->n_columns;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect_table, /* and no xCreate: it is there without being made */
    .xDisconnect = disconnect_table,
    .xBestIndex = plan_walk,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = begin_walk,
    .xNext = go_on,
    .xEof = is_at_end,
    .xColumn = give_column,
    .xRowid = give_number,
};

int syncd_rows_register(sqlite3 *handle)
{
    return sqlite3_create_module_v2(handle, "syncd_rows", &module, NULL, NULL);
}

void syncd_bind_rows(SyncdStatement *statement, const char *name, const SyncdRows *rows)
{
    syncd_bind_pointer(statement, name, rows, POINTER_TYPE);
}
