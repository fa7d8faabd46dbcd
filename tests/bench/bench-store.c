/*
 * What the store costs beside what it is made of, in one run: appending beside raw durable rows,
 * making the index anew beside raw bulk inserts of the same rows, verifying beside hashing the same
 * bytes.
 *
 *   bench-store [ENTRIES [DIRECTORY]]
 *
 * DIRECTORY decides which disk is measured. Figures are for one machine and one moment; the ratios
 * are what counts.
 */
#include "../unit/store-fixture.h"
#include "crypto/seal.h"

#include <sqlite3.h>
#include <stdio.h>

#define ENTRIES_A_COMMIT 64
#define RAW_COMMITS 1000
#define BODY_SIZE 600

static double seconds_since(gint64 begin)
{
    return (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
}

static sqlite3 *raw_open(const char *directory, const char *schema)
{
    g_autofree char *path = g_build_filename(directory, "raw.db", NULL);
    sqlite3 *db;
    g_unlink(path);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;", NULL, NULL,
                     NULL) != SQLITE_OK ||
        sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK)
        g_error("raw database: %s", sqlite3_errmsg(db));
    return db;
}

/* Rows a second, one durable row a transaction. */
static double raw_appends(const char *directory)
{
    sqlite3 *db =
        raw_open(directory,
                 "PRAGMA synchronous = FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB)");
    sqlite3_stmt *insert;
    char body[BODY_SIZE] = "x";
    sqlite3_prepare_v2(db, "INSERT INTO row (body) VALUES (?)", -1, &insert, NULL);
    gint64 begin = g_get_monotonic_time();
    for (int i = 0; i < RAW_COMMITS; i++) {
        sqlite3_bind_blob(insert, 1, body, sizeof body, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            g_error("raw insert: %s", sqlite3_errmsg(db));
        sqlite3_reset(insert);
    }
    double rate = RAW_COMMITS / seconds_since(begin);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return rate;
}

/* Rows a second into a table like the index's, its lookups made afterwards. */
static double raw_bulk(const char *directory, unsigned n)
{
    sqlite3 *db = raw_open(
        directory,
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
        "CREATE TABLE entry (pos INTEGER PRIMARY KEY, op TEXT, kind INTEGER, actor INTEGER,"
        " scope INTEGER, object TEXT, ms INTEGER)");
    sqlite3_stmt *insert;
    sqlite3_prepare_v2(
        db, "INSERT INTO entry (op, kind, actor, scope, object, ms) VALUES (?, ?, 1, 1, ?, ?)", -1,
        &insert, NULL);
    gint64 begin = g_get_monotonic_time();
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    for (unsigned i = 0; i < n; i++) {
        char op[40], object[40];
        g_snprintf(op, sizeof op, "op-%026u", i);
        g_snprintf(object, sizeof object, "object:%u", i % 1000);
        sqlite3_bind_text(insert, 1, op, -1, SQLITE_STATIC);
        sqlite3_bind_int(insert, 2, (int)(i % 5));
        sqlite3_bind_text(insert, 3, object, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 4, i);
        sqlite3_step(insert);
        sqlite3_reset(insert);
    }
    if (sqlite3_exec(
            db,
            "CREATE UNIQUE INDEX by_op ON entry (op); CREATE INDEX by_object ON entry (object);"
            "CREATE INDEX by_actor ON entry (actor); CREATE INDEX by_kind ON entry (kind);"
            "CREATE INDEX by_scope ON entry (scope); CREATE INDEX by_ms ON entry (ms); COMMIT",
            NULL, NULL, NULL) != SQLITE_OK)
        g_error("raw bulk: %s", sqlite3_errmsg(db));
    double rate = n / seconds_since(begin);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return rate;
}

static void append_many(Fixture *f, unsigned first, unsigned n)
{
    char body[BODY_SIZE + 1];
    memset(body, 'x', BODY_SIZE);
    memcpy(body, "{\"text\":\"", 9);
    memcpy(body + BODY_SIZE - 2, "\"}", 3);
    for (unsigned i = first; i < first + n; i++) {
        g_autofree char *object = g_strdup_printf("object:%u", i % 1000);
        SyncdReceipt receipt = fixture_append(f, object, NULL, body);
        syncd_receipt_clear(&receipt);
        if (i % ENTRIES_A_COMMIT == ENTRIES_A_COMMIT - 1)
            fixture_commit(f);
    }
    fixture_commit(f);
}

static void bench_append(Fixture *f, unsigned n)
{
    double raw = raw_appends(f->directory);
    unsigned tenth = MAX(n / 10, 1u);
    gint64 begin = g_get_monotonic_time();
    append_many(f, 0, tenth);
    double first = tenth / seconds_since(begin);
    append_many(f, tenth, n - 2 * tenth);
    begin = g_get_monotonic_time();
    append_many(f, n - tenth, tenth);
    double last = tenth / seconds_since(begin);
    printf("append, %d a commit     %9.0f /s   raw durable rows %9.0f /s   ratio %.2f\n",
           ENTRIES_A_COMMIT, first, raw, first / raw);
    printf("append at the end        %9.0f /s   at the beginning %9.0f /s   ratio %.2f\n", last,
           first, last / first);
}

static void bench_rebuild(Fixture *f, unsigned n)
{
    double raw = raw_bulk(f->directory, n);
    g_autofree char *index = g_build_filename(f->directory, "index.db", NULL);
    g_unlink(index);
    gint64 begin = g_get_monotonic_time();
    fixture_open(f);
    while (syncd_store_is_indexing(f->store))
        syncd_store_work(f->store);
    double rate = n / seconds_since(begin);
    printf("index made anew          %9.0f /s   raw bulk rows    %9.0f /s   ratio %.2f\n", rate,
           raw, rate / raw);
}

/* Hashing as many bytes of the same sizes, from memory. */
static double hash_bytes(size_t header, size_t body, unsigned n)
{
    g_autofree guint8 *bytes = g_malloc0(header + body);
    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < n; i++) {
        bytes[0] ^= syncd_tree_leaf(bytes, header).bytes[0];
        bytes[1] ^= syncd_hash(bytes + header, body).bytes[0];
    }
    return n / seconds_since(begin);
}

static void bench_verify(Fixture *f, unsigned n)
{
    g_auto(SyncdEntry) entry = {0};
    g_assert_true(syncd_store_read(f->store, n / 2, &entry, NULL));
    double raw = hash_bytes(entry.size, entry.header.body_size, n);
    gint64 begin = g_get_monotonic_time();
    g_autoptr(SyncdVerify) verify = fixture_verify(f, SYNCD_VERIFY_FULL, NULL);
    double rate = n / seconds_since(begin);
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    printf("full verification        %9.0f /s   hashing alone    %9.0f /s   ratio %.2f\n", rate,
           raw, rate / raw);
    printf("bytes an entry           %9.0f      header and body  %9.0f      ratio %.2f\n",
           (double)syncd_store_journal_bytes(f->store) / n,
           (double)(entry.size + entry.header.body_size),
           (double)syncd_store_journal_bytes(f->store) / n /
               (double)(entry.size + entry.header.body_size));
}

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)g_ascii_strtoull(argv[1], NULL, 10) : 20000;
    Fixture f;
    if (n < 100 || !syncd_crypto_init(NULL))
        return 1;
    fixture_init(&f, 1);
    if (argc > 2) {
        fixture_remove(f.directory);
        g_free(f.directory);
        f.directory = g_build_filename(argv[2], "bench-store", NULL);
        g_mkdir(f.directory, 0700);
    }
    printf("%u entries of %d bytes in %s\n", n, BODY_SIZE, f.directory);
    fixture_open(&f);
    bench_append(&f, n);
    fixture_close(&f);
    bench_rebuild(&f, n);
    bench_verify(&f, n);
    fixture_clear(&f);
    return 0;
}
