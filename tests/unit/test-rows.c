/*
 * Rows in memory are a table to SQL: what was added comes out, in order and of its type, many rows
 * by one statement; and nothing but a pointer of ours is taken for one.
 */
#include "store-fixture.h"
#include "store/rows.h"

#define MANY 300u

static const SyncdMigration steps[] = {
    {1, "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL, size INTEGER, more TEXT)"
        " STRICT; CREATE UNIQUE INDEX thing_by_name ON thing (name); PRAGMA user_version = 1;"}};
static const SyncdMigrations migrations = {steps, 1};
static const SyncdDatabaseKind kind = {.name = "test.db",
                                       .application_id = 0x53595244,
                                       .durability = SYNCD_SCRATCH,
                                       .migrations = &migrations};

static SyncdDatabase *open_database(void)
{
    g_autoptr(GError) error = NULL;
    SyncdDatabase *db =
        syncd_database_open(SYNCD_DATABASE_IN_MEMORY, &kind, SYNCD_DATABASE_CREATE, &error);
    g_assert_no_error(error);
    return db;
}

static void add(SyncdRows *rows, gint64 id, const char *name, gint64 size)
{
    syncd_rows_add_int(rows, id);
    syncd_rows_add_text(rows, SYNCD_BYTES_TEXT(name));
    syncd_rows_add_int(rows, size);
}

static bool insert(SyncdDatabase *db, const SyncdRows *rows, GError **error)
{
    SyncdStatement *statement =
        syncd_database_statement(db, "INSERT OR FAIL INTO thing (id, name, size, more)"
                                     " SELECT c0, c1, c2, c3 FROM syncd_rows(:rows)");
    syncd_bind_rows(statement, ":rows", rows);
    return syncd_statement_run(statement, error);
}

static gint64 number(SyncdDatabase *db, const char *sql)
{
    gint64 value = -1;
    g_autoptr(GError) error = NULL;
    syncd_statement_number(syncd_database_statement(db, sql), -1, &value, &error);
    g_assert_no_error(error);
    return value;
}

static void one_statement_inserts_all_of_them(void)
{
    g_autoptr(SyncdDatabase) db = open_database();
    g_autoptr(SyncdRows) rows = syncd_rows_new(3);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("thing-%u", i);
        add(rows, i + 1, name, -(gint64)i);
    }
    g_assert_cmpuint(syncd_rows_length(rows), ==, MANY);
    insert(db, rows, &error);
    g_assert_no_error(error);
    g_assert_cmpint(number(db, "SELECT count(*) FROM thing"), ==, MANY);
    g_assert_cmpint(number(db, "SELECT count(*) FROM thing WHERE name = 'thing-' || (id - 1) AND"
                               " size = 1 - id AND typeof(size) = 'integer'"),
                    ==, MANY);
    /* What a row does not have is nothing. */
    g_assert_cmpint(number(db, "SELECT count(*) FROM thing WHERE more IS NULL"), ==, MANY);
}

static void values_are_read_back(void)
{
    g_autoptr(SyncdRows) rows = syncd_rows_new(3);
    add(rows, G_MAXINT64, "one", 0);
    add(rows, G_MININT64, "", 7);
    g_assert_cmpint(syncd_rows_int(rows, 0, 0), ==, G_MAXINT64);
    g_assert_cmpint(syncd_rows_int(rows, 1, 0), ==, G_MININT64);
    g_assert_true(syncd_bytes_are(syncd_rows_text(rows, 0, 1), "one"));
    g_assert_true(syncd_bytes_are(syncd_rows_text(rows, 1, 1), ""));
    syncd_rows_add_int(rows, 1);
    syncd_rows_add_text(rows, SYNCD_BYTES(NULL, 0));
    g_assert_cmpuint(syncd_rows_length(rows), ==, 2); /* two thirds of a row are none */
}

static void what_was_cleared_is_gone(void)
{
    g_autoptr(SyncdDatabase) db = open_database();
    g_autoptr(SyncdRows) rows = syncd_rows_new(3);
    g_autoptr(GError) error = NULL;
    add(rows, 1, "first", 1);
    syncd_rows_clear(rows);
    insert(db, rows, &error);
    g_assert_no_error(error);
    g_assert_cmpint(number(db, "SELECT count(*) FROM thing"), ==, 0);
    add(rows, 2, "second", 2);
    insert(db, rows, &error);
    g_assert_no_error(error);
    g_assert_cmpint(number(db, "SELECT id FROM thing WHERE name = 'second'"), ==, 2);
}

static void one_that_may_not_be_fails_all(void)
{
    g_autoptr(SyncdDatabase) db = open_database();
    g_autoptr(SyncdRows) rows = syncd_rows_new(3);
    g_autoptr(GError) error = NULL;
    add(rows, 1, "same", 1);
    add(rows, 2, "same", 2);
    syncd_database_begin(db, &error);
    g_assert_no_error(error);
    g_assert_false(insert(db, rows, &error));
    g_assert_nonnull(error);
    syncd_database_rollback(db);
    g_assert_cmpint(number(db, "SELECT count(*) FROM thing"), ==, 0);
}

static void only_rows_are_taken_for_rows(void)
{
    g_autoptr(SyncdDatabase) db = open_database();
    static const char *const others[] = {
        "INSERT INTO thing (id, name) SELECT c0, c1 FROM syncd_rows(:rows)", /* nothing bound */
        "INSERT INTO thing (id, name) SELECT c0, c1 FROM syncd_rows(12345678)",
        "INSERT INTO thing (id, name) SELECT c0, c1 FROM syncd_rows(x'00')",
        "INSERT INTO thing (id, name) SELECT c0, c1 FROM syncd_rows",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_statement_run(syncd_database_statement(db, others[i]), &error));
        g_assert_nonnull(error);
    }
    g_assert_cmpint(number(db, "SELECT count(*) FROM thing"), ==, 0);
}

/* A schema that somebody else wrote cannot reach for them. */
static void no_view_reads_them(void)
{
    g_autoptr(SyncdDatabase) db = open_database();
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_database_run(db, "CREATE VIEW v AS SELECT c0 FROM syncd_rows(1)", &error));
    g_assert_no_error(error);
    g_assert_false(syncd_statement_run(syncd_database_statement(db, "SELECT c0 FROM v"), &error));
    g_assert_nonnull(strstr(error->message, "syncd_rows"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rows/insert", one_statement_inserts_all_of_them);
    g_test_add_func("/rows/values", values_are_read_back);
    g_test_add_func("/rows/clear", what_was_cleared_is_gone);
    g_test_add_func("/rows/fail", one_that_may_not_be_fails_all);
    g_test_add_func("/rows/others", only_rows_are_taken_for_rows);
    g_test_add_func("/rows/view", no_view_reads_them);
    return g_test_run();
}
