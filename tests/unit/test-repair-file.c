/*
 * Files whose bytes are not their record's are repaired by a plan: the recorded bytes come back,
 * and taking it back gives back what was there before, byte for byte.
 */
#include "diagnose-fixture.h"
#include "repair-file-fixture.h"

#include "service/repair-file.h"

#include <sys/xattr.h>

static void recorded_bytes_come_back_and_go_again(void)
{
    World world;
    world_init(&world);
    g_assert_true(is_found(&world.w.f, "checksum-mismatch"));
    SyncdRepairPlan *plan = applied(&world, false);
    g_assert_false(syncd_repair_plan_is_destructive(plan));
    assert_content(&world, ROTTEN, WRITTEN);
    g_assert_cmpuint(mismatches(&world.w), ==, 0);
    g_assert_false(is_found(&world.w.f, "checksum-mismatch"));
    g_assert_cmpuint(snapshots(&world), ==, 1);
    roll_back(&world, plan);
    assert_content(&world, ROTTEN, ROT);
    assert_mismatch(&world.w, ROTTEN, ROT);
    g_assert_cmpuint(snapshots(&world), ==, 0);
    g_assert_true(is_tidy(&world));
    /* Nobody changed it: a look at it says the same, and it is repaired again. */
    rescan(&world.w);
    assert_mismatch(&world.w, ROTTEN, ROT);
    applied(&world, false);
    assert_content(&world, ROTTEN, WRITTEN);
    workspace_clear(&world.w);
}

static void what_was_kept_and_is_altered_is_not_put_back(void)
{
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    g_autofree char *kept = g_strdup_printf("repair/%s.0.bytes", syncd_repair_plan_id(plan));
    state_write(&world.w.f, kept, "what was written", -1);
    roll_back(&world, plan);
    assert_content(&world, ROTTEN, WRITTEN);
    g_assert_true(report_says(&world.w.f, plan, "is not put back"));
    g_assert_cmpuint(snapshots(&world), ==, 1);
    workspace_clear(&world.w);
}

/* Those that give nobody any rights, as nobody may run it. */
static void its_bits_are_the_same_each_way(void)
{
    World world = {.unwatched = false};
    g_autofree char *path = NULL;
    two_files(&world.w, KEEP_TWO);
    path = path_in(&world.w, ROTTEN);
    g_assert_cmpint(chmod(path, 02640), ==, 0);
    rescan(&world.w);
    rot(&world.w, ROTTEN, ROT);
    scan_deep(&world.w);
    listen_to(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    assert_content(&world, ROTTEN, WRITTEN);
    g_assert_cmpuint(row_of(&world.w, ROTTEN).mode, ==, 02640);
    roll_back(&world, plan);
    assert_mismatch(&world.w, ROTTEN, ROT);
    rescan(&world.w);
    g_assert_cmpuint(row_of(&world.w, ROTTEN).mode, ==, 02640);
    workspace_clear(&world.w);
}

static gint64 mtime_of(const char *path)
{
    struct stat st;
    g_assert_cmpint(stat(path, &st), ==, 0);
    return st.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + st.st_mtim.tv_nsec;
}

/* Whoever tags files, or goes by their times, sees no difference afterwards. */
static void its_time_and_attributes_are_as_they_were(void)
{
    World world;
    char value[8] = "";
    world_init(&world);
    g_autofree char *path = path_in(&world.w, ROTTEN);
    gint64 found = mtime_of(path);
    bool tagged = setxattr(path, "user.tag", "red", 4, 0) == 0;
    rescan(&world.w);
    SyncdRepairPlan *plan = applied(&world, false);
    assert_content(&world, ROTTEN, WRITTEN);
    g_assert_true(!tagged || getxattr(path, "user.tag", value, sizeof value) == 4);
    roll_back(&world, plan);
    assert_content(&world, ROTTEN, ROT);
    assert_mismatch(&world.w, ROTTEN, ROT);
    g_assert_cmpint(mtime_of(path), ==, found);
    g_assert_true(!tagged || getxattr(path, "user.tag", value, sizeof value) == 4);
    g_assert_true(!tagged || strcmp(value, "red") == 0);
    workspace_clear(&world.w);
}

/* More than a chunk, and more than a message. */
static void long_files_come_back_and_go_again(void)
{
    enum { LONG = 2500 * 1024 };
    World world = {.unwatched = false};
    WorkspaceFixture *w = &world.w;
    g_autofree char *written = g_strnfill(LONG, 'a'), *found = g_strdup(written);
    found[LONG - 1] = 'b';
    workspace_init_keeping(w, KEEP_TWO);
    make_folder(w, "folder");
    write_file(w, ROTTEN, written);
    begin(w);
    rot(w, ROTTEN, found);
    scan_deep(w);
    listen_to(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    assert_content(&world, ROTTEN, written);
    roll_back(&world, plan);
    assert_content(&world, ROTTEN, found);
    assert_mismatch(w, ROTTEN, found);
    workspace_clear(&world.w);
}

static void only_what_can_be_taken_back_is_in_a_plan(void)
{
    SyncdFileRow row = {.kept = true, .mode = 0644, .mismatch = {.size = SYNCD_RESTORE_KEPT_MAX}};
    g_assert_true(syncd_repair_file_may_be_restored(&row));
    row.mismatch.size++;
    g_assert_false(syncd_repair_file_may_be_restored(&row));
    row.mismatch.size = 1;
    row.mode = 04755;
    g_assert_false(syncd_repair_file_may_be_restored(&row));
    row.mode = 02640; /* nobody may run it */
    g_assert_true(syncd_repair_file_may_be_restored(&row));
    row.mode = 0755;
    row.kept = false;
    g_assert_false(syncd_repair_file_may_be_restored(&row));
}

static void what_was_kept_goes_with_the_plan(void)
{
    World world;
    g_autoptr(GError) error = NULL;
    world_init(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    g_assert_true(syncd_service_discard_repair(world.w.f.service, &world.w.f.caller, plan,
                                               syncd_repair_plan_digest(plan), &error));
    g_assert_cmpuint(snapshots(&world), ==, 0);
    assert_content(&world, ROTTEN, WRITTEN);
    workspace_clear(&world.w);
}

static void what_is_written_since_a_repair_stays(void)
{
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = applied(&world, false);
    write_over(&world.w, ROTTEN, "and written again");
    rescan(&world.w);
    roll_back(&world, plan);
    assert_content(&world, ROTTEN, "and written again");
    g_assert_true(report_says(&world.w.f, plan, "is not put back"));
    g_assert_cmpuint(snapshots(&world), ==, 0);
    workspace_clear(&world.w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-file/altered", what_was_kept_and_is_altered_is_not_put_back);
    g_test_add_func("/repair-file/recorded-bytes-come-back-and-go-again",
                    recorded_bytes_come_back_and_go_again);
    g_test_add_func("/repair-file/its-bits-are-the-same-each-way", its_bits_are_the_same_each_way);
    g_test_add_func("/repair-file/its-time-and-attributes-are-as-they-were",
                    its_time_and_attributes_are_as_they_were);
    g_test_add_func("/repair-file/long-files-come-back-and-go-again",
                    long_files_come_back_and_go_again);
    g_test_add_func("/repair-file/only-what-can-be-taken-back-is-in-a-plan",
                    only_what_can_be_taken_back_is_in_a_plan);
    g_test_add_func("/repair-file/what-was-kept-goes-with-the-plan",
                    what_was_kept_goes_with_the_plan);
    g_test_add_func("/repair-file/what-is-written-since-a-repair-stays",
                    what_is_written_since_a_repair_stays);
    return g_test_run();
}
