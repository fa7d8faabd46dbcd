/*
 * An index as text, and away with it: what the tests of its laws share.
 */
#pragma once

#include "store-fixture.h"

#include <sqlite3.h>

/* Every row that follows from the log, and what the tables are. */
static const char *const index_rows[] = {
    "SELECT * FROM cursor ORDER BY feed",
    "SELECT * FROM word ORDER BY id",
    "SELECT * FROM entry ORDER BY pos",
    "SELECT * FROM idempotency ORDER BY actor, scope, key",
    "SELECT * FROM tally ORDER BY kind",
    "SELECT * FROM scope ORDER BY id",
    "SELECT * FROM record ORDER BY family, id",
    "SELECT * FROM decision ORDER BY policy, id",
    "SELECT * FROM task ORDER BY pos",
    "SELECT * FROM dependency ORDER BY child, parent",
    "SELECT * FROM name ORDER BY family, name, scope",
    "SELECT * FROM lane_count ORDER BY rank, counter",
    "SELECT * FROM deletion ORDER BY scope, object",
    "SELECT * FROM file ORDER BY id",
    "SELECT * FROM file_change ORDER BY file, place",
    "SELECT * FROM content ORDER BY file, version",
    "SELECT * FROM content_chunk ORDER BY name, file, version",
    "SELECT * FROM mismatch ORDER BY file",
    "SELECT * FROM search_text ORDER BY id",
    "SELECT * FROM object ORDER BY scope, object",
    "SELECT name, sql FROM sqlite_schema ORDER BY name",
};

static inline void dump_rows(sqlite3 *db, const char *query, GString *text)
{
    sqlite3_stmt *rows;
    g_assert_cmpint(sqlite3_prepare_v2(db, query, -1, &rows, NULL), ==, SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(rows); c++) {
            char hex[129] = "";
            if (sqlite3_column_type(rows, c) == SQLITE_BLOB)
                syncd_hex_encode(sqlite3_column_blob(rows, c),
                                 MIN((size_t)sqlite3_column_bytes(rows, c), 64), hex);
            g_string_append_printf(text, "%s|",
                                   hex[0] ? hex : (const char *)sqlite3_column_text(rows, c));
        }
        g_string_append_c(text, '\n');
    }
    sqlite3_finalize(rows);
}

/* All of it, as text. */
static inline char *dump_index(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "index.db", NULL);
    GString *text = g_string_new(NULL);
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db,
                                 "CREATE VIRTUAL TABLE temp.word_of"
                                 " USING fts5vocab(main, search, instance)",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    for (size_t i = 0; i < G_N_ELEMENTS(index_rows); i++)
        dump_rows(db, index_rows[i], text);
    /* Which words it has of what; how it keeps them depends on when they came. */
    dump_rows(db, "SELECT term, doc FROM temp.word_of ORDER BY term, doc", text);
    sqlite3_close(db);
    return g_string_free(text, FALSE);
}

static inline void remove_index(Fixture *f)
{
    g_autofree char *index = g_build_filename(f->directory, "index.db", NULL);
    g_autofree char *wal = g_strconcat(index, "-wal", NULL);
    g_unlink(index);
    g_unlink(wal);
}
