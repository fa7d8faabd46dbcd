/*
 * What a SyncdDatabase promises of a file: its schema is ours or it is refused, old versions are
 * kept, and the errors of SQLite become the right ones of ours.
 */
#include "database-fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

static const char second_sql[] = "ALTER TABLE thing ADD COLUMN size INTEGER;"
                                 "UPDATE thing SET name = 'changed';"
                                 "PRAGMA user_version = 2;";
static const char broken_sql[] = "UPDATE thing SET name = 'changed'; DROP TABLE nothing;"
                                 "PRAGMA user_version = 2;";
static const char forgetful_sql[] = "UPDATE thing SET name = 'changed';";

static const SyncdMigration good_steps[] = {{1, first_sql}, {2, second_sql}};
static const SyncdMigration broken_steps[] = {{1, first_sql}, {2, broken_sql}};
static const SyncdMigration forgetful_steps[] = {{1, first_sql}, {2, forgetful_sql}};
static const SyncdMigrations good = {good_steps, 2}, broken = {broken_steps, 2},
                             forgetful = {forgetful_steps, 2};

static void assert_refused(Place *p, SyncdDatabaseMode mode, SyncdErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_database_open(p->path, &p->kind, mode, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
}

/* A file of version 1 with one row. */
static void make_first_version(Place *p, const SyncdMigrations *later)
{
    place_init(p, &first_version);
    g_autoptr(SyncdDatabase) db = open_good(p, SYNCD_DATABASE_CREATE);
    run(db, "INSERT INTO thing VALUES (1, 'old')");
    p->kind.migrations = later;
}

static void a_migration_keeps_the_old_version(void)
{
    Place p;
    make_first_version(&p, &good);
    g_autofree char *copy = g_strconcat(p.path, ".before-2", NULL);
    g_autofree char *making = g_strconcat(copy, ".new", NULL);
    g_assert_true(g_file_set_contents(making, "what a crash left", -1, NULL));
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_EXISTING);
    g_clear_pointer(&db, syncd_database_free);

    assert_answer(p.path, "SELECT name FROM thing", "changed");
    assert_answer(p.path, "PRAGMA user_version", "2");
    assert_answer(copy, "SELECT name FROM thing", "old");
    assert_answer(copy, "PRAGMA user_version", "1");
    assert_answer(copy, "PRAGMA integrity_check", "ok");
    struct stat st;
    g_assert_cmpint(stat(copy, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(making, &st), <, 0);
    place_clear(&p);
}

static void without_a_copy_nothing_is_changed(void)
{
    Place p;
    make_first_version(&p, &good);
    g_autofree char *copy = g_strconcat(p.path, ".before-2", NULL);
    g_assert_cmpint(g_mkdir_with_parents(copy, 0700), ==, 0); /* a name that cannot be replaced */
    assert_refused(&p, SYNCD_DATABASE_EXISTING, SYNCD_ERROR_STORAGE_FAILED);
    assert_answer(p.path, "SELECT name FROM thing", "old");
    assert_answer(p.path, "PRAGMA user_version", "1");
    place_clear(&p);
}

static void a_failed_migration_leaves_the_old_version(void)
{
    const SyncdMigrations *const failing[] = {&broken, &forgetful};
    for (size_t i = 0; i < G_N_ELEMENTS(failing); i++) {
        Place p;
        make_first_version(&p, failing[i]);
        g_autoptr(GError) error = NULL;
        g_assert_null(syncd_database_open(p.path, &p.kind, SYNCD_DATABASE_EXISTING, &error));
        g_assert_nonnull(error);
        assert_answer(p.path, "SELECT name FROM thing", "old");
        assert_answer(p.path, "PRAGMA user_version", "1");
        p.kind.migrations = &good;
        g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_EXISTING);
        g_assert_nonnull(db);
        place_clear(&p);
    }
}

static void a_newer_version_is_refused_and_stays(void)
{
    Place p;
    make_first_version(&p, &good);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_EXISTING);
    g_clear_pointer(&db, syncd_database_free);
    g_autofree char *before = NULL, *after = NULL;
    size_t before_size, after_size;
    g_assert_true(g_file_get_contents(p.path, &before, &before_size, NULL));
    p.kind.migrations = &first_version;
    for (int mode = 0; mode < 3; mode++)
        assert_refused(&p, (SyncdDatabaseMode)mode, SYNCD_ERROR_NOT_INITIALIZED);
    g_assert_true(g_file_get_contents(p.path, &after, &after_size, NULL));
    g_assert_cmpmem(before, before_size, after, after_size);
    place_clear(&p);
}

static void a_file_of_another_program_is_refused(void)
{
    Place p;
    place_init(&p, &good);
    run_raw(p.path, "PRAGMA application_id = 7; CREATE TABLE theirs (a); PRAGMA user_version = 1");
    assert_refused(&p, SYNCD_DATABASE_CREATE, SYNCD_ERROR_JOURNAL_CORRUPT);
    assert_answer(p.path, "SELECT count(*) FROM theirs", "0");
    place_clear(&p);
}

static void a_damaged_file_is_told(void)
{
    Place p;
    place_init(&p, &good);
    g_assert_true(g_file_set_contents(p.path,
                                      "this is no database, but long enough to be taken for"
                                      " one, is it not? It is not, and that is that.",
                                      -1, NULL));
    assert_refused(&p, SYNCD_DATABASE_EXISTING, SYNCD_ERROR_JOURNAL_CORRUPT);
    assert_refused(&p, SYNCD_DATABASE_CREATE, SYNCD_ERROR_JOURNAL_CORRUPT);
    place_clear(&p);
}

static void an_empty_file_is_no_database(void)
{
    Place p;
    struct stat st;
    place_init(&p, &good);
    g_assert_true(g_file_set_contents(p.path, "", 0, NULL));
    assert_refused(&p, SYNCD_DATABASE_EXISTING, SYNCD_ERROR_JOURNAL_CORRUPT);
    assert_refused(&p, SYNCD_DATABASE_INSPECT, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_assert_cmpint(stat(p.path, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 0);
    place_clear(&p);
}

/* What a power cut may leave of the very first start: pages, but no schema. */
static void a_database_without_a_schema_is_begun_again(void)
{
    static const char *const begun[] = {
        "PRAGMA journal_mode = WAL",
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x53595244",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(begun); i++) {
        Place p;
        place_init(&p, &good);
        run_raw(p.path, begun[i]);
        assert_refused(&p, SYNCD_DATABASE_EXISTING, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
        run(db, "INSERT INTO thing (id) VALUES (1)");
        place_clear(&p);
    }

    Place p;
    place_init(&p, &good);
    run_raw(p.path, "PRAGMA application_id = 7; VACUUM");
    assert_refused(&p, SYNCD_DATABASE_CREATE, SYNCD_ERROR_JOURNAL_CORRUPT);
    place_clear(&p);
}

static void files_are_private(void)
{
    Place p;
    place_init(&p, &good);
    mode_t old = umask(0);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    run(db, "INSERT INTO thing (id) VALUES (1)");
    umask(old);
    static const char *const suffixes[] = {"", "-wal"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        struct stat st;
        g_autofree char *path = g_strconcat(p.path, suffixes[i], NULL);
        g_assert_cmpint(stat(path, &st), ==, 0);
        g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    }
    place_clear(&p);
}

static void inspecting_creates_nothing(void)
{
    Place p;
    place_init(&p, &good);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    g_clear_pointer(&db, syncd_database_free);
    db = open_good(&p, SYNCD_DATABASE_INSPECT);
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_database_run(db, "INSERT INTO thing (id) VALUES (1)", &error));
    g_clear_pointer(&db, syncd_database_free);
    g_autofree char *wal = g_strconcat(p.path, "-wal", NULL);
    struct stat st;
    g_assert_cmpint(stat(wal, &st), <, 0);
    place_clear(&p);
}

static void a_full_disk_is_no_space(void)
{
    Place p;
    place_init(&p, &good);
    /* Seen by this process only, so that nothing stays when the test ends early. */
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", p.folder, "tmpfs", 0, "size=256k") < 0) {
        g_test_skip("only root can mount a small disk");
        place_clear(&p);
        return;
    }
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    g_autoptr(GError) error = NULL;
    static const char insert[] = "INSERT INTO thing (name) VALUES (hex(zeroblob(60000)))";
    g_assert_true(syncd_database_begin(db, &error));
    bool ok = true;
    for (int i = 0; i < 4 && ok; i++)
        ok = syncd_database_run(db, insert, &error);
    ok = ok && syncd_database_commit(db, &error);
    syncd_database_rollback(db);
    g_assert_false(ok);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    g_clear_error(&error);

    /* It left no trace, and what fits goes on. */
    gint64 count;
    run(db, "INSERT INTO thing (id) VALUES (1)");
    g_assert_true(syncd_statement_number(syncd_database_statement(db, "SELECT count(*) FROM thing"),
                                         -1, &count, &error));
    g_assert_cmpint(count, ==, 1);
    g_clear_pointer(&db, syncd_database_free);
    g_assert_cmpint(umount(p.folder), ==, 0);
    place_clear(&p);
}

/* A file that may not grow is a fault of another kind: what it means is not known. */
static void a_failed_write_is_no_full_disk(void)
{
    Place p;
    place_init(&p, &good);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    g_autoptr(GError) error = NULL;
    struct rlimit old, low;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    signal(SIGXFSZ, SIG_IGN);
    low = old;
    low.rlim_cur = 0;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
    bool ok = syncd_database_run(db, "INSERT INTO thing (id) VALUES (1)", &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    g_assert_false(ok);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    place_clear(&p);
}

/* ---- a disk that does not give everything ---- */

static ssize_t read_start_alone(int fd, void *bytes, size_t size, off_t offset)
{
    if (offset < 3 * 4096)
        return pread(fd, bytes, size, offset);
    errno = EIO;
    return -1;
}

static void set_reading(sqlite3_syscall_ptr function)
{
    static const char *const names[] = {"pread", "pread64"};
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpint(vfs->xSetSystemCall(vfs, names[i], function), ==, SQLITE_OK);
}

/* SQLite calls it malformed: that would have it mended, and not the disk looked at. */
static void what_the_disk_does_not_give_is_not_malformed(void)
{
    Place p;
    place_init(&p, &good);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    g_autoptr(GError) error = NULL;
    gint64 n;
    for (unsigned i = 0; i < 64; i++)
        run(db, "INSERT INTO thing (name) VALUES (hex(zeroblob(1000)))");
    g_clear_pointer(&db, syncd_database_free);
    db = open_good(&p, SYNCD_DATABASE_EXISTING);
    set_reading((sqlite3_syscall_ptr)read_start_alone);
    bool ok = syncd_statement_number(
        syncd_database_statement(db, "SELECT sum(length(name)) FROM thing"), 0, &n, &error);
    set_reading(NULL);
    g_assert_false(ok);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    g_assert_nonnull(strstr(error->message, "the disk did not give"));
    g_assert_null(strstr(error->message, "malformed"));
    g_assert_null(syncd_database_damage(db));
    place_clear(&p);
}

static void hostile_schemas_are_bounded(void)
{
    static const char *const refused[] = {
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'x'",
        "ATTACH ':memory:' AS other",
        "CREATE TABLE sqlite_mine (a)",
    };
    Place p;
    place_init(&p, &good);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_database_run(db, refused[i], &error));
        g_assert_nonnull(error);
    }
    static const struct {
        const char *sql;
        gint64 value;
    } settings[] = {
        {"PRAGMA trusted_schema", 0},     {"PRAGMA cell_size_check", 1},
        {"PRAGMA recursive_triggers", 1}, {"PRAGMA mmap_size", 0},
        {"PRAGMA synchronous", 2},        {"PRAGMA wal_autocheckpoint", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        gint64 value = -1;
        g_autoptr(GError) error = NULL;
        g_assert_true(syncd_statement_number(syncd_database_statement(db, settings[i].sql), 0,
                                             &value, &error));
        g_assert_cmpint(value, ==, settings[i].value);
    }
    /* A second connection gets nothing. */
    sqlite3 *second;
    g_assert_cmpint(sqlite3_open(p.path, &second), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(second, "SELECT * FROM thing", NULL, NULL, NULL), ==, SQLITE_BUSY);
    sqlite3_close(second);
    place_clear(&p);
}

static void a_statement_collects_the_first_error(void)
{
    Place p;
    place_init(&p, &good);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    g_autoptr(GError) error = NULL;
    static const char insert[] = "INSERT INTO thing (id, name) VALUES (:id, :name)";

    SyncdStatement *row = syncd_database_statement(db, insert);
    syncd_bind_int(row, ":id", 1);
    syncd_bind_text(row, ":nmae", "a slip");
    syncd_bind_text(row, ":name", "right");
    g_assert_false(syncd_statement_run(row, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);

    /* The same statement serves again, without the bindings of before. */
    row = syncd_database_statement(db, insert);
    syncd_bind_int(row, ":id", 1);
    g_assert_true(syncd_statement_run(row, &error));
    row = syncd_database_statement(db, insert);
    syncd_bind_int(row, ":id", 1);
    g_assert_false(syncd_statement_run(row, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT); /* a constraint */
    g_clear_error(&error);
    row = syncd_database_statement(db, insert);
    syncd_bind_int(row, ":id", 2);
    syncd_bind_text(row, ":name", "");
    g_assert_true(syncd_statement_run(row, &error));

    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(db, "SELECT name, name IS NULL FROM thing ORDER BY id");
    bool more;
    g_assert_true(syncd_statement_next(rows, &more, &error) && more);
    g_assert_cmpint(syncd_column_int(rows, 1), ==, 1); /* left unbound */
    g_assert_cmpstr(syncd_column_text(rows, 0), ==, "");
    g_assert_true(syncd_statement_next(rows, &more, &error) && more);
    g_assert_cmpint(syncd_column_int(rows, 1), ==, 0); /* bound to an empty text */
    g_assert_true(syncd_statement_next(rows, &more, &error) && !more);
    syncd_statement_done(g_steal_pointer(&rows));

    row = syncd_database_statement(db, "SELECT nonsense FROM nowhere");
    syncd_bind_int(row, ":id", 1);
    g_assert_false(syncd_statement_run(row, &error));
    place_clear(&p);
}

static void a_changed_schema_is_named(void)
{
    Place p;
    place_init(&p, &good);
    g_autoptr(SyncdDatabase) db = open_good(&p, SYNCD_DATABASE_CREATE);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_database_check_schema(db, faults, &error));
    g_assert_cmpuint(faults->len, ==, 0);
    run(db, "CREATE INDEX mine ON thing (name); ALTER TABLE thing RENAME COLUMN size TO weight");
    g_assert_true(syncd_database_check_schema(db, faults, &error));
    g_assert_cmpuint(faults->len, ==, 2);
    place_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/database/a-migration-keeps-the-old-version",
                    a_migration_keeps_the_old_version);
    g_test_add_func("/database/without-a-copy-nothing-is-changed",
                    without_a_copy_nothing_is_changed);
    g_test_add_func("/database/a-failed-migration-leaves-the-old-version",
                    a_failed_migration_leaves_the_old_version);
    g_test_add_func("/database/a-newer-version-is-refused-and-stays",
                    a_newer_version_is_refused_and_stays);
    g_test_add_func("/database/a-file-of-another-program-is-refused",
                    a_file_of_another_program_is_refused);
    g_test_add_func("/database/a-damaged-file-is-told", a_damaged_file_is_told);
    g_test_add_func("/database/an-empty-file-is-no-database", an_empty_file_is_no_database);
    g_test_add_func("/database/a-database-without-a-schema-is-begun-again",
                    a_database_without_a_schema_is_begun_again);
    g_test_add_func("/database/files-are-private", files_are_private);
    g_test_add_func("/database/inspecting-creates-nothing", inspecting_creates_nothing);
    g_test_add_func("/database/a-full-disk-is-no-space", a_full_disk_is_no_space);
    g_test_add_func("/database/a-failed-write-is-no-full-disk", a_failed_write_is_no_full_disk);
    g_test_add_func("/database/what-the-disk-does-not-give-is-not-malformed",
                    what_the_disk_does_not_give_is_not_malformed);
    g_test_add_func("/database/hostile-schemas-are-bounded", hostile_schemas_are_bounded);
    g_test_add_func("/database/a-statement-collects-the-first-error",
                    a_statement_collects_the_first_error);
    g_test_add_func("/database/a-changed-schema-is-named", a_changed_schema_is_named);
    return g_test_run();
}
