#include "power-migration.h"

#include "store/index-private.h"
#include "store/journal-private.h"

#include "store/database-private.h"

#include <string.h>

#define MAX_STEPS 32
#define MAX_NEW_STEPS 2

static const struct {
    const char *file;
    const SyncdDatabaseKind *shipped;
    const char *new_steps[MAX_NEW_STEPS]; /* without their numbers */
} databases[] = {
    [POWER_JOURNAL] =
        {"journal.db",
         &syncd_journal_kind,
         {"CREATE TABLE weighed (pos INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;"
          "INSERT INTO weighed SELECT pos, length(header) FROM entry;",
          "CREATE INDEX weighed_by_size ON weighed (size);"}},
    [POWER_INDEX] =
        {"index.db",
         &syncd_index_kind,
         {"CREATE TABLE weighed (pos INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;"
          "INSERT INTO weighed SELECT pos, length(op) FROM entry;"}},
};

/* A kind of database as the next version of this program would have it. */
typedef struct {
    SyncdDatabaseKind kind;
    SyncdMigrations migrations;
    SyncdMigration steps[MAX_STEPS];
    size_t n_shipped;
    char *sql[MAX_NEW_STEPS];
    char *go_back;
} Next;

static void next_init(Next *next, PowerDatabase which)
{
    const SyncdMigrations *shipped = databases[which].shipped->migrations;
    size_t n = shipped->n_steps;
    g_assert_cmpuint(n + MAX_NEW_STEPS, <=, MAX_STEPS);
    *next = (Next){.kind = *databases[which].shipped, .n_shipped = n};
    memcpy(next->steps, shipped->steps, n * sizeof *next->steps);
    for (size_t i = 0; i < MAX_NEW_STEPS && databases[which].new_steps[i] != NULL; i++) {
        next->sql[i] = g_strdup_printf("%s PRAGMA user_version = %u;",
                                       databases[which].new_steps[i], (unsigned)n + 1);
        next->steps[n] = (SyncdMigration){(unsigned)n + 1, next->sql[i]};
        n++;
    }
    next->migrations = (SyncdMigrations){next->steps, n};
    next->kind.migrations = &next->migrations;
    next->go_back = g_strdup_printf("BEGIN; DROP TABLE weighed; PRAGMA user_version = %u; COMMIT;",
                                    (unsigned)next->n_shipped);
}

static void next_clear(Next *next)
{
    for (size_t i = 0; i < MAX_NEW_STEPS; i++)
        g_free(next->sql[i]);
    g_free(next->go_back);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Next, next_clear)

void power_migrate(const char *state, PowerDatabase which)
{
    g_auto(Next) next = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(state, databases[which].file, NULL);
    next_init(&next, which);
    SyncdDatabase *db = syncd_database_open(path, &next.kind, SYNCD_DATABASE_EXISTING, &error);
    g_assert_no_error(error);
    syncd_database_free(db);
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

static char *judge_copy(const char *path, const Next *next, bool must_be, gint64 entries)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *copy = g_strdup_printf("%s.before-%u", path, (unsigned)next->n_shipped + 1);
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

/* Whatever of it was done, the rest must be possible. */
static char *finish(SyncdDatabase *db, const Next *next, const char *file, gint64 entries)
{
    g_autoptr(GError) error = NULL;
    if (!syncd_database_migrate(db, G_MAXUINT, &error))
        return g_strdup_printf("%s cannot be migrated: %s", file, error->message);
    char *fault = fault_of(db, file);
    if (fault == NULL && number(db, "SELECT count(*) FROM weighed") != entries)
        fault = g_strdup_printf("%s was migrated in part", file);
    if (fault == NULL && !syncd_database_run(db, next->go_back, &error))
        fault = g_strdup_printf("%s cannot go back: %s", file, error->message);
    return fault;
}

static char *judge(const char *state, PowerDatabase which, bool done)
{
    g_auto(Next) next = {0};
    g_autoptr(GError) error = NULL;
    const char *file = databases[which].file;
    g_autofree char *path = g_build_filename(state, file, NULL);
    next_init(&next, which);
    g_autoptr(SyncdDatabase) db =
        syncd_database_open_up_to(path, &next.kind, SYNCD_DATABASE_EXISTING, 0, &error);
    if (db == NULL)
        return g_strdup_printf("%s cannot be opened: %s", file, error->message);

    gint64 version = number(db, "PRAGMA user_version");
    gint64 entries = number(db, "SELECT count(*) FROM entry");
    if (version < (gint64)next.n_shipped || (done && version != (gint64)next.migrations.n_steps))
        return g_strdup_printf("%s is of version %d", file, (int)version);
    char *fault = which == POWER_JOURNAL
                      ? judge_copy(path, &next, version > (gint64)next.n_shipped, entries)
                      : NULL;
    return fault != NULL ? fault : finish(db, &next, file, entries);
}

char *power_judge_migration(const char *state, bool done)
{
    char *fault = judge(state, POWER_JOURNAL, done);
    return fault != NULL ? fault : judge(state, POWER_INDEX, false);
}
