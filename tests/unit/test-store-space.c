/*
 * A disk without room, and an index that cannot be had: nothing acknowledged is lost, reads go on,
 * what cannot be answered says why, and it all passes when there is room again.
 */
#include "crypto/seal.h"
#include "disk-fixture.h"
#include "index-count.h"
#include "store/displaced.h"

#include <sqlite3.h>
#include <sys/stat.h>

static void wait_a_little(Fixture *f)
{
    f->now_usec += 10 * G_USEC_PER_SEC;
}

static bool try_append(Fixture *f, const char *object, GError **error)
{
    SyncdDraft draft = {.kind = "operation.enqueue",
                        .actor = "actor-test",
                        .object = object,
                        .decision = "",
                        .engine = "",
                        .lane = "normal",
                        .schema_id = "x",
                        .meta = SYNCD_BYTES_TEXT("{}"),
                        .content = {"{}", 2}};
    return syncd_store_append(f->store, syncd_store_device_id(f->store), &draft, NULL, error);
}

static void assert_first_reads(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    syncd_store_read(f->store, 2, &entry, &error);
    g_assert_no_error(error);
    syncd_store_read_body(f->store, &entry, &body, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(body.content, ==, "{\"n\":0}");
}

static guint64 count_operations(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    guint64 count = 0;
    count_kind(f->store, "operation.enqueue", &count, &error);
    g_assert_no_error(error);
    return count;
}

static void a_full_disk_refuses_and_passes(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    if (!begin_small_disk(&f, 31, "size=4m"))
        return;
    fixture_open(&f);
    fixture_fill(&f, 50);
    g_assert_true(syncd_store_settle(f.store, &error));
    guint64 before = syncd_store_sequence(f.store), ms = syncd_store_last_ms(f.store);
    fill_disk(&f);

    /* More than what SQLite can put where something was before. */
    g_autofree char *large = g_strnfill(60000, 'x');
    for (int i = 0; i < 20; i++) {
        SyncdReceipt receipt =
            fixture_append_to(&f, syncd_store_device_id(f.store), "object:1", NULL, large, 60000);
        syncd_receipt_clear(&receipt);
    }
    g_assert_false(syncd_store_commit(f.store, NULL, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    g_clear_error(&error);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(syncd_store_sequence(f.store), ==, before);
    g_assert_cmpuint(syncd_store_last_ms(f.store), ==, ms);
    assert_first_reads(&f);
    fixture_assert_sound(&f); /* also without room to remember how far it came */

    free_disk(&f);
    wait_a_little(&f);
    fixture_fill(&f, 50);
    g_assert_cmpuint(count_operations(&f), ==, 100);
    fixture_assert_sound(&f);
    end_small_disk(&f);
}

static void large_content_that_does_not_fit_is_refused_alone(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    if (!begin_small_disk(&f, 32, "size=4m"))
        return;
    fixture_open(&f);
    fixture_fill(&f, 3);
    SyncdReceipt receipt = fixture_append(&f, "object:kept", NULL, "{}");
    syncd_receipt_clear(&receipt);
    g_autofree char *large = g_strnfill(8 << 20, 'x');
    SyncdDraft draft = {.kind = "operation.enqueue",
                        .actor = "actor-test",
                        .object = "",
                        .decision = "",
                        .engine = "",
                        .lane = "normal",
                        .schema_id = "x",
                        .meta = SYNCD_BYTES_TEXT("{}"),
                        .content = {large, 8 << 20}};
    for (size_t i = 0; i < 8 << 20; i += 512)
        large[i] = (char)fixture_next(&f);
    g_assert_false(
        syncd_store_append(f.store, syncd_store_device_id(f.store), &draft, NULL, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    /* What came before it in the turn is not its fault. */
    g_autofree char *blobs = in(&f, "blobs");
    fixture_remove(blobs);
    fixture_commit(&f);
    g_assert_cmpuint(count_operations(&f), ==, 4);
    fixture_assert_sound(&f);
    end_small_disk(&f);
}

static void remove_index(Fixture *f)
{
    g_autofree char *index = in(f, "index.db"), *wal = in(f, "index.db-wal");
    g_unlink(index);
    g_unlink(wal);
}

static void the_reserve_lets_the_index_be_made(void)
{
    Fixture f;
    if (!begin_small_disk(&f, 33, "size=12m"))
        return;
    open_with_reserve(&f, 4 << 20);
    fixture_fill(&f, 3000);
    fixture_close(&f);
    remove_index(&f);
    fill_disk(&f);

    open_with_reserve(&f, 4 << 20);
    assert_first_reads(&f);
    g_assert_cmpuint(count_operations(&f), ==, 3000);
    /* As much as is left is set aside again. */
    struct stat st;
    g_autofree char *reserve = in(&f, "reserve");
    g_assert_cmpint(stat(reserve, &st), ==, 0);
    g_assert_cmpint(st.st_size, >=, 1 << 20);
    end_small_disk(&f);
}

static void without_room_for_an_index_it_opens_and_reads(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    if (!begin_small_disk(&f, 34, "size=8m"))
        return;
    fixture_open(&f);
    fixture_fill(&f, 3000);
    fixture_close(&f);
    remove_index(&f);
    fill_disk(&f);

    fixture_open(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    assert_first_reads(&f);
    fixture_assert_sound(&f);
    guint64 pos = 0;
    for (int i = 0; i < 2; i++, wait_a_little(&f)) {
        g_assert_false(syncd_store_find_op(f.store, "op-x", &pos, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
        g_clear_error(&error);
        g_assert_false(try_append(&f, "", &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
        g_clear_error(&error);
        g_assert_false(syncd_store_work(f.store));
    }

    free_disk(&f);
    wait_a_little(&f);
    g_assert_cmpuint(count_operations(&f), ==, 3000);
    fixture_fill(&f, 10);
    fixture_close(&f);
    fixture_open(&f);
    g_assert_cmpuint(count_operations(&f), ==, 3010);
    fixture_assert_sound(&f);
    end_small_disk(&f);
}

/* An index that cannot be made for a reason that is not the disk's size: a folder lies in its
 * place. */
static void an_index_that_cannot_be_made_is_told(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 35);
    fixture_open(&f);
    fixture_fill(&f, 30);
    fixture_close(&f);
    remove_index(&f);
    g_autofree char *index = in(&f, "index.db.new"), *inside = in(&f, "index.db.new/x");
    g_assert_cmpint(g_mkdir_with_parents(inside, 0700), ==, 0);

    fixture_open(&f);
    assert_first_reads(&f);
    guint64 pos = 0;
    g_assert_false(syncd_store_find_op(f.store, "op-x", &pos, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    g_clear_error(&error);
    g_assert_false(try_append(&f, "", &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    g_clear_error(&error);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_FAILED);
    fixture_close(&f);

    fixture_remove(index);
    fixture_open(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(count_operations(&f), ==, 30);
    fixture_clear(&f);
}

/* What was projected of a damaged log is not taken for all of it. */
static void half_an_index_answers_nothing(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 36);
    fixture_open(&f);
    fixture_fill(&f, 100);
    fixture_close(&f);
    remove_index(&f);
    g_autofree char *journal = in(&f, "journal.db");
    g_autofree char *command = g_strdup_printf(
        "sqlite3 '%s' 'DROP TRIGGER entry_delete; DELETE FROM entry WHERE pos = 60'", journal);
    if (system(command) != 0) {
        g_test_skip("there is no sqlite3");
        fixture_clear(&f);
        return;
    }
    fixture_open(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_DAMAGED);
    assert_first_reads(&f);
    guint64 pos = 0;
    g_assert_false(syncd_store_find_op(f.store, "op-x", &pos, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    fixture_clear(&f);
}

/* Writes to the index's WAL fail while this is set. */
static bool index_is_full;
static sqlite3_io_methods failing_methods;
static const sqlite3_io_methods *real_methods;
static sqlite3_vfs failing_vfs;
static sqlite3_vfs *real_vfs;

static int write_or_fail(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    return index_is_full ? SQLITE_FULL : real_methods->xWrite(file, data, size, at);
}

static int open_failing(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                        int *ret_flags)
{
    int rc = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (rc == SQLITE_OK && name != NULL && g_str_has_suffix(name, "index.db-wal")) {
        real_methods = file->pMethods;
        failing_methods = *real_methods;
        failing_methods.xWrite = write_or_fail;
        file->pMethods = &failing_methods;
    }
    return rc;
}

/* The index cannot be written any more; the log can. */
static void what_waits_for_the_index_is_bounded(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    real_vfs = sqlite3_vfs_find(NULL);
    failing_vfs = *real_vfs;
    failing_vfs.zName = "failing";
    failing_vfs.xOpen = open_failing;
    sqlite3_vfs_register(&failing_vfs, 1);
    fixture_init(&f, 37);
    fixture_open(&f);
    fixture_fill(&f, 10);
    g_assert_true(syncd_store_settle(f.store, &error));

    index_is_full = true;
    bool refused = false;
    guint appended = 0;
    while (!refused && appended < 100000) {
        for (int i = 0; i < 500 && !refused; i++) {
            refused = !try_append(&f, "object:1", &error);
            appended += !refused;
        }
        fixture_commit(&f);
    }
    g_assert_true(refused);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    g_clear_error(&error);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    guint64 count;
    g_assert_false(count_kind(f.store, "operation.enqueue", &count, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    g_clear_error(&error);

    index_is_full = false;
    wait_a_little(&f);
    g_assert_true(try_append(&f, "object:1", &error));
    fixture_commit(&f);
    g_assert_cmpuint(count_operations(&f), ==, 10 + appended + 1);
    fixture_assert_sound(&f);
    fixture_clear(&f);
    sqlite3_vfs_unregister(&failing_vfs);
}

static void assert_lost(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *key = in(f, "keys/device.key"), *before = NULL, *after = NULL;
    g_assert_true(g_file_get_contents(key, &before, NULL, NULL));
    SyncdStoreOptions options = {.directory = f->directory,
                                 .mode = SYNCD_STORE_CREATE,
                                 .sources = &f->sources,
                                 .machine = f->machine};
    g_assert_null(syncd_store_open(&options, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_assert_true(g_file_get_contents(key, &after, NULL, NULL));
    g_assert_cmpstr(before, ==, after);
}

static void an_emptied_log_is_not_a_first_start(void)
{
    Fixture f;
    fixture_init(&f, 38);
    fixture_open(&f);
    g_autofree char *journal = in(&f, "journal.db"), *copy = in(&f, "copy");
    fixture_close(&f); /* a first start that was cut short */
    g_autofree char *fresh = NULL;
    size_t fresh_size;
    g_assert_true(g_file_get_contents(journal, &fresh, &fresh_size, NULL));
    fixture_open(&f);
    fixture_fill(&f, 20);
    fixture_close(&f);
    g_assert_cmpint(rename(journal, copy), ==, 0);

    g_assert_true(g_file_set_contents(journal, "", 0, NULL));
    assert_lost(&f);
    g_assert_true(g_file_set_contents(journal, fresh, (gssize)fresh_size, NULL));
    assert_lost(&f);
    g_assert_cmpint(rename(copy, journal), ==, 0);
    fixture_open(&f);
    g_assert_cmpuint(count_operations(&f), ==, 20);
    fixture_clear(&f);
}

/* Nothing else has it: what was set aside is for that, too. */
static void what_is_displaced_is_kept_by_what_was_set_aside(void)
{
    Fixture f;
    if (!begin_small_disk(&f, 37, "size=16m"))
        return;
    open_with_reserve(&f, 4 * 1024 * 1024);
    fixture_fill(&f, 50);
    g_autofree char *journal = in(&f, "journal.db"), *wal = in(&f, "journal.db-wal"),
                    *kept = in(&f, "journal.1");
    guint64 before = syncd_store_sequence(f.store);
    g_assert_cmpint(g_unlink(journal), ==, 0);
    g_assert_false(syncd_store_look_at_place(f.store));
    fill_disk(&f);
    fixture_close(&f);
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
    g_unlink(wal);
    g_assert_cmpint(g_rename(kept, journal), ==, 0);
    free_disk(&f);
    fixture_open(&f);
    g_assert_cmpuint(syncd_store_sequence(f.store), ==, before);
    assert_first_reads(&f);
    end_small_disk(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/store-space/a-full-disk-refuses-and-passes", a_full_disk_refuses_and_passes);
    g_test_add_func("/store-space/large-content-that-does-not-fit-is-refused-alone",
                    large_content_that_does_not_fit_is_refused_alone);
    g_test_add_func("/store-space/the-reserve-lets-the-index-be-made",
                    the_reserve_lets_the_index_be_made);
    g_test_add_func("/store-space/without-room-for-an-index-it-opens-and-reads",
                    without_room_for_an_index_it_opens_and_reads);
    g_test_add_func("/store-space/an-index-that-cannot-be-made-is-told",
                    an_index_that_cannot_be_made_is_told);
    g_test_add_func("/store-space/half-an-index-answers-nothing", half_an_index_answers_nothing);
    g_test_add_func("/store-space/what-waits-for-the-index-is-bounded",
                    what_waits_for_the_index_is_bounded);
    g_test_add_func("/store-space/an-emptied-log-is-not-a-first-start",
                    an_emptied_log_is_not_a_first_start);
    g_test_add_func("/store-space/what-is-displaced-is-kept",
                    what_is_displaced_is_kept_by_what_was_set_aside);
    return g_test_run();
}
