/*
 * Going on with a log that lost its end, or that another machine had: it is said what is missing,
 * and no epoch is begun twice, however the adoption ends.
 */
#include "rollback-fixture.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rollback-adopt/the-adoption-says-what-is-missing",
                    the_adoption_says_what_is_missing);
    g_test_add_func("/rollback-adopt/an-epoch-that-was-lost-is-not-begun-again",
                    an_epoch_that_was_lost_is_not_begun_again);
    g_test_add_func("/rollback-adopt/an-epoch-that-no-mark-knows-is-not-begun-again",
                    an_epoch_that_no_mark_knows_is_not_begun_again);
    g_test_add_func("/rollback-adopt/an-adoption-that-fails-loses-nothing",
                    an_adoption_that_fails_loses_nothing);
    g_test_add_func("/rollback-adopt/an-adoption-that-did-not-end-loses-nothing",
                    an_adoption_that_did_not_end_loses_nothing);
    g_test_add_func("/rollback-adopt/an-adoption-that-failed-and-lives-is-not-begun-again",
                    an_adoption_that_failed_and_lives_is_not_begun_again);
    g_test_add_func("/rollback-adopt/an-adoption-that-was-cut-short-is-ended",
                    an_adoption_that_was_cut_short_is_ended);
    return g_test_run();
}
