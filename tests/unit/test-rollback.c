/*
 * A log that lost its end, as its WAL was removed or an older copy put in its place, is found at
 * the open by what knows more of it; nothing is written to it until a person decides, and nothing
 * that is only an accident of a crash is taken for it.
 */
#include "rollback-fixture.h"

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
    g_test_add_func("/rollback/a-wal-that-was-removed-is-found", a_wal_that_was_removed_is_found);
    g_test_add_func("/rollback/a-log-shorter-than-was-verified-is-found",
                    a_log_shorter_than_was_verified_is_found);
    g_test_add_func("/rollback/an-older-copy-is-found", an_older_copy_is_found);
    g_test_add_func("/rollback/the-newer-log-put-back-ends-it", the_newer_log_put_back_ends_it);
    g_test_add_func("/rollback/an-older-copy-is-found-without-an-index",
                    an_older_copy_is_found_without_an_index);
    g_test_add_func("/rollback/a-file-that-is-damaged-is-no-leave-to-write",
                    a_file_that_is_damaged_is_no_leave_to_write);
    g_test_add_func("/rollback/a-crash-is-none", a_crash_is_none);
    g_test_add_func("/rollback/the-index-of-another-log-is-none", the_index_of_another_log_is_none);
    g_test_add_func("/rollback/a-verified-json-that-is-wrong-is-none",
                    a_verified_json_that_is_wrong_is_none);
    g_test_add_func("/rollback/a-feed-shorter-than-was-verified-is-found",
                    a_feed_shorter_than_was_verified_is_found);
    return g_test_run();
}
