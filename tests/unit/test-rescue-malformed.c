/*
 * A journal whose pages SQLite cannot all use, though it opens: it is not put into the place of
 * another one as it is, and one that is in its place already is written anew by a plan.
 */
#include "repair-fixture.h"

#include "diagnose-fixture.h"
#include "service/damage.h"
#include "service/internal.h"
#include "store/journal-private.h"
#include "store/rescue.h"
#include "store/store-private.h"

#include <glib/gstdio.h>
#include <string.h>

#define ENTRIES 100u
#define LATER 5u
#define PAGE 4096u
#define LEAF_OF_TABLE 13

static char *file(const ServiceFixture *f, const char *name)
{
    return g_build_filename(f->base.directory, name, NULL);
}

static void copy(const ServiceFixture *f, const char *from, const char *to)
{
    g_autofree char *source = file(f, from), *target = file(f, to);
    g_autofree char *command = g_strdup_printf("cp -p '%s' '%s'", source, target);
    g_assert_cmpint(system(command), ==, 0);
}

static void put_many(ServiceFixture *f, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        g_autofree char *object = g_strdup_printf("note-%u", i);
        put(f, object, "{}");
    }
    rest(f);
}

static void begin(ServiceFixture *f)
{
    repair_init(f);
    f->base.stands_in = true;
    put_many(f, 0, ENTRIES);
    service_close(f);
}

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
    g_autofree char *path = file(f, name), *bytes = NULL;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_autoptr(GArray) pages = g_array_new(FALSE, FALSE, sizeof(gsize));
    for (unsigned note = from; note < to; note++) {
        gsize at = page_of(bytes, size, note);
        g_array_append_val(pages, at);
    }
    for (guint i = 0; i < pages->len; i++)
        memset(bytes + g_array_index(pages, gsize, i), 0, PAGE);
    write_private(path, bytes, (gssize)size);
}

/* The leaf before the last one: what is written goes to the last until that is full. */
static void empty_last_but_one(const ServiceFixture *f)
{
    gsize size;
    unsigned note = ENTRIES - 1;
    g_autofree char *path = file(f, "journal.db"), *bytes = NULL;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    gsize last = page_of(bytes, size, note);
    while (page_of(bytes, size, note) == last)
        note--;
    g_clear_pointer(&bytes, g_free);
    empty_pages(f, "journal.db", note, note + 1);
}

/* ---- what is there then ---- */

static guint64 count_operations(ServiceFixture *f)
{
    guint64 n = 0;
    g_assert_true(syncd_store_count_kind(f->service->store, "operation.enqueue", &n, NULL));
    return n;
}

static void expect_sound(ServiceFixture *f, guint64 operations)
{
    g_assert_cmpint(syncd_store_condition(f->service->store), ==, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(count_operations(f), ==, operations);
    put_many(f, 1000, 50);
    verify_all(f);
    g_assert_false(syncd_service_is_damaged(f->service));
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(syncd_database_check_structure(syncd_journal_database(f->service->store->journal),
                                                 faults, NULL));
    g_assert_cmpuint(faults->len, ==, 0);
    repair_reopen(f);
    assert_clean(f);
}

static SyncdRepairPlan *carry_out(ServiceFixture *f, const char *kind)
{
    SyncdRepairPlan *plan = plan_repair(f);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), kind));
    approve_repair(f, plan);
    apply_repair(f, plan);
    return plan;
}

/* A sound one, an end later a malformed one, and nothing in the journal's place. */
static void leave_two(ServiceFixture *f, unsigned from, unsigned to)
{
    begin(f);
    copy(f, "journal.db", "journal.1");
    repair_open(f, NULL);
    put_many(f, ENTRIES, LATER);
    service_close(f);
    g_autofree char *path = file(f, "journal.db"), *kept = file(f, "journal.2");
    g_assert_cmpint(g_rename(path, kept), ==, 0);
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
    g_autoptr(GError) error = NULL;
    leave_two(&f, ENTRIES, ENTRIES + LATER);
    carry_out(&f, "journal-restore");
    g_assert_cmpuint(syncd_store_n_rolled_back(f.service->store), ==, LATER);
    repair_reopen(&f);
    g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
    g_assert_no_error(error);
    expect_sound(&f, ENTRIES);
    service_clear(&f);
}

/* The first write that meets it is taken back, and no restart is needed, nor of any use. */
static void one_in_its_place_is_written_anew(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal.1");
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
    g_autofree char *earlier = file(&f, "journal.1"), *kept = file(&f, "journal.2");
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    g_assert_false(g_file_test(kept, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(earlier, G_FILE_TEST_EXISTS));
    expect_sound(&f, count_operations(&f));
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
    return g_test_run();
}
