/*
 * Content beside the log that is missing or damaged comes back from wherever its bytes can be had;
 * taking that back puts what was there in its place, byte for byte, wherever the daemon was killed
 * meanwhile.
 */
#include "blobs-fixture.h"

#include "service/damage.h"

/* ---- from the file itself ---- */

static void a_file_gives_its_chunks_back(void)
{
    World world;
    world_init(&world);
    SyncdHash damaged = chunk_of(&world, LARGE, 1, 0), lost = chunk_of(&world, LARGE, 1, 2);
    damage(&world, &damaged);
    lose(&world, &lost);
    SyncdRepairPlan *plan = applied(&world);
    assert_whole(&world);
    g_assert_true(report_says(&world.w.f, plan, "from a file of a workspace"));
    g_assert_true(report_says(&world.w.f, plan, "came back: 2, that are lost: 0"));
    g_assert_cmpuint(row_of(&world.w, LARGE).version, ==, 1);
    roll_back(&world, plan);
    g_assert_true(is_found(&world.w.f, "blob-damaged"));
    g_assert_true(is_damaged(&world, &damaged));
    g_assert_true(is_lost(&world, &lost));
    g_assert_cmpuint(snapshots(&world), ==, 0);
    applied(&world);
    assert_whole(&world);
    workspace_clear(&world.w);
}

/* Of two the other one comes back; and nothing does where the list of them is gone. */
static void what_was_kept_and_is_lost_is_not_said_to_be_back(void)
{
    enum { WAS_GONE, WAS_ALTERED, LIST_GONE, N_LOSSES };
    for (guint i = 0; i < N_LOSSES; i++) {
        World world;
        SyncdJob *job = NULL;
        g_autoptr(GError) error = NULL;
        world_init(&world);
        ServiceFixture *f = &world.w.f;
        SyncdHash one = chunk_of(&world, LARGE, 1, 0), other = chunk_of(&world, LARGE, 1, 2);
        char digits[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&one, digits);
        damage(&world, &one);
        damage(&world, &other);
        SyncdRepairPlan *plan = applied(&world);
        const char *id = syncd_repair_plan_id(plan);
        g_autofree char *was = g_strdup_printf("repair/%s.0.%s.was", id, digits),
                        *list = g_strdup_printf("repair/%s.0.list", id);
        if (i == WAS_ALTERED)
            state_write(f, was, "this is no CHUNK", -1);
        else
            state_remove(f, i == WAS_GONE ? was : list);
        if (i == LIST_GONE) {
            g_assert_false(syncd_service_rollback_repair(
                f->service, &f->caller, plan, syncd_repair_plan_digest(plan), &job, &error));
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ALREADY_RESOLVED);
            g_assert_false(is_damaged(&world, &one) || is_damaged(&world, &other));
            g_assert_true(is_found(f, "repair-kept-lost"));
        } else {
            roll_back(&world, plan);
            g_assert_false(is_damaged(&world, &one));
            g_assert_true(is_damaged(&world, &other));
            g_assert_true(report_says(f, plan, "not put back"));
            g_assert_true(report_says(f, plan, was));
        }
        workspace_clear(&world.w);
    }
}

/* What takes its place is private, as what is kept of it is. */
static void a_chunk_comes_back_with_its_mode(void)
{
    for (guint noted = 0; noted < 2; noted++) {
        World world;
        guint modes;
        world_init(&world);
        ServiceFixture *f = &world.w.f;
        SyncdHash damaged = chunk_of(&world, LARGE, 1, 0);
        g_autofree char *file = syncd_blobs_path(SYNCD_CHUNK_OF_FILE, &damaged);
        damage(&world, &damaged);
        verify_all(f);
        state_set_mode(f, file, 0644);
        SyncdRepairPlan *plan = plan_repair(f);
        g_assert_false(plan_says(plan, "file-modes"));
        approve_repair(f, plan);
        begin_repair(f, plan);
        run_on(&world, plan);
        assert_whole(&world);
        g_assert_cmpuint(state_mode(f, file), ==, 0600);
        g_assert_true(kept_is_private(f, &modes));
        g_assert_cmpuint(modes, ==, 1);
        if (!noted)
            forget_modes(f);
        roll_back(&world, plan);
        g_assert_true(is_damaged(&world, &damaged));
        g_assert_cmpuint(state_mode(f, file), ==, noted ? 0644 : 0600);
        g_assert_true(kept_is_private(f, &modes));
        g_assert_cmpuint(modes, ==, 0);
        workspace_clear(&world.w);
    }
}

static void short_files_give_their_rows_back(void)
{
    for (guint i = 0; i < 2; i++) {
        const char *found = i == 0 ? DAMAGE : NULL;
        World world;
        world_init(&world);
        SyncdHash name = chunk_of(&world, SMALL, 1, 0);
        change_row(&world, &name, found);
        SyncdRepairPlan *plan = applied(&world);
        assert_whole(&world);
        roll_back(&world, plan);
        g_assert_true(is_found(&world.w.f, "blob-damaged"));
        g_autoptr(GBytes) bytes = row_bytes(&world, &name);
        if (found != NULL)
            g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), found,
                            strlen(found));
        else
            g_assert_null(bytes);
        workspace_clear(&world.w);
    }
}

/* ---- from elsewhere ---- */

/* What the file was is lost with it, but for another one that is the same still. */
static void another_file_of_the_same_bytes_does(void)
{
    World world;
    world_init(&world);
    g_autofree char *text = text_of(LARGE_SIZE, 'a'), *other = text_of(LARGE_SIZE, 'b');
    write_file(&world.w, "copy", text);
    rescan(&world.w);
    write_file(&world.w, LARGE, other);
    rescan(&world.w);
    SyncdHash name = chunk_of(&world, LARGE, 1, 1);
    lose(&world, &name);
    applied(&world);
    assert_kept(&world.w, row_of(&world.w, LARGE).id, 1, text);
    assert_clean(&world.w.f);
    workspace_clear(&world.w);
}

/* A file with the same bytes stores them again: then nothing is damaged, and nobody says so. */
static void what_is_stored_again_is_whole(void)
{
    World world;
    world_init(&world);
    ServiceFixture *f = &world.w.f;
    g_autofree char *text = text_of(LARGE_SIZE, 'a'), *other = text_of(LARGE_SIZE, 'b');
    SyncdHash large = chunk_of(&world, LARGE, 1, 1), small = chunk_of(&world, SMALL, 1, 0);
    damage(&world, &large);
    change_row(&world, &small, DAMAGE);
    verify_all(f);
    write_file(&world.w, "other", other);
    rescan(&world.w);
    g_assert_cmpuint(syncd_service_damage(f->service)->len, ==, 2);
    write_file(&world.w, "copy", text);
    rescan(&world.w);
    g_assert_cmpuint(syncd_service_damage(f->service)->len, ==, 1);
    write_file(&world.w, "short", SMALL_TEXT);
    rescan(&world.w);
    g_assert_cmpuint(syncd_service_damage(f->service)->len, ==, 0);
    g_assert_false(is_found(f, "blob-damaged"));
    assert_whole(&world);
    workspace_clear(&world.w);
}

/* The file that had the bytes is another one since: they are in no other place. */
static void what_is_nowhere_else_is_not_taken_back(void)
{
    for (guint i = 0; i < 3; i++) {
        World world;
        world_init(&world);
        SyncdHash large = chunk_of(&world, LARGE, 1, 1), small = chunk_of(&world, SMALL, 1, 0);
        if (i == 0)
            lose(&world, &large);
        if (i == 1)
            damage(&world, &large);
        if (i == 2)
            change_row(&world, &small, NULL);
        SyncdRepairPlan *plan = applied(&world);
        assert_whole(&world);
        g_autofree char *text = text_of(LARGE_SIZE, 'a'), *other = text_of(LARGE_SIZE, 'b');
        write_file(&world.w, LARGE, other);
        write_file(&world.w, SMALL, "other");
        rescan(&world.w);
        roll_back(&world, plan);
        assert_kept(&world.w, row_of(&world.w, LARGE).id, 1, text);
        assert_kept(&world.w, row_of(&world.w, SMALL).id, 1, SMALL_TEXT);
        assert_clean(&world.w.f);
        g_assert_true(report_says(&world.w.f, plan, "nothing else has them by now: 1"));
        workspace_clear(&world.w);
    }
}

static char *set_aside(World *world, const SyncdHash *name)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(name, digits);
    char *file =
        g_strdup_printf("%s/repair/repair-plan-1.0.%s.file", world->w.f.base.directory, digits);
    g_autofree char *path = path_of(world, name), *folder = g_path_get_dirname(file);
    g_mkdir(folder, 0700);
    g_assert_cmpint(g_rename(path, file), ==, 0);
    return file;
}

static void what_was_set_aside_does(void)
{
    World world;
    world_init(&world);
    SyncdHash name = chunk_of(&world, LARGE, 1, 1);
    g_free(set_aside(&world, &name));
    SyncdRepairPlan *plan = applied(&world);
    g_assert_true(report_says(&world.w.f, plan, "from what a repair set aside"));
    assert_whole(&world);
    workspace_clear(&world.w);
}

/* Whether it is the only copy is not known where the disk errs when the others are looked for. */
static void where_the_disk_errs_it_is_tried_again(void)
{
    World world;
    world_init(&world);
    SyncdHash name = chunk_of(&world, LARGE, 1, 1);
    g_autofree char *aside = set_aside(&world, &name),
                    *hidden = g_strconcat(world.w.f.base.directory, "/hidden", NULL),
                    *other = text_of(LARGE_SIZE, 'b');
    SyncdRepairPlan *plan = applied(&world);
    write_file(&world.w, LARGE, other);
    rescan(&world.w);
    g_assert_cmpint(g_rename(aside, hidden), ==, 0);
    g_assert_cmpint(symlink(hidden, aside), ==, 0); /* is not followed */
    begin_rollback(&world.w.f, plan);
    for (guint i = 0; i < 50; i++)
        turn(&world);
    g_assert_true(syncd_repair_plan_is_interrupted(plan));
    g_assert_cmpint(g_remove(aside), ==, 0);
    g_assert_cmpint(g_rename(hidden, aside), ==, 0);
    run_on(&world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
    g_assert_true(is_lost(&world, &name));
    workspace_clear(&world.w);
}

/* A file that is not what is recorded of it gives nothing. */
static void a_file_that_rotted_gives_nothing(void)
{
    World world;
    world_init(&world);
    SyncdHash lost = chunk_of(&world, LARGE, 1, 1);
    g_autofree char *rotten = text_of(LARGE_SIZE, 'a');
    rotten[LARGE_SIZE - 1] ^= 1;
    rot(&world.w, LARGE, rotten);
    lose(&world, &lost);
    scan_deep(&world.w);
    listen_to(&world);
    verify_all(&world.w.f);
    SyncdRepairPlan *plan = begun(&world);
    run_on(&world, plan);
    g_assert_true(is_lost(&world, &lost));
    workspace_clear(&world.w);
}

/* ---- a kill anywhere ---- */

static void a_kill_leaves_all_or_nothing(void)
{
    bool through = false;
    for (guint turns = 0; !through; turns += is_hurried() ? 13 : 3) {
        World world;
        world_init(&world);
        SyncdHash damaged = chunk_of(&world, LARGE, 1, 0), lost = chunk_of(&world, LARGE, 1, 2),
                  row = chunk_of(&world, SMALL, 1, 0);
        damage(&world, &damaged);
        lose(&world, &lost);
        change_row(&world, &row, DAMAGE);
        SyncdRepairPlan *plan = begun(&world);
        g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
        for (guint i = 0; i < turns && runs(plan); i++)
            turn(&world);
        through = !runs(plan);
        restart(&world);
        plan = find_repair_plan(world.w.f.service, id);
        run_on(&world, plan);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        assert_whole(&world);

        begin_rollback(&world.w.f, plan);
        for (guint i = 0; i < turns && runs(plan); i++)
            turn(&world);
        through &= !runs(plan);
        restart(&world);
        plan = find_repair_plan(world.w.f.service, id);
        run_on(&world, plan);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
        g_assert_true(is_damaged(&world, &damaged));
        g_assert_true(is_lost(&world, &lost));
        g_autoptr(GBytes) bytes = row_bytes(&world, &row);
        g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), DAMAGE,
                        strlen(DAMAGE));
        g_assert_cmpuint(snapshots(&world), ==, 0);
        workspace_clear(&world.w);
    }
}

int main(int argc, char **argv)
{
    blobs_test_init(&argc, &argv);
    g_test_add_func("/repair-blobs/lost", what_was_kept_and_is_lost_is_not_said_to_be_back);
    g_test_add_func("/repair-blobs/file", a_file_gives_its_chunks_back);
    g_test_add_func("/repair-blobs/mode", a_chunk_comes_back_with_its_mode);
    g_test_add_func("/repair-blobs/row", short_files_give_their_rows_back);
    g_test_add_func("/repair-blobs/copy", another_file_of_the_same_bytes_does);
    g_test_add_func("/repair-blobs/again", what_is_stored_again_is_whole);
    g_test_add_func("/repair-blobs/aside", what_was_set_aside_does);
    g_test_add_func("/repair-blobs/only-copy", what_is_nowhere_else_is_not_taken_back);
    g_test_add_func("/repair-blobs/errs", where_the_disk_errs_it_is_tried_again);
    g_test_add_func("/repair-blobs/rotten", a_file_that_rotted_gives_nothing);
    g_test_add_func("/repair-blobs/kill", a_kill_leaves_all_or_nothing);
    return g_test_run();
}
