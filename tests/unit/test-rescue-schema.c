/*
 * A journal whose schema somebody else has changed: as a backup it will not do, and one of our own
 * is read, not written, and written anew by a plan.
 */
#include "raw-sql.h"
#include "rescue-fixture.h"

static void alter(const ServiceFixture *f, const char *name, const char *sql)
{
    g_autofree char *path = state_path(f, name);
    run_raw(path, sql);
}

#define REWRITE(sql) "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET " sql

static const struct {
    const char *sql, *said;
    bool ours; /* one of our own is read all the same */
} foreign[] = {
    /* Which may be a question that never ends. */
    {"CREATE VIEW more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
     " SELECT i FROM n",
     "unknown view more", false},
    {"CREATE VIRTUAL TABLE words USING fts5(word)", "unknown table words", false},
    {"CREATE TRIGGER more AFTER INSERT ON head BEGIN DELETE FROM content; END",
     "unknown trigger more", true},
    {"CREATE TABLE more (a, b AS (hex(zeroblob(a))))", "unknown table more", true},
    {"CREATE INDEX more ON entry (lower(header))", "unknown index more", true},
    {"DROP TRIGGER entry_update", "lacks the trigger entry_update", true},
    {"DROP TRIGGER entry_delete;"
     "CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT 1; END",
     "trigger entry_delete was changed", true},
    {REWRITE("sql = replace(sql, 'epoch >= 1', 'epoch >= 0') WHERE name = 'feed'"),
     "table feed was changed", true},
    {"ANALYZE", "unknown table sqlite_stat1", true},
};

static void a_backup_with_another_schema_will_not_do(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        ServiceFixture f;
        begin(&f);
        state_move(&f, "journal.db", "journal-backup.db");
        alter(&f, "journal-backup.db", foreign[i].sql);
        repair_open(&f, NULL);
        expect_no_way(&f, "journal-backup.db cannot be used");
        expect_no_way(&f, foreign[i].said);
        service_clear(&f);
    }
}

/* What cannot be read of it is nowhere else: it is read, not written, and made anew. */
static void our_own_with_another_schema_is_not_written(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        ServiceFixture f;
        g_autoptr(GError) error = NULL;
        begin(&f);
        alter(&f, "journal.db", foreign[i].sql);
        repair_open(&f, NULL);
        SyncdStore *store = f.service->store;
        const GError *problem = syncd_store_unreadable(store);
        g_assert_true((problem == NULL) == foreign[i].ours);
        problem = problem != NULL ? problem : syncd_journal_problem(store->journal);
        g_assert_error(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_assert_nonnull(strstr(problem->message, foreign[i].said));
        g_assert_false(syncd_store_may_write(store, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
        if (foreign[i].ours) {
            verify_all(&f);
            g_assert_true(is_found(&f, "log-damaged"));
            carry_out(&f, "journal-generation");
            expect_all(&f, ENTRIES);
        }
        service_clear(&f);
    }
}

/* As a program before that migration left it. */
static void as_version_4(const ServiceFixture *f)
{
    alter(f, "journal.db",
          "DROP TRIGGER lost_update; DROP TRIGGER lost_delete; DROP TRIGGER lost_insert;"
          "DROP TABLE lost; PRAGMA user_version = 4");
}

static void with_a_letter_changed(const ServiceFixture *f)
{
    alter(f, "journal.db",
          REWRITE("sql = replace(sql, 'order of arrival', 'order of arriwal')"
                  " WHERE name = 'entry'"));
}

static void expect_mended(ServiceFixture *f)
{
    g_assert_false(syncd_store_may_write(f->service->store, NULL));
    g_assert_cmpuint(count_operations(f), ==, ENTRIES);
    verify_all(f);
    g_assert_true(is_found(f, "log-damaged"));
    carry_out(f, "journal-generation");
    expect_all(f, ENTRIES);
}

/* Nobody looked at the schema before, and every entry is there. */
static void an_older_one_of_ours_with_another_schema_is_mended(void)
{
    ServiceFixture f;
    begin(&f);
    as_version_4(&f);
    with_a_letter_changed(&f);
    repair_open(&f, NULL);
    g_assert_null(syncd_store_unreadable(f.service->store));
    expect_mended(&f);
    service_clear(&f);
}

/* Where a migration does not go with it, nothing of it is changed, and somebody is told. */
static void one_that_cannot_be_migrated_stays_as_it_was(void)
{
    ServiceFixture f;
    gint64 version = 0;
    begin(&f);
    as_version_4(&f);
    alter(&f, "journal.db", "CREATE TABLE lost (a)");
    repair_open(&f, NULL);
    g_assert_error(syncd_store_unreadable(f.service->store), SYNCD_ERROR,
                   SYNCD_ERROR_JOURNAL_CORRUPT);
    expect_served(&f);
    service_close(&f);
    g_autofree char *path = state_path(&f, "journal.db");
    g_autoptr(SyncdDatabase) db =
        syncd_database_open_up_to(path, &syncd_journal_kind, SYNCD_DATABASE_EXISTING, 4, NULL);
    g_assert_true(syncd_statement_number(syncd_database_statement(db, "PRAGMA user_version"), 0,
                                         &version, NULL));
    g_assert_cmpint(version, ==, 4);
    g_clear_pointer(&db, syncd_database_free);
    repair_open(&f, NULL);
    service_clear(&f);
}

/* What is salvaged of our own is judged as our own, and written anew before it is in its place. */
static void what_is_salvaged_with_another_schema_is_mended(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {with_a_letter_changed, as_version_4};
    for (size_t i = 0; i < 1u << G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        for (size_t j = G_N_ELEMENTS(cases); j-- > 0;)
            if ((i & (size_t)1 << j) != 0)
                cases[j](&f);
        without_header(&f);
        repair_open(&f, NULL);
        expect_served(&f);
        restore(&f);
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

/* A copy from before a migration has the schema of its time; our own is migrated all the same, and
 * not written to. */
static void a_backup_of_an_earlier_version_is_held_against_that(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    g_autofree char *path = state_path(&f, "journal-old.db");
    for (unsigned version = 1; version < syncd_journal_migrations.n_steps; version++) {
        g_autoptr(SyncdDatabase) made = syncd_database_open_up_to(
            path, &syncd_journal_kind, SYNCD_DATABASE_CREATE, version, &error);
        g_assert_no_error(error);
        g_assert_true(syncd_database_empty_wal(made, NULL));
        g_clear_pointer(&made, syncd_database_free);
        made = syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_COPY, &error);
        g_assert_no_error(error);
        g_clear_pointer(&made, syncd_database_free);
        alter(&f, "journal-old.db", "CREATE TABLE more (a)");
        g_assert_null(syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_COPY, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_clear_error(&error);
        static const SyncdDatabaseMode ours[] = {SYNCD_DATABASE_OWN_COPY, SYNCD_DATABASE_EXISTING};
        for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
            made = syncd_database_open(path, &syncd_journal_kind, ours[i], &error);
            g_assert_no_error(error);
            g_assert_cmpstr(syncd_database_schema_fault(made), ==,
                            "the schema has an unknown table more");
            g_clear_pointer(&made, syncd_database_free);
        }
        alter(&f, "journal-old.db", "CREATE VIEW without_end AS SELECT 1; PRAGMA user_version = 4");
        for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
            g_assert_null(syncd_database_open(path, &syncd_journal_kind, ours[i], &error));
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
            g_clear_error(&error);
        }
        state_remove(&f, "journal-old.db");
    }
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-schema/a-backup-with-another-schema-will-not-do",
                    a_backup_with_another_schema_will_not_do);
    g_test_add_func("/rescue-schema/our-own-with-another-schema-is-not-written",
                    our_own_with_another_schema_is_not_written);
    g_test_add_func("/rescue-schema/a-backup-of-an-earlier-version-is-held-against-that",
                    a_backup_of_an_earlier_version_is_held_against_that);
    g_test_add_func("/rescue-schema/an-older-one-of-ours-with-another-schema-is-mended",
                    an_older_one_of_ours_with_another_schema_is_mended);
    g_test_add_func("/rescue-schema/one-that-cannot-be-migrated-stays-as-it-was",
                    one_that_cannot_be_migrated_stays_as_it_was);
    g_test_add_func("/rescue-schema/what-is-salvaged-with-another-schema-is-mended",
                    what_is_salvaged_with_another_schema_is_mended);
    return g_test_run();
}
