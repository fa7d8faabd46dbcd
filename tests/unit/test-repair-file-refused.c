/*
 * A repair of files does nothing where a file is another one than it was planned for, or where
 * nobody could do it: whoever asked is told which in words, and what was repaired beside it is as
 * it was.
 */
#include "repair-file-fixture.h"

static void what_changed_since_is_another_plan(void)
{
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = plan_for(&world, false, NULL);
    approve_repair(&world.w.f, plan);
    write_over(&world.w, ROTTEN, "something else");
    rescan(&world.w);
    expect_not_applied(&world.w.f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    assert_content(&world, ROTTEN, "something else");
    workspace_clear(&world.w);
}

/* … and of which nobody knew yet it is a step that fails. */
static void what_nobody_knew_of_is_not_replaced(gconstpointer data)
{
    const char *to = data;
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = begun(&world, false);
    if (to != NULL)
        write_over(&world.w, ROTTEN, to);
    else
        remove_file(&world.w, ROTTEN);
    run_on(&world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_true(report_says(&world.w.f, plan, "changed or deleted since"));
    g_assert_false(report_says(&world.w.f, plan, "folder"));
    g_assert_cmpuint(snapshots(&world), ==, 0);
    if (to != NULL)
        assert_content(&world, ROTTEN, to);
    workspace_clear(&world.w);
}

static SyncdErrorCode refused_with;

/* As a workspace that could not do it. */
static SyncdJob *refuse(void *data, const char *root, SyncdRestore *what, uid_t uid)
{
    static const SyncdJobKind kind = {.operation = "restore"};
    World *world = data;
    SyncdService *service = world->w.f.service;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = syncd_service_begin_job(service, &kind, NULL, uid, false);
    syncd_set_error(&error, refused_with, "a/secret/path was not restored");
    syncd_service_end_job(service, job, NULL, error);
    syncd_restore_free(what);
    return job;
}

/* In words that name the workspace, and neither the error nor the path. */
static void what_keeps_a_file_from_being_restored_is_said_in_words(void)
{
    static const struct {
        SyncdErrorCode code;
        const char *words;
    } cases[] = {
        {SYNCD_ERROR_FEED_ROLLBACK, "of workspace:notes failed: the log lost its end"},
        {SYNCD_ERROR_NO_SPACE, "of workspace:notes failed: there is no room on the disk"},
        {SYNCD_ERROR_FAILED, "of workspace:notes failed: something in its directory could not"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        World world;
        world_init(&world);
        SyncdListener listener = {.data = &world, .restore = refuse, .standing = stand};
        syncd_service_set_listener(world.w.f.service, &listener);
        refused_with = cases[i].code;
        SyncdRepairPlan *plan = begun(&world, false);
        run_on(&world, plan);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
        g_assert_true(report_says(&world.w.f, plan, cases[i].words));
        g_assert_false(report_says(&world.w.f, plan, syncd_error_info(cases[i].code)->name));
        g_assert_false(report_says(&world.w.f, plan, "secret"));
        workspace_clear(&world.w);
    }
}

static void what_nobody_watches_is_in_no_plan(void)
{
    World world;
    g_autoptr(GError) error = NULL;
    world_init(&world);
    SyncdRepairPlan *plan = plan_for(&world, false, NULL);
    approve_repair(&world.w.f, plan);
    world.unwatched = true;
    g_assert_null(plan_for(&world, false, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_clear_error(&error);
    expect_not_applied(&world.w.f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    const char *const none[] = {"file-none-0", NULL};
    const SyncdRepairRequest request = {.accept = none};
    world.unwatched = false;
    g_assert_false(
        syncd_service_plan_repair(world.w.f.service, &world.w.f.caller, &request, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    workspace_clear(&world.w);
}

static bool has(World *world, const char *name, const char *content)
{
    g_autofree char *path = path_in(&world->w, name), *found = NULL;
    return g_file_get_contents(path, &found, NULL, NULL) && strcmp(found, content) == 0;
}

/* When the second one fails, the first one is what it was. */
static void two_files_are_repaired_or_none(void)
{
    static const char *const names[] = {"folder/one", "folder/two"};
    World world = {.unwatched = false};
    WorkspaceFixture *w = &world.w;
    workspace_init_keeping(w, KEEP_TWO);
    make_folder(w, "folder");
    for (guint i = 0; i < 2; i++)
        write_file(w, names[i], WRITTEN);
    begin(w);
    end_workspace(w);
    for (guint i = 0; i < 2; i++)
        rot_unwatched(w, names[i], ROT);
    settle(w);
    begin(w);
    scan_deep(w);
    listen_to(&world);
    SyncdRepairPlan *plan = plan_repair(&w->f);
    approve_repair(&w->f, plan);
    begin_repair(&w->f, plan);
    while (!has(&world, names[0], WRITTEN) && !has(&world, names[1], WRITTEN))
        turn(&world);
    guint first = has(&world, names[0], WRITTEN) ? 0 : 1;
    write_over(w, names[1 - first], "something else");
    run_on(&world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    assert_content(&world, names[first], ROT);
    assert_mismatch(w, names[first], ROT);
    assert_content(&world, names[1 - first], "something else");
    g_assert_cmpuint(snapshots(&world), ==, 0);
    workspace_clear(&world.w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-file-refused/what-changed-since-is-another-plan",
                    what_changed_since_is_another_plan);
    g_test_add_data_func("/repair-file-refused/what-nobody-knew-of-is-not-replaced/changed",
                         "something else", what_nobody_knew_of_is_not_replaced);
    g_test_add_data_func("/repair-file-refused/what-nobody-knew-of-is-not-replaced/removed", NULL,
                         what_nobody_knew_of_is_not_replaced);
    g_test_add_func("/repair-file-refused/what-keeps-a-file-from-being-restored-is-said-in-words",
                    what_keeps_a_file_from_being_restored_is_said_in_words);
    g_test_add_func("/repair-file-refused/what-nobody-watches-is-in-no-plan",
                    what_nobody_watches_is_in_no_plan);
    g_test_add_func("/repair-file-refused/two-files-are-repaired-or-none",
                    two_files_are_repaired_or_none);
    return g_test_run();
}
