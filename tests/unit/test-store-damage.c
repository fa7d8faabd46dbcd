/*
 * What happens to a journal on the disk is found by verification, with what and where, or it is
 * harmless: everything still reads the same.
 */
#include "crypto/seal.h"
#include "hurried.h"
#include "raw-sql.h"
#include "store-fixture.h"

#include <fcntl.h>
#include <unistd.h>

typedef struct {
    Fixture f;
    char *journal;    /* path */
    GPtrArray *texts; /* header and content of every entry, as they were */
    char *first_head; /* a note from before the last entries */
} Damaged;

static char *read_all(SyncdStore *store, guint64 pos)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(store, pos, &entry, NULL) ||
        !syncd_store_read_body(store, &entry, &body, NULL))
        return g_strdup("unreadable");
    return g_strconcat(entry.text, "\n", body.meta, "\n", body.content, NULL);
}

/* A small journal that holds every table, and every entry remembered. */
static void prepare(Damaged *d, unsigned n)
{
    g_autoptr(GError) error = NULL;
    fixture_init(&d->f, 11);
    fixture_open(&d->f);
    fixture_fill(&d->f, n / 2);
    g_assert_true(syncd_store_keep_head(d->f.store, syncd_store_device_id(d->f.store),
                                        "checkpoint.write", &error));
    g_autoptr(SyncdHead) head =
        syncd_store_head(d->f.store, syncd_store_device_id(d->f.store), &error);
    d->first_head = g_strdup(head->note);
    g_autoptr(SyncdScope) scope = NULL;
    g_assert_true(syncd_store_open_scope(d->f.store, "public", "p", "actor-test", &scope, &error));
    SyncdReceipt receipt = fixture_append_to(&d->f, scope->id, "object:p", "key", "{}", 2);
    syncd_receipt_clear(&receipt);
    fixture_fill(&d->f, n - n / 2);

    d->texts = g_ptr_array_new_with_free_func(g_free);
    for (guint64 pos = 1; pos <= syncd_store_sequence(d->f.store); pos++)
        g_ptr_array_add(d->texts, read_all(d->f.store, pos));
    fixture_close(&d->f);
    d->journal = g_build_filename(d->f.directory, "journal.db", NULL);
}

static void finish(Damaged *d)
{
    g_ptr_array_unref(d->texts);
    g_free(d->first_head);
    g_free(d->journal);
    fixture_clear(&d->f);
}

/* The findings of a full verification without a daemon, one a line; NULL when there are none. */
static char *verify(Damaged *d, const char *const *known, bool *ret_same)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = d->f.directory,
                                 .mode = SYNCD_STORE_INSPECT,
                                 .sources = &d->f.sources,
                                 .machine = d->f.machine};
    g_autoptr(SyncdStore) store = syncd_store_open(&options, &error);
    if (store == NULL)
        return g_strdup(error->message);
    g_autoptr(SyncdVerify) run = syncd_verify_new(store, SYNCD_VERIFY_FULL, known, &error);
    g_assert_no_error(error);
    bool more = true;
    while (more) {
        if (!syncd_verify_step(run, &more, &error))
            return g_strdup(error->message);
    }
    if (syncd_verify_n_findings(run) > 0) {
        GString *text = g_string_new(NULL);
        for (guint i = 0; i < syncd_verify_findings(run)->len; i++) {
            const SyncdVerifyFinding *finding = syncd_verify_findings(run)->pdata[i];
            g_string_append_printf(text, "%s %s seq %d pos %d: %s\n", finding->code, finding->feed,
                                   (int)finding->seq, (int)finding->pos, finding->detail);
        }
        return g_string_free(text, FALSE);
    }
    *ret_same = syncd_store_sequence(store) == d->texts->len;
    for (guint i = 0; *ret_same && i < d->texts->len; i++) {
        g_autofree char *now = read_all(store, i + 1);
        *ret_same = strcmp(now, d->texts->pdata[i]) == 0;
    }
    return NULL;
}

static void put_byte(int fd, off_t at, guint8 byte)
{
    g_assert_cmpint(pwrite(fd, &byte, 1, at), ==, 1);
}

static void an_edited_byte_is_found_or_harmless(void)
{
    Damaged d = {0};
    prepare(&d, 36);
    bool same = false;
    g_assert_null(verify(&d, NULL, &same));
    g_assert_true(same);

    int fd = open(d.journal, O_RDWR | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    guint found = 0, harmless = 0;
    /* One byte in so many, at another place of each page: every bit is flipped by tests/faults. */
    off_t stride = is_hurried() ? 1999 : is_slowed() ? 211 : 37;
    for (off_t at = 0; at < size; at += stride) {
        guint8 old;
        g_assert_cmpint(pread(fd, &old, 1, at), ==, 1);
        put_byte(fd, at, old ^ (guint8)(1 + fixture_next(&d.f) % 255));
        g_autofree char *findings = verify(&d, NULL, &same);
        if (findings == NULL && !same)
            g_error("byte %ld: changed unnoticed", (long)at);
        *(findings != NULL ? &found : &harmless) += 1;
        put_byte(fd, at, old);
    }
    close(fd);
    g_test_message("%u found, %u harmless of %ld bytes", found, harmless, (long)size);
    g_assert_cmpuint(found, >, harmless / 4);
    finish(&d);
}

/* The control: bytes that do matter are really found, and said where. */
static void an_edited_body_is_named(void)
{
    Damaged d = {0};
    prepare(&d, 36);
    run_raw(d.journal,
            "DROP TRIGGER entry_update; UPDATE entry SET body = zeroblob(100) WHERE pos = 7");
    bool same;
    g_autofree char *findings = verify(&d, NULL, &same);
    g_assert_nonnull(findings);
    g_assert_nonnull(strstr(findings, "body-digest"));
    g_assert_nonnull(strstr(findings, "seq 6 pos 7"));
    g_assert_nonnull(strstr(findings, "the schema lacks the trigger entry_update"));
    finish(&d);
}

/* What somebody with SQLite at hand might do; the triggers are put back, so that only the log
 * itself can tell. */
static void each_forgery_is_found(void)
{
    static const struct {
        const char *sql;
        const char *code;
    } forgeries[] = {
        {"UPDATE entry SET header = CAST(replace(header, 'object:1', 'object:2') AS BLOB) WHERE "
         "pos = 3",
         "seq 2 pos 3: the header is not the one"},
        {"UPDATE entry SET header = CAST(replace(header, 'object:', 'objecto') AS BLOB) WHERE "
         "pos = 68",
         "pos 68: the header is not the one"},
        {"UPDATE head SET tail = zeroblob(length(tail))", "leaves"},
        {"UPDATE head SET frontier = zeroblob(length(frontier))", "head-signature"},
        {"DELETE FROM entry WHERE pos = 5", "entry-missing"},
        {"DELETE FROM entry WHERE pos = (SELECT max(pos) FROM entry)", "feed-size"},
        {"UPDATE entry SET body = NULL WHERE pos = 9", "body-missing"},
        {"UPDATE entry SET seq = -1 WHERE pos = 3; UPDATE entry SET seq = 2 WHERE pos = 4;"
         "UPDATE entry SET seq = 3 WHERE pos = 3;",
         "entry-place"},
        {"UPDATE entry SET pos = 1000 WHERE pos = 3; UPDATE entry SET pos = 3 WHERE pos = 4;"
         "UPDATE entry SET pos = 4 WHERE pos = 1000;",
         "entry-order"},
        {"INSERT INTO entry SELECT 1000, feed, 1000, header, tiles, body FROM entry WHERE pos = 3",
         "feed-size"},
        {"UPDATE entry SET body = (SELECT body FROM entry AS e WHERE e.pos = 4) WHERE pos = 5",
         "body-digest"},
        {"UPDATE entry SET body = x'' WHERE pos = 5", "body-digest"},
        {"UPDATE entry SET tiles = zeroblob(1024) WHERE tiles IS NOT NULL", "leaves"},
        {"UPDATE entry SET tiles = NULL", "seq 31 pos 32: the tiles"},
        {"UPDATE entry SET tiles = CAST(tiles || x'00' AS BLOB)", "seq 31 pos 32: the tiles"},
        {"UPDATE entry SET tiles = zeroblob(1024) WHERE pos = 7", "seq 6 pos 7: the tiles"},
        {"UPDATE entry SET tiles = x'' WHERE pos = 7", "seq 6 pos 7: the tiles"},
        {"UPDATE head SET size = size - 1", "head-signature"},
        {"UPDATE head SET note = replace(note, 'a', 'b')", "head-signature"},
        {"UPDATE checkpoint SET size = size - 1", "checkpoint"},
        {"INSERT INTO checkpoint (feed, size, reason, note) SELECT feed, 1000000, reason, note "
         "FROM checkpoint",
         "checkpoint"},
        {"UPDATE checkpoint SET id = id + 1", "checkpoint"},
        {"UPDATE checkpoint SET reason = 'checkpoint.writd'", "checkpoint"},
        {"UPDATE feed SET base_size = 1 WHERE id = 2", "snapshot"},
        {"UPDATE feed SET scope = 'public-x' WHERE id = 2", "entry-place"},
        {"UPDATE meta SET value = 'x' WHERE name = 'machine'", "meta"},
        {"UPDATE meta SET value = replace(value, '1', '0') WHERE name = 'machine'", "meta"},
        {"INSERT INTO meta VALUES ('more', 'x')", "meta"},
        {"CREATE TABLE more (a)", "structure"},
        {"DROP INDEX entry_by_seq", "structure"},
        {"PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM sqlite_schema "
         "WHERE name = 'sqlite_autoindex_feed_1'",
         "structure"},
        {"PRAGMA application_id = 7", "not a database of this program"},
        {"PRAGMA user_version = 9", "newer version"},
        {"PRAGMA user_version = 0", "no schema"},
    };
    /* In a hurry not each: the sanitizers see them all. */
    for (size_t i = 0; i < G_N_ELEMENTS(forgeries); i += is_hurried() ? 3 : 1) {
        Damaged d = {0};
        prepare(&d, 70);
        forge_raw(d.journal, forgeries[i].sql);
        bool same;
        g_autofree char *findings = verify(&d, NULL, &same);
        g_test_message("%s: %s", forgeries[i].sql, findings);
        g_assert_nonnull(findings);
        if (strstr(findings, forgeries[i].code) == NULL)
            g_error("%s\nexpected %s, found:\n%s", forgeries[i].sql, forgeries[i].code, findings);
        finish(&d);
    }
}

/* The leaf that was signed stays: what was written since does not make the forged one so. */
static void a_forgery_is_named_also_when_the_log_went_on(void)
{
    Damaged d = {0};
    prepare(&d, 70);
    forge_raw(d.journal, "UPDATE entry SET header = CAST(replace(header, 'object:', 'objecto') AS "
                         "BLOB) WHERE pos = 68");
    for (unsigned more = 1; more < 64; more *= 4) {
        bool same;
        fixture_open(&d.f);
        fixture_fill(&d.f, more);
        fixture_close(&d.f);
        g_autofree char *findings = verify(&d, NULL, &same);
        g_assert_nonnull(findings);
        g_assert_nonnull(strstr(findings, "pos 68: the header is not the one"));
        g_assert_null(strstr(findings, "feed-root"));
    }
    finish(&d);
}

static void triggers_refuse_to_rewrite(void)
{
    static const char *const statements[] = {
        "UPDATE entry SET header = x'00' WHERE pos = 1",
        "DELETE FROM entry WHERE pos = 1",
        "UPDATE entry SET body = NULL WHERE pos = 1",
        "INSERT OR REPLACE INTO entry SELECT pos, feed, seq, x'00', tiles, body FROM "
        "entry WHERE pos = 1",
        "INSERT OR REPLACE INTO entry SELECT 999, feed, seq, x'00', tiles, body FROM "
        "entry WHERE pos = 1",
        "UPDATE feed SET scope = 'x'",
        "DELETE FROM feed",
        "INSERT OR REPLACE INTO feed SELECT id, 'x', scope, epoch, 0, x'', x'' FROM feed",
        "UPDATE head SET size = size - 1",
        "DELETE FROM head",
        "INSERT OR REPLACE INTO head SELECT * FROM head",
        "UPDATE checkpoint SET reason = 'x'",
        "DELETE FROM checkpoint",
        "INSERT OR REPLACE INTO checkpoint SELECT * FROM checkpoint",
        "UPDATE entry SET tiles = NULL",
    };
    Damaged d = {0};
    prepare(&d, 70);
    sqlite3 *db = open_raw(d.journal);
    for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
        int rc = sqlite3_exec(db, statements[i], NULL, NULL, NULL);
        if (rc != SQLITE_CONSTRAINT)
            g_error("%s: %d", statements[i], rc);
    }
    sqlite3_close(db);
    bool same = false;
    g_assert_null(verify(&d, NULL, &same));
    g_assert_true(same);
    finish(&d);
}

static void a_rollback_is_found_by_a_known_head(void)
{
    Damaged d = {0};
    prepare(&d, 36);
    g_autofree char *copy = NULL;
    size_t copy_size;
    g_assert_true(g_file_get_contents(d.journal, &copy, &copy_size, NULL));

    fixture_open(&d.f);
    fixture_fill(&d.f, 5);
    g_autoptr(SyncdHead) head = syncd_store_head(d.f.store, syncd_store_device_id(d.f.store), NULL);
    fixture_close(&d.f);
    bool same;
    const char *known[] = {d.first_head, head->note, NULL};
    g_ptr_array_set_size(d.texts, 0);
    g_autofree char *sound = verify(&d, known, &same);
    g_assert_cmpstr(sound, ==, NULL);

    g_assert_true(g_file_set_contents(d.journal, copy, (gssize)copy_size, NULL));
    g_autofree char *ended = g_build_filename(d.f.directory, "ended.json", NULL);
    g_assert_cmpint(g_remove(ended), ==, 0);
    g_autofree char *unaware = verify(&d, NULL, &same); /* by itself an older copy is sound */
    g_assert_cmpstr(unaware, ==, NULL);
    g_autofree char *cut = verify(&d, known, &same);
    g_assert_nonnull(cut);
    g_assert_nonnull(strstr(cut, "rollback"));

    /* Continued from the older copy, where nothing here knows the newer one, the same place holds
     * another entry: a fork. */
    g_autofree char *index = g_build_filename(d.f.directory, "index.db", NULL);
    g_assert_cmpint(g_remove(index), ==, 0);
    d.f.seed += 12345;
    fixture_open(&d.f);
    fixture_fill(&d.f, 9);
    fixture_close(&d.f);
    g_autofree char *forked = verify(&d, known, &same);
    g_assert_nonnull(forked);
    g_assert_nonnull(strstr(forked, "fork"));
    finish(&d);
}

/* Without a known head, what this device verified itself is evidence too. */
static void a_log_shorter_than_was_verified_is_a_rollback(void)
{
    Damaged d = {0};
    prepare(&d, 36);
    g_autofree char *copy = NULL;
    size_t copy_size;
    bool same;
    g_assert_true(g_file_get_contents(d.journal, &copy, &copy_size, NULL));
    fixture_open(&d.f);
    fixture_fill(&d.f, 5);
    g_autoptr(SyncdVerify) sound = fixture_verify(&d.f, SYNCD_VERIFY_INCREMENTAL, NULL);
    g_assert_cmpuint(syncd_verify_n_findings(sound), ==, 0);
    g_clear_pointer(&sound, syncd_verify_free);
    fixture_close(&d.f);

    g_assert_true(g_file_set_contents(d.journal, copy, (gssize)copy_size, NULL));
    g_autofree char *cut = verify(&d, NULL, &same);
    g_assert_nonnull(cut);
    g_assert_nonnull(strstr(cut, "entries were verified earlier"));
    finish(&d);
}

static void a_note_that_nobody_signed_is_no_finding(void)
{
    Damaged d = {0};
    bool same;
    prepare(&d, 36);
    g_autofree char *forged = g_strdup(d.first_head);
    char *size = strchr(forged, '\n') + 1;
    *size = *size == '9' ? '8' : (char)(*size + 1);
    const char *known[] = {forged, NULL};
    g_autofree char *answer = verify(&d, known, &same);
    g_assert_nonnull(answer);
    g_assert_nonnull(strstr(answer, "proves nothing"));
    finish(&d);
}

static void every_truncation_is_found(void)
{
    Damaged d = {0};
    prepare(&d, 36);
    g_autofree char *copy = NULL;
    size_t size;
    g_assert_true(g_file_get_contents(d.journal, &copy, &size, NULL));
    size_t stride = is_hurried() ? 12301 : 1021;
    for (size_t keep = 1; keep < size; keep += stride) {
        bool same = false;
        g_assert_cmpint(truncate(d.journal, (off_t)keep), ==, 0);
        g_autofree char *findings = verify(&d, NULL, &same);
        if (findings == NULL && !same)
            g_error("cut to %zu bytes unnoticed", keep);
        g_assert_true(g_file_set_contents(d.journal, copy, (gssize)size, NULL));
    }
    finish(&d);
}

static void inspection_changes_no_byte(void)
{
    Damaged d = {0};
    prepare(&d, 36);
    /* With a WAL that was never moved into the file, as after a crash. */
    fixture_open(&d.f);
    fixture_fill(&d.f, 3);
    g_autofree char *wal = g_strconcat(d.journal, "-wal", NULL);
    g_autofree char *crashed = g_strconcat(d.f.directory, "-crashed", NULL);
    g_autofree char *command = g_strdup_printf("cp -a '%s' '%s'", d.f.directory, crashed);
    g_assert_cmpint(system(command), ==, 0);
    fixture_close(&d.f);
    g_autofree char *old_directory = g_strdup(d.f.directory);
    g_free(d.journal);
    g_free(d.f.directory);
    d.f.directory = g_strdup(crashed);
    d.journal = g_build_filename(crashed, "journal.db", NULL);
    g_free(wal);
    wal = g_strconcat(d.journal, "-wal", NULL);

    g_autofree char *before = NULL, *after = NULL, *wal_before = NULL, *wal_after = NULL;
    size_t size_before, size_after, wal_size_before, wal_size_after;
    g_assert_true(g_file_get_contents(d.journal, &before, &size_before, NULL));
    g_assert_true(g_file_get_contents(wal, &wal_before, &wal_size_before, NULL));
    g_assert_cmpuint(wal_size_before, >, 0);
    bool same;
    g_ptr_array_set_size(d.texts, 0);
    g_autofree char *findings = verify(&d, NULL, &same);
    g_assert_cmpstr(findings, ==, NULL);
    g_assert_true(g_file_get_contents(d.journal, &after, &size_after, NULL));
    g_assert_true(g_file_get_contents(wal, &wal_after, &wal_size_after, NULL));
    g_assert_cmpmem(before, size_before, after, size_after);
    g_assert_cmpmem(wal_before, wal_size_before, wal_after, wal_size_after);
    fixture_remove(old_directory);
    finish(&d);
}

/* It would take room, and be found as what another process left. */
static void an_index_that_cannot_be_made_leaves_nothing(void)
{
    Damaged d = {0};
    prepare(&d, 36);
    sqlite3 *db;
    g_autofree char *index = g_build_filename(d.f.directory, "index.db", NULL),
                    *half = g_strconcat(index, ".new", NULL);
    g_assert_cmpint(g_remove(index), ==, 0);
    g_assert_cmpint(sqlite3_open(d.journal, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db,
                                 "DROP TRIGGER entry_update; UPDATE entry SET header = "
                                 "zeroblob(length(header)) WHERE pos = 7",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    sqlite3_close(db);
    fixture_open(&d.f);
    g_assert_true(syncd_store_lacks_index(d.f.store));
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(index, G_FILE_TEST_EXISTS));
    finish(&d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/store-damage/an-edited-byte-is-found-or-harmless",
                    an_edited_byte_is_found_or_harmless);
    g_test_add_func("/store-damage/an-edited-body-is-named", an_edited_body_is_named);
    g_test_add_func("/store-damage/each-forgery-is-found", each_forgery_is_found);
    g_test_add_func("/store-damage/a-forgery-is-named-also-when-the-log-went-on",
                    a_forgery_is_named_also_when_the_log_went_on);
    g_test_add_func("/store-damage/triggers-refuse-to-rewrite", triggers_refuse_to_rewrite);
    g_test_add_func("/store-damage/a-rollback-is-found-by-a-known-head",
                    a_rollback_is_found_by_a_known_head);
    g_test_add_func("/store-damage/a-log-shorter-than-was-verified-is-a-rollback",
                    a_log_shorter_than_was_verified_is_a_rollback);
    g_test_add_func("/store-damage/a-note-that-nobody-signed-is-no-finding",
                    a_note_that_nobody_signed_is_no_finding);
    g_test_add_func("/store-damage/every-truncation-is-found", every_truncation_is_found);
    g_test_add_func("/store-damage/inspection-changes-no-byte", inspection_changes_no_byte);
    g_test_add_func("/store-damage/an-index-that-cannot-be-made-leaves-nothing",
                    an_index_that_cannot_be_made_leaves_nothing);
    return g_test_run();
}
