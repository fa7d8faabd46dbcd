#include "store/database-private.h"

#define ROLLBACK_ATTEMPTS 2u

void syncd_statement_free(void *data)
{
    SyncdStatement *statement = data;
    sqlite3_finalize(statement->stmt);
    g_free(statement);
}

SyncdStatement *syncd_database_statement(SyncdDatabase *db, const char *sql)
{
    SyncdStatement *statement = g_hash_table_lookup(db->statements, sql);
    if (statement == NULL) {
        statement = g_new0(SyncdStatement, 1);
        statement->db = db;
        g_hash_table_insert(db->statements, (void *)sql, statement);
    }
    if (statement->stmt == NULL)
        statement->rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                           &statement->stmt, NULL);
    return statement;
}

void syncd_statement_done(SyncdStatement *statement)
{
    if (statement == NULL)
        return;
    /* Without a statement (it could not be prepared) there is nothing to reset. */
    if (statement->stmt != NULL) {
        sqlite3_reset(statement->stmt);
        sqlite3_clear_bindings(statement->stmt);
    }
    statement->rc = SQLITE_OK;
    statement->next = 0;
}

/* A name is a literal: its address tells it from all others, and is found sooner than its text. */
static int parameter(SyncdStatement *statement, const char *name)
{
    for (unsigned i = 0; i < SYNCD_NAMES_AT_HAND; i++) {
        unsigned at = (statement->next + i) % SYNCD_NAMES_AT_HAND;
        if (statement->names[at] != name)
            continue;
        statement->next = at + 1;
        return (int)at + 1;
    }
    int index = sqlite3_bind_parameter_index(statement->stmt, name);
    /* A name that the statement does not have is a slip of ours, and must not pass as NULL. */
    if (index == 0 && statement->rc == SQLITE_OK)
        statement->rc = SQLITE_RANGE;
    if (index > 0 && index <= SYNCD_NAMES_AT_HAND)
        statement->names[index - 1] = name;
    return index;
}

static void note(SyncdStatement *statement, int rc)
{
    if (statement->rc == SQLITE_OK)
        statement->rc = rc;
}

void syncd_bind_int(SyncdStatement *statement, const char *name, gint64 value)
{
    note(statement, sqlite3_bind_int64(statement->stmt, parameter(statement, name), value));
}

void syncd_bind_text(SyncdStatement *statement, const char *name, const char *text)
{
    syncd_bind_text_bytes(statement, name, SYNCD_BYTES_TEXT(text));
}

void syncd_bind_text_bytes(SyncdStatement *statement, const char *name, SyncdBytes text)
{
    note(statement, sqlite3_bind_text64(statement->stmt, parameter(statement, name),
                                        text.size > 0 ? text.data : "", text.size, SQLITE_STATIC,
                                        SQLITE_UTF8));
}

void syncd_bind_blob(SyncdStatement *statement, const char *name, SyncdBytes blob)
{
    note(statement, sqlite3_bind_blob64(statement->stmt, parameter(statement, name),
                                        blob.size > 0 ? blob.data : "", blob.size, SQLITE_STATIC));
}

void syncd_bind_null(SyncdStatement *statement, const char *name)
{
    note(statement, sqlite3_bind_null(statement->stmt, parameter(statement, name)));
}

void syncd_bind_pointer(SyncdStatement *statement, const char *name, const void *pointer,
                        const char *type)
{
    note(statement, sqlite3_bind_pointer(statement->stmt, parameter(statement, name),
                                         (void *)pointer, type, NULL));
}

bool syncd_statement_next(SyncdStatement *statement, bool *ret_row, GError **error)
{
    if (statement->rc == SQLITE_OK) {
        int rc = sqlite3_step(statement->stmt);
        if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
            *ret_row = rc == SQLITE_ROW;
            return true;
        }
        statement->rc = rc;
    }
    syncd_database_set_error(statement->db, statement->rc, error);
    return false;
}

bool syncd_statement_run(SyncdStatement *statement, GError **error)
{
    bool row = false;
    bool ok = syncd_statement_next(statement, &row, error);
    syncd_statement_done(statement);
    return ok;
}

bool syncd_statement_number(SyncdStatement *statement, gint64 fallback, gint64 *ret_value,
                            GError **error)
{
    bool row = false;
    bool ok = syncd_statement_next(statement, &row, error);
    if (ok)
        *ret_value = row ? sqlite3_column_int64(statement->stmt, 0) : fallback;
    syncd_statement_done(statement);
    return ok;
}

bool syncd_statement_count(SyncdStatement *statement, guint64 *ret_count, GError **error)
{
    gint64 number;
    if (!syncd_statement_number(statement, 0, &number, error))
        return false;
    *ret_count = (guint64)number;
    return true;
}

bool syncd_statement_holds(SyncdStatement *statement, bool *ret_holds, GError **error)
{
    guint64 count;
    if (!syncd_statement_count(statement, &count, error))
        return false;
    *ret_holds = count > 0;
    return true;
}

bool syncd_statement_numbers(SyncdStatement *statement, GArray *numbers, GError **error)
{
    bool row = true, ok = true;
    while (ok && row) {
        ok = syncd_statement_next(statement, &row, error);
        guint64 number = ok && row ? (guint64)sqlite3_column_int64(statement->stmt, 0) : 0;
        if (ok && row)
            g_array_append_val(numbers, number);
    }
    syncd_statement_done(statement);
    return ok;
}

gint64 syncd_column_int(SyncdStatement *statement, int column)
{
    return sqlite3_column_int64(statement->stmt, column);
}

const char *syncd_column_text(SyncdStatement *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement->stmt, column);
    return text != NULL ? text : "";
}

/* One look for the column instead of one for each thing that is asked of it. What it finds is not
 * protected from other threads, and a connection has only one. */
SyncdBytes syncd_column_bytes(SyncdStatement *statement, int column)
{
    sqlite3_value *value = sqlite3_column_value(statement->stmt, column);
    const void *data = sqlite3_value_blob(value);
    return SYNCD_BYTES(data != NULL ? data : "", (size_t)sqlite3_value_bytes(value));
}

SyncdBytes syncd_column_optional(SyncdStatement *statement, int column)
{
    sqlite3_value *value = sqlite3_column_value(statement->stmt, column);
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return SYNCD_BYTES(NULL, 0);
    const void *data = sqlite3_value_blob(value);
    return SYNCD_BYTES(data != NULL ? data : "", (size_t)sqlite3_value_bytes(value));
}

bool syncd_column_is_null(SyncdStatement *statement, int column)
{
    return sqlite3_column_type(statement->stmt, column) == SQLITE_NULL;
}

int syncd_column_count(SyncdStatement *statement)
{
    return sqlite3_column_count(statement->stmt);
}

/* Numbers come before texts, texts before blobs, and nothing before all. */
static int rank_of(int type)
{
    return type == SQLITE_NULL ? 0 : type == SQLITE_TEXT ? 2 : type == SQLITE_BLOB ? 3 : 1;
}

int syncd_column_compare(SyncdStatement *statement, SyncdStatement *other, int column)
{
    int rank = rank_of(sqlite3_column_type(statement->stmt, column));
    int other_rank = rank_of(sqlite3_column_type(other->stmt, column));
    if (rank != other_rank || rank == 0)
        return rank - other_rank;
    if (rank == 1) {
        gint64 one = syncd_column_int(statement, column), two = syncd_column_int(other, column);
        return (one > two) - (one < two);
    }
    SyncdBytes one = syncd_column_bytes(statement, column), two = syncd_column_bytes(other, column);
    int order = memcmp(one.data, two.data, MIN(one.size, two.size));
    return order != 0 ? order : (one.size > two.size) - (one.size < two.size);
}

bool syncd_database_run(SyncdDatabase *db, const char *sql, GError **error)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return true;
    syncd_database_set_error(db, rc, error);
    return false;
}

static bool in_transaction(SyncdDatabase *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

/* At hand before there is anything to take back: when memory is short it cannot be prepared. */
static SyncdStatement *rollback_of(SyncdDatabase *db)
{
    return syncd_database_statement(db, "ROLLBACK");
}

bool syncd_database_begin(SyncdDatabase *db, GError **error)
{
    SyncdStatement *rollback = rollback_of(db);
    if (rollback->stmt == NULL) {
        syncd_database_set_error(db, rollback->rc, error);
        return false;
    }
    bool inside = in_transaction(db);
    if (syncd_statement_run(syncd_database_statement(db, "BEGIN IMMEDIATE"), error))
        return true;
    /* Without memory it may have begun all the same. */
    if (!inside)
        syncd_database_rollback(db);
    return false;
}

bool syncd_database_commit(SyncdDatabase *db, GError **error)
{
    if (syncd_statement_run(syncd_database_statement(db, "COMMIT"), error))
        return true;
    syncd_database_rollback(db);
    return false;
}

void syncd_database_rollback(SyncdDatabase *db)
{
    /* SQLite has rolled back by itself after some errors. Where memory was short only for a moment
     * it can be done the second time. */
    for (unsigned i = 0; i < ROLLBACK_ATTEMPTS && in_transaction(db); i++)
        syncd_statement_run(rollback_of(db), NULL);
}

bool syncd_database_number(SyncdDatabase *db, const char *sql, gint64 *ret_value, GError **error)
{
    return syncd_statement_number(syncd_database_statement(db, sql), 0, ret_value, error);
}
