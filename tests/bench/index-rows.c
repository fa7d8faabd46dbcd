#include "index-rows.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
    char *name;
    int n_columns;
    guint64 n_rows;
    GByteArray *values; /* row after row: a Value and, of text and blobs, its bytes */
} Table;

typedef struct {
    int type;
    gint64 number; /* the value, or how many bytes follow */
} Value;

static void table_free(void *data)
{
    Table *table = data;
    g_free(table->name);
    g_byte_array_unref(table->values);
    g_free(table);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        g_error("%s: %s", sql, sqlite3_errmsg(db));
    return statement;
}

static void add(GByteArray *values, sqlite3_stmt *row, int column)
{
    Value value = {.type = sqlite3_column_type(row, column)};
    if (value.type == SQLITE_FLOAT)
        g_error("an index holds no floating point");
    bool bytes = value.type == SQLITE_TEXT || value.type == SQLITE_BLOB;
    value.number = bytes ? sqlite3_column_bytes(row, column) : sqlite3_column_int64(row, column);
    g_byte_array_append(values, (const guint8 *)&value, sizeof value);
    if (bytes && value.number > 0)
        g_byte_array_append(values, sqlite3_column_blob(row, column), (guint)value.number);
}

static Table *read_table(sqlite3 *db, const char *name)
{
    g_autofree char *sql = g_strdup_printf("SELECT * FROM \"%s\"", name);
    sqlite3_stmt *rows = prepare(db, sql);
    Table *table = g_new0(Table, 1);
    table->name = g_strdup(name);
    table->n_columns = sqlite3_column_count(rows);
    table->values = g_byte_array_new();
    for (; sqlite3_step(rows) == SQLITE_ROW; table->n_rows++)
        for (int i = 0; i < table->n_columns; i++)
            add(table->values, rows, i);
    sqlite3_finalize(rows);
    return table;
}

IndexRows index_rows_read(sqlite3 *db)
{
    IndexRows rows = {g_ptr_array_new_with_free_func(table_free), g_string_new(NULL),
                      g_string_new(NULL), 0};
    sqlite3_stmt *all =
        prepare(db, "SELECT type = 'table', name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
                    /* What is found by words keeps no rows of its own. */
                    " AND name NOT GLOB 'search_[dic]*' AND name <> 'search'");
    while (sqlite3_step(all) == SQLITE_ROW) {
        bool is_table = sqlite3_column_int(all, 0) != 0;
        const char *name = (const char *)sqlite3_column_text(all, 1);
        g_string_append_printf(is_table ? rows.make_tables : rows.make_lookups, "%s;",
                               (const char *)sqlite3_column_text(all, 2));
        if (!is_table)
            continue;
        Table *table = read_table(db, name);
        if (strcmp(name, "entry") == 0)
            rows.n_entries = table->n_rows;
        g_ptr_array_add(rows.tables, table);
    }
    sqlite3_finalize(all);
    return rows;
}

void index_rows_clear(IndexRows *rows)
{
    g_ptr_array_unref(rows->tables);
    g_string_free(rows->make_tables, TRUE);
    g_string_free(rows->make_lookups, TRUE);
}

static const guint8 *bind(sqlite3_stmt *insert, int parameter, const guint8 *at)
{
    Value value;
    memcpy(&value, at, sizeof value);
    at += sizeof value;
    switch (value.type) {
    case SQLITE_INTEGER:
        sqlite3_bind_int64(insert, parameter, value.number);
        return at;
    case SQLITE_TEXT:
        sqlite3_bind_text(insert, parameter, (const char *)at, (int)value.number, SQLITE_STATIC);
        return at + value.number;
    case SQLITE_BLOB:
        sqlite3_bind_blob(insert, parameter, at, (int)value.number, SQLITE_STATIC);
        return at + value.number;
    default:
        sqlite3_bind_null(insert, parameter);
        return at;
    }
}

static void insert_table(sqlite3 *db, const Table *table)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "INSERT INTO \"%s\" VALUES (?", table->name);
    for (int i = 1; i < table->n_columns; i++)
        g_string_append(sql, ", ?");
    g_string_append_c(sql, ')');
    sqlite3_stmt *insert = prepare(db, sql->str);
    const guint8 *at = table->values->data;
    for (guint64 row = 0; row < table->n_rows; row++) {
        for (int i = 0; i < table->n_columns; i++)
            at = bind(insert, i + 1, at);
        if (sqlite3_step(insert) != SQLITE_DONE)
            g_error("%s: %s", table->name, sqlite3_errmsg(db));
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
}

void index_rows_insert(sqlite3 *db, const IndexRows *rows)
{
    for (guint i = 0; i < rows->tables->len; i++)
        insert_table(db, rows->tables->pdata[i]);
}
