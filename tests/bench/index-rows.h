/*
 * The rows of an index, whatever its tables are, held in memory and inserted into another file:
 * what making an index anew is measured beside.
 */
#pragma once

#include <glib.h>
#include <sqlite3.h>

typedef struct {
    GPtrArray *tables;
    GString *make_tables;
    GString *make_lookups; /* the indexes */
    guint64 n_entries;
} IndexRows;

IndexRows index_rows_read(sqlite3 *db);
void index_rows_clear(IndexRows *rows);
/* Table after table, each in its own order, into tables that are there and empty. */
void index_rows_insert(sqlite3 *db, const IndexRows *rows);
