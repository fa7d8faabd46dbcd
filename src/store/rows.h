/*
 * Rows in memory that SQL reads like a table, so that one statement inserts all of them: starting a
 * statement, finding its place in each tree and ending it costs as much as a row itself.
 *
 *   INSERT OR FAIL INTO t (a, b) SELECT c0, c1 FROM syncd_rows(:rows)
 *
 * Values are added one after the other, row by row, and are copied. `OR FAIL` where an error takes
 * the whole transaction back anyhow: then SQLite need not be able to take back the statement alone.
 */
#pragma once

#include "store/database.h"

#define SYNCD_ROWS_COLUMNS 13u /* c0 … c12; what a row does not have is NULL */

typedef struct SyncdRows SyncdRows;

SyncdRows *syncd_rows_new(unsigned n_columns);
void syncd_rows_free(SyncdRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRows, syncd_rows_free)

void syncd_rows_add_int(SyncdRows *rows, gint64 value);
void syncd_rows_add_text(SyncdRows *rows, SyncdBytes text);
void syncd_rows_clear(SyncdRows *rows); /* and keeps the room that it had */

guint syncd_rows_length(const SyncdRows *rows); /* rows that are whole */
gint64 syncd_rows_int(const SyncdRows *rows, guint row, unsigned column);
/* Until something is added. */
SyncdBytes syncd_rows_text(const SyncdRows *rows, guint row, unsigned column);

/* Borrowed until the statement is done, as other values are. */
void syncd_bind_rows(SyncdStatement *statement, const char *name, const SyncdRows *rows);
