/*
 * What the store costs beside what it is made of: appending to a long log beside a short one,
 * making the index anew beside raw inserts of the same rows, and beside the one that serves as fast
 * as that; verifying beside hashing the same bytes. Each figure and its baseline are taken one
 * right after the other, in several rounds.
 *
 *   bench-store [--entries N] [--rounds N] [--directory DIR] [--keep DIR]
 *               [append|rebuild|remake|verify...]
 *
 * The first DIR decides which disk is measured; a folder is made in it and removed. The long log
 * can be kept in the second one, and is taken as it is the next time. The ratios are what
 * counts: the figures themselves are of one machine and one moment.
 */
#include "../unit/store-fixture.h"
#include "crypto/seal.h"
#include "index-rows.h"
#include "measure.h"
#include "population.h"
#include "store/repair-store.h"

#include <sqlite3.h>

#define SHORT_LOG 1000u
#define APPENDS (50u * POPULATION_COMMIT) /* fewer than the index is left behind at once */
#define RAW_COMMITS 500
#define READ_EVERY_USEC 1000

static int option_entries = 20000;
static int option_rounds = 3;
static char *option_directory, *option_keep;

static void must(bool ok, const GError *error)
{
    if (!ok)
        g_error("%s", error->message);
}

/* ---- a store and its log ---- */

typedef struct {
    char *directory;
    SyncdStore *store;
    unsigned n; /* entries of the population so far */
} Log;

static void log_open(Log *log)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = log->directory,
                                 .mode = SYNCD_STORE_CREATE,
                                 .sources = syncd_sources_system(),
                                 .machine = "bench"};
    log->store = syncd_store_open(&options, &error);
    must(log->store != NULL, error);
}

static void log_close(Log *log)
{
    g_clear_pointer(&log->store, syncd_store_free);
}

static void log_append(Log *log, unsigned n)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *body = population_body(POPULATION_BODY);
    for (unsigned i = 0; i < n; i++) {
        must(population_append(log->store, "actor-bench", syncd_store_device_id(log->store), body,
                               log->n++, &error),
             error);
        if (i % POPULATION_COMMIT == POPULATION_COMMIT - 1 || i == n - 1)
            must(syncd_store_commit(log->store, NULL, &error), error);
    }
}

/* Everything that was left for later. */
static void log_settle(Log *log)
{
    g_autoptr(GError) error = NULL;
    must(syncd_store_settle(log->store, &error), error);
    while (syncd_store_work(log->store))
        ;
}

/* Takes the path. One that is there already is taken as it is. */
static Log log_at(char *directory, unsigned n)
{
    Log log = {.directory = directory};
    g_mkdir(log.directory, 0700);
    log_open(&log);
    log.n = (unsigned)syncd_store_sequence(log.store);
    log_append(&log, log.n == 0 ? n : 0);
    log_settle(&log);
    return log;
}

static Log log_new(const char *name, unsigned n)
{
    return log_at(g_build_filename(option_directory, name, NULL), n);
}

static void log_free(Log *log)
{
    log_close(log);
    g_free(log->directory);
}

static void log_remove(Log *log)
{
    log_close(log);
    fixture_remove(log->directory);
    log_free(log);
}

/* Appended and durable, and the same with the index brought up to it. */
static void append_rates(Log *log, Rounds *durable, Rounds *indexed)
{
    gint64 begin = g_get_monotonic_time();
    log_append(log, APPENDS);
    rounds_add(durable, APPENDS / seconds_since(begin));
    log_settle(log);
    rounds_add(indexed, APPENDS / seconds_since(begin));
}

static void verify(Log *log, SyncdVerifyMode mode)
{
    bool more = true;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) run = syncd_verify_new(log->store, mode, NULL, &error);
    must(run != NULL, error);
    while (more)
        must(syncd_verify_step(run, &more, &error), error);
    g_assert_cmpuint(syncd_verify_n_findings(run), ==, 0);
}

/* ---- raw SQLite ---- */

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        g_error("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        g_error("%s: %s", sql, sqlite3_errmsg(db));
    return statement;
}

static sqlite3 *raw_open(const char *path)
{
    sqlite3 *db;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        g_error("%s: %s", path, sqlite3_errmsg(db));
    run(db, "PRAGMA locking_mode = EXCLUSIVE");
    return db;
}

/* Rows a second, one durable row a transaction. */
static double raw_append_rate(void)
{
    g_autofree char *path = g_build_filename(option_directory, "raw-append.db", NULL);
    sqlite3 *db = raw_open(path);
    char body[POPULATION_BODY] = "x";
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB)");
    sqlite3_stmt *insert = prepare(db, "INSERT INTO row (body) VALUES (?)");
    gint64 begin = g_get_monotonic_time();
    for (int i = 0; i < RAW_COMMITS; i++) {
        sqlite3_bind_blob(insert, 1, body, sizeof body, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            g_error("insert: %s", sqlite3_errmsg(db));
        sqlite3_reset(insert);
    }
    double rate = RAW_COMMITS / seconds_since(begin);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    g_unlink(path);
    return rate;
}

/* ---- making the index anew ---- */

/* Everything in one transaction, without a sync, and the indexes last: nothing is faster. */
static double raw_bulk_rate(const IndexRows *rows)
{
    g_autofree char *path = g_build_filename(option_directory, "raw-bulk.db", NULL);
    sqlite3 *db = raw_open(path);
    /* As much of a cache as the index has while it is made (store/database.c). */
    run(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192");
    run(db, rows->make_tables->str);
    gint64 begin = g_get_monotonic_time();
    run(db, "BEGIN");
    index_rows_insert(db, rows);
    run(db, rows->make_lookups->str);
    run(db, "COMMIT");
    double rate = (double)rows->n_entries / seconds_since(begin);
    sqlite3_close(db);
    g_unlink(path);
    return rate;
}

static double rebuild_rate(Log *log)
{
    g_autofree char *index = g_build_filename(log->directory, "index.db", NULL);
    log_close(log);
    g_unlink(index);
    gint64 begin = g_get_monotonic_time();
    log_open(log);
    while (syncd_store_is_indexing(log->store))
        syncd_store_work(log->store);
    return (double)syncd_store_sequence(log->store) / seconds_since(begin);
}

/* ---- making it beside the one that serves, as a repair does ---- */

/* Somebody who asks at fixed times, however long the answers take: what waits behind a long step is
 * all that was due meanwhile. */
typedef struct {
    SyncdStore *store;
    char *op;
    gint64 due;
    GArray *waited; /* double: milliseconds */
} Reader;

static void reader_begin(Reader *reader, Log *log)
{
    SyncdEntry entry = {0};
    g_autoptr(GError) error = NULL;
    guint64 middle = syncd_store_sequence(log->store) / 2;
    must(syncd_store_read(log->store, middle, &entry, &error), error);
    *reader = (Reader){log->store, syncd_bytes_dup(entry.header.op), g_get_monotonic_time(),
                       g_array_new(FALSE, FALSE, sizeof(double))};
    syncd_entry_clear(&entry);
}

static void reader_ask(Reader *reader)
{
    guint64 pos;
    SyncdEntry entry = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) error = NULL;
    must(syncd_store_find_op(reader->store, reader->op, &pos, &error) &&
             syncd_store_read(reader->store, pos, &entry, &error) &&
             syncd_store_read_body(reader->store, &entry, &body, &error),
         error);
    syncd_entry_clear(&entry);
}

static void reader_catch_up(Reader *reader)
{
    while (g_get_monotonic_time() >= reader->due) {
        reader_ask(reader);
        double waited = seconds_since(reader->due) * 1e3;
        g_array_append_val(reader->waited, waited);
        reader->due += READ_EVERY_USEC;
    }
}

/* Of each hundred one waited longer. */
static double reader_end(Reader *reader)
{
    double *waited = (double *)(void *)reader->waited->data;
    guint n = reader->waited->len;
    qsort(waited, n, sizeof *waited, compare_doubles);
    double most = n > 0 ? waited[n * 99 / 100] : 0;
    g_array_unref(reader->waited);
    g_free(reader->op);
    return most;
}

static double remake_rate(Log *log, Rounds *waited)
{
    Reader reader;
    bool more = true;
    double progress;
    g_autoptr(GError) error = NULL;
    reader_begin(&reader, log);
    gint64 begin = g_get_monotonic_time();
    while (more) {
        must(syncd_store_step_index_repair(log->store, "bench.0", &more, &progress, &error), error);
        reader_catch_up(&reader);
    }
    double rate = (double)syncd_store_sequence(log->store) / seconds_since(begin);
    rounds_add(waited, reader_end(&reader));
    must(syncd_store_release_index_snapshot(log->store, "bench.0", &error), error);
    return rate;
}

/* ---- the bytes of a log, and hashing them ---- */

typedef struct {
    char *bytes;
    size_t size;
    GArray *sizes; /* guint32: header and body, in turn */
} Content;

static Content read_journal(const char *path)
{
    Content content = {.sizes = g_array_new(FALSE, FALSE, sizeof(guint32))};
    size_t room = 0;
    sqlite3 *db = raw_open(path);
    sqlite3_stmt *rows = prepare(db, "SELECT header, body FROM entry ORDER BY pos");
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int column = 0; column < 2; column++) {
            guint32 size = (guint32)sqlite3_column_bytes(rows, column);
            if (content.size + size > room) {
                room = 2 * (content.size + size);
                content.bytes = g_realloc(content.bytes, room);
            }
            memcpy(content.bytes + content.size, sqlite3_column_blob(rows, column), size);
            content.size += size;
            g_array_append_val(content.sizes, size);
        }
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return content;
}

static void content_clear(Content *content)
{
    g_free(content->bytes);
    g_array_unref(content->sizes);
}

/* Where results go that only have to be computed. */
static volatile guint8 sink;

/* Entries a second: nothing but the hashes of headers and bodies, from memory. */
static double hash_rate(const Content *content)
{
    gint64 begin = g_get_monotonic_time();
    const char *at = content->bytes;
    guint8 all = 0;
    for (guint i = 0; i < content->sizes->len; i++) {
        guint32 size = g_array_index(content->sizes, guint32, i);
        all ^= syncd_hash(at, size).bytes[0];
        at += size;
    }
    sink = all;
    return content->sizes->len / 2 / seconds_since(begin);
}

/* ---- the figures ---- */

static void figure_append(Log *log)
{
    Rounds raw = {0}, durable = {0}, indexed = {0}, short_durable = {0}, short_indexed = {0};
    for (int i = 0; i < option_rounds; i++) {
        Log fresh = log_new("short", SHORT_LOG);
        append_rates(&fresh, &short_durable, &short_indexed);
        append_rates(log, &durable, &indexed);
        rounds_add(&raw, raw_append_rate());
        log_remove(&fresh);
    }
    tell("append, 64 a commit", "/s", &durable, "raw durable rows", &raw, "");
    tell("append to the long log", "/s", &durable, "to one of 1,000", &short_durable, "0.9");
    tell("the same with the index", "/s", &indexed, "to one of 1,000", &short_indexed, "");
}

static void figure_rebuild(Log *log)
{
    Rounds rebuilt = {0}, raw = {0};
    g_autofree char *path = g_build_filename(log->directory, "index.db", NULL);
    log_close(log);
    sqlite3 *db = raw_open(path);
    IndexRows rows = index_rows_read(db);
    sqlite3_close(db);
    for (int i = 0; i < option_rounds; i++) {
        rounds_add(&raw, raw_bulk_rate(&rows));
        rounds_add(&rebuilt, rebuild_rate(log));
    }
    tell("index made anew", "entries/s", &rebuilt, "raw inserts of its rows", &raw, "0.5");
    index_rows_clear(&rows);
}

static void figure_remake(Log *log)
{
    Rounds beside = {0}, bare = {0}, waited = {0}, alone = {0};
    for (int i = 0; i < option_rounds; i++) {
        Reader reader;
        rounds_add(&bare, log->n / rebuild_rate(log));
        reader_begin(&reader, log);
        for (gint64 end = reader.due + G_USEC_PER_SEC / 5; reader.due < end;)
            reader_catch_up(&reader);
        rounds_add(&alone, reader_end(&reader));
        rounds_add(&beside, log->n / remake_rate(log, &waited));
    }
    tell("index made beside the one that serves", "s", &beside, "made anew", &bare, "1.3");
    tell("a read meanwhile, 1 in 100 waits longer", "ms", &waited, "nothing is made", &alone,
         "20 ms");
}

static double verify_rate(Log *log, SyncdVerifyMode mode)
{
    gint64 begin = g_get_monotonic_time();
    verify(log, mode);
    return (double)syncd_store_sequence(log->store) / seconds_since(begin);
}

static void figure_verify(Log *log)
{
    Rounds first = {0}, full = {0}, hashed = {0}, once = {0};
    g_autofree char *path = g_build_filename(log->directory, "journal.db", NULL);
    log_close(log);
    Content content = read_journal(path);
    log_open(log);
    rounds_add(&once, hash_rate(&content));
    rounds_add(&first, verify_rate(log, SYNCD_VERIFY_INCREMENTAL));
    for (int i = 0; i < option_rounds; i++) {
        rounds_add(&hashed, hash_rate(&content));
        rounds_add(&full, verify_rate(log, SYNCD_VERIFY_FULL));
    }
    tell("first verification, opening bodies", "entries/s", &first, "hashing alone", &once, "");
    tell("full verification", "entries/s", &full, "hashing alone", &hashed, "0.45");

    double entry = (double)content.size / (content.sizes->len / 2);
    printf("\n%.0f bytes of header and body an entry; %.2f times as many in the journal\n", entry,
           (double)syncd_store_journal_bytes(log->store) / (double)content.size);
    content_clear(&content);
}

static const struct {
    const char *name;
    void (*take)(Log *log);
} figures[] = {{"append", figure_append},
               {"rebuild", figure_rebuild},
               {"remake", figure_remake},
               {"verify", figure_verify}};

static const GOptionEntry options[] = {
    {"entries", 0, 0, G_OPTION_ARG_INT, &option_entries, "length of the log", "N"},
    {"rounds", 0, 0, G_OPTION_ARG_INT, &option_rounds, "times each figure is taken", "N"},
    {"directory", 0, 0, G_OPTION_ARG_FILENAME, &option_directory, "where logs are made", "DIR"},
    {"keep", 0, 0, G_OPTION_ARG_FILENAME, &option_keep,
     "keep the long log here; one that is here is taken as it is", "DIR"},
    {0},
};

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    must(g_option_context_parse(context, &argc, &argv, &error), error);
    g_autofree char *parent = g_steal_pointer(&option_directory);
    g_autofree char *folder =
        g_build_filename(parent != NULL ? parent : g_get_tmp_dir(), "bench-store-XXXXXX", NULL);
    option_directory = g_mkdtemp(folder);
    if (option_directory == NULL || option_entries < 1 || option_rounds < 1 ||
        option_rounds > (int)ROUNDS_MAX || !syncd_crypto_init(NULL))
        g_error("Nothing can be measured in %s", folder);

    gint64 begin = g_get_monotonic_time();
    Log log = option_keep != NULL ? log_at(g_strdup(option_keep), (unsigned)option_entries)
                                  : log_new("long", (unsigned)option_entries);
    printf("%u entries in %s, there after %.1f s\n\n", log.n, log.directory, seconds_since(begin));
    tell_heading();
    for (size_t i = 0; i < G_N_ELEMENTS(figures); i++)
        if (argc < 2 || g_strv_contains((const char *const *)argv + 1, figures[i].name))
            figures[i].take(&log);
    if (option_keep != NULL)
        log_free(&log);
    else
        log_remove(&log);
    fixture_remove(option_directory);
    return 0;
}
