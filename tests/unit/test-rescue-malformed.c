/*
 * A journal whose pages SQLite cannot all use, though it opens: it is not put into the place of
 * another one as it is, and one that is in its place already is written anew by a plan.
 */
#include "raw-sql.h"
#include "rescue-fixture.h"

#define LATER 5u
#define MORE 50u /* write to more than one page */
#define PAGE 4096u
#define LEAF_OF_TABLE 13

/* ---- the pages of entries ---- */

static bool names(const char *page, unsigned note)
{
    g_autofree char *name = g_strdup_printf("\"note-%u\"", note);
    return page[0] == LEAF_OF_TABLE && memmem(page, PAGE, name, strlen(name)) != NULL;
}

/* Where the newest of those that have it is: older copies may lie where nothing uses them. */
static gsize page_of(const char *bytes, gsize size, unsigned note)
{
    for (gsize at = size / PAGE * PAGE; at >= 2 * PAGE; at -= PAGE)
        if (names(bytes + at - PAGE, note))
            return at - PAGE;
    g_assert_not_reached();
}

static void empty_pages(const ServiceFixture *f, const char *name, unsigned from, unsigned to)
{
    gsize size;
    g_autofree char *bytes = state_read(f, name, &size);
    g_autoptr(GArray) pages = g_array_new(FALSE, FALSE, sizeof(gsize));
    for (unsigned note = from; note < to; note++) {
        gsize at = page_of(bytes, size, note);
        g_array_append_val(pages, at);
    }
    for (guint i = 0; i < pages->len; i++)
        memset(bytes + g_array_index(pages, gsize, i), 0, PAGE);
    state_write(f, name, bytes, (gssize)size);
}

/* The leaf before the last one: what is written goes to the last until that is full. */
static void empty_last_but_one(const ServiceFixture *f)
{
    gsize size;
    unsigned note = ENTRIES - 1;
    g_autofree char *bytes = state_read(f, "journal.db", &size);
    gsize last = page_of(bytes, size, note);
    while (page_of(bytes, size, note) == last)
        note--;
    g_clear_pointer(&bytes, g_free);
    empty_pages(f, "journal.db", note, note + 1);
}

/* What the first entry of each feed says as well. */
static void empty_feeds(const ServiceFixture *f)
{
    gsize size;
    g_autofree char *path = state_path(f, "journal.db");
    g_autofree char *page = ask_raw(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'feed'");
    g_autofree char *bytes = state_read(f, "journal.db", &size);
    memset(bytes + (g_ascii_strtoull(page, NULL, 10) - 1) * PAGE, 0, PAGE);
    state_write(f, "journal.db", bytes, (gssize)size);
}

/* ---- what is there then ---- */

static void expect_sound(ServiceFixture *f, guint64 operations)
{
    put_many(f, 1000, MORE);
    expect_all(f, operations + MORE);
}

/* A sound one, an end later a malformed one, and nothing in the journal's place. */
static void leave_two(ServiceFixture *f, unsigned from, unsigned to)
{
    begin(f);
    state_copy(f, "journal.db", "journal.1");
    repair_open(f, NULL);
    put_many(f, ENTRIES, LATER);
    rest(f);
    service_close(f);
    state_move(f, "journal.db", "journal.2");
    empty_pages(f, "journal.2", from, to);
    repair_open(f, NULL);
    g_assert_true(is_found(f, "journal-unreadable"));
}

/* What it lacks another one has: all of both is in what comes into the journal's place. */
static void one_is_written_anew_with_what_another_has(void)
{
    ServiceFixture f;
    leave_two(&f, 10, 20);
    SyncdRepairPlan *plan = carry_out(&f, "journal-restore");
    g_assert_true(report_says(&f, plan, "journal.2 has"));
    g_assert_true(report_says(&f, plan, "verify log --full"));
    expect_sound(&f, ENTRIES + LATER);
    service_clear(&f);
}

/* Its head covers what nobody can read: that does not count. */
static void one_that_has_no_more_gives_way_to_a_sound_one(void)
{
    ServiceFixture f;
    leave_two(&f, ENTRIES, ENTRIES + LATER);
    carry_out(&f, "journal-restore");
    g_assert_cmpuint(syncd_store_n_rolled_back(f.service->store), ==, LATER);
    repair_reopen(&f);
    adopt(&f);
    expect_sound(&f, ENTRIES);
    service_clear(&f);
}

/* The first write that meets it is taken back, and no restart is needed, nor of any use. */
static void one_in_its_place_is_written_anew(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    state_copy(&f, "journal.db", "journal.1");
    empty_last_but_one(&f);
    repair_open(&f, NULL);
    guint64 sequence = service_sequence(&f);
    for (unsigned i = 0; syncd_store_may_write(f.service->store, NULL); i++) {
        SyncdEnqueued enqueued = {0};
        SyncdRequest request = good_request();
        g_assert_cmpuint(i, <, 1000);
        syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, NULL);
        syncd_enqueued_clear(&enqueued);
        syncd_service_commit(f.service);
        sequence = service_sequence(&f);
    }
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_DAMAGED);
    g_assert_true(is_found(&f, "journal-corrupt"));
    SyncdRepairPlan *plan = carry_out(&f, "journal-generation");
    g_assert_cmpuint(service_sequence(&f), >=, sequence);
    /* What was kept before is nobody's to remove. */
    g_assert_true(state_has(&f, "journal.2"));
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    g_assert_false(state_has(&f, "journal.2"));
    g_assert_true(state_has(&f, "journal.1"));
    expect_sound(&f, count_operations(&f));
    service_clear(&f);
}

static void one_that_lost_its_feeds_is_written_anew(void)
{
    ServiceFixture f;
    begin(&f);
    empty_feeds(&f);
    repair_open(&f, NULL);
    g_assert_false(syncd_store_may_write(f.service->store, NULL));
    verify_all(&f);
    g_assert_true(is_found(&f, "log-damaged"));
    carry_out(&f, "journal-generation");
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-malformed/one-is-written-anew-with-what-another-has",
                    one_is_written_anew_with_what_another_has);
    g_test_add_func("/rescue-malformed/one-that-has-no-more-gives-way-to-a-sound-one",
                    one_that_has_no_more_gives_way_to_a_sound_one);
    g_test_add_func("/rescue-malformed/one-in-its-place-is-written-anew",
                    one_in_its_place_is_written_anew);
    g_test_add_func("/rescue-malformed/one-that-lost-its-feeds-is-written-anew",
                    one_that_lost_its_feeds_is_written_anew);
    return g_test_run();
}
