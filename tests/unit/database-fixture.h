/*
 * A database of one table in a folder of its own: what the tests of SyncdDatabase share.
 */
#pragma once

#include "raw-sql.h"
#include "store-fixture.h"
#include "store/database.h"

#include <sys/stat.h>

#define ID 0x53595244

static const char first_sql[] = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT) STRICT;"
                                "PRAGMA user_version = 1;";
static const SyncdMigration first_steps[] = {{1, first_sql}};
static const SyncdMigrations first_version = {first_steps, 1};

typedef struct {
    char *folder;
    char *path;
    SyncdDatabaseKind kind;
} Place;

static inline void place_init(Place *p, const SyncdMigrations *migrations)
{
    p->folder = g_dir_make_tmp("syncd-database-XXXXXX", NULL);
    p->path = g_build_filename(p->folder, "test.db", NULL);
    p->kind = (SyncdDatabaseKind){.name = "test.db",
                                  .application_id = ID,
                                  .durability = SYNCD_DURABLE,
                                  .keep_old = true,
                                  .migrations = migrations};
}

static inline void place_clear(Place *p)
{
    fixture_remove(p->folder);
    g_free(p->folder);
    g_free(p->path);
}

static inline SyncdDatabase *open_good(Place *p, SyncdDatabaseMode mode)
{
    g_autoptr(GError) error = NULL;
    SyncdDatabase *db = syncd_database_open(p->path, &p->kind, mode, &error);
    g_assert_no_error(error);
    return db;
}

static inline void run(SyncdDatabase *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    syncd_database_run(db, sql, &error);
    g_assert_no_error(error);
}
