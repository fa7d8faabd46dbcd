#include "flip-journals.h"

#include "flip-reading.h"
#include "flips.h"

#include "../unit/purge-fixture.h"
#include "../unit/service-fixture.h"
#include "base/id.h"
#include "crypto/tree.h"
#include "domain/file-changes.h"
#include "store/chunks.h"
#include "store/database.h"

#include <sqlite3.h>

#define SMALL_SIZE_MAX (48 * 1024)
#define SMALL_PAGE_SIZE 512
#define SMALL_FILL 30u /* with the others in its feed a full tile and a tail */
#define LARGE_SIZE (4 * 1024 * 1024)
#define LARGE_FILL 1060u /* more than a tile of tiles */
#define LARGE_SEALED 40u
#define LARGE_BODY_MAX 5600u /* some fit into a page together, some take two */
#define LARGE_TURN 64u

/* docs/format.md, section 6. */
static const char *const kinds[] = {
    "feed.open",       "device.registered", "actor.registered", "policy.decision",
    "policy.refused",  "operation.enqueue", "checkpoint.write", "store.adopted",
    "deletion.purged", "object.created",
};
static const char *const tables[] = {
    "meta", "feed", "entry", "head", "checkpoint", "purge", "content", "lost",
};

/* ---- looking at what was made ---- */

static sqlite3 *open_raw(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "journal.db", NULL);
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    return db;
}

static void run_raw(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        g_error("%s: %s", sql, sqlite3_errmsg(db));
}

static gint64 count(sqlite3 *db, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gint64 count(sqlite3 *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *sql = g_strdup_vprintf(format, args);
    va_end(args);
    sqlite3_stmt *row;
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &row, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(row), ==, SQLITE_ROW);
    gint64 n = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return n;
}

static char *text(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *row;
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &row, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(row), ==, SQLITE_ROW);
    char *value = g_strdup((const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    return value;
}

static gint64 size_at_rest(const char *directory)
{
    GStatBuf st;
    g_autofree char *journal = g_build_filename(directory, "journal.db", NULL);
    g_autofree char *wal = g_strconcat(journal, "-wal", NULL);
    g_assert_false(g_file_test(wal, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_stat(journal, &st), ==, 0);
    return st.st_size;
}

static void assert_holds_everything(sqlite3 *db)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        if (count(db, "SELECT count(*) FROM %s", tables[i]) == 0)
            g_error("the journal has no row in the table %s", tables[i]);
    g_assert_cmpint(count(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), ==,
                    G_N_ELEMENTS(tables));
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (count(db, "SELECT count(*) FROM entry WHERE instr(header, '\"kind\":\"%s\"')",
                  kinds[i]) == 0)
            g_error("the journal has no entry of the kind %s", kinds[i]);
    g_assert_cmpint(count(db, "SELECT count(*) FROM entry WHERE instr(header, '\"key\":\"\"')"), >,
                    0);
    g_assert_cmpint(count(db, "SELECT count(*) FROM entry WHERE instr(header, '\"list\"')"), >, 0);
    g_assert_cmpint(count(db, "SELECT max(length(tiles)) FROM entry"), >, 0);
    g_assert_cmpint(count(db, "SELECT max(length(tail)) FROM head"), >, 0);
}

/* ---- the small one ---- */

/* The kinds that a service writes, as it writes them. */
static void write_kinds(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    syncd_service_note_refusal(f->service, &f->caller, "a", "b");
    syncd_service_checkpoint(f->service, &f->caller, "device", &operation, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
    g_free(syncd_service_describe_checkpoint(f->service, operation, &error));
    g_assert_no_error(error);
}

static void append_adoption(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdDraft draft = {
        .kind = "store.adopted",
        .actor = "a",
        .object = "",
        .decision = "",
        .engine = "",
        .lane = "audit",
        .schema_id = "sourceos.store-adoption/v1",
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES_TEXT("{\"machine\":\"none\"}"),
    };
    syncd_store_append(f->store, syncd_store_device_id(f->store), &draft, NULL, &error);
    g_assert_no_error(error);
}

static void append_content(Fixture *f, const char *scope, size_t size, const char *key)
{
    g_autofree char *content = g_malloc(size);
    memset(content, 'x', size);
    content[0] = content[size - 1] = '"';
    SyncdReceipt receipt = fixture_append_to(f, scope, "o", key, content, size);
    syncd_receipt_clear(&receipt);
}

static char *open_public_scope(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    syncd_store_open_scope(f->store, "public", "p", "a", &scope, &error);
    g_assert_no_error(error);
    return g_strdup(scope->id);
}

/* A folder and a file in it, whose content is kept. */
static void append_kept(Fixture *f, const char *scope)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *operation = syncd_id_new(&f->sources, "op");
    SyncdFileChangesWriter writer;
    SyncdHash name;
    char folder[SYNCD_FILE_ID_SIZE];
    syncd_store_put_chunk(f->store, scope, SYNCD_BYTES_TEXT("kept"), true, &name, &bytes, &error);
    g_assert_no_error(error);
    syncd_file_id(SYNCD_BYTES_TEXT(operation), 0, folder);
    const SyncdFileChange changes[] = {
        {.folder = SYNCD_BYTES_TEXT(""), .name = SYNCD_BYTES_TEXT(""), .kind = SYNCD_FILE_FOLDER},
        {.folder = SYNCD_BYTES_TEXT(folder),
         .name = SYNCD_BYTES_TEXT("f"),
         .kind = SYNCD_FILE_REGULAR,
         .size = 4,
         .hashed = true,
         .hash = syncd_hash("kept", 4),
         .content = {.kept = true, .chunks = SYNCD_BYTES(name.bytes, sizeof name.bytes)}},
    };
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_SCAN);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        syncd_file_changes_add(&writer, &changes[i]);
    syncd_file_changes_end(&writer);
    const SyncdDraftRow row = {name,
                               SYNCD_BYTES(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes))};
    const SyncdDraft draft = {
        .kind = "object.created",
        .actor = "a",
        .op = operation,
        .object = "",
        .decision = "policy-0123456789abcdef",
        .engine = "",
        .lane = "normal",
        .schema_id = SYNCD_FILES_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(text->str, text->len),
        .rows = &row,
        .n_rows = 1,
    };
    syncd_store_append(f->store, scope, &draft, NULL, &error);
    g_assert_no_error(error);
}

/* One entry whose body is gone, and the one that took it. */
static void append_purge(Fixture *f, const char *scope)
{
    g_autoptr(GError) error = NULL;
    SyncdPurgeable *purgeable = NULL;
    SyncdReceipt receipt = fixture_append_to(f, scope, "q", NULL, "{}", 2);
    syncd_receipt_clear(&receipt);
    fixture_commit(f);
    fixture_purge(f, scope, "q", &purgeable, &error);
    g_assert_no_error(error);
    syncd_purgeable_free(purgeable);
}

/* As a repair leaves what is nowhere: the body of one entry, and of another all but its leaf. */
static void lose(const char *directory)
{
#define LOSABLE                                                                                    \
    "FROM entry WHERE instr(header, '\"kind\":\"operation.enqueue\"') AND body IS NOT NULL"        \
    " AND instr(header, '\"whole\"')"
    sqlite3 *db = open_raw(directory);
    g_autofree char *header = text(db, "SELECT header " LOSABLE " ORDER BY pos DESC");
    SyncdHash leaf = syncd_tree_leaf(header, strlen(header));
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&leaf, hex);
    g_autofree char *entry =
        g_strdup_printf("INSERT INTO lost (pos, leaf) SELECT max(pos), x'%s' " LOSABLE, hex);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    run_raw(db, entry);
    run_raw(db, "INSERT INTO lost (pos) SELECT min(pos) " LOSABLE);
    run_raw(db, "UPDATE entry SET body = NULL WHERE pos IN (SELECT pos FROM lost)");
    run_raw(db, "UPDATE entry SET header = x'' WHERE pos IN (SELECT pos FROM lost WHERE leaf "
                "IS NOT NULL)");
    g_assert_cmpint(count(db, "SELECT count(*) FROM lost"), ==, 2);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
#undef LOSABLE
}

/* What was verified once is kept beside the journal; here the journal stands for itself. */
static void forget_verification(const char *directory)
{
    g_autofree char *verified = g_build_filename(directory, "verified.json", NULL);
    g_assert_cmpint(g_unlink(verified), ==, 0);
}

static void make_pages_small(const char *directory)
{
    sqlite3 *db = open_raw(directory);
    g_autofree char *sql = g_strdup_printf("PRAGMA page_size = %d", SMALL_PAGE_SIZE);
    run_raw(db, "PRAGMA journal_mode = DELETE");
    run_raw(db, sql);
    run_raw(db, "VACUUM");
    run_raw(db, "PRAGMA journal_mode = WAL");
    assert_holds_everything(db);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

char *flip_small_journal(void)
{
    ServiceFixture f;
    service_init(&f);
    write_kinds(&f);
    service_close(&f);

    fixture_open(&f.base);
    g_autofree char *scope = open_public_scope(&f.base);
    append_adoption(&f.base);
    for (unsigned i = 0; i < SMALL_FILL; i++)
        append_content(&f.base, scope, 2, i == 0 ? "k" : NULL);
    append_content(&f.base, scope, SYNCD_STORE_INLINE_MAX + 1, NULL);
    append_kept(&f.base, scope);
    append_purge(&f.base, scope);
    fixture_commit(&f.base);
    fixture_assert_sound(&f.base);
    fixture_close(&f.base);

    forget_verification(f.base.directory);
    lose(f.base.directory);
    make_pages_small(f.base.directory);
    g_assert_cmpint(size_at_rest(f.base.directory), <=, SMALL_SIZE_MAX);
    return f.base.directory;
}

/* ---- the large one ---- */

char *flip_large_journal(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 23);
    fixture_open(&f);
    fixture_fill(&f, LARGE_SEALED);
    g_autofree char *scope = open_public_scope(&f);
    for (unsigned i = 0; i < LARGE_FILL; i++) {
        append_content(&f, scope, 2 + flip_mix(i) % LARGE_BODY_MAX, NULL);
        if (i % LARGE_TURN == LARGE_TURN - 1)
            fixture_commit(&f);
    }
    fixture_commit(&f);
    syncd_store_keep_head(f.store, scope, "checkpoint.write", &error);
    g_assert_no_error(error);
    fixture_assert_sound(&f);
    fixture_close(&f);
    forget_verification(f.directory);

    sqlite3 *db = open_raw(f.directory);
    g_assert_cmpint(count(db, "SELECT max(length(tiles)) FROM entry"), ==, 2048);
    g_assert_cmpint(count(db, "SELECT max(seq) FROM entry"), >=, 1024);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_assert_cmpint(size_at_rest(f.directory), >=, LARGE_SIZE);
    g_assert_cmpint(size_at_rest(f.directory), <, LARGE_SIZE + LARGE_SIZE / 8);
    return f.directory;
}

/* ---- for the controls ---- */

void flip_edit(const char *directory, const char *sql)
{
    sqlite3 *db = open_raw(directory);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    run_raw(db, sql);
    g_assert_cmpint(sqlite3_changes(db), >, 0);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

GString *flip_read_state(const char *directory)
{
    Fixture f = {.machine = "machine-a"};
    f.sources = (SyncdSources){fixture_now, fixture_now, fixture_random, &f};
    f.directory = (char *)directory;
    fixture_open_mode(&f, SYNCD_STORE_INSPECT);
    GString *text = g_string_new(NULL);
    flip_read(f.store, G_MAXSIZE, text);
    fixture_close(&f);
    return text;
}
