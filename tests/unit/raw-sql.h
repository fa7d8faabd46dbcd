/*
 * A database that nobody has open, as somebody else finds it and changes it: with a connection of
 * its own, as SQLite has it.
 */
#pragma once

#include <glib.h>
#include <sqlite3.h>

static inline sqlite3 *open_raw(const char *path)
{
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    return db;
}

static inline void exec_raw(sqlite3 *db, const char *sql)
{
    char *problem = NULL;
    sqlite3_exec(db, sql, NULL, NULL, &problem);
    g_assert_cmpstr(problem, ==, NULL);
}

static inline void run_raw(const char *path, const char *sql)
{
    sqlite3 *db = open_raw(path);
    exec_raw(db, sql);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

/* Where no trigger refuses it. */
static inline void forge_raw(const char *path, const char *sql)
{
    sqlite3 *db = open_raw(path);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    exec_raw(db, sql);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

/* The first column of the first row. */
static inline char *ask_raw(const char *path, const char *sql)
{
    sqlite3 *db = open_raw(path);
    sqlite3_stmt *rows;
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(rows), ==, SQLITE_ROW);
    char *text = g_strdup((const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    return text;
}

static inline void assert_answer(const char *path, const char *sql, const char *expected)
{
    g_autofree char *answer = ask_raw(path, sql);
    g_assert_cmpstr(answer, ==, expected);
}
