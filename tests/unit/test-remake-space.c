/*
 * On a disk that is nearly full the index is not made anew: neither what the log needs nor the
 * space set aside is taken for it, and it is made when there is room.
 */
#include "disk-fixture.h"
#include "index-count.h"

#include <sys/stat.h>

#define MIB (1024u * 1024u)
#define RESERVE (4 * MIB)
/* Of several syncs. */
#define ENTRIES 5000u

static bool begin(Fixture *f)
{
    if (!begin_small_disk(f, 7, "size=64m"))
        return false;
    open_with_reserve(f, RESERVE);
    for (guint i = 0; i < ENTRIES; i += 500)
        fixture_fill(f, 500);
    return true;
}

static bool step(Fixture *f, bool *ret_more)
{
    g_autoptr(GError) error = NULL;
    bool ok = syncd_store_step_remake(f->store, ret_more, &error);
    if (!ok) {
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
        g_test_message("%s", error->message);
    }
    return ok;
}

static void assert_untouched(Fixture *f)
{
    struct stat st;
    guint64 count = 0;
    g_autofree char *reserve = in(f, "reserve"), *made = in(f, "index.db.new");
    g_assert_cmpint(stat(reserve, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, RESERVE);
    g_assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
    g_assert_cmpint(syncd_store_condition(f->store), ==, SYNCD_STORE_WRITABLE);
    g_assert_true(count_kind(f->store, "operation.enqueue", &count, NULL));
    g_assert_cmpuint(count, >=, ENTRIES);
}

static void finish(Fixture *f)
{
    bool more = true;
    free_disk(f);
    while (more)
        g_assert_true(step(f, &more));
    assert_untouched(f);
    fixture_assert_sound(f);
}

static void it_is_not_begun_without_room(void)
{
    Fixture f;
    bool more;
    if (!begin(&f))
        return;
    fill_disk_but(&f, 2 * MIB); /* which is for the log */
    for (int i = 0; i < 3; i++) {
        g_assert_false(step(&f, &more));
        assert_untouched(&f);
        fixture_fill(&f, 10);
    }
    finish(&f);
    end_small_disk(&f);
}

/* Others fill the disk while it is made. */
static void it_gives_way_when_the_disk_gets_full(void)
{
    Fixture f;
    bool more;
    if (!begin(&f))
        return;
    for (int i = 0; i < 5; i++)
        g_assert_true(step(&f, &more));
    fill_disk(&f);
    g_assert_false(step(&f, &more));
    assert_untouched(&f);
    finish(&f);
    end_small_disk(&f);
}

/* Where the space set aside was needed and is not there, it comes first. */
static void a_reserve_that_is_missing_is_not_room(void)
{
    Fixture f;
    bool more;
    if (!begin(&f))
        return;
    g_autofree char *reserve = in(&f, "reserve");
    g_assert_cmpint(g_unlink(reserve), ==, 0);
    fill_disk_but(&f, RESERVE + MIB);
    g_assert_false(step(&f, &more));
    free_disk(&f);
    while (more)
        g_assert_true(step(&f, &more));
    assert_untouched(&f);
    end_small_disk(&f);
}

/* Of a process that was killed: it would be in the way of itself for ever. */
static void one_that_was_left_behind_takes_no_room(void)
{
    Fixture f;
    bool more = true;
    if (!begin(&f))
        return;
    g_autofree char *filler = in(&f, "filler"), *made = in(&f, "index.db.new");
    fill_disk_but(&f, 15 * MIB);
    g_assert_cmpint(rename(filler, made), ==, 0);
    while (more)
        g_assert_true(step(&f, &more));
    assert_untouched(&f);
    end_small_disk(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/remake-space/begin", it_is_not_begun_without_room);
    g_test_add_func("/remake-space/gets-full", it_gives_way_when_the_disk_gets_full);
    g_test_add_func("/remake-space/reserve", a_reserve_that_is_missing_is_not_room);
    g_test_add_func("/remake-space/left-behind", one_that_was_left_behind_takes_no_room);
    return g_test_run();
}
