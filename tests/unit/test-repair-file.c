/*
 * Files whose bytes are not their record's are repaired by a plan: the recorded bytes come back, or
 * those that are there are recorded, as a person chose. Taking it back gives back what was there
 * before, byte for byte, wherever the daemon was killed meanwhile.
 */
#include "diagnose-fixture.h"
#include "watched-fixture.h"

#include "service/repair-file.h"
#include "store/repair-store.h"

#include <sys/xattr.h>

static void world_init(World *world)
{
    *world = (World){.unwatched = false};
    one_is_rotten(&world->w, KEEP_TWO);
    listen_to(world);
}

static char *rotten_id(World *world)
{
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileRow row = row_of(&world->w, ROTTEN);
    syncd_store_file_id(store_of(&world->w), row.id, id, &error);
    g_assert_no_error(error);
    return g_strdup(id);
}

static SyncdRepairPlan *plan_for(World *world, bool accepts, GError **error)
{
    SyncdRepairPlan *plan = NULL;
    g_autofree char *id = rotten_id(world);
    const char *const ids[] = {id, NULL};
    const SyncdRepairRequest request = {.accept = accepts ? ids : NULL};
    syncd_service_plan_repair(world->w.f.service, &world->w.f.caller, &request, &plan, error);
    return plan;
}

static SyncdRepairPlan *begun(World *world, bool accepts)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = plan_for(world, accepts, &error);
    g_assert_no_error(error);
    approve_repair(&world->w.f, plan);
    begin_repair(&world->w.f, plan);
    return plan;
}

static SyncdRepairPlan *applied(World *world, bool accepts)
{
    SyncdRepairPlan *plan = begun(world, accepts);
    run_on(world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    return plan;
}

static void assert_content(World *world, const char *name, const char *expected)
{
    g_autofree char *path = path_in(&world->w, name), *content = NULL;
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, expected);
}

static bool is_snapshot(const char *name)
{
    return g_str_has_suffix(name, ".bytes");
}

static guint snapshots(World *world)
{
    g_autoptr(GPtrArray) names = NULL;
    g_assert_true(syncd_store_list_repair(store_of(&world->w), is_snapshot, &names, NULL));
    return names->len;
}

static bool is_tidy(World *world)
{
    g_autofree char *path = path_in(&world->w, "folder");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(folder) != NULL)
        n++;
    return n == 1;
}

/* ---- what is recorded comes back ---- */

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

/* ---- a kill anywhere ---- */

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
    g_autoptr(GError) error = NULL;
    gsize size;
    SyncdJob *job = NULL;
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
    g_assert_false(syncd_service_rollback_repair(world.w.f.service, &world.w.f.caller, plan,
                                                 syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
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

/* ---- what is there is recorded ---- */

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

/* ---- what is another thing by now ---- */

static void what_changed_since_is_another_plan(void)
{
    World world;
    g_autoptr(GError) error = NULL;
    SyncdJob *job;
    world_init(&world);
    SyncdRepairPlan *plan = plan_for(&world, false, NULL);
    approve_repair(&world.w.f, plan);
    write_over(&world.w, ROTTEN, "something else");
    rescan(&world.w);
    g_assert_false(syncd_service_apply_repair(world.w.f.service, &world.w.f.caller, plan,
                                              syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
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

/* ---- what keeps it from that ---- */

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
    SyncdJob *job;
    world_init(&world);
    SyncdRepairPlan *plan = plan_for(&world, false, NULL);
    approve_repair(&world.w.f, plan);
    world.unwatched = true;
    g_assert_null(plan_for(&world, false, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(syncd_service_apply_repair(world.w.f.service, &world.w.f.caller, plan,
                                              syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    g_clear_error(&error);
    const char *const none[] = {"file-none-0", NULL};
    const SyncdRepairRequest request = {.accept = none};
    world.unwatched = false;
    g_assert_false(
        syncd_service_plan_repair(world.w.f.service, &world.w.f.caller, &request, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    workspace_clear(&world.w);
}

/* ---- many ---- */

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
    g_test_add_func("/repair-file/no-log", without_a_log_nothing_is_taken_back);
    g_test_add_func("/repair-file/put-back", what_was_put_back_last_is_recorded_as_it_was);
    g_test_add_func("/repair-file/away", what_is_away_is_taken_back_when_it_is_back);
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
    g_test_add_data_func("/repair-file/a-kill-leaves-all-or-nothing/restored",
                         GINT_TO_POINTER(false), a_kill_leaves_all_or_nothing);
    g_test_add_data_func("/repair-file/a-kill-leaves-all-or-nothing/accepted",
                         GINT_TO_POINTER(true), a_kill_leaves_all_or_nothing);
    g_test_add_func("/repair-file/what-is-cancelled-is-taken-back",
                    what_is_cancelled_is_taken_back);
    g_test_add_func("/repair-file/what-is-there-is-recorded-and-was-before",
                    what_is_there_is_recorded_and_was_before);
    g_test_add_func("/repair-file/where-only-hashes-are-recorded-a-person-can-record-what-is-there",
                    where_only_hashes_are_recorded_a_person_can_record_what_is_there);
    g_test_add_func("/repair-file/what-is-recorded-is-kept", what_is_recorded_is_kept);
    g_test_add_func("/repair-file/what-changed-since-is-another-plan",
                    what_changed_since_is_another_plan);
    g_test_add_data_func("/repair-file/what-nobody-knew-of-is-not-replaced/changed",
                         "something else", what_nobody_knew_of_is_not_replaced);
    g_test_add_data_func("/repair-file/what-nobody-knew-of-is-not-replaced/removed", NULL,
                         what_nobody_knew_of_is_not_replaced);
    g_test_add_func("/repair-file/what-keeps-a-file-from-being-restored-is-said-in-words",
                    what_keeps_a_file_from_being_restored_is_said_in_words);
    g_test_add_func("/repair-file/what-nobody-watches-is-in-no-plan",
                    what_nobody_watches_is_in_no_plan);
    g_test_add_func("/repair-file/two-files-are-repaired-or-none", two_files_are_repaired_or_none);
    return g_test_run();
}
