/*
 * Rows are held against the places that are known by one statement: whatever is missing, doubled,
 * exchanged, too many or not there at all makes a difference, and nothing but a pointer of ours is
 * taken for places.
 */
#include "store-fixture.h"
#include "store/lookups.h"

#define FIRST 7
#define N 5

static const SyncdMigration steps[] = {
    {1, "CREATE TABLE walked (at INTEGER PRIMARY KEY, seq, pos); PRAGMA user_version = 1;"}};
static const SyncdMigrations migrations = {steps, 1};
static const SyncdDatabaseKind kind = {.name = "test.db",
                                       .application_id = 0x53595244,
                                       .durability = SYNCD_SCRATCH,
                                       .migrations = &migrations};

static const guint64 numbers[N] = {20, 21, 23, 40, 41};
static const SyncdLookups places = {FIRST, numbers, N};

/* What the statement says of the places 7 to 11 once one thing about its rows was changed. */
static gint64 told(const SyncdLookups *of, const char *change)
{
    gint64 right = -1;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdDatabase) db =
        syncd_database_open(SYNCD_DATABASE_IN_MEMORY, &kind, SYNCD_DATABASE_CREATE, &error);
    g_assert_no_error(error);
    syncd_database_run(db,
                       "INSERT INTO walked VALUES (1, 7, 20), (2, 8, 21), (3, 9, 23), (4, 10, 40),"
                       " (5, 11, 41)",
                       &error);
    g_assert_no_error(error);
    syncd_database_run(db, change, &error);
    g_assert_no_error(error);
    SyncdStatement *rows =
        syncd_database_statement(db, "SELECT syncd_lookups(:lookups, seq, pos) FROM walked");
    if (of != NULL)
        syncd_bind_lookups(rows, ":lookups", of);
    syncd_statement_number(rows, -1, &right, &error);
    g_assert_no_error(error);
    return right;
}

static void the_same_places_are_right(void)
{
    g_assert_cmpint(told(&places, "SELECT 1"), ==, 1);
}

static void any_difference_is_seen(void)
{
    static const char *const changes[] = {
        "DELETE FROM walked WHERE at = 1",
        "DELETE FROM walked WHERE at = 3",
        "DELETE FROM walked WHERE at = 5",
        "DELETE FROM walked",
        "INSERT INTO walked VALUES (6, 12, 42)",
        "INSERT INTO walked VALUES (0, 7, 20)",
        "UPDATE walked SET pos = 22 WHERE at = 3",
        "UPDATE walked SET seq = 8 WHERE at = 1",
        "UPDATE walked SET seq = 10, pos = 40 WHERE at = 3",
        "UPDATE walked SET pos = CASE at WHEN 1 THEN 21 ELSE 20 END WHERE at <= 2",
        "UPDATE walked SET at = CASE at WHEN 4 THEN 105 ELSE 104 END WHERE at >= 4",
        "UPDATE walked SET pos = NULL WHERE at = 2",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        if (told(&places, changes[i]) != 0)
            g_error("not seen: %s", changes[i]);
}

static void only_places_are_taken_for_places(void)
{
    SyncdLookups none = {FIRST, numbers, 0};
    g_assert_cmpint(told(NULL, "SELECT 1"), ==, 0);
    g_assert_cmpint(told(&none, "SELECT 1"), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lookups/the-same-are-right", the_same_places_are_right);
    g_test_add_func("/lookups/any-difference", any_difference_is_seen);
    g_test_add_func("/lookups/only-places", only_places_are_taken_for_places);
    return g_test_run();
}
