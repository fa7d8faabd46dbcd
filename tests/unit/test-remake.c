/*
 * The index is made anew beside the one that serves: nobody waits for it, what is written meanwhile
 * is in both, and what cannot be made leaves the one there is.
 */
#include "disk-fixture.h"
#include "hurried.h"
#include "index-count.h"
#include "index-dump.h"
#include "store-fixture.h"
#include "store/index-private.h"
#include "store/measure.h"

/* Of several batches. */
#define ENTRIES (is_hurried() ? 2500u : 5000u)

static void begin_with(Fixture *f, guint entries)
{
    fixture_init(f, 7);
    fixture_open(f);
    for (guint i = 0; i < entries; i += 500)
        fixture_fill(f, 500);
}

static void begin(Fixture *f)
{
    begin_with(f, ENTRIES);
}

static bool step(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    bool more;
    syncd_store_step_remake(f->store, &more, &error);
    g_assert_no_error(error);
    return more;
}

static void assert_refused(Fixture *f, int code)
{
    g_autoptr(GError) error = NULL;
    bool more;
    g_assert_false(syncd_store_step_remake(f->store, &more, &error));
    g_assert_error(error, SYNCD_ERROR, code);
}

static char *path_of(const Fixture *f, const char *name)
{
    return g_build_filename(f->directory, name, NULL);
}

static void assert_answers(Fixture *f, guint64 expected)
{
    g_autoptr(GError) error = NULL;
    guint64 count = 0;
    g_assert_cmpint(syncd_store_condition(f->store), ==, SYNCD_STORE_WRITABLE);
    count_kind(f->store, "operation.enqueue", &count, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(count, ==, expected);
}

static void assert_key_is_known(Fixture *f, const char *key)
{
    g_autoptr(GError) error = NULL;
    guint64 pos = 0;
    syncd_store_find_key(f->store, "actor-test", syncd_store_device_id(f->store), key, &pos,
                         &error);
    g_assert_no_error(error);
    g_assert_cmpuint(pos, >, 0);
}

/* At each step something is asked, and something written. */
static void nobody_waits_for_it(void)
{
    Fixture f;
    guint steps = 0;
    begin(&f);
    do {
        g_autofree char *key = g_strdup_printf("key-%u", steps);
        SyncdReceipt receipt = fixture_append(&f, "meanwhile", key, "{}");
        syncd_receipt_clear(&receipt);
        fixture_commit(&f);
        steps++;
        assert_answers(&f, ENTRIES + steps);
        assert_key_is_known(&f, key);
    } while (step(&f));
    g_assert_cmpuint(steps, >, ENTRIES / SYNCD_PROJECT_BATCH + 1);
    assert_answers(&f, ENTRIES + steps);
    assert_key_is_known(&f, "key-0");
    fixture_fill(&f, 10);
    assert_answers(&f, ENTRIES + steps + 10);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

/* What is not projected yet when the files are exchanged is in neither twice. */
static void it_is_the_same_as_one_that_is_rebuilt(void)
{
    Fixture f;
    begin(&f);
    do
        fixture_fill(&f, 3);
    while (step(&f));
    fixture_fill(&f, 3);
    fixture_close(&f);
    g_autofree char *before = dump_index(f.directory);
    remove_index(&f);
    fixture_open(&f);
    fixture_close(&f);
    g_autofree char *after = dump_index(f.directory);
    g_assert_cmpstr(before, ==, after);
    fixture_clear(&f);
}

static void without_room_the_one_there_is_goes_on(void)
{
    Fixture f;
    begin(&f);
    g_autofree char *made = path_of(&f, "index.db.new");
    g_assert_true(step(&f));
    g_assert_true(step(&f));
    syncd_database_run(syncd_index_database(f.store->remake.index), "PRAGMA max_page_count = 1",
                       NULL);
    assert_refused(&f, SYNCD_ERROR_NO_SPACE);
    g_assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
    assert_answers(&f, ENTRIES);
    fixture_fill(&f, 50);
    while (step(&f))
        continue;
    assert_answers(&f, ENTRIES + 50);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

/* What stays free for the log is as much as a small one needs, and not more than the disk has. */
static void on_a_small_disk_it_is_made(void)
{
    Fixture f;
    if (!begin_small_disk(&f, 7, "size=12m"))
        return;
    fixture_open(&f);
    fixture_fill(&f, 500);
    while (step(&f))
        continue;
    assert_answers(&f, 500);
    fill_disk(&f);
    assert_refused(&f, SYNCD_ERROR_NO_SPACE);
    free_disk(&f);
    end_small_disk(&f);
}

static void what_stands_in_the_way_of_the_new_one_hurts_nobody(void)
{
    Fixture f;
    begin(&f);
    g_autofree char *made = path_of(&f, "index.db.new"),
                    *inside = g_build_filename(made, "x", NULL);
    g_assert_cmpint(g_mkdir_with_parents(inside, 0700), ==, 0);
    assert_refused(&f, SYNCD_ERROR_STORAGE_FAILED);
    assert_answers(&f, ENTRIES);
    fixture_fill(&f, 3);
    fixture_remove(made);
    while (step(&f))
        continue;
    assert_answers(&f, ENTRIES + 3);
    fixture_clear(&f);
}

/* By a folder that has the name of a file of it: which one. */
static char *fail_exchange(Fixture *f)
{
    char *shared = path_of(f, "index.db-shm");
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(g_mkdir(shared, 0700), ==, 0);
    for (bool more = true; more && error == NULL;)
        syncd_store_step_remake(f->store, &more, &error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    return shared;
}

/* The old one is gone by then: it is made once more, by whoever asks. */
static void an_exchange_that_fails_leaves_none_for_a_moment(void)
{
    Fixture f;
    begin(&f);
    g_autofree char *shared = fail_exchange(&f);
    g_assert_cmpint(g_rmdir(shared), ==, 0);
    f.now_usec += 10 * G_USEC_PER_SEC;
    guint64 count;
    for (guint i = 0; i < 30 && !count_kind(f.store, "operation.enqueue", &count, NULL); i++)
        continue;
    assert_answers(&f, ENTRIES);
    fixture_fill(&f, 3);
    assert_answers(&f, ENTRIES + 3);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

/* Only what went in an exchange was there a moment before, and is looked for again and again. */
static void what_fails_after_a_failed_exchange_is_a_failure(void)
{
    Fixture f;
    begin(&f);
    g_autofree char *shared = fail_exchange(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    guint64 count;
    for (guint i = 0; i < 30; i++) {
        f.now_usec += 10 * G_USEC_PER_SEC;
        g_assert_false(count_kind(f.store, "operation.enqueue", &count, NULL));
    }
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_FAILED);
    g_assert_cmpint(g_rmdir(shared), ==, 0);
    fixture_close(&f);
    fixture_open(&f);
    assert_answers(&f, ENTRIES);
    fixture_clear(&f);
}

/* ---- the lookups over all rows, each of several steps ---- */

static bool makes_lookups(const Fixture *f)
{
    return f->store->remake.stage == SYNCD_REMAKE_LOOKUPS;
}

/* Until one of them is half made. */
static void step_into_a_lookup(Fixture *f)
{
    while (!makes_lookups(f))
        g_assert_true(step(f));
    g_assert_true(step(f));
    g_assert_true(makes_lookups(f));
}

static void each_takes_several_steps(void)
{
    Fixture f;
    begin_with(&f, 5000);
    guint steps = 0;
    while (step(&f))
        steps += makes_lookups(&f);
    g_assert_cmpuint(steps, >, (guint)syncd_index_migrations.n_steps);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void one_that_is_given_up_within_a_lookup_leaves_nothing(void)
{
    Fixture f;
    begin(&f);
    g_autofree char *made = path_of(&f, "index.db.new");
    step_into_a_lookup(&f);
    syncd_store_end_remake(f.store);
    g_assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
    assert_answers(&f, ENTRIES);
    while (step(&f))
        continue;
    assert_answers(&f, ENTRIES);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

/* Of an index for which everybody waits, too: SQLite is in the middle of a statement. */
static void one_that_makes_a_lookup_is_not_asked(void)
{
    Fixture f;
    SyncdStoreFacts facts = {0};
    fixture_init(&f, 3);
    fixture_open(&f);
    fixture_fill(&f, 20001);
    fixture_close(&f);
    g_autofree char *index = path_of(&f, "index.db");
    g_assert_cmpint(g_remove(index), ==, 0);
    fixture_open(&f);
    while (syncd_store_is_indexing(f.store) &&
           !syncd_database_is_in_steps(syncd_index_database(f.store->index)))
        syncd_store_work(f.store);
    g_assert_true(syncd_store_is_indexing(f.store));
    syncd_store_measure(f.store, &facts);
    g_assert_true(facts.rebuilding && facts.index.there);
    g_assert_cmpuint(facts.index.version, ==, 0);
    syncd_store_facts_clear(&facts);
    while (syncd_store_is_indexing(f.store))
        syncd_store_work(f.store);
    fixture_clear(&f);
}

static void closing_within_a_lookup_is_closing(void)
{
    Fixture f;
    begin(&f);
    step_into_a_lookup(&f);
    fixture_close(&f);
    fixture_open(&f);
    assert_answers(&f, ENTRIES);
    fixture_clear(&f);
}

static void without_room_for_a_lookup_the_one_there_is_goes_on(void)
{
    Fixture f;
    begin(&f);
    g_autoptr(GError) error = NULL;
    g_autofree char *made = path_of(&f, "index.db.new");
    while (!makes_lookups(&f))
        g_assert_true(step(&f));
    syncd_database_run(syncd_index_database(f.store->remake.index), "PRAGMA max_page_count = 1",
                       NULL);
    for (bool more = true; more && error == NULL;)
        syncd_store_step_remake(f.store, &more, &error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    g_assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
    assert_answers(&f, ENTRIES);
    fixture_clear(&f);
}

/* Nor does one that is made in the place of none keep anybody. */
static void closing_within_a_lookup_of_a_rebuild_is_closing(void)
{
    Fixture f;
    begin(&f);
    for (guint i = 0; i < 5; i++)
        for (guint k = 0; k < ENTRIES; k += 500)
            fixture_fill(&f, 500);
    fixture_close(&f);
    remove_index(&f);
    fixture_open(&f);
    while (f.store->index->version < 5)
        g_assert_true(syncd_store_work(f.store));
    g_assert_true(syncd_store_work(f.store));
    g_assert_cmpuint(f.store->index->version, ==, 5);
    fixture_close(&f);
    fixture_open(&f);
    while (syncd_store_is_indexing(f.store))
        g_assert_true(syncd_store_work(f.store));
    assert_answers(&f, 6 * ENTRIES);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void one_that_is_not_finished_is_begun_anew_after_a_start(void)
{
    Fixture f;
    begin(&f);
    g_assert_true(step(&f));
    g_assert_true(step(&f));
    fixture_close(&f);
    fixture_open(&f);
    assert_answers(&f, ENTRIES);
    while (step(&f))
        continue;
    assert_answers(&f, ENTRIES);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/remake/nobody-waits", nobody_waits_for_it);
    g_test_add_func("/remake/same", it_is_the_same_as_one_that_is_rebuilt);
    g_test_add_func("/remake/small-disk", on_a_small_disk_it_is_made);
    g_test_add_func("/remake/no-room", without_room_the_one_there_is_goes_on);
    g_test_add_func("/remake/in-the-way", what_stands_in_the_way_of_the_new_one_hurts_nobody);
    g_test_add_func("/remake/exchange", an_exchange_that_fails_leaves_none_for_a_moment);
    g_test_add_func("/remake/after-exchange", what_fails_after_a_failed_exchange_is_a_failure);
    g_test_add_func("/remake/unfinished", one_that_is_not_finished_is_begun_anew_after_a_start);
    g_test_add_func("/remake/lookups/steps", each_takes_several_steps);
    g_test_add_func("/remake/lookups/given-up",
                    one_that_is_given_up_within_a_lookup_leaves_nothing);
    g_test_add_func("/remake/lookups/not-asked", one_that_makes_a_lookup_is_not_asked);
    g_test_add_func("/remake/lookups/closing", closing_within_a_lookup_is_closing);
    g_test_add_func("/remake/lookups/no-room", without_room_for_a_lookup_the_one_there_is_goes_on);
    /* Needs as many entries as the one that is not asked, and goes over them three times. */
    if (!is_hurried())
        g_test_add_func("/remake/lookups/rebuild", closing_within_a_lookup_of_a_rebuild_is_closing);
    return g_test_run();
}
