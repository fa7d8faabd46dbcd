/*
 * A log that an older version wrote is brought up to date with nothing lost: the same rows, heads
 * and proofs, a copy of the file as it was, and a verification that finds nothing.
 */
#include "store-fixture.h"

#include "store/migrations.h"

#include <sqlite3.h>
#include <string.h>

#define ENTRIES 1100u /* two levels of tiles, and a tail */

/* What version 2 holds, as version 1 held it. */
static const char back_to_1[] =
    "PRAGMA application_id = 0x53595244;"
    "INSERT INTO meta SELECT * FROM now.meta;"
    "INSERT INTO feed SELECT * FROM now.feed;"
    "INSERT INTO entry SELECT pos, feed, seq, header FROM now.entry;"
    "INSERT INTO body SELECT pos, body FROM now.entry WHERE body IS NOT NULL;"
    "INSERT INTO head SELECT * FROM now.head;"
    "INSERT INTO checkpoint SELECT * FROM now.checkpoint;"
    "WITH level (n) AS (VALUES (0), (1))"
    "INSERT INTO tile SELECT feed, n, (seq + 1) / (32 << 5 * n) - 1,"
    " CAST(substr(tiles, 1 + 1024 * n, 1024) AS BLOB)"
    " FROM now.entry JOIN level ON length(tiles) > 1024 * n;"
    "DETACH now;";

static sqlite3 *open_raw(const char *path)
{
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    return db;
}

static void run_raw(sqlite3 *db, const char *sql)
{
    char *problem = NULL;
    sqlite3_exec(db, sql, NULL, NULL, &problem);
    g_assert_cmpstr(problem, ==, NULL);
}

static int add_row(void *text, int n, char **values, char **names)
{
    for (int i = 0; i < n; i++)
        g_string_append_printf(text, "%s|", values[i] != NULL ? values[i] : "null");
    g_string_append_c(text, '\n');
    return 0;
}

static char *read_rows(const char *path)
{
    static const char *const tables[] = {
        "SELECT name, value FROM meta ORDER BY name",
        "SELECT * FROM feed ORDER BY id",
        "SELECT pos, feed, seq, quote(header), quote(tiles), quote(body) FROM entry ORDER BY pos",
        "SELECT feed, size, quote(frontier), quote(tail), note FROM head ORDER BY feed",
        "SELECT * FROM checkpoint ORDER BY id",
    };
    GString *rows = g_string_new(NULL);
    sqlite3 *db = open_raw(path);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        g_assert_cmpint(sqlite3_exec(db, tables[i], add_row, rows, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
    return g_string_free(rows, FALSE);
}

static void make_older(const char *journal)
{
    g_autofree char *older = g_strconcat(journal, ".older", NULL);
    g_autofree char *attach = g_strdup_printf("ATTACH '%s' AS now", journal);
    sqlite3 *db = open_raw(older);
    run_raw(db, syncd_journal_migrations.steps[0].sql);
    run_raw(db, attach);
    run_raw(db, back_to_1);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_assert_cmpint(g_rename(older, journal), ==, 0);
}

static char *fill(Fixture *f, bool older)
{
    g_autoptr(GError) error = NULL;
    fixture_init(f, 7);
    fixture_open(f);
    fixture_fill(f, ENTRIES);
    syncd_store_keep_head(f->store, syncd_store_device_id(f->store), "checkpoint.write", &error);
    g_assert_no_error(error);
    SyncdReceipt receipt = fixture_append(f, "o", "key", "{}");
    syncd_receipt_clear(&receipt);
    fixture_commit(f);
    fixture_close(f);
    char *journal = g_build_filename(f->directory, "journal.db", NULL);
    if (older)
        make_older(journal);
    return journal;
}

static void the_first_version_is_brought_up_to_date(void)
{
    Fixture f;
    g_autofree char *journal = fill(&f, false);
    g_autofree char *before = read_rows(journal);
    g_assert_nonnull(strstr(before, "|NULL|")); /* most entries complete no tile */
    make_older(journal);

    fixture_open(&f);
    fixture_assert_sound(&f);
    SyncdReceipt receipt = fixture_append(&f, "o", NULL, "{}");
    syncd_receipt_clear(&receipt);
    fixture_commit(&f);
    fixture_assert_sound(&f);
    fixture_close(&f);

    g_autofree char *kept = g_strconcat(journal, ".before-2", NULL);
    sqlite3 *db = open_raw(kept);
    run_raw(db, syncd_journal_migrations.steps[1].sql);
    sqlite3_close(db);
    g_autofree char *after = read_rows(kept);
    g_assert_cmpstr(after, ==, before);
    fixture_clear(&f);
}

static void an_older_log_is_not_changed_by_looking_at_it(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    g_autofree char *journal = fill(&f, true), *before = NULL, *after = NULL;
    size_t size_before, size_after;
    g_assert_true(g_file_get_contents(journal, &before, &size_before, NULL));
    SyncdStoreOptions options = {.directory = f.directory,
                                 .mode = SYNCD_STORE_INSPECT,
                                 .sources = &f.sources,
                                 .machine = f.machine};
    g_assert_null(syncd_store_open(&options, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED);
    g_assert_nonnull(strstr(error->message, "older version"));
    g_assert_true(g_file_get_contents(journal, &after, &size_after, NULL));
    g_assert_cmpmem(before, size_before, after, size_after);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journal-versions/the-first-is-brought-up-to-date",
                    the_first_version_is_brought_up_to_date);
    g_test_add_func("/journal-versions/an-older-log-is-not-changed-by-looking-at-it",
                    an_older_log_is_not_changed_by_looking_at_it);
    return g_test_run();
}
