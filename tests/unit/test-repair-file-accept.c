/*
 * The bytes of a file that a person accepts are those that the plan names: they are a version whose
 * content is kept by the rule of its workspace, or nothing is recorded and it is said why. Whatever
 * is written into the file meanwhile, nobody is told that bytes are recorded which are nowhere.
 */
#include "watched-fixture.h"

#include "service/file-reading.h"

#define MEANWHILE "written meanwhile"

static char *rotten_id(World *world)
{
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileRow row = row_of(&world->w, ROTTEN);
    g_assert_true(syncd_store_file_id(store_of(&world->w), row.id, id, NULL));
    return g_strdup(id);
}

static SyncdRepairPlan *begun(World *world, const char *keep)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    *world = (World){.unwatched = false};
    one_is_rotten(&world->w, keep);
    listen_to(world);
    g_autofree char *id = rotten_id(world);
    const char *const ids[] = {id, NULL};
    const SyncdRepairRequest request = {.accept = ids};
    syncd_service_plan_repair(world->w.f.service, &world->w.f.caller, &request, &plan, &error);
    g_assert_no_error(error);
    approve_repair(&world->w.f, plan);
    begin_repair(&world->w.f, plan);
    return plan;
}

static bool is_complete(const SyncdRepairPlan *plan)
{
    return strcmp(syncd_repair_plan_state(plan), "complete") == 0;
}

/* As many turns as there are before each write, until the repair is over before it. */
static void what_is_written_meanwhile_never_wins(void)
{
    bool through = false;
    for (guint turns = 0; !through; turns += is_hurried() ? 3 : 1) {
        World world;
        SyncdRepairPlan *plan = begun(&world, KEEP_TWO);
        for (guint i = 0; i < turns && runs(plan); i++)
            turn(&world);
        through = !runs(plan);
        write_over(&world.w, ROTTEN, MEANWHILE);
        run_on(&world, plan);
        rescan(&world.w);
        SyncdFileRow row = row_of(&world.w, ROTTEN);
        assert_kept(&world.w, row.id, row.version, MEANWHILE);
        if (is_complete(plan))
            assert_kept(&world.w, row.id, row.version - 1, ROT);
        else
            g_assert_true(report_says(&world.w.f, plan, "changed or deleted since"));
        g_assert_true(!through || is_complete(plan));
        workspace_clear(&world.w);
    }
}

static guint count(const char *text, const char *word)
{
    guint n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

/* Written, found, and accepted once: with its content, however often somebody looks. */
static void what_is_accepted_is_recorded_once(gconstpointer keep)
{
    World world;
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    SyncdRepairPlan *plan = begun(&world, keep);
    run_on(&world, plan);
    g_assert_true(is_complete(plan));
    rescan(&world.w);
    scan_deep(&world.w);
    g_autofree char *id = rotten_id(&world);
    g_autofree char *history = syncd_service_file_history(world.w.f.service, &world.w.f.caller, id,
                                                          NULL, 100, &cursor, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(count(history, "\"sequence\""), ==, 3);
    SyncdFileRow row = row_of(&world.w, ROTTEN);
    g_assert_cmpuint(row.version, ==, 2);
    g_assert_true(row.kept == (keep != NULL));
    if (keep != NULL)
        assert_kept(&world.w, row.id, 2, ROT);
    workspace_clear(&world.w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-file-accept/what-is-written-meanwhile-never-wins",
                    what_is_written_meanwhile_never_wins);
    g_test_add_data_func("/repair-file-accept/what-is-accepted-is-recorded-once/kept", KEEP_TWO,
                         what_is_accepted_is_recorded_once);
    g_test_add_data_func("/repair-file-accept/what-is-accepted-is-recorded-once/hashed", NULL,
                         what_is_accepted_is_recorded_once);
    return g_test_run();
}
