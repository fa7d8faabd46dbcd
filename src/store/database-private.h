/* A database's inside, shared by the files that make it up. */
#pragma once

#include "store/database.h"

#include <sqlite3.h>

#define SYNCD_NAMES_AT_HAND 16

struct SyncdStatement {
    SyncdDatabase *db;
    sqlite3_stmt *stmt;
    int rc;                                 /* the first error of binding or stepping */
    const char *names[SYNCD_NAMES_AT_HAND]; /* of the first parameters, by address */
    unsigned next;                          /* of these: whoever binds in order finds his at once */
};

/* A file as it was seen last. */
typedef struct {
    bool known;
    guint64 device, inode;
    gint64 size;
} SyncdFilePlace;

/* What those who look at a database's file have in common with it, and outlives both: while there
 * are any, the WAL stays where it is. */
typedef struct {
    guint n;
    guint64 moved; /* so often some of the WAL was moved into the file, or may have been */
} SyncdLooks;

struct SyncdDatabase {
    sqlite3 *handle;
    const SyncdDatabaseKind *kind;
    SyncdDatabaseMode mode;
    char *path;
    bool wal_is_ours;       /* inspecting: SQLite makes an empty one where there was none */
    GHashTable *statements; /* const char * (by address) -> SyncdStatement * */
    int wal_pages;
    SyncdFilePlace file_place, wal_place;
    struct SyncdDatabaseSteps *steps; /* NULL: nothing is under way in steps */
    SyncdLooks *looks;                /* a reference-counted box */
    bool frozen;                      /* nothing is synced any more */
    bool held;                        /* nothing is moved */
    char *damage;                     /* what was found malformed first … */
    guint64 met_damage;               /* … so often anything was … */
    bool has_wrong_rows;              /* … and some of it pages do not show */
    SyncdDisplacement displaced;      /* what became of its files, as it was noted */
    char *schema_fault;               /* what its schema has that ours has not, or lacks */
};

/* Whether it has a file that this connection writes, and a WAL. */
bool syncd_database_is_written(const SyncdDatabase *db);

/* Long work (database-steps.c). What it borrows lives until the work has ended. */
typedef struct SyncdDatabaseTask SyncdDatabaseTask;
struct SyncdDatabaseTask {
    bool (*work)(SyncdDatabase *db, const SyncdDatabaseTask *task, GError **error);
    unsigned up_to; /* of migrating */
    SyncdStepLength length;
    const char *copy; /* of copying */
    bool compact;
    GPtrArray *faults; /* of checking */
};
/* Begins it, or goes on with what was begun, until it pauses. */
bool syncd_database_step(SyncdDatabase *db, const SyncdDatabaseTask *task, bool *ret_more,
                         GError **error);
/* While there are more. */
guint syncd_database_steps_taken(const SyncdDatabase *db);

/* The code that an error of SQLite means to us. */
void syncd_database_set_error(SyncdDatabase *db, int rc, GError **error);
bool syncd_database_had_no_room(sqlite3 *handle, int rc);
bool syncd_database_could_not_read(sqlite3 *handle);

/* At the open of one that others may have made. */
bool syncd_database_judge_schema(SyncdDatabase *db, GError **error);

/* rows.c: the table syncd_rows of a connection; SQLite's code. */
int syncd_rows_register(sqlite3 *handle);
/* lookups.c: the function syncd_lookups of a connection; SQLite's code. */
int syncd_lookups_register(sqlite3 *handle);
/* Borrowed until the statement is done. */
void syncd_bind_pointer(SyncdStatement *statement, const char *name, const void *pointer,
                        const char *type);

void syncd_statement_free(void *statement);
/* The first column of a literal's only row. */
bool syncd_database_number(SyncdDatabase *db, const char *sql, gint64 *ret_value, GError **error);

/* SQLite would make a file readable for others as far as the umask allows. Gives an errno. */
int syncd_create_private(const char *path, int flags);
