/*
 * A purge keeps nobody waiting: looking through the log for it, and clearing up after it, goes in
 * steps of a bounded number of entries. What happens between two of them is not missed.
 */
#include "purge-fixture.h"
#include "store/store-private.h"

#define LARGE (SYNCD_STORE_INLINE_MAX + 1)
#define FILLING 2500u

static const char *device(const Fixture *f)
{
    return syncd_store_device_id(f->store);
}

static guint64 put(Fixture *f, const char *object, char first)
{
    g_autofree char *large = g_strnfill(LARGE, 'x');
    large[0] = first;
    SyncdReceipt receipt = fixture_append_to(f, device(f), object, NULL, large, LARGE);
    guint64 pos = receipt.pos;
    syncd_receipt_clear(&receipt);
    fixture_commit(f);
    return pos;
}

/* A deleted object whose content lies in a chunk, in a log of many steps. */
static void begin(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    fixture_init(f, 7);
    fixture_open(f);
    fixture_fill(f, 1);
    put(f, "gone", 'g');
    for (guint i = 0; i < FILLING; i += 500)
        fixture_fill(f, 500);
    fixture_delete(f, device(f), "gone", &error);
    g_assert_no_error(error);
    fixture_commit(f);
}

static guint steps_through(const Fixture *f)
{
    return (guint)(syncd_store_sequence(f->store) / SYNCD_PURGE_STEP);
}

static void step_search(SyncdPurgeSearch *search, bool more_is_expected)
{
    g_autoptr(GError) error = NULL;
    bool more;
    syncd_purge_search_step(search, &more, &error);
    g_assert_no_error(error);
    g_assert_cmpint(more, ==, more_is_expected);
}

static const SyncdPurgedChunk *only_chunk(GPtrArray *chunks)
{
    g_assert_cmpuint(chunks->len, ==, 1);
    return chunks->pdata[0];
}

static void a_search_looks_at_few_entries_a_step(void)
{
    Fixture f;
    guint steps = 0;
    g_autoptr(GError) error = NULL;
    begin(&f);
    g_autoptr(SyncdPurgeable) purgeable =
        fixture_find_purgeable(&f, device(&f), "gone", &steps, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(steps, >, steps_through(&f));
    g_assert_cmpuint(steps, <=, steps_through(&f) + 2);
    g_assert_false(only_chunk(purgeable->chunks)->shared);
    fixture_clear(&f);
}

/* Nor is the log read for an object that has none. */
static void many_entries_of_one_object_are_several_steps(void)
{
    Fixture f;
    guint steps = 0;
    g_autoptr(GError) error = NULL;
    begin(&f);
    g_autoptr(SyncdPurgeable) purgeable =
        fixture_find_purgeable(&f, device(&f), "object:1", &steps, &error);
    g_assert_no_error(error);
    guint n = purgeable->entries->len;
    g_assert_cmpuint(n, >, FILLING / 10);
    g_assert_cmpuint(steps, ==, 1);
    for (guint i = 0; i < 1100; i++) {
        SyncdReceipt receipt = fixture_append(&f, "object:1", NULL, "{}");
        syncd_receipt_clear(&receipt);
    }
    fixture_commit(&f);
    g_autoptr(SyncdPurgeable) more =
        fixture_find_purgeable(&f, device(&f), "object:1", &steps, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(more->entries->len, ==, n + 1100);
    g_assert_cmpuint(steps, >, (n + 1100) / SYNCD_PURGE_STEP);
    fixture_clear(&f);
}

static void a_list_that_comes_between_two_steps_keeps_its_chunk(void)
{
    Fixture f;
    begin(&f);
    g_autoptr(SyncdPurgeSearch) search =
        syncd_store_begin_purge_search(f.store, device(&f), "gone");
    for (guint i = 0; i < steps_through(&f); i++)
        step_search(search, true);
    put(&f, "stays", 'g');
    step_search(search, false);
    g_autoptr(SyncdPurgeable) purgeable = syncd_purge_search_take(search);
    g_assert_true(only_chunk(purgeable->chunks)->shared);
    fixture_clear(&f);
}

/* What was found may not hold any more: how its operations ended, or which entries it has. */
static void an_object_that_changes_between_two_steps_is_busy(void)
{
    Fixture f;
    bool more = true;
    g_autoptr(GError) error = NULL;
    begin(&f);
    g_autoptr(SyncdPurgeSearch) search =
        syncd_store_begin_purge_search(f.store, device(&f), "gone");
    step_search(search, true);
    SyncdReceipt receipt = fixture_append(&f, "gone", NULL, "{}");
    syncd_receipt_clear(&receipt);
    /* An open turn may yet be taken back. */
    while (more) {
        syncd_purge_search_step(search, &more, &error);
        g_assert_no_error(error);
    }
    fixture_commit(&f);
    g_assert_false(syncd_purge_search_step(search, &more, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    fixture_clear(&f);
}

static bool step_scrub(SyncdScrub *scrub)
{
    g_autoptr(GError) error = NULL;
    bool more;
    syncd_scrub_step(scrub, &more, &error);
    g_assert_no_error(error);
    return more;
}

static SyncdPurgeable *purge(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdPurgeable *purgeable = NULL;
    fixture_purge(f, device(f), "gone", &purgeable, &error);
    g_assert_no_error(error);
    fixture_commit(f);
    return purgeable;
}

static void clearing_up_looks_at_few_entries_a_step(void)
{
    Fixture f;
    begin(&f);
    g_autoptr(SyncdPurgeable) purgeable = purge(&f);
    g_autoptr(SyncdScrub) scrub = syncd_store_begin_scrub(f.store, device(&f), purgeable->chunks);
    guint steps = 1;
    while (step_scrub(scrub))
        steps++;
    g_assert_cmpuint(steps, >, steps_through(&f) + 1);
    g_assert_cmpuint(syncd_scrub_result(scrub, 0).chunks, ==, 1);
    g_clear_pointer(&scrub, syncd_scrub_free);
    fixture_clear(&f);
}

/* At any time: also of the part of the log that was looked at. */
static void clearing_up_keeps_a_chunk_that_is_listed_again(void)
{
    for (guint before = 0; before < 4; before++) {
        Fixture f;
        g_autoptr(GError) error = NULL;
        g_auto(SyncdEntry) entry = {0};
        g_auto(SyncdBody) body = {0};
        begin(&f);
        g_autoptr(SyncdPurgeable) purgeable = purge(&f);
        g_autoptr(SyncdScrub) scrub =
            syncd_store_begin_scrub(f.store, device(&f), purgeable->chunks);
        g_assert_cmpuint(steps_through(&f), ==, 2);
        for (guint i = 0; i < before; i++)
            g_assert_true(step_scrub(scrub));
        guint64 pos = put(&f, "stays", 'g');
        while (step_scrub(scrub))
            continue;
        /* The last of them removed it, and it was put there anew. */
        g_assert_cmpuint(syncd_scrub_result(scrub, 0).kept_chunks, ==, before < 3);
        g_assert_true(syncd_store_read(f.store, pos, &entry, NULL));
        syncd_store_read_body(f.store, &entry, &body, &error);
        g_assert_no_error(error);
        g_assert_cmpint(((const char *)body.content)[0], ==, 'g');
        g_clear_pointer(&scrub, syncd_scrub_free);
        fixture_clear(&f);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/purge-steps/search", a_search_looks_at_few_entries_a_step);
    g_test_add_func("/purge-steps/entries", many_entries_of_one_object_are_several_steps);
    g_test_add_func("/purge-steps/list-between",
                    a_list_that_comes_between_two_steps_keeps_its_chunk);
    g_test_add_func("/purge-steps/change-between",
                    an_object_that_changes_between_two_steps_is_busy);
    g_test_add_func("/purge-steps/scrub", clearing_up_looks_at_few_entries_a_step);
    g_test_add_func("/purge-steps/list-while-scrubbed",
                    clearing_up_keeps_a_chunk_that_is_listed_again);
    return g_test_run();
}
