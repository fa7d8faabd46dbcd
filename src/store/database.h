/*
 * A SQLite database as this project uses it: one connection that owns the file.
 *
 * locking_mode=EXCLUSIVE and WAL: a second connection is never opened, because SQLite 3.40.1 has a
 * bug in resetting the WAL that two connections can trigger, and because an exclusive open works on
 * a full disk. The schema comes from numbered migrations; a newer one than ours is refused and
 * nothing is deleted.
 *
 * Statements are string literals, prepared once and kept; parameters are bound by name, which is a
 * literal too. A
 * SyncdStatement collects the first error of binding and stepping, so that a caller checks once.
 * SQLite's codes become ours: full disk NoSpace, damage JournalCorrupt, everything of the disk
 * StorageFailed.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "store/migrations.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdDatabase SyncdDatabase;
typedef struct SyncdStatement SyncdStatement;

typedef enum {
    SYNCD_DURABLE, /* a COMMIT that returned survives a power cut */
    SYNCD_ORDERED, /* a power cut may take back the last commits, but damages nothing */
    SYNCD_SCRATCH, /* nothing is promised until the file is closed and synced: for a file that is
                      still being made */
} SyncdDurability;

typedef struct {
    const char *name; /* for messages: "journal.db" */
    const char *next; /* what to do where it is damaged; NULL: as its error says of itself */
    int application_id;
    SyncdDurability durability;
    bool keep_old; /* copy the file before a migration */
    /* Others may have made it: its schema is held against that of its version before anything of it
     * is used. A copy whose schema is another is refused. Our own is read all the same, and brought
     * up to date without its triggers, unless it has what a question may never end in. */
    bool foreign;
    const SyncdMigrations *migrations;
    const char *check; /* a statement that fails where a table of another module is malformed, which
                          is told with the structure; NULL: there is none */
} SyncdDatabaseKind;

typedef enum {
    SYNCD_DATABASE_EXISTING, /* NotInitialized for an empty file */
    SYNCD_DATABASE_CREATE,
    SYNCD_DATABASE_INSPECT,  /* existing, never written: no migration, no checkpoint, no change to
                                any byte */
    SYNCD_DATABASE_COPY,     /* the same, of any version that is known */
    SYNCD_DATABASE_OWN_COPY, /* the same, of one that we made of our own */
    SYNCD_DATABASE_BESIDE,   /* the same, of one that is open and keeps still (store/structure.h) */
} SyncdDatabaseMode;

/* A path of no file: the database lies in memory and is SYNCD_SCRATCH. */
#define SYNCD_DATABASE_IN_MEMORY ":memory:"
SyncdDatabase *syncd_database_open(const char *path, const SyncdDatabaseKind *kind,
                                   SyncdDatabaseMode mode, GError **error);
/* Opens without running migrations above `up_to`; a rebuild makes its indexes last this way. */
SyncdDatabase *syncd_database_open_up_to(const char *path, const SyncdDatabaseKind *kind,
                                         SyncdDatabaseMode mode, unsigned up_to, GError **error);
/* Looks at one that SQLite cannot open as if it had these pages (store/salvage.h). */
typedef struct SyncdVfsPages SyncdVfsPages; /* store/vfs.h */
SyncdDatabase *syncd_database_open_salvaged(const char *path, const SyncdDatabaseKind *kind,
                                            const SyncdVfsPages *salvaged, GError **error);
bool syncd_database_migrate(SyncdDatabase *db, unsigned up_to, GError **error);
/* Long ones sort more at once, which is sooner done. */
typedef enum { SYNCD_STEPS_LONG, SYNCD_STEPS_SHORT } SyncdStepLength;
/* The same in steps that have an end however long a table is. As with all work in steps: while
 * `*ret_more`, no function of the database may be called but this one, with what it was called with
 * first, those below and free, which begins with giving it up. */
bool syncd_database_migrate_step(SyncdDatabase *db, unsigned up_to, SyncdStepLength length,
                                 bool *ret_more, GError **error);
bool syncd_database_is_in_steps(const SyncdDatabase *db);
/* How much of the file was read for what is under way, 0 to 1. */
double syncd_database_step_part(const SyncdDatabase *db);
/* Gives up what is under way, and takes back what it changed. */
void syncd_database_stop_steps(SyncdDatabase *db);
void syncd_database_free(SyncdDatabase *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdDatabase, syncd_database_free)

/* `sql` is a string literal: its address is the key under which the prepared statement is kept.
 * Never NULL; an error shows when it is stepped. */
SyncdStatement *syncd_database_statement(SyncdDatabase *db, const char *sql);
/* Ends a use: resets, and drops the bindings. */
void syncd_statement_done(SyncdStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdStatement, syncd_statement_done)

void syncd_bind_int(SyncdStatement *statement, const char *name, gint64 value);
/* Borrowed until the statement is done. */
void syncd_bind_text(SyncdStatement *statement, const char *name, const char *text);
void syncd_bind_text_bytes(SyncdStatement *statement, const char *name, SyncdBytes text);
void syncd_bind_null(SyncdStatement *statement, const char *name);
void syncd_bind_blob(SyncdStatement *statement, const char *name, SyncdBytes blob);

/* One row further. `ret_row` false at the end. */
bool syncd_statement_next(SyncdStatement *statement, bool *ret_row, GError **error);
/* Runs a statement that gives no rows, and is done with it. */
bool syncd_statement_run(SyncdStatement *statement, GError **error);
/* The first column of the only row as a number; `fallback` when there is no row. And is done with
 * it. */
bool syncd_statement_number(SyncdStatement *statement, gint64 fallback, gint64 *ret_value,
                            GError **error);
/* The same for what is never negative, 0 when there is no row; and for whether it is more than
 * that. */
bool syncd_statement_count(SyncdStatement *statement, guint64 *ret_count, GError **error);
bool syncd_statement_holds(SyncdStatement *statement, bool *ret_holds, GError **error);
/* The first columns of all rows behind what is in `numbers` (guint64). And is done with it. */
bool syncd_statement_numbers(SyncdStatement *statement, GArray *numbers, GError **error);

gint64 syncd_column_int(SyncdStatement *statement, int column);
const char *syncd_column_text(SyncdStatement *statement,
                              int column); /* valid until the next step */
SyncdBytes syncd_column_bytes(SyncdStatement *statement, int column);
/* The same, without data where there is NULL. */
SyncdBytes syncd_column_optional(SyncdStatement *statement, int column);
bool syncd_column_is_null(SyncdStatement *statement, int column);
int syncd_column_count(SyncdStatement *statement);
/* In the order that SQLite sorts by: below 0 when it is less than that of the other one's row. */
int syncd_column_compare(SyncdStatement *statement, SyncdStatement *other, int column);

/* A message, or a sentence made of one, for people: without the number that SQLite gives to it. For
 * g_free(). */
char *syncd_database_without_code(const char *message);
/* What was found malformed in it first, since it was opened; NULL: nothing was. */
const char *syncd_database_damage(const SyncdDatabase *db);
/* So often something was. */
guint64 syncd_database_met_damage(const SyncdDatabase *db);
/* What was met is also in rows that contradict each other, which its structure does not show. */
bool syncd_database_has_wrong_rows(const SyncdDatabase *db);
/* It was read again, and is sound. */
void syncd_database_forget_damage(SyncdDatabase *db);
/* What is asked next is read from the files, as far as nobody is using it. */
void syncd_database_forget_pages(SyncdDatabase *db);

/* Runs one or more statements of a literal. */
bool syncd_database_run(SyncdDatabase *db, const char *sql, GError **error);
bool syncd_database_begin(SyncdDatabase *db, GError **error);
bool syncd_database_commit(SyncdDatabase *db, GError **error);
void syncd_database_rollback(SyncdDatabase *db);

/* All of it in a file of its own, with what is in the WAL: durable, and its name appears only when
 * it is whole. */
bool syncd_database_copy(SyncdDatabase *db, const char *copy, GError **error);
/* The same in steps. */
typedef enum {
    SYNCD_COPY_AS_IT_IS,
    SYNCD_COPY_COMPACT, /* written anew, without pages that nothing uses */
} SyncdCopyKind;
bool syncd_database_copy_step(SyncdDatabase *db, const char *copy, SyncdCopyKind kind,
                              bool *ret_more, GError **error);
typedef enum {
    SYNCD_IN_ITS_PLACE,
    SYNCD_WAS_REMOVED,
    SYNCD_WAS_REPLACED,
    SYNCD_WAS_CUT_SHORT,
    SYNCD_WAS_OVERWRITTEN, /* what was malformed in it led to a look at its header */
} SyncdDisplacement;
/* What became of its files since they were opened, where they are not those at their paths any
 * more, or were cut short or overwritten, in words; NULL: nothing did. `ret_what` may be NULL.
 * Costs a look at each.
 */
char *syncd_database_displacement(SyncdDatabase *db, SyncdDisplacement *ret_what);
/* The same, of one that is as well read where it is: remembered as damage. True where it was seen
 * now for the first time. */
bool syncd_database_note_displacement(SyncdDatabase *db);
/* Whether that is that its files were removed or replaced: what is open is whole. */
bool syncd_database_is_elsewhere(const SyncdDatabase *db);

/* Both of its files stay as they were found, also by closing, as long as it is held and nothing is
 * written: what is behind the end of a damaged WAL is in no other file. */
void syncd_database_hold(SyncdDatabase *db, bool held);
bool syncd_database_is_held(const SyncdDatabase *db);
/* From now on nothing is moved or synced, also not by closing: after a sync that failed one that
 * succeeds proves nothing, and what is removed next needs none. */
void syncd_database_freeze(SyncdDatabase *db);
/* Moves the WAL into the database once it has grown past so many pages; later, where somebody looks
 * at the file (store/structure.h). */
bool syncd_database_checkpoint(SyncdDatabase *db, int beyond_pages, GError **error);
/* Moves all of the WAL into the database, durably, and leaves nothing in it: what was overwritten
 * or freed in the database is in neither of the two any more. */
bool syncd_database_empty_wal(SyncdDatabase *db, GError **error);
/* What was found first, at the open, that is not so with its schema; NULL: nothing was. */
const char *syncd_database_schema_fault(const SyncdDatabase *db);
/* Whether the schema is exactly what the migrations make: appends one line (char *) a fault. */
bool syncd_database_check_schema(SyncdDatabase *db, GPtrArray *faults, GError **error);
/* SQLite's own check of the file's structure, in the same manner. Takes as long as reading the
 * whole file. */
bool syncd_database_check_structure(SyncdDatabase *db, GPtrArray *faults, GError **error);
/* The same in steps: until they have ended, `faults` is the check's. */
bool syncd_database_check_structure_step(SyncdDatabase *db, GPtrArray *faults, bool *ret_more,
                                         GError **error);
