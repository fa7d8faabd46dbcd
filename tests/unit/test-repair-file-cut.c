/*
 * A repair of a file, and taking it back, ends as if nothing had come between, wherever the daemon
 * was killed meanwhile, or has none of what it needs for a while; one that is cancelled leaves what
 * was there.
 */
#include "diagnose-fixture.h"
#include "repair-file-fixture.h"

/* As many turns as there are before each kill, until one is enough. */
static void a_kill_leaves_all_or_nothing(gconstpointer data)
{
    bool accepts = GPOINTER_TO_INT(data);
    bool through = false;
    for (guint turns = 0; !through; turns += is_hurried() ? 7 : 1) {
        World world;
        world_init(&world);
        SyncdRepairPlan *plan = begun(&world, accepts);
        g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
        for (guint i = 0; i < turns && runs(plan); i++)
            turn(&world);
        through = !runs(plan);
        restart(&world);
        plan = find_repair_plan(world.w.f.service, id);
        run_on(&world, plan);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        assert_content(&world, ROTTEN, accepts ? ROT : WRITTEN);
        g_assert_cmpuint(mismatches(&world.w), ==, 0);

        begin_rollback(&world.w.f, plan);
        for (guint i = 0; i < turns && runs(plan); i++)
            turn(&world);
        through &= !runs(plan);
        restart(&world);
        plan = find_repair_plan(world.w.f.service, id);
        run_on(&world, plan);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
        assert_content(&world, ROTTEN, ROT);
        assert_mismatch(&world.w, ROTTEN, ROT);
        g_assert_cmpuint(snapshots(&world), ==, 0);
        g_assert_true(is_tidy(&world));
        workspace_clear(&world.w);
    }
}

/* Killed when the file was in its place again, and before the log said so: what looks like a change
 * of the file is none. */
static void what_was_put_back_last_is_recorded_as_it_was(void)
{
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    begin_rollback(&world.w.f, plan);
    write_over(&world.w, ROTTEN, ROT);
    restart(&world);
    plan = find_repair_plan(world.w.f.service, id);
    run_on(&world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
    assert_content(&world, ROTTEN, ROT);
    assert_mismatch(&world.w, ROTTEN, ROT);
    g_assert_cmpuint(snapshots(&world), ==, 0);
    rescan(&world.w);
    assert_mismatch(&world.w, ROTTEN, ROT);
    applied(&world, false);
    assert_content(&world, ROTTEN, WRITTEN);
    workspace_clear(&world.w);
}

static void what_is_cancelled_is_taken_back(void)
{
    bool through = false;
    for (guint turns = 0; !through; turns += is_hurried() ? 7 : 1) {
        World world;
        world_init(&world);
        SyncdRepairPlan *plan = plan_for(&world, false, NULL);
        approve_repair(&world.w.f, plan);
        SyncdJob *job = begin_repair(&world.w.f, plan);
        for (guint i = 0; i < turns && runs(plan); i++)
            turn(&world);
        through = !runs(plan);
        if (!through)
            syncd_service_cancel_job(world.w.f.service, job, NULL);
        run_on(&world, plan);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, through ? "complete" : "failed");
        assert_content(&world, ROTTEN, through ? WRITTEN : ROT);
        g_assert_cmpuint(snapshots(&world), ==, through);
        workspace_clear(&world.w);
    }
}

/* What is taken back of a workspace that is away waits for it, and goes on when it is back. */
static void what_is_away_is_taken_back_when_it_is_back(void)
{
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    end_workspace(&world.w);
    SyncdJob *job = begin_rollback(&world.w.f, plan);
    for (guint i = 0; i < 5000 && !syncd_repair_plan_is_interrupted(plan); i++) {
        syncd_service_work(world.w.f.service);
        world.w.f.base.now_usec += G_USEC_PER_SEC / 10;
    }
    g_assert_true(syncd_repair_plan_is_interrupted(plan));
    g_assert_true(is_found(&world.w.f, "repair-interrupted"));
    /* Whoever asked for it is not left to think that it failed. */
    g_assert_nonnull(strstr(syncd_job_error(job)->message, "tried again each minute"));
    assert_content(&world, ROTTEN, WRITTEN);
    begin_workspace(&world.w);
    world.w.f.base.now_usec += G_USEC_PER_SEC * 60;
    run_on(&world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
    assert_content(&world, ROTTEN, ROT);
    assert_mismatch(&world.w, ROTTEN, ROT);
    workspace_clear(&world.w);
}

/* A log that nobody can open knows of no files: that is said, and nothing is begun that would come
 * about later. */
static void without_a_log_nothing_is_taken_back(void)
{
    World world;
    gsize size;
    world_init(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan)), *whole = NULL,
                    *path = g_build_filename(world.w.f.base.directory, "journal.db", NULL);
    end_workspace(&world.w);
    service_close(&world.w.f);
    g_assert_true(g_file_get_contents(path, &whole, &size, NULL));
    write_private(path, "this is no database at all", -1);
    world.w.f.base.stands_in = true;
    service_open(&world.w.f);
    listen_to(&world);
    plan = find_repair_plan(world.w.f.service, id);
    expect_not_taken_back(&world.w.f, plan, SYNCD_ERROR_JOURNAL_CORRUPT, NULL);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    service_close(&world.w.f);
    write_private(path, whole, (gssize)size);
    service_open(&world.w.f);
    listen_to(&world);
    begin_workspace(&world.w);
    plan = find_repair_plan(world.w.f.service, id);
    roll_back(&world, plan);
    assert_content(&world, ROTTEN, ROT);
    workspace_clear(&world.w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_data_func("/repair-file-cut/a-kill-leaves-all-or-nothing/restored",
                         GINT_TO_POINTER(false), a_kill_leaves_all_or_nothing);
    g_test_add_data_func("/repair-file-cut/a-kill-leaves-all-or-nothing/accepted",
                         GINT_TO_POINTER(true), a_kill_leaves_all_or_nothing);
    g_test_add_func("/repair-file-cut/put-back", what_was_put_back_last_is_recorded_as_it_was);
    g_test_add_func("/repair-file-cut/what-is-cancelled-is-taken-back",
                    what_is_cancelled_is_taken_back);
    g_test_add_func("/repair-file-cut/away", what_is_away_is_taken_back_when_it_is_back);
    g_test_add_func("/repair-file-cut/no-log", without_a_log_nothing_is_taken_back);
    return g_test_run();
}
