#include "power-migration.h"

#include "store/index-private.h"
#include "store/journal-private.h"

#include "store/database-private.h"

#include <string.h>

#define FIRST_NEW 2 /* the journal's */

static const SyncdMigration journal_steps_after[] = {
    {2, "CREATE TABLE seen (pos INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;"
        "INSERT INTO seen SELECT pos, length(header) FROM entry;"
        "PRAGMA user_version = 2;"},
    {3, "CREATE INDEX seen_by_size ON seen (size); PRAGMA user_version = 3;"},
};
static const SyncdMigration index_steps_after[] = {
    {3, "CREATE TABLE seen (pos INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;"
        "INSERT INTO seen SELECT pos, length(op) FROM entry;"
        "PRAGMA user_version = 3;"},
};

typedef struct {
    const char *file;
    const SyncdDatabaseKind *shipped;
    const SyncdMigration *after;
    size_t n_after;
    const char *go_back;
} Kind;

static const Kind kinds[] = {
    [POWER_JOURNAL] = {"journal.db", &syncd_journal_kind, journal_steps_after,
                       G_N_ELEMENTS(journal_steps_after),
                       "BEGIN; DROP TABLE seen; PRAGMA user_version = 1; COMMIT;"},
    [POWER_INDEX] = {"index.db", &syncd_index_kind, index_steps_after,
                     G_N_ELEMENTS(index_steps_after),
                     "BEGIN; DROP TABLE seen; PRAGMA user_version = 2; COMMIT;"},
};

/* A kind of the next version, and the steps that it refers to. */
typedef struct {
    SyncdDatabaseKind kind;
    SyncdMigrations migrations;
    SyncdMigration steps[8];
} Next;

static void make_next(const Kind *of, Next *next)
{
    const SyncdMigrations *shipped = of->shipped->migrations;
    size_t n = shipped->n_steps;
    g_assert_cmpuint(n + of->n_after, <=, G_N_ELEMENTS(next->steps));
    g_assert_cmpuint(of->after[0].number, ==, n + 1);
    memcpy(next->steps, shipped->steps, n * sizeof *next->steps);
    memcpy(next->steps + n, of->after, of->n_after * sizeof *next->steps);
    next->migrations = (SyncdMigrations){next->steps, n + of->n_after};
    next->kind = *of->shipped;
    next->kind.migrations = &next->migrations;
}

void power_migrate(const char *state, PowerDatabase which)
{
    Next next;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(state, kinds[which].file, NULL);
    make_next(&kinds[which], &next);
    g_autoptr(SyncdDatabase) db =
        syncd_database_open(path, &next.kind, SYNCD_DATABASE_EXISTING, &error);
    g_assert_no_error(error);
}

static gint64 number(SyncdDatabase *db, const char *sql)
{
    gint64 value;
    g_autoptr(GError) error = NULL;
    syncd_database_number(db, sql, &value, &error);
    g_assert_no_error(error);
    return value;
}

static char *fault_of(SyncdDatabase *db, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    if (!syncd_database_check_structure(db, faults, &error) ||
        !syncd_database_check_schema(db, faults, &error))
        return g_strdup_printf("%s cannot be checked: %s", file, error->message);
    return faults->len > 0 ? g_strdup_printf("%s: %s", file, (char *)faults->pdata[0]) : NULL;
}

static char *judge_copy(const char *path, bool must_be, gint64 entries)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *copy = g_strdup_printf("%s.before-%d", path, FIRST_NEW);
    if (!g_file_test(copy, G_FILE_TEST_EXISTS))
        return must_be ? g_strdup("the journal was changed and there is no copy of it") : NULL;
    g_autoptr(SyncdDatabase) db =
        syncd_database_open(copy, &syncd_journal_kind, SYNCD_DATABASE_EXISTING, &error);
    if (db == NULL)
        return g_strdup_printf("the copy of the journal cannot be opened: %s", error->message);
    char *fault = fault_of(db, "the copy of the journal");
    if (fault == NULL && number(db, "SELECT count(*) FROM entry") != entries)
        fault = g_strdup("the copy of the journal lacks entries");
    return fault;
}

static char *judge(const char *state, PowerDatabase which, bool done)
{
    Next next;
    g_autoptr(GError) error = NULL;
    const Kind *of = &kinds[which];
    g_autofree char *path = g_build_filename(state, of->file, NULL);
    make_next(of, &next);
    g_autoptr(SyncdDatabase) db =
        syncd_database_open_up_to(path, &next.kind, SYNCD_DATABASE_EXISTING, 0, &error);
    if (db == NULL)
        return g_strdup_printf("%s cannot be opened: %s", of->file, error->message);

    size_t shipped = of->shipped->migrations->n_steps;
    gint64 version = number(db, "PRAGMA user_version");
    gint64 entries = number(db, "SELECT count(*) FROM entry");
    bool changed = version > (gint64)shipped;
    if (done && version != (gint64)next.migrations.n_steps)
        return g_strdup_printf("%s is of version %d", of->file, (int)version);
    char *fault = which == POWER_JOURNAL ? judge_copy(path, changed, entries) : NULL;
    if (fault == NULL && !syncd_database_migrate(db, G_MAXUINT, &error))
        fault = g_strdup_printf("%s cannot be migrated: %s", of->file, error->message);
    if (fault == NULL)
        fault = fault_of(db, of->file);
    if (fault == NULL && number(db, "SELECT count(*) FROM seen") != entries)
        fault = g_strdup_printf("%s was migrated in part", of->file);
    if (fault == NULL && !syncd_database_run(db, of->go_back, &error))
        fault = g_strdup_printf("%s cannot go back: %s", of->file, error->message);
    return fault;
}

char *power_judge_migration(const char *state, bool done)
{
    char *fault = judge(state, POWER_JOURNAL, done);
    return fault != NULL ? fault : judge(state, POWER_INDEX, false);
}
