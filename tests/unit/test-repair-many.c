/*
 * A plan has as many files as fit into one, and is applied, cancelled, taken back, or gone on with
 * after a kill as one: all of them are as they were before, or as they are after.
 */
#include "diagnose-fixture.h"
#include "repair-file-fixture.h"

#include "service/repair-private.h"

#include <signal.h>
#include <sys/prctl.h>

enum { IN_A_PLAN = 128, MANY = IN_A_PLAN + 2, TURNS_MAX = 100000 };

static char *name_of(guint i)
{
    return g_strdup_printf("folder/%03u", i);
}

/* So many files are rotten, which a deep scan has found. */
static void many_are_rotten(World *world, guint n)
{
    WorkspaceFixture *w = &world->w;
    *world = (World){.unwatched = false};
    workspace_init_keeping(w, KEEP_TWO);
    make_folder(w, "folder");
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = name_of(i);
        write_file(w, name, WRITTEN);
    }
    begin(w);
    end_workspace(w);
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = name_of(i);
        rot_unwatched(w, name, ROT);
    }
    settle(w);
    begin(w);
    scan_deep(w);
    g_assert_cmpuint(mismatches(w), ==, n);
    listen_to(world);
}

static guint count_with(World *world, const char *expected)
{
    guint n = 0;
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = name_of(i), *path = path_in(&world->w, name), *content = NULL;
        n += g_file_get_contents(path, &content, NULL, NULL) && strcmp(content, expected) == 0;
    }
    return n;
}

static void assert_all_have(World *world, const char *content)
{
    bool written = strcmp(content, WRITTEN) == 0;
    g_assert_cmpuint(count_with(world, content), ==, IN_A_PLAN);
    g_assert_cmpuint(mismatches(&world->w), ==, written ? 0 : IN_A_PLAN);
    g_assert_cmpuint(snapshots(world), ==, written ? IN_A_PLAN : 0);
    g_assert_true(is_found(&world->w.f, "checksum-mismatch") == !written);
}

static void run_to_its_end(World *world, const SyncdRepairPlan *plan, const char *expected)
{
    guint turns = 0;
    while (runs(plan) && turns++ < TURNS_MAX)
        turn(world);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, expected);
    while (step_workspace(&world->w, 0) || standing_of(&world->w).waiting > 0)
        ;
}

static SyncdRepairPlan *approved(World *world)
{
    SyncdRepairPlan *plan = plan_repair(&world->w.f);
    approve_repair(&world->w.f, plan);
    return plan;
}

static void run_until_half(World *world)
{
    for (guint i = 0; i < TURNS_MAX && count_with(world, WRITTEN) < IN_A_PLAN / 2; i++)
        for (guint j = 0; j < 20; j++)
            turn(world);
    guint done = count_with(world, WRITTEN);
    g_assert_true(done > 0 && done < IN_A_PLAN);
}

static void a_plan_has_so_many_and_says_what_is_left(void)
{
    World world;
    many_are_rotten(&world, MANY);
    SyncdRepairPlan *plan = plan_repair(&world.w.f);
    g_autofree char *described = syncd_repair_plan_describe(plan);
    g_autofree char *steps = member_of(described, "steps");
    g_assert_cmpuint(count_elements(steps), ==, IN_A_PLAN);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "2 more are left for another plan"));
    workspace_clear(&world.w);
}

static void all_are_applied_and_taken_back(void)
{
    World world;
    g_autoptr(GError) error = NULL;
    SyncdJob *job;
    many_are_rotten(&world, IN_A_PLAN);
    SyncdRepairPlan *plan = approved(&world);
    begin_repair(&world.w.f, plan);
    run_to_its_end(&world, plan, "complete");
    assert_all_have(&world, WRITTEN);
    syncd_service_rollback_repair(world.w.f.service, &world.w.f.caller, plan,
                                  syncd_repair_plan_digest(plan), &job, &error);
    g_assert_no_error(error);
    run_to_its_end(&world, plan, "rolled_back");
    assert_all_have(&world, ROT);
    workspace_clear(&world.w);
}

static void what_is_cancelled_in_the_middle_is_taken_back(void)
{
    World world;
    many_are_rotten(&world, IN_A_PLAN);
    SyncdRepairPlan *plan = approved(&world);
    SyncdJob *job = begin_repair(&world.w.f, plan);
    run_until_half(&world);
    g_assert_true(syncd_service_cancel_job(world.w.f.service, job, NULL));
    run_to_its_end(&world, plan, "failed");
    assert_all_have(&world, ROT);
    workspace_clear(&world.w);
}

/* ---- a kill ---- */

static void start(World *world)
{
    service_open(&world->w.f);
    listen_to(world);
    begin_workspace(&world->w);
}

G_GNUC_NORETURN static void apply_until_killed(World *world, const char *id)
{
    start(world);
    run_until(&world->w, SYNCD_WORKSPACE_WATCHING);
    begin_repair(&world->w.f, find_repair_plan(world->w.f.service, id));
    run_until_half(world);
    raise(SIGKILL);
    _exit(1);
}

/* The process that is killed, and the reader that it began. */
static void wait_for_both(pid_t killed)
{
    int status;
    for (pid_t child; (child = waitpid(-1, &status, 0)) > 0;)
        g_assert_true(child == killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                                      : WIFEXITED(status));
}

static void what_is_killed_in_the_middle_goes_on(gconstpointer data)
{
    bool cancelled = data != NULL;
    World world;
    many_are_rotten(&world, IN_A_PLAN);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(approved(&world)));
    end_workspace(&world.w);
    service_close(&world.w.f);
    pid_t child = fork();
    if (child == 0)
        apply_until_killed(&world, id);
    wait_for_both(child);
    guint done = count_with(&world, WRITTEN);
    g_assert_true(done > 0 && done < IN_A_PLAN);
    world.w.f.base.seed = ~world.w.f.base.seed;
    start(&world);
    SyncdRepairPlan *plan = find_repair_plan(world.w.f.service, id);
    SyncdJob *job = syncd_service_find_job(world.w.f.service, plan->job);
    if (cancelled)
        g_assert_true(syncd_service_cancel_job(world.w.f.service, job, NULL));
    run_to_its_end(&world, plan, cancelled ? "failed" : "complete");
    assert_all_have(&world, cancelled ? ROT : WRITTEN);
    workspace_clear(&world.w);
}

int main(int argc, char **argv)
{
    /* Each step of a plan is synced, which is not what is looked for here. */
    if (g_getenv("TMPDIR") == NULL && g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_assert_cmpint(prctl(PR_SET_CHILD_SUBREAPER, 1), ==, 0);
    g_test_add_func("/repair-many/a-plan-has-so-many-and-says-what-is-left",
                    a_plan_has_so_many_and_says_what_is_left);
    g_test_add_func("/repair-many/all-are-applied-and-taken-back", all_are_applied_and_taken_back);
    g_test_add_func("/repair-many/what-is-cancelled-in-the-middle-is-taken-back",
                    what_is_cancelled_in_the_middle_is_taken_back);
    g_test_add_data_func("/repair-many/what-is-killed-in-the-middle-goes-on", NULL,
                         what_is_killed_in_the_middle_goes_on);
    g_test_add_data_func("/repair-many/what-is-killed-in-the-middle-is-cancelled", "cancelled",
                         what_is_killed_in_the_middle_goes_on);
    return g_test_run();
}
