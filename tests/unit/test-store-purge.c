/*
 * A purge takes content out of the log and out of every other file, and the log still verifies; a
 * body that is not there without one is damage.
 */
#include "index-dump.h"
#include "purge-fixture.h"
#include "raw-sql.h"
#include "store/blobs.h"
#include "store/store-private.h"

#define MARKER "what-nobody-shall-find-again"
#define KEY "key-of-" MARKER
#define LARGE (3u * 1024u * 1024u)

static char *open_public(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    syncd_store_open_scope(f->store, "public", "board", "actor-test", &scope, &error);
    g_assert_no_error(error);
    return g_strdup(scope->id);
}

static void put_object(Fixture *f, const char *scope, const char *object, const char *key,
                       const char *content, size_t size)
{
    SyncdReceipt receipt = fixture_append_to(f, scope, object, key, content, size);
    syncd_receipt_clear(&receipt);
    fixture_commit(f);
}

/* Its content in all the ways content is kept: in the row, on pages of its own, in chunks. */
static char *begin(Fixture *f)
{
    fixture_init(f, 7);
    fixture_open(f);
    fixture_fill(f, 40);
    char *scope = open_public(f);
    g_autofree char *large = g_malloc(LARGE), *page = g_malloc0(20000);
    memset(large, 'x', LARGE);
    memset(page, 'y', 20000);
    memcpy(large + LARGE - 100, MARKER, strlen(MARKER));
    memcpy(page + 15000, MARKER, strlen(MARKER));
    put_object(f, scope, "gone", KEY, "{\"a\":\"" MARKER "\"}", strlen(MARKER) + 8);
    fixture_fill(f, 30);
    put_object(f, scope, "gone", NULL, page, 20000);
    put_object(f, scope, "gone", NULL, large, LARGE);
    put_object(f, scope, "stays", "key-stays", "{\"a\":1}", 7);
    fixture_fill(f, 30);
    return scope;
}

static SyncdPurgeable *purge_of(Fixture *f, const char *scope, const char *object)
{
    g_autoptr(GError) error = NULL;
    SyncdPurgeable *purgeable = NULL;
    fixture_delete(f, scope, object, &error);
    g_assert_no_error(error);
    fixture_commit(f);
    fixture_purge(f, scope, object, &purgeable, &error);
    g_assert_no_error(error);
    fixture_commit(f);
    return purgeable;
}

static SyncdScrubbed scrub(Fixture *f, const SyncdPurgeable *purgeable)
{
    g_autoptr(GError) error = NULL;
    SyncdScrubbed scrubbed = {0};
    scrub_all(f->store, purgeable->scope_id, purgeable->chunks, &scrubbed, &error);
    g_assert_no_error(error);
    return scrubbed;
}

static void what_is_purged_is_in_no_file(void)
{
    Fixture f;
    g_autofree char *scope = begin(&f);
    g_assert_true(state_holds(&f, MARKER));
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, scope, "gone");
    g_assert_cmpuint(purgeable->entries->len, ==, 4); /* with the request to delete it */
    g_assert_cmpuint(purgeable->chunks->len, ==, 4);
    SyncdScrubbed scrubbed = scrub(&f, purgeable);
    g_assert_cmpuint(scrubbed.chunks, ==, 4);
    g_assert_cmpuint(scrubbed.chunk_bytes, ==, purgeable->chunk_bytes);
    g_assert_false(state_holds(&f, MARKER));
    fixture_assert_sound(&f);
    fixture_close(&f);
    g_assert_false(state_holds(&f, MARKER));
    fixture_open(&f);
    fixture_assert_sound(&f);
    g_assert_false(state_holds(&f, MARKER));
    fixture_clear(&f);
}

/* What the test above would find if a step were left out. */
typedef enum { OVERWRITING, EMPTYING_THE_WAL, REMOVING_CHUNKS, REMAKING_THE_INDEX } Part;

static bool remake_index(SyncdStore *store, GError **error)
{
    for (bool more = true; more;)
        if (!syncd_store_step_remake(store, &more, error))
            return false;
    return true;
}

static bool scrub_without(Fixture *f, Part left_out, const SyncdPurgeable *purgeable,
                          GError **error)
{
    SyncdDatabase *db = syncd_journal_database(f->store->journal);
    for (guint i = 0; left_out != REMOVING_CHUNKS && i < purgeable->chunks->len; i++)
        if (!syncd_blobs_remove(f->store->directory,
                                ((SyncdPurgedChunk *)purgeable->chunks->pdata[i])->name, error))
            return false;
    return (left_out == EMPTYING_THE_WAL ? syncd_database_checkpoint(db, 0, error)
                                         : syncd_database_empty_wal(db, error)) &&
           (left_out == REMAKING_THE_INDEX || remake_index(f->store, error));
}

static void each_part_of_it_is_needed(void)
{
    static const char *const found_in[] = {"journal.db", "journal.db-wal", "blobs", "index.db"};
    for (Part left_out = OVERWRITING; left_out <= REMAKING_THE_INDEX; left_out++) {
        Fixture f;
        g_autoptr(GError) error = NULL;
        g_autofree char *scope = begin(&f);
        SyncdDatabase *db = syncd_journal_database(f.store->journal);
        if (left_out == OVERWRITING)
            g_assert_true(syncd_database_empty_wal(db, NULL) &&
                          syncd_database_run(db, "PRAGMA secure_delete = OFF", NULL));
        g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, scope, "gone");
        scrub_without(&f, left_out, purgeable, &error);
        g_assert_no_error(error);
        syncd_database_empty_wal(syncd_index_database(f.store->index), &error);
        g_assert_no_error(error);
        for (Part part = OVERWRITING; part <= REMAKING_THE_INDEX; part++) {
            g_autofree char *path = g_build_filename(f.directory, found_in[part], NULL);
            g_assert_cmpint(files_hold(path, SYNCD_BYTES_TEXT(MARKER)), ==, part == left_out);
        }
        fixture_clear(&f);
    }
}

static void what_is_sealed_goes_too(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 7);
    fixture_open(&f);
    fixture_fill(&f, 20);
    g_auto(SyncdReceipt) receipt = fixture_append(&f, "gone", NULL, "{\"a\":\"" MARKER "\"}");
    fixture_commit(&f);
    g_autoptr(GBytes) stored = syncd_journal_read_body(f.store->journal, receipt.pos, &error);
    g_assert_no_error(error);
    SyncdBytes bytes = {g_bytes_get_data(stored, NULL), g_bytes_get_size(stored)};
    g_assert_true(files_hold(f.directory, bytes));
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, syncd_store_device_id(f.store), "gone");
    scrub(&f, purgeable);
    g_assert_false(files_hold(f.directory, bytes));
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void reading_it_says_what_purged_it_and_when(void)
{
    Fixture f;
    g_autofree char *scope = begin(&f);
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, scope, "gone");
    scrub(&f, purgeable);
    const SyncdPurgedEntry *first = purgeable->entries->pdata[0];
    g_auto(SyncdEntry) entry = {0}, purge = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) error = NULL;
    guint64 by;
    g_assert_true(syncd_journal_purged_by(f.store->journal, first->pos, &by, NULL));
    g_assert_true(syncd_store_read(f.store, first->pos, &entry, NULL));
    g_assert_true(syncd_store_read(f.store, by, &purge, NULL));
    g_assert_false(syncd_store_read_body(f.store, &entry, &body, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_autofree char *op = syncd_bytes_dup(purge.header.op);
    g_assert_nonnull(strstr(error->message, op));
    g_assert_nonnull(strstr(error->message, "was purged by"));
    fixture_clear(&f);
}

static void the_index_is_the_same_when_it_is_rebuilt(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    g_autofree char *scope = begin(&f);
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, scope, "gone");
    scrub(&f, purgeable);
    fixture_fill(&f, 10);
    syncd_store_settle(f.store, &error);
    g_assert_no_error(error);
    fixture_close(&f);
    g_autofree char *before = dump_index(f.directory);
    g_assert_null(strstr(before, MARKER));
    g_assert_nonnull(strstr(before, "key-stays"));
    remove_index(&f);
    fixture_open(&f);
    fixture_close(&f);
    g_autofree char *after = dump_index(f.directory);
    g_assert_cmpstr(after, ==, before);
    fixture_clear(&f);
}

/* Equal content in a sealed scope is stored once. */
static SyncdReceipt begin_shared(Fixture *f, char *large)
{
    fixture_init(f, 7);
    fixture_open(f);
    fixture_fill(f, 1);
    const char *scope = syncd_store_device_id(f->store);
    memset(large, 'x', LARGE);
    memcpy(large, MARKER, strlen(MARKER));
    put_object(f, scope, "gone", NULL, large, LARGE);
    large[0] = 'W'; /* all but the first chunk are the same */
    put_object(f, scope, "stays", NULL, large, LARGE);
    SyncdReceipt stays = fixture_append_to(f, scope, "stays", NULL, large, LARGE);
    fixture_commit(f);
    return stays;
}

static void a_chunk_that_others_list_stays(void)
{
    Fixture f;
    g_autofree char *large = g_malloc(LARGE);
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReceipt) stays = begin_shared(&f, large);
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, syncd_store_device_id(f.store), "gone");
    SyncdScrubbed scrubbed = scrub(&f, purgeable);
    g_assert_cmpuint(purgeable->chunks->len, ==, scrubbed.chunks + scrubbed.kept_chunks);
    g_assert_cmpuint(scrubbed.chunks, ==, 1);
    g_assert_cmpuint(scrubbed.unreadable, ==, 0);
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_assert_true(syncd_store_read(f.store, stays.pos, &entry, NULL));
    syncd_store_read_body(f.store, &entry, &body, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(body.content, body.content_size, large, LARGE);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

/* In the file, while nobody has it open. */
static void damage_body(Fixture *f, guint64 pos)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stored = syncd_journal_read_body(f->store->journal, pos, &error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(f->directory, "journal.db", NULL), *text = NULL;
    size_t size;
    fixture_close(f);
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    char *found = memmem(text, size, g_bytes_get_data(stored, NULL), g_bytes_get_size(stored));
    g_assert_nonnull(found);
    found[40] ^= 1;
    g_assert_true(g_file_set_contents(path, text, (gssize)size, NULL));
    fixture_open(f);
}

static void what_an_unreadable_list_may_name_stays(void)
{
    Fixture f;
    g_autofree char *large = g_malloc(LARGE);
    g_auto(SyncdReceipt) stays = begin_shared(&f, large);
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, syncd_store_device_id(f.store), "gone");
    damage_body(&f, stays.pos);
    SyncdScrubbed scrubbed = scrub(&f, purgeable);
    g_assert_cmpuint(scrubbed.chunks, ==, 0);
    g_assert_cmpuint(scrubbed.kept_chunks, ==, purgeable->chunks->len);
    g_assert_cmpuint(scrubbed.unreadable, ==, 1);
    fixture_clear(&f);
}

/* What is sealed with another key is in other chunks. */
static void an_unreadable_list_of_another_scope_keeps_nothing(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    g_autofree char *large = g_malloc(LARGE);
    g_autoptr(SyncdScope) other = NULL;
    SyncdReceipt stays = begin_shared(&f, large);
    syncd_receipt_clear(&stays);
    syncd_store_open_scope(f.store, "workspace", "other", "actor-test", &other, &error);
    g_assert_no_error(error);
    g_auto(SyncdReceipt) there = fixture_append_to(&f, other->id, "there", NULL, large, LARGE);
    fixture_commit(&f);
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, syncd_store_device_id(f.store), "gone");
    damage_body(&f, there.pos);
    SyncdScrubbed scrubbed = scrub(&f, purgeable);
    g_assert_cmpuint(scrubbed.chunks, ==, 1);
    g_assert_cmpuint(scrubbed.unreadable, ==, 0);
    fixture_clear(&f);
}

static void assert_found(Fixture *f, const char *sql, const char *code)
{
    g_autofree char *drop = g_build_filename(f->directory, "journal.db", NULL);
    fixture_close(f);
    run_raw(drop, sql);
    fixture_open(f);
    g_autoptr(SyncdVerify) verify = fixture_verify(f, SYNCD_VERIFY_FULL, NULL);
    bool found = false;
    for (guint i = 0; i < syncd_verify_findings(verify)->len; i++) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[i];
        found |= strcmp(finding->code, code) == 0;
    }
    g_assert_true(found);
}

/* The triggers are as they were afterwards: only the rows are wrong. */
#define FREELY(sql)                                                                                \
    "CREATE TABLE kept AS SELECT name, sql FROM sqlite_schema WHERE type = 'trigger';"             \
    "DROP TRIGGER entry_update; DROP TRIGGER purge_insert; DROP TRIGGER purge_update; "            \
    "DROP TRIGGER purge_delete;" sql

static void a_body_that_nothing_purged_is_damage(void)
{
    static const struct {
        const char *sql;
        const char *code;
    } cases[] = {
        /* of another object, without a row */
        {FREELY("UPDATE entry SET body = NULL WHERE pos = 20;"), "body-missing"},
        /* with the row of a purge that is another object's */
        {FREELY("UPDATE entry SET body = NULL WHERE pos = 20;"
                "INSERT INTO purge SELECT 20, max(by) FROM purge;"),
         "body-missing"},
        /* with a row that names what is no purge */
        {FREELY("UPDATE purge SET by = by - 1;"), "body-missing"},
        {FREELY("UPDATE purge SET by = 999999;"), "body-missing"},
        /* with a row less */
        {FREELY("DELETE FROM purge WHERE pos = (SELECT min(pos) FROM purge);"), "body-missing"},
        /* the tombstone of the same object: no purge takes that */
        {FREELY("UPDATE entry SET body = NULL WHERE instr(header, '\"tombstone.apply\"') > 0;"
                "INSERT INTO purge SELECT pos, (SELECT max(by) FROM purge) FROM entry "
                "WHERE instr(header, '\"tombstone.apply\"') > 0;"),
         "body-missing"},
        /* a row for a body that is there, and for none */
        {FREELY("INSERT INTO purge SELECT 20, max(by) FROM purge;"), "stray-purge"},
        {FREELY("INSERT INTO purge VALUES (999998, 999999);"), "stray-purge"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f;
        g_autofree char *scope = begin(&f);
        g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, scope, "gone");
        scrub(&f, purgeable);
        fixture_assert_sound(&f);
        assert_found(&f, cases[i].sql, cases[i].code);
        fixture_clear(&f);
    }
}

static void nothing_but_a_purge_takes_a_body(void)
{
    static const char *const attempts[] = {
        "UPDATE entry SET body = NULL WHERE pos = 20",
        "UPDATE entry SET body = x'00' WHERE pos = (SELECT min(pos) FROM purge)",
        "UPDATE entry SET header = x'00' WHERE pos = (SELECT min(pos) FROM purge)",
        "UPDATE entry SET seq = seq + 1000 WHERE pos = (SELECT min(pos) FROM purge)",
        "UPDATE entry SET tiles = x'00' WHERE pos = (SELECT min(pos) FROM purge)",
        "DELETE FROM purge",
        "UPDATE purge SET by = by + 1",
        "INSERT OR REPLACE INTO purge SELECT pos, by + 1 FROM purge",
        "INSERT INTO purge VALUES (20, 20)",
    };
    Fixture f;
    g_autofree char *scope = begin(&f);
    syncd_purgeable_free(purge_of(&f, scope, "gone"));
    SyncdDatabase *db = syncd_journal_database(f.store->journal);
    for (size_t i = 0; i < G_N_ELEMENTS(attempts); i++) {
        g_test_message("%s", attempts[i]);
        g_assert_false(syncd_database_run(db, attempts[i], NULL));
    }
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void a_turn_that_is_taken_back_took_nothing(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    g_autofree char *scope = begin(&f);
    SyncdPurgeable *purgeable = NULL;
    fixture_delete(&f, scope, "gone", &error);
    fixture_commit(&f);
    fixture_purge(&f, scope, "gone", &purgeable, &error);
    g_assert_no_error(error);
    syncd_store_discard(f.store);
    fixture_assert_sound(&f);
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    const SyncdPurgedEntry *first = purgeable->entries->pdata[0];
    g_assert_true(syncd_store_read(f.store, first->pos, &entry, NULL));
    g_assert_true(syncd_store_read_body(f.store, &entry, &body, NULL));
    syncd_purgeable_free(purgeable);
    fixture_clear(&f);
}

/* Versions before did not overwrite what they freed. */
static void what_older_versions_freed_is_overwritten(void)
{
    Fixture f;
    g_autofree char *path = NULL;
    fixture_init(&f, 7);
    fixture_open(&f);
    fixture_fill(&f, 5);
    fixture_close(&f);
    path = g_build_filename(f.directory, "journal.db", NULL);
    run_raw(path, "PRAGMA secure_delete = OFF; CREATE TABLE old (a);"
                  "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
                  "INSERT INTO old SELECT printf('%.3000c " MARKER "', 'x') FROM n;"
                  "DROP TABLE old; DROP TABLE content; DROP TABLE purge; DROP TABLE lost; DROP "
                  "TRIGGER entry_update;"
                  "CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN "
                  "SELECT RAISE(ABORT, 'entries are written once'); END; PRAGMA user_version = 2;");
    g_assert_true(files_hold(path, SYNCD_BYTES_TEXT(MARKER)));

    fixture_open(&f);
    fixture_assert_sound(&f);
    fixture_close(&f);
    g_assert_false(files_hold(path, SYNCD_BYTES_TEXT(MARKER)));
    g_assert_true(state_holds(&f, MARKER)); /* the copy of before the migration … */
    fixture_open(&f);
    g_autoptr(SyncdPurgeable) purgeable = purge_of(&f, syncd_store_device_id(f.store), "object:1");
    SyncdScrubbed scrubbed = scrub(&f, purgeable);
    g_assert_cmpuint(scrubbed.copies, ==, 1);
    g_assert_false(state_holds(&f, MARKER)); /* … goes with the first purge */
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store-purge/in-no-file", what_is_purged_is_in_no_file);
    g_test_add_func("/store-purge/each-part-is-needed", each_part_of_it_is_needed);
    g_test_add_func("/store-purge/sealed", what_is_sealed_goes_too);
    g_test_add_func("/store-purge/reading", reading_it_says_what_purged_it_and_when);
    g_test_add_func("/store-purge/rebuilt", the_index_is_the_same_when_it_is_rebuilt);
    g_test_add_func("/store-purge/shared-chunks", a_chunk_that_others_list_stays);
    g_test_add_func("/store-purge/unreadable-list", what_an_unreadable_list_may_name_stays);
    g_test_add_func("/store-purge/unreadable-list-elsewhere",
                    an_unreadable_list_of_another_scope_keeps_nothing);
    g_test_add_func("/store-purge/damage", a_body_that_nothing_purged_is_damage);
    g_test_add_func("/store-purge/triggers", nothing_but_a_purge_takes_a_body);
    g_test_add_func("/store-purge/taken-back", a_turn_that_is_taken_back_took_nothing);
    g_test_add_func("/store-purge/older", what_older_versions_freed_is_overwritten);
    return g_test_run();
}
