/*
 * A log that lost its end, as its WAL was removed or an older copy put in its place, is found at
 * the open by what knows more of it; nothing is written to it until a person decides, and nothing
 * that is only an accident of a crash is taken for it.
 */
#include "store-fixture.h"
#include "store/database-private.h"
#include "store/journal-private.h"
#include "store/store-private.h"

#include <string.h>

#define FIRST 36u
#define MORE 5u

typedef struct {
    Fixture f;
    char *crashed;     /* a copy of the directory, as a power cut would leave it */
    guint64 committed; /* entries in it */
} World;

static char *place(const Fixture *f, const char *name)
{
    return g_build_filename(f->directory, name, NULL);
}

static bool has(const Fixture *f, const char *name)
{
    g_autofree char *path = place(f, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void forget(const Fixture *f, const char *name)
{
    g_autofree char *path = place(f, name);
    g_remove(path);
}

static void copy_directory(const char *from, const char *to)
{
    g_autofree char *command = g_strdup_printf("cp -a '%s' '%s'", from, to);
    fixture_remove(to);
    g_assert_cmpint(system(command), ==, 0);
}

static void settle(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_store_settle(f->store, &error));
    g_assert_no_error(error);
}

static void verify_sound(Fixture *f, SyncdVerifyMode mode)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(f, mode, NULL);
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
}

/* Entries in the database, and more in its WAL, all of them in the index. The world goes on with
 * what a crash left. */
static void begin(World *w, guint64 seed, bool verified)
{
    fixture_init(&w->f, seed);
    fixture_open(&w->f);
    fixture_fill(&w->f, FIRST);
    fixture_close(&w->f);
    fixture_open(&w->f);
    fixture_fill(&w->f, MORE);
    settle(&w->f);
    if (verified)
        verify_sound(&w->f, SYNCD_VERIFY_INCREMENTAL);
    w->committed = syncd_store_sequence(w->f.store);
    w->crashed = g_strconcat(w->f.directory, "-crashed", NULL);
    copy_directory(w->f.directory, w->crashed);
    fixture_close(&w->f);
    fixture_remove(w->f.directory);
    copy_directory(w->crashed, w->f.directory);
    g_assert_true(has(&w->f, "journal.db-wal"));
}

static void end(World *w)
{
    fixture_clear(&w->f);
    fixture_remove(w->crashed);
    g_free(w->crashed);
}

static void expect(World *w, SyncdStoreCondition condition)
{
    fixture_open_mode(&w->f, SYNCD_STORE_OPEN);
    g_assert_cmpstr(syncd_store_condition_name(syncd_store_condition(w->f.store)), ==,
                    syncd_store_condition_name(condition));
    g_assert_true((syncd_store_rollback(w->f.store) != NULL) ==
                  (condition == SYNCD_STORE_ROLLED_BACK));
}

static void refuses_to_write(World *w)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_store_may_write(w->f.store, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_FEED_ROLLBACK);
    g_assert_nonnull(strstr(error->message, "store adopt"));
}

static void expect_missing(World *w, const char *evidence, guint64 n)
{
    const SyncdRollback *rollback = syncd_store_rollback(w->f.store);
    g_autoptr(GPtrArray) feeds = syncd_store_feeds_rolled_back(w->f.store);
    g_assert_cmpstr(rollback->evidence, ==, evidence);
    g_assert_cmpuint(rollback->known, ==, w->committed);
    g_assert_cmpuint(syncd_store_n_rolled_back(w->f.store), ==, n);
    g_assert_cmpuint(feeds->len, ==, 1);
    g_assert_nonnull(strstr(feeds->pdata[0], syncd_store_device_id(w->f.store)));
}

/* It is read-only, it can be read, and it stays so however often it is opened. */
static void stays(World *w, const char *evidence, guint64 n)
{
    for (unsigned i = 0; i < 3; i++) {
        g_auto(SyncdEntry) entry = {0};
        guint64 pos = 0;
        w->f.holds_index = i == 1; /* as the daemon opens it */
        expect(w, SYNCD_STORE_ROLLED_BACK);
        expect_missing(w, evidence, n);
        refuses_to_write(w);
        settle(&w->f);
        guint64 last = syncd_store_sequence(w->f.store);
        g_assert_cmpuint(last, ==, w->committed - n);
        g_assert_true(syncd_store_read(w->f.store, last, &entry, NULL));
        g_autofree char *op = syncd_bytes_dup(entry.header.op);
        g_assert_true(syncd_store_find_op(w->f.store, op, &pos, NULL));
        g_assert_cmpuint(pos, ==, last);
        g_autoptr(SyncdVerify) verify = fixture_verify(&w->f, SYNCD_VERIFY_FULL, NULL);
        g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 1);
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[0];
        g_assert_cmpstr(finding->code, ==, "rollback");
        g_clear_pointer(&verify, syncd_verify_free);
        fixture_close(&w->f);
        g_assert_true(has(&w->f, "rolled-back.json"));
    }
    w->f.holds_index = false;
}

static void adopt(World *w)
{
    g_autoptr(GError) error = NULL;
    expect(w, SYNCD_STORE_ROLLED_BACK);
    g_assert_true(syncd_store_adopt(w->f.store, "actor-test", &error));
    g_assert_no_error(error);
}

/* In the next epoch, and no place is used twice. */
static void goes_on(World *w, guint64 epoch)
{
    g_autoptr(SyncdHead) head =
        syncd_store_head(w->f.store, syncd_store_device_id(w->f.store), NULL);
    g_assert_cmpuint(head->epoch, ==, epoch);
    fixture_fill(&w->f, 2);
    verify_sound(&w->f, SYNCD_VERIFY_FULL);
    fixture_close(&w->f);
    g_assert_false(has(&w->f, "rolled-back.json"));
    expect(w, SYNCD_STORE_WRITABLE);
    verify_sound(&w->f, SYNCD_VERIFY_INCREMENTAL);
    fixture_close(&w->f);
}

/* ---- what is found ---- */

static void a_wal_that_was_removed_is_found(void)
{
    World w = {0};
    begin(&w, 1, false);
    forget(&w.f, "journal.db-wal");
    stays(&w, "index.db", MORE);
    adopt(&w);
    goes_on(&w, 2);
    end(&w);
}

static void the_adoption_says_what_is_missing(void)
{
    World w = {0};
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    begin(&w, 2, false);
    forget(&w.f, "journal.db-wal");
    adopt(&w);
    guint64 last = syncd_store_sequence(w.f.store);
    g_assert_true(syncd_store_read(w.f.store, last, &entry, NULL));
    g_assert_true(syncd_store_read_body(w.f.store, &entry, &body, NULL));
    g_autofree char *content = g_strndup(body.content, body.content_size);
    g_autofree char *known = g_strdup_printf("\"known\":%" G_GUINT64_FORMAT, w.committed);
    g_autofree char *present =
        g_strdup_printf("\"present\":%" G_GUINT64_FORMAT, w.committed - MORE);
    g_assert_true(syncd_bytes_are(entry.header.kind, "store.adopted"));
    g_assert_nonnull(strstr(content, known));
    g_assert_nonnull(strstr(content, present));
    end(&w);
}

/* The index went with it: what was verified knows it. */
static void a_log_shorter_than_was_verified_is_found(void)
{
    World w = {0};
    begin(&w, 3, true);
    forget(&w.f, "journal.db-wal");
    forget(&w.f, "index.db");
    forget(&w.f, "index.db-wal");
    stays(&w, "verified.json", MORE);
    adopt(&w);
    goes_on(&w, 2);
    end(&w);
}

static void an_older_copy_is_found(void)
{
    World w = {0};
    begin(&w, 4, true);
    g_autofree char *journal = place(&w.f, "journal.db"), *copy = NULL;
    size_t size;
    expect(&w, SYNCD_STORE_WRITABLE);
    fixture_close(&w.f);
    g_assert_true(g_file_get_contents(journal, &copy, &size, NULL));
    expect(&w, SYNCD_STORE_WRITABLE);
    fixture_fill(&w.f, 3);
    settle(&w.f);
    w.committed = syncd_store_sequence(w.f.store);
    fixture_close(&w.f);
    g_assert_true(g_file_set_contents(journal, copy, (gssize)size, NULL));
    stays(&w, "index.db", 3);
    adopt(&w);
    goes_on(&w, 2);
    end(&w);
}

/* An epoch may have gone with the end: it is not begun again. */
static void an_epoch_that_was_lost_is_not_begun_again(void)
{
    World w = {0};
    begin(&w, 5, false);
    g_autofree char *journal = place(&w.f, "journal.db"), *copy = NULL;
    size_t size;
    expect(&w, SYNCD_STORE_WRITABLE);
    fixture_close(&w.f);
    g_assert_true(g_file_get_contents(journal, &copy, &size, NULL));
    w.f.machine = "machine-b";
    expect(&w, SYNCD_STORE_MACHINE_CHANGED);
    g_assert_true(syncd_store_adopt(w.f.store, "actor-test", NULL));
    fixture_fill(&w.f, 2);
    settle(&w.f);
    fixture_close(&w.f);
    g_assert_true(g_file_set_contents(journal, copy, (gssize)size, NULL));
    adopt(&w);
    goes_on(&w, 3);
    end(&w);
}

/* What the marks know is of their time: the epoch came after them, and then a crash. */
static void an_epoch_that_no_mark_knows_is_not_begun_again(void)
{
    static const char *const kept[] = {"journal.db", "ended.json"};
    static const char *const gone[] = {"index.db", "index.db-wal", "verified.json",
                                       "journal.db-wal"};
    for (unsigned damaged = 0; damaged < 2; damaged++) {
        World w = {0};
        char *bytes[G_N_ELEMENTS(kept)];
        size_t sizes[G_N_ELEMENTS(kept)];
        begin(&w, 60 + damaged, false);
        expect(&w, SYNCD_STORE_WRITABLE);
        fixture_close(&w.f);
        for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
            g_autofree char *path = place(&w.f, kept[i]);
            g_assert_true(g_file_get_contents(path, &bytes[i], &sizes[i], NULL));
        }
        w.f.machine = "machine-b";
        expect(&w, SYNCD_STORE_MACHINE_CHANGED);
        g_assert_true(syncd_store_adopt(w.f.store, "actor-test", NULL));
        fixture_fill(&w.f, 2);
        fixture_close(&w.f);
        for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
            forget(&w.f, gone[i]);
        for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
            g_autofree char *path = place(&w.f, kept[i]);
            g_assert_true(g_file_set_contents(path, bytes[i], (gssize)sizes[i], NULL));
            g_free(bytes[i]);
        }
        g_autofree char *epochs = place(&w.f, "epochs.json");
        if (damaged)
            g_assert_true(g_file_set_contents(epochs, "{\"highest\":1}", -1, NULL));
        expect(&w, damaged ? SYNCD_STORE_MACHINE_CHANGED : SYNCD_STORE_ROLLED_BACK);
        g_assert_true(syncd_store_adopt(w.f.store, "actor-test", NULL));
        goes_on(&w, damaged ? 1002 : 3);
        end(&w);
    }
}

/* Nothing was lost by an adoption that failed, and nobody may have that epoch again. */
static void an_adoption_that_fails_loses_nothing(void)
{
    World w = {0};
    g_autoptr(GError) error = NULL;
    begin(&w, 62, false);
    w.f.machine = "machine-b";
    expect(&w, SYNCD_STORE_MACHINE_CHANGED);
    g_assert_false(syncd_store_adopt(w.f.store, "", &error));
    g_assert_nonnull(error);
    fixture_close(&w.f);
    expect(&w, SYNCD_STORE_MACHINE_CHANGED);
    g_assert_true(syncd_store_adopt(w.f.store, "actor-test", NULL));
    goes_on(&w, 3);
    end(&w);
}

static int never(void *data)
{
    return 1;
}

/* It is durable by then. */
static int afterwards(void *data, sqlite3 *handle, const char *name, int pages)
{
    return SQLITE_IOERR;
}

static void fail_to_adopt(World *w, bool lives)
{
    g_autoptr(GError) error = NULL;
    w->f.machine = "machine-b";
    expect(w, SYNCD_STORE_MACHINE_CHANGED);
    sqlite3 *handle = w->f.store->journal->db->handle;
    if (lives)
        sqlite3_wal_hook(handle, afterwards, NULL);
    else
        sqlite3_commit_hook(handle, never, NULL);
    g_assert_false(syncd_store_adopt(w->f.store, "actor-test", &error));
    g_assert_nonnull(error);
    fixture_close(&w->f);
}

/* As a kill leaves it that comes after the number is given out and before the adoption is durable:
 * the log is whole, on either machine. */
static void an_adoption_that_did_not_end_loses_nothing(void)
{
    for (unsigned back = 0; back < 2; back++) {
        World w = {0};
        begin(&w, 64 + back, false);
        fail_to_adopt(&w, false);
        fixture_open_mode(&w.f, SYNCD_STORE_INSPECT);
        g_assert_null(syncd_store_rollback(w.f.store));
        fixture_close(&w.f);
        if (back) {
            w.f.machine = "machine-a";
            expect(&w, SYNCD_STORE_WRITABLE);
            goes_on(&w, 1);
            w.f.machine = "machine-b";
        }
        expect(&w, SYNCD_STORE_MACHINE_CHANGED);
        g_assert_true(syncd_store_adopt(w.f.store, "actor-test", NULL));
        goes_on(&w, 3);
        end(&w);
    }
}

/* It failed as far as anybody knew, and is in the log: that epoch is not begun again either. */
static void an_adoption_that_failed_and_lives_is_not_begun_again(void)
{
    static const char *const gone[] = {"index.db", "index.db-wal", "verified.json", "ended.json",
                                       "journal.db-wal"};
    World w = {0};
    begin(&w, 66, false);
    expect(&w, SYNCD_STORE_WRITABLE);
    fixture_close(&w.f);
    g_autofree char *journal = place(&w.f, "journal.db"), *copy = NULL;
    size_t size;
    g_assert_true(g_file_get_contents(journal, &copy, &size, NULL));
    fail_to_adopt(&w, true);
    expect(&w, SYNCD_STORE_WRITABLE);
    goes_on(&w, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        forget(&w.f, gone[i]);
    g_assert_true(g_file_set_contents(journal, copy, (gssize)size, NULL));
    adopt(&w);
    goes_on(&w, 3);
    end(&w);
}

/* Whoever puts the newer files back has lost nothing, and has nothing to adopt. */
static void the_newer_log_put_back_ends_it(void)
{
    World w = {0};
    begin(&w, 6, true);
    forget(&w.f, "journal.db-wal");
    stays(&w, "verified.json", MORE);
    static const char *const names[] = {"journal.db", "journal.db-wal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *to = place(&w.f, names[i]), *bytes = NULL;
        g_autofree char *from = g_build_filename(w.crashed, names[i], NULL);
        size_t size;
        g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
        g_assert_true(g_file_set_contents(to, bytes, (gssize)size, NULL));
    }
    expect(&w, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(syncd_store_sequence(w.f.store), ==, w.committed);
    verify_sound(&w.f, SYNCD_VERIFY_FULL);
    fixture_close(&w.f);
    g_assert_false(has(&w.f, "rolled-back.json"));
    end(&w);
}

/* Nothing else knows any more: the signed heads at the last clean end do. */
static void an_older_copy_is_found_without_an_index(void)
{
    World w = {0};
    begin(&w, 50, false);
    fixture_open(&w.f);
    fixture_close(&w.f);
    g_autofree char *journal = place(&w.f, "journal.db"), *end_file = place(&w.f, "ended.json");
    g_autofree char *bytes = NULL, *mark = NULL;
    size_t size;
    g_assert_true(g_file_get_contents(journal, &bytes, &size, NULL));
    fixture_open(&w.f);
    fixture_fill(&w.f, MORE);
    w.committed = syncd_store_sequence(w.f.store);
    fixture_close(&w.f);
    g_assert_true(g_file_get_contents(end_file, &mark, NULL, NULL));
    static const char *const gone[] = {"index.db", "index.db-wal", "verified.json"};
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        forget(&w.f, gone[i]);
    g_assert_true(g_file_set_contents(journal, bytes, (gssize)size, NULL));
    fixture_open_mode(&w.f, SYNCD_STORE_INSPECT);
    g_assert_nonnull(syncd_store_rollback(w.f.store));
    fixture_close(&w.f);
    stays(&w, "ended.json", MORE);
    adopt(&w);
    goes_on(&w, 2);
    fixture_close(&w.f);
    expect(&w, SYNCD_STORE_WRITABLE);
    fixture_close(&w.f);

    /* One that is not as it was signed says nothing. */
    const char *after = g_strrstr(mark, "\\n");
    for (size_t i = (size_t)(after - mark) - 80; mark + i < after; i += 7) {
        g_autofree char *changed = g_strdup(mark);
        changed[i] ^= 1;
        g_assert_true(g_file_set_contents(end_file, changed, -1, NULL));
        expect(&w, SYNCD_STORE_WRITABLE);
        fixture_close(&w.f);
    }
    end(&w);
}

/* ---- what it takes to forget it ---- */

/* The crash comes between the entry that adopts it and the files that go. */
static void an_adoption_that_was_cut_short_is_ended(void)
{
    World w = {0};
    begin(&w, 7, true);
    forget(&w.f, "journal.db-wal");
    expect(&w, SYNCD_STORE_ROLLED_BACK);
    fixture_close(&w.f);
    static const char *const names[] = {"rolled-back.json", "verified.json"};
    char *kept[G_N_ELEMENTS(names)];
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = place(&w.f, names[i]);
        g_assert_true(g_file_get_contents(path, &kept[i], NULL, NULL));
    }
    adopt(&w);
    fixture_close(&w.f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = place(&w.f, names[i]);
        g_assert_true(g_file_set_contents(path, kept[i], -1, NULL));
        g_free(kept[i]);
    }
    expect(&w, SYNCD_STORE_WRITABLE);
    goes_on(&w, 2);
    end(&w);
}

/* Whatever stands in the file: that it is there says that somebody has to decide. */
static void a_file_that_is_damaged_is_no_leave_to_write(void)
{
    static const char *const texts[] = {"", "{", "{}", "{\"kept\":{\"sequence\":1,\"feeds\":[]}}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        World w = {0};
        begin(&w, 8 + i, false);
        g_autofree char *path = place(&w.f, "rolled-back.json");
        g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
        expect(&w, SYNCD_STORE_ROLLED_BACK);
        refuses_to_write(&w);
        g_autoptr(GError) error = NULL;
        syncd_store_may_write(w.f.store, &error);
        g_assert_nonnull(strstr(error->message, "nobody knows how many entries are missing"));
        g_assert_true(syncd_store_adopt(w.f.store, "actor-test", NULL));
        goes_on(&w, 1002); /* nobody knows which epochs there were */
        end(&w);
    }
}

/* ---- what is none ---- */

static void a_crash_is_none(void)
{
    for (unsigned seed = 20; seed < 28; seed++) {
        World w = {0};
        begin(&w, seed, seed % 2 == 0);
        if (seed % 4 >= 2)
            forget(&w.f, "index.db-wal"); /* the index is behind then, or needs to be made anew */
        expect(&w, SYNCD_STORE_WRITABLE);
        g_assert_cmpuint(syncd_store_sequence(w.f.store), ==, w.committed);
        fixture_fill(&w.f, 3);
        end(&w);
    }
}

/* It is made anew, as ever, and says nothing. */
static void the_index_of_another_log_is_none(void)
{
    World w = {0}, other = {0};
    begin(&w, 30, false);
    begin(&other, 31, false);
    fixture_open(&other.f);
    fixture_fill(&other.f, 50);
    settle(&other.f);
    fixture_close(&other.f);
    g_autofree char *from = place(&other.f, "index.db"), *to = place(&w.f, "index.db");
    g_autofree char *bytes = NULL;
    size_t size;
    g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
    forget(&w.f, "index.db-wal");
    g_assert_true(g_file_set_contents(to, bytes, (gssize)size, NULL));
    expect(&w, SYNCD_STORE_WRITABLE);
    settle(&w.f);
    verify_sound(&w.f, SYNCD_VERIFY_FULL);
    fixture_close(&w.f);
    end(&other);
    end(&w);
}

/* Numbers that do not add up, or that are of another device, are no evidence. */
static void a_verified_json_that_is_wrong_is_none(void)
{
    static const char *const texts[] = {
        "", "{}", "{\"sequence\":1000000}",
        "{\"sequence\":1000,\"feeds\":[{\"feed\":\"%s\",\"size\":999,\"root\":\"%s\"}]}",
        "{\"sequence\":1000,\"feeds\":[{\"feed\":\"other/%s\",\"size\":1000,\"root\":\"%s\"}]}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        World w = {0};
        begin(&w, 40 + i, false);
        fixture_open(&w.f);
        const char *device = syncd_store_device_id(w.f.store);
        g_autofree char *feed = g_strdup_printf("%s/%s/1", device, device);
        g_autofree char *root = g_strnfill(64, '0');
        GString *text = g_string_new(texts[i]);
        g_string_replace(text, "%s", feed, 1);
        g_string_replace(text, "%s", root, 1);
        fixture_close(&w.f);
        g_autofree char *path = place(&w.f, "verified.json");
        g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
        expect(&w, SYNCD_STORE_WRITABLE);
        verify_sound(&w.f, SYNCD_VERIFY_FULL);
        fixture_close(&w.f);
        g_string_free(text, TRUE);
        end(&w);
    }
}

/* The log has as many entries as were verified, but not of each feed. */
static void a_feed_shorter_than_was_verified_is_found(void)
{
    World w = {0};
    g_autoptr(SyncdScope) scope = NULL;
    begin(&w, 60, false);
    fixture_open(&w.f);
    g_assert_true(
        syncd_store_open_scope(w.f.store, "workspace", "notes", "actor-test", &scope, NULL));
    g_assert_true(syncd_store_commit(w.f.store, NULL, NULL));
    w.committed = syncd_store_sequence(w.f.store);
    const char *device = syncd_store_device_id(w.f.store);
    g_autofree char *root = g_strnfill(64, '0'), *path = place(&w.f, "verified.json");
    g_autofree char *text =
        g_strdup_printf("{\"sequence\":%" G_GUINT64_FORMAT ",\"feeds\":"
                        "[{\"feed\":\"%s/%s/1\",\"size\":%" G_GUINT64_FORMAT ",\"root\":\"%s\"}]}",
                        w.committed, device, device, w.committed, root);
    fixture_close(&w.f);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    fixture_open_mode(&w.f, SYNCD_STORE_INSPECT);
    g_assert_nonnull(syncd_store_rollback(w.f.store));
    fixture_close(&w.f);
    adopt(&w);
    goes_on(&w, 2);
    end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"a-wal-that-was-removed-is-found", a_wal_that_was_removed_is_found},
        {"the-adoption-says-what-is-missing", the_adoption_says_what_is_missing},
        {"a-log-shorter-than-was-verified-is-found", a_log_shorter_than_was_verified_is_found},
        {"an-older-copy-is-found", an_older_copy_is_found},
        {"an-older-copy-is-found-without-an-index", an_older_copy_is_found_without_an_index},
        {"an-epoch-that-was-lost-is-not-begun-again", an_epoch_that_was_lost_is_not_begun_again},
        {"an-epoch-that-no-mark-knows-is-not-begun-again",
         an_epoch_that_no_mark_knows_is_not_begun_again},
        {"an-adoption-that-fails-loses-nothing", an_adoption_that_fails_loses_nothing},
        {"an-adoption-that-did-not-end-loses-nothing", an_adoption_that_did_not_end_loses_nothing},
        {"an-adoption-that-failed-and-lives-is-not-begun-again",
         an_adoption_that_failed_and_lives_is_not_begun_again},
        {"the-newer-log-put-back-ends-it", the_newer_log_put_back_ends_it},
        {"an-adoption-that-was-cut-short-is-ended", an_adoption_that_was_cut_short_is_ended},
        {"a-file-that-is-damaged-is-no-leave-to-write",
         a_file_that_is_damaged_is_no_leave_to_write},
        {"a-crash-is-none", a_crash_is_none},
        {"the-index-of-another-log-is-none", the_index_of_another_log_is_none},
        {"a-verified-json-that-is-wrong-is-none", a_verified_json_that_is_wrong_is_none},
        {"a-feed-shorter-than-was-verified-is-found", a_feed_shorter_than_was_verified_is_found},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/rollback/", tests[i].name, NULL);
        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}
