/*
 * Long work with a database goes in steps, each of so many pages or instructions however large the
 * file is, and changes nothing when it is given up between any two of them.
 */
#include "database-fixture.h"
#include "hurried.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static guint synced; /* so often was fsync() called, by whomever */

int fsync(int fd)
{
    synced++;
    return (int)syscall(SYS_fsync, fd);
}

static const char lookup_sql[] =
    "CREATE INDEX thing_by_name ON thing (name); PRAGMA user_version = 2;";
static const char unique_sql[] = "CREATE UNIQUE INDEX thing_by_name ON thing (name);"
                                 "PRAGMA user_version = 2;";
static const SyncdMigration lookup_steps[] = {{1, first_sql}, {2, lookup_sql}};
static const SyncdMigration unique_steps[] = {{1, first_sql}, {2, unique_sql}};
static const SyncdMigrations lookup = {lookup_steps, 2}, unique = {unique_steps, 2};

/* ---- migrating ---- */

/* Enough of them to be sorted in several pieces, the last and the first of the same name. */
static SyncdDatabase *make_long_table(Place *p, const SyncdMigrations *later)
{
    place_init(p, later);
    g_autoptr(GError) error = NULL;
    SyncdDatabase *db =
        syncd_database_open_up_to(p->path, &p->kind, SYNCD_DATABASE_CREATE, 1, &error);
    g_assert_no_error(error);
    run(db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
            " INSERT INTO thing SELECT i, 'thing ' || (i * 7919 % 39999) FROM n");
    return db;
}

static void a_long_migration_goes_in_steps(void)
{
    Place p;
    guint steps = 0;
    bool more = true;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdDatabase) db = make_long_table(&p, &lookup);
    for (; more; steps++) {
        g_assert_true(syncd_database_migrate_step(db, 2, SYNCD_STEPS_SHORT, &more, &error));
        g_assert_no_error(error);
    }
    g_assert_cmpuint(steps, >, 5);
    run(db, "INSERT INTO thing VALUES (0, 'one more')");
    g_clear_pointer(&db, syncd_database_free);
    assert_answer(p.path, "PRAGMA user_version", "2");
    assert_answer(p.path, "PRAGMA integrity_check", "ok");
    assert_answer(p.path, "SELECT count(*) FROM thing INDEXED BY thing_by_name", "40001");
    place_clear(&p);
}

/* Between any two steps. */
static void one_that_is_given_up_changes_nothing(void)
{
    bool more = true;
    for (guint steps = 1; more; steps += is_hurried() ? 3 : 1) {
        Place p;
        g_autoptr(SyncdDatabase) db = make_long_table(&p, &lookup);
        for (guint i = 0; i < steps && more; i++)
            g_assert_true(syncd_database_migrate_step(db, 2, SYNCD_STEPS_SHORT, &more, NULL));
        if (more && steps % 2 == 0) {
            syncd_database_stop_steps(db);
            run(db, "INSERT INTO thing VALUES (0, 'one more')");
        }
        g_clear_pointer(&db, syncd_database_free);
        if (more) {
            assert_answer(p.path, "PRAGMA user_version", "1");
            assert_answer(p.path, "SELECT count(*) FROM sqlite_schema", "1");
            assert_answer(p.path, "SELECT count(*) FROM thing", steps % 2 == 0 ? "40001" : "40000");
            assert_answer(p.path, "PRAGMA integrity_check", "ok");
        }
        place_clear(&p);
    }
}

static void one_that_fails_on_the_way_is_told(void)
{
    Place p;
    guint steps = 0;
    bool more = true;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdDatabase) db = make_long_table(&p, &unique);
    for (; more && error == NULL; steps++)
        syncd_database_migrate_step(db, 2, SYNCD_STEPS_SHORT, &more, &error);
    g_assert_nonnull(error);
    g_assert_cmpuint(steps, >, 5);
    run(db, "DELETE FROM thing WHERE id = 40000");
    for (more = true; more;)
        g_assert_true(syncd_database_migrate_step(db, 2, SYNCD_STEPS_SHORT, &more, NULL));
    g_clear_pointer(&db, syncd_database_free);
    assert_answer(p.path, "PRAGMA user_version", "2");
    place_clear(&p);
}

/* ---- copying and checking ---- */

#define PAGES_A_STEP 512u
#define STEPS_UNSYNCED_MAX 4u
#define MANY_STEPS (is_hurried() ? 7u : 12u)

/* About a page each. */
static SyncdDatabase *make_long_file(Place *p, guint rows)
{
    place_init(p, &first_version);
    SyncdDatabase *db = open_good(p, SYNCD_DATABASE_CREATE);
    g_autofree char *fill = g_strdup_printf(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
        " INSERT INTO thing SELECT i, hex(zeroblob(1800)) FROM n",
        rows);
    run(db, fill);
    syncd_database_free(db);
    return open_good(p, SYNCD_DATABASE_EXISTING); /* nothing of it is in memory */
}

typedef bool (*Work)(SyncdDatabase *db, const char *copy, bool *ret_more, GError **error);

static bool copy_plainly(SyncdDatabase *db, const char *copy, bool *ret_more, GError **error)
{
    return syncd_database_copy_step(db, copy, SYNCD_COPY_AS_IT_IS, ret_more, error);
}

static bool copy_compactly(SyncdDatabase *db, const char *copy, bool *ret_more, GError **error)
{
    return syncd_database_copy_step(db, copy, SYNCD_COPY_COMPACT, ret_more, error);
}

static GPtrArray *faults_seen;

static bool check(SyncdDatabase *db, const char *copy, bool *ret_more, GError **error)
{
    return syncd_database_check_structure_step(db, faults_seen, ret_more, error);
}

static const Work works[] = {copy_plainly, copy_compactly, check};

static guint count_steps(SyncdDatabase *db, Work work, const char *copy)
{
    g_autoptr(GError) error = NULL;
    guint steps = 0;
    double part = 0;
    for (bool more = true; more; steps++) {
        g_assert_true(work(db, copy, &more, &error));
        g_assert_no_error(error);
        g_assert_cmpfloat(syncd_database_step_part(db), >=, more ? part : 0);
        part = syncd_database_step_part(db);
        g_assert_cmpfloat(part, <=, 1);
    }
    return steps;
}

/* However large the file is, a step reads so many pages of it. */
static void long_work_takes_more_steps_the_larger_the_file_is(void)
{
    const guint sizes[] = {2 * PAGES_A_STEP, MANY_STEPS * PAGES_A_STEP};
    faults_seen = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(works); j++) {
            Place p;
            g_autoptr(SyncdDatabase) db = make_long_file(&p, sizes[i]);
            g_autofree char *copy = g_strconcat(p.path, ".copy", NULL);
            guint steps = count_steps(db, works[j], copy);
            g_assert_cmpuint(steps, >=, sizes[i] / PAGES_A_STEP);
            run(db, "INSERT INTO thing VALUES (0, 'one more')");
            if (works[j] != check) {
                g_autofree char *rows = g_strdup_printf("%u", sizes[i]);
                struct stat st;
                assert_answer(copy, "SELECT count(*) FROM thing", rows);
                assert_answer(copy, "PRAGMA integrity_check", "ok");
                assert_answer(copy, "PRAGMA user_version", "1");
                g_assert_cmpint(stat(copy, &st), ==, 0);
                g_assert_cmpint(st.st_mode & 0777, ==, 0600);
            }
            g_clear_pointer(&db, syncd_database_free);
            place_clear(&p);
        }
    g_assert_cmpuint(faults_seen->len, ==, 0);
    g_clear_pointer(&faults_seen, g_ptr_array_unref);
}

/* Between any two steps: there is no copy then, and no half of one. */
static void long_work_that_is_given_up_leaves_nothing(void)
{
    faults_seen = g_ptr_array_new_with_free_func(g_free);
    for (size_t j = 0; j < G_N_ELEMENTS(works); j++) {
        Place p;
        g_autoptr(SyncdDatabase) db = make_long_file(&p, 6 * PAGES_A_STEP);
        g_autofree char *copy = g_strconcat(p.path, ".copy", NULL);
        bool more = true;
        for (guint steps = 1; more; steps++) {
            for (guint i = 0; i < steps && more; i++)
                g_assert_true(works[j](db, copy, &more, NULL));
            if (!more)
                break;
            syncd_database_stop_steps(db);
            g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS));
            g_autofree char *making = g_strconcat(copy, ".new", NULL);
            g_assert_false(g_file_test(making, G_FILE_TEST_EXISTS));
            run(db, "UPDATE thing SET name = 'it goes on' WHERE id = 1");
        }
        g_assert_true(works[j](db, copy, &more, NULL) && more); /* and is freed like that */
        g_clear_pointer(&db, syncd_database_free);
        assert_answer(p.path, "PRAGMA integrity_check", "ok");
        place_clear(&p);
    }
    g_clear_pointer(&faults_seen, g_ptr_array_unref);
}

/* Whoever waits for something else meanwhile waits for no more than the bytes of a few steps. */
static void a_copy_is_synced_every_few_steps(void)
{
    for (size_t j = 0; works[j] != check; j++) {
        Place p;
        g_autoptr(SyncdDatabase) db = make_long_file(&p, MANY_STEPS * PAGES_A_STEP);
        g_autofree char *copy = g_strconcat(p.path, ".copy", NULL);
        guint unsynced = 0;
        for (bool more = true; more;) {
            guint before = synced;
            g_assert_true(works[j](db, copy, &more, NULL));
            unsynced = synced > before ? 0 : unsynced + 1;
            g_assert_cmpuint(unsynced, <=, STEPS_UNSYNCED_MAX);
        }
        g_clear_pointer(&db, syncd_database_free);
        place_clear(&p);
    }
}

static void pages_that_nothing_uses_are_in_no_compact_copy(void)
{
    Place p;
    struct stat all, compact;
    g_autoptr(SyncdDatabase) db = make_long_file(&p, 4 * PAGES_A_STEP);
    run(db, "DELETE FROM thing WHERE id > 10");
    g_autofree char *plain = g_strconcat(p.path, ".plain", NULL),
                    *copy = g_strconcat(p.path, ".copy", NULL);
    count_steps(db, copy_plainly, plain);
    count_steps(db, copy_compactly, copy);
    g_assert_cmpint(stat(plain, &all), ==, 0);
    g_assert_cmpint(stat(copy, &compact), ==, 0);
    g_assert_cmpint(compact.st_size, <, all.st_size / 50);
    /* What only looks copies, too, and still writes nothing. */
    g_clear_pointer(&db, syncd_database_free);
    db = open_good(&p, SYNCD_DATABASE_COPY);
    count_steps(db, copy_compactly, copy);
    assert_answer(copy, "SELECT count(*) FROM thing", "10");
    g_assert_false(syncd_database_run(db, "DELETE FROM thing", NULL));
    place_clear(&p);
}

static void damage_is_found_in_steps_too(void)
{
    Place p;
    g_autoptr(SyncdDatabase) db = make_long_file(&p, 6 * PAGES_A_STEP);
    g_clear_pointer(&db, syncd_database_free);
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(p.path, &bytes, &size, NULL));
    memset(bytes + 4 * PAGES_A_STEP * 4096, 0xa5, 4096);
    g_assert_true(g_file_set_contents(p.path, bytes, (gssize)size, NULL));
    db = open_good(&p, SYNCD_DATABASE_COPY);
    faults_seen = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *copy = g_strconcat(p.path, ".copy", NULL);
    static const Work reading[] = {check, copy_compactly};
    for (size_t i = 0; i < G_N_ELEMENTS(reading); i++) {
        bool more = true, ok = true;
        g_autoptr(GError) error = NULL;
        while (ok && more)
            ok = reading[i](db, copy, &more, &error);
        g_assert_true(!ok || faults_seen->len > 0);
        if (!ok)
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_ptr_array_set_size(faults_seen, 0);
    }
    g_clear_pointer(&faults_seen, g_ptr_array_unref);
    g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS));
    place_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/database-steps/a-long-migration-goes-in-steps",
                    a_long_migration_goes_in_steps);
    g_test_add_func("/database-steps/one-that-is-given-up-changes-nothing",
                    one_that_is_given_up_changes_nothing);
    g_test_add_func("/database-steps/one-that-fails-on-the-way-is-told",
                    one_that_fails_on_the_way_is_told);
    g_test_add_func("/database-steps/long-work-takes-more-steps-the-larger-the-file-is",
                    long_work_takes_more_steps_the_larger_the_file_is);
    g_test_add_func("/database-steps/long-work-that-is-given-up-leaves-nothing",
                    long_work_that_is_given_up_leaves_nothing);
    g_test_add_func("/database-steps/a-copy-is-synced-every-few-steps",
                    a_copy_is_synced_every_few_steps);
    g_test_add_func("/database-steps/pages-that-nothing-uses-are-in-no-compact-copy",
                    pages_that_nothing_uses_are_in_no_compact_copy);
    g_test_add_func("/database-steps/damage-is-found-in-steps-too", damage_is_found_in_steps_too);
    return g_test_run();
}
