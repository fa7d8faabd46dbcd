/*
 * The bytes of a file that a person accepts are those that the plan names: they are a version whose
 * content is kept by the rule of its workspace, or nothing is recorded and it is said why. Whatever
 * is written into the file meanwhile, nobody is told that bytes are recorded which are nowhere.
 */
#include "diagnose-fixture.h"
#include "repair-file-fixture.h"

#include "service/file-reading.h"

#define MEANWHILE "written meanwhile"

static SyncdRepairPlan *begun_keeping(World *world, const char *keep)
{
    world_init_keeping(world, keep);
    return begun(world, true);
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
        SyncdRepairPlan *plan = begun_keeping(&world, KEEP_TWO);
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
    SyncdRepairPlan *plan = begun_keeping(&world, keep);
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

static void what_is_there_is_recorded_and_was_before(void)
{
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = applied(&world, true);
    assert_content(&world, ROTTEN, ROT);
    g_assert_cmpuint(mismatches(&world.w), ==, 0);
    g_assert_cmpuint(row_of(&world.w, ROTTEN).version, ==, 2);
    roll_back(&world, plan);
    assert_content(&world, ROTTEN, ROT);
    assert_mismatch(&world.w, ROTTEN, ROT);
    g_assert_cmpuint(row_of(&world.w, ROTTEN).version, ==, 3);
    g_assert_true(row_of(&world.w, ROTTEN).kept);
    /* What it was can be brought back still. */
    applied(&world, false);
    assert_content(&world, ROTTEN, WRITTEN);
    workspace_clear(&world.w);
}

/* … and is kept by the rule of its workspace, before somebody changes it, and comes back from that.
 */
static void what_is_recorded_is_kept(void)
{
    World world;
    world_init(&world);
    applied(&world, true);
    SyncdFileRow row = row_of(&world.w, ROTTEN);
    g_assert_true(row.kept);
    assert_kept(&world.w, row.id, row.version, ROT);
    assert_kept(&world.w, row.id, 1, WRITTEN);
    workspace_clear(&world.w);
}

static void where_only_hashes_are_recorded_a_person_can_record_what_is_there(void)
{
    World world = {.unwatched = false};
    g_autoptr(GError) error = NULL;
    one_is_rotten(&world.w, NULL);
    listen_to(&world);
    g_assert_null(plan_for(&world, false, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_autofree char *doctor = syncd_service_describe_diagnosis(
        world.w.f.service, &world.w.f.caller, &(SyncdDiagnoseOptions){.deep = false});
    g_assert_nonnull(strstr(doctor, "checksum-mismatch"));
    g_assert_null(strstr(doctor, "file-restore"));
    SyncdRepairPlan *plan = applied(&world, true);
    g_assert_cmpuint(mismatches(&world.w), ==, 0);
    roll_back(&world, plan);
    assert_mismatch(&world.w, ROTTEN, ROT);
    g_assert_true(report_says(&world.w.f, plan, "bytes are not kept"));
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
    g_test_add_func("/repair-file-accept/what-is-there-is-recorded-and-was-before",
                    what_is_there_is_recorded_and_was_before);
    g_test_add_func("/repair-file-accept/what-is-recorded-is-kept", what_is_recorded_is_kept);
    g_test_add_func(
        "/repair-file-accept/where-only-hashes-are-recorded-a-person-can-record-what-is-there",
        where_only_hashes_are_recorded_a_person_can_record_what_is_there);
    return g_test_run();
}
