/*
 * A backup that somebody lays beside the journal is a file of SQLite that anybody may have made:
 * whatever it is, looking at it takes a bounded time and place, and changes nothing.
 */
#include "rescue-fixture.h"

#include <sqlite3.h>
#include <sys/resource.h>

#define BACKUP "journal-backup.db"
#define PAGE 4096u
#define INTERIOR_OF_TABLE 5
#define LEAF_OF_TABLE 13
#define DEEP 8000u /* pages, each below the one before: SQLite checks them by calling itself */
#define STACK (1024u * 1024u)
#define MANY 5000u /* feeds, or views */

static void put_number(char *at, guint32 number)
{
    guint32 big = GUINT32_TO_BE(number);
    memcpy(at, &big, sizeof big);
}

static void change(const ServiceFixture *f, const char *name, const char *sql)
{
    sqlite3 *db;
    g_autofree char *path = state_path(f, name);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

static guint32 root_of(const ServiceFixture *f, const char *name, const char *table)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    g_autofree char *path = state_path(f, name);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", -1,
                                       &stmt, NULL),
                    ==, SQLITE_OK);
    sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    guint32 root = (guint32)sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return root;
}

static void put_page(char *page, char kind, guint32 right)
{
    memset(page, 0, PAGE);
    page[0] = kind;
    page[5] = (char)(PAGE >> 8);
    if (kind == INTERIOR_OF_TABLE)
        put_number(page + 8, right);
}

/* The rows of a table lie below so many pages, each of which has no other one below it. */
static void deepen(const ServiceFixture *f, const char *name, const char *table)
{
    gsize size;
    guint32 root = root_of(f, name, table);
    g_autofree char *bytes = state_read(f, name, &size);
    guint32 pages = (guint32)(size / PAGE);
    bytes = g_realloc(bytes, (pages + DEEP) * (gsize)PAGE);
    put_page(bytes + (root - 1) * (gsize)PAGE, INTERIOR_OF_TABLE, pages + 1);
    for (guint32 i = 0; i < DEEP; i++)
        put_page(bytes + (pages + i) * (gsize)PAGE,
                 i + 1 < DEEP ? INTERIOR_OF_TABLE : LEAF_OF_TABLE, pages + i + 2);
    put_number(bytes + 28, pages + DEEP);
    memcpy(bytes + 92, bytes + 24, 4);
    state_write(f, name, bytes, (gssize)((pages + DEEP) * (gsize)PAGE));
}

/* What of it can be read is written anew. */
static void one_that_is_too_deep_is_left(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    removed(&f);
    deepen(&f, BACKUP, "content");
    repair_open(&f, NULL);
    restore(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

static void limit_stack(rlim_t bytes)
{
    struct rlimit limit;
    g_assert_cmpint(getrlimit(RLIMIT_STACK, &limit), ==, 0);
    limit.rlim_cur = bytes;
    g_assert_cmpint(setrlimit(RLIMIT_STACK, &limit), ==, 0);
}

/* Whoever can write to the state directory does not take the daemon's stack for himself: it is
 * found to be what no program of ours makes. */
static void our_own_that_is_too_deep_is_damaged(void)
{
    ServiceFixture f;
    begin(&f);
    deepen(&f, "journal.db", "content");
    repair_open(&f, NULL);
    limit_stack(STACK);
    verify_all(&f);
    g_assert_true(syncd_service_is_damaged(f.service));
    const SyncdVerifyFinding *finding = syncd_service_damage(f.service)->pdata[0];
    g_assert_cmpstr(finding->code, ==, "structure");
    g_assert_nonnull(strstr(finding->detail, "deeper"));
    service_clear(&f);
}

static void refuse_changed(const char *sql, const char *why)
{
    ServiceFixture f;
    begin_with_backup(&f);
    removed(&f);
    change(&f, BACKUP, sql);
    repair_open(&f, NULL);
    expect_no_way(&f, why);
    service_clear(&f);
}

static void one_with_too_many_feeds_will_not_do(void)
{
    g_autofree char *sql = g_strdup_printf(
        "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n LIMIT %u)"
        " INSERT INTO feed (id, device, scope, epoch) SELECT i, 'd' || i, 's' || i, 1 FROM n",
        MANY);
    refuse_changed(sql, "has more than 4096 feeds");
}

static void one_with_too_large_a_schema_will_not_do(void)
{
    g_autofree char *sql =
        g_strdup_printf("PRAGMA writable_schema = ON;"
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT %u)"
                        " INSERT INTO sqlite_schema SELECT 'view', 'v' || i, 'v' || i, 0,"
                        "  'CREATE VIEW v' || i || ' AS SELECT 1' FROM n",
                        MANY);
    refuse_changed(sql, "has a larger schema than any");
}

/* It is in the middle of a transaction, and SQLite would take that back, and write it. */
static void leave_half_a_transaction(const ServiceFixture *f)
{
    sqlite3 *db;
    static const char sql[] = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN;"
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                              "LIMIT 100) INSERT INTO meta SELECT 'n' || i, hex(randomblob(1000))"
                              " FROM n";
    g_autofree char *path = state_path(f, "made.db");
    state_copy(f, BACKUP, "made.db");
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    state_copy(f, "made.db", BACKUP);
    state_copy(f, "made.db-journal", BACKUP "-journal");
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

static void one_with_half_a_transaction_is_not_touched(void)
{
    ServiceFixture f;
    gsize size, size_after;
    begin_with_backup(&f);
    without_header(&f);
    leave_half_a_transaction(&f);
    g_autofree char *before = state_read(&f, BACKUP, &size);
    repair_open(&f, NULL);
    restore(&f);
    g_autofree char *after = state_read(&f, BACKUP, &size_after);
    g_assert_cmpmem(before, size, after, size_after);
    g_assert_true(state_has(&f, BACKUP "-journal"));
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

static void one_with_any_name_is_named(void)
{
    ServiceFixture f;
    begin(&f);
    state_move(&f, "journal.db", "journal-\xff\"\x01.db");
    repair_open(&f, NULL);
    restore(&f);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rescue-hostile/too-many-feeds", one_with_too_many_feeds_will_not_do);
    g_test_add_func("/rescue-hostile/too-large-a-schema", one_with_too_large_a_schema_will_not_do);
    g_test_add_func("/rescue-hostile/too-deep", one_that_is_too_deep_is_left);
    g_test_add_func("/rescue-hostile/own-too-deep", our_own_that_is_too_deep_is_damaged);
    g_test_add_func("/rescue-hostile/half-a-transaction",
                    one_with_half_a_transaction_is_not_touched);
    g_test_add_func("/rescue-hostile/any-name", one_with_any_name_is_named);
    return g_test_run();
}
