/*
 * Content whose file cannot be read now, or that cannot be written, is damaged and not lost: nobody
 * gives it up, what is in the way is named before and after, and without that it comes back.
 */
#include "blobs-fixture.h"

#include "service/damage.h"

#define MINUTE_USEC (60u * (guint64)G_USEC_PER_SEC)

static void set_state(World *world, const char *state)
{
    g_autofree char *root =
        g_strdup_printf("{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\","
                        "\"directory\":\"%s\",\"root_state\":\"%s\",\"keep\":%s}",
                        world->w.directory, state, KEEP_TWO);
    g_assert_cmpint(update_record(&world->w.f, "root", "r1", root), ==, -1);
}

static void pause_it(World *world)
{
    set_state(world, "paused");
}

static void lose_it(World *world)
{
    world->said = "missing";
}

static void fail_it(World *world)
{
    world->said = "failed";
}

static void busy_it(World *world)
{
    world->said = "scanning";
}

static void leave_it(World *world)
{
    world->unwatched = true;
}

static void let_it(World *world)
{
    set_state(world, "active");
    world->said = NULL;
    world->unwatched = false;
}

/* ---- a workspace that is not there ---- */

static void what_may_be_in_a_file_is_not_lost(void)
{
    static const struct {
        void (*hinder)(World *world);
        const char *before, *after;
        bool waits;
    } cases[] = {
        {pause_it, "workspace:notes is paused",
         "resume it with `sourceos-syncd workspace resume workspace:notes`", false},
        {lose_it, "workspace:notes is not there", "bring its directory back", false},
        {fail_it, "workspace:notes cannot be read",
         "see why with `sourceos-syncd workspace show workspace:notes`", false},
        {busy_it, NULL, "workspace:notes was not at rest for a minute", true},
        {leave_it, NULL, "workspace:notes was not at rest for a minute", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        World world;
        world_init(&world);
        SyncdHash large = chunk_of(&world, LARGE, 1, 1), last = chunk_of(&world, LARGE, 1, 2),
                  small = chunk_of(&world, SMALL, 1, 0);
        damage(&world, &large);
        lose(&world, &last);
        change_row(&world, &small, NULL);
        cases[i].hinder(&world);
        SyncdRepairPlan *plan = begun(&world);
        g_test_message("%s", syncd_repair_plan_text(plan));
        g_assert_true(cases[i].before == NULL || plan_says(plan, cases[i].before));
        g_assert_true(plan_says(plan, "cannot be asked now") == (cases[i].before != NULL));
        guint64 began = world.w.f.base.now_usec;
        run_on(&world, plan);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        g_assert_cmpint(world.w.f.base.now_usec - began >= MINUTE_USEC, ==, cases[i].waits);
        g_assert_cmpuint(world.w.f.base.now_usec - began, <, 2 * MINUTE_USEC);
        g_assert_true(report_says(&world.w.f, plan, "\"given_up\":[]"));
        g_assert_true(report_says(&world.w.f, plan, "is damaged still, and not given up: "));
        g_assert_true(report_says(&world.w.f, plan, cases[i].after));
        g_assert_true(
            report_says(&world.w.f, plan, "back: 0, that are lost: 0, that are damaged still: 3"));
        g_assert_cmpuint(count_lost(&world), ==, 0);
        g_assert_true(is_damaged(&world, &large));
        g_assert_cmpuint(snapshots(&world), ==, 1); /* the list, of nothing */
        restart(&world);
        run_until(&world.w, SYNCD_WORKSPACE_WATCHING);
        g_assert_true(is_found(&world.w.f, "blob-damaged"));
        let_it(&world);
        applied(&world);
        assert_whole(&world);
        workspace_clear(&world.w);
    }
}

/* What no file has is given up all the same. */
static void what_no_file_has_is_lost(void)
{
    World world;
    world_init(&world);
    g_autofree char *other = text_of(LARGE_SIZE, 'b');
    SyncdHash old = chunk_of(&world, LARGE, 1, 1), new;
    write_file(&world.w, LARGE, other);
    rescan(&world.w);
    new = chunk_of(&world, LARGE, 2, 0);
    lose(&world, &old);
    lose(&world, &new);
    pause_it(&world);
    SyncdRepairPlan *plan = applied(&world);
    g_assert_true(
        report_says(&world.w.f, plan, "back: 0, that are lost: 1, that are damaged still: 1"));
    g_assert_cmpuint(count_lost(&world), ==, 1);
    g_assert_true(is_found(&world.w.f, "blob-damaged"));
    let_it(&world);
    plan = applied(&world);
    g_assert_false(plan_says(plan, "cannot be asked now"));
    assert_kept(&world.w, row_of(&world.w, LARGE).id, 2, other);
    g_assert_cmpuint(count_lost(&world), ==, 1);
    g_assert_false(is_found(&world.w.f, "blob-damaged"));
    workspace_clear(&world.w);
}

/* ---- a place that takes no writing ---- */

/* The name under which it would be published is that of a folder. */
static char *block(World *world, const SyncdHash *chunk)
{
    g_autofree char *path = path_of(world, chunk), *folder = g_path_get_dirname(path),
                    *base = g_path_get_basename(path);
    char *half = g_strdup_printf("%s/.%s.new", folder, base);
    g_assert_cmpint(g_mkdir(half, 0700), ==, 0);
    return half;
}

static void what_cannot_be_written_is_not_lost(void)
{
    World world;
    world_init(&world);
    SyncdHash first = chunk_of(&world, LARGE, 1, 0), last = chunk_of(&world, LARGE, 1, 2);
    damage(&world, &first);
    damage(&world, &last);
    g_autofree char *half = block(&world, &first);
    SyncdRepairPlan *plan = applied(&world);
    g_autofree char *report = syncd_service_repair_report(world.w.f.service, plan, NULL);
    g_test_message("%s", report);
    g_assert_true(
        report_says(&world.w.f, plan, "back: 1, that are lost: 0, that are damaged still: 1"));
    g_assert_true(report_says(&world.w.f, plan, "could not be written"));
    g_assert_cmpint(standing_of(&world.w).state, ==, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(count_lost(&world), ==, 0);
    g_assert_true(is_damaged(&world, &first));
    g_assert_cmpint(g_remove(half), ==, 0);
    applied(&world);
    assert_whole(&world);
    workspace_clear(&world.w);
}

/* ---- a file that has it again ---- */

/* It was another one when it was asked. */
static void what_was_given_up_is_damaged_where_a_file_has_it(void)
{
    World world;
    world_init(&world);
    ServiceFixture *f = &world.w.f;
    g_autofree char *text = text_of(LARGE_SIZE, 'a'), *rotten = text_of(LARGE_SIZE, 'a');
    SyncdHash lost = chunk_of(&world, LARGE, 1, 1);
    rotten[LARGE_SIZE - 1] ^= 1;
    rot(&world.w, LARGE, rotten);
    lose(&world, &lost);
    scan_deep(&world.w);
    listen_to(&world);
    SyncdRepairPlan *plan = begun(&world);
    run_on(&world, plan);
    g_assert_cmpuint(count_lost(&world), ==, 1);
    verify_all(f);
    g_assert_cmpuint(count_lost(&world), ==, 1);
    rot(&world.w, LARGE, text);
    scan_deep(&world.w);
    listen_to(&world);
    g_assert_cmpuint(mismatches(&world.w), ==, 0);
    verify_all(f);
    g_assert_cmpuint(count_lost(&world), ==, 0);
    applied(&world);
    assert_whole(&world);
    workspace_clear(&world.w);
}

int main(int argc, char **argv)
{
    blobs_test_init(&argc, &argv);
    g_test_add_func("/repair-unasked/file", what_may_be_in_a_file_is_not_lost);
    g_test_add_func("/repair-unasked/no-file", what_no_file_has_is_lost);
    g_test_add_func("/repair-unasked/unwritten", what_cannot_be_written_is_not_lost);
    g_test_add_func("/repair-unasked/again", what_was_given_up_is_damaged_where_a_file_has_it);
    return g_test_run();
}
