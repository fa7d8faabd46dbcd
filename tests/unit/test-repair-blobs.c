/*
 * Content beside the log that is missing or damaged comes back from wherever its bytes can be had,
 * and what can be had nowhere is named; taking that back puts what was there in its place, byte for
 * byte, wherever the daemon was killed meanwhile.
 */
#include "diagnose-fixture.h"
#include "watched-fixture.h"

#include "store/blobs.h"
#include "store/repair-store.h"
#include "store/store-private.h"

#define LARGE "large"
#define SMALL "small"
#define SMALL_TEXT "a short text"
#define LARGE_SIZE (2500u * 1024u) /* three chunks */
#define DAMAGE "this is no chunk"

static void world_init(World *world)
{
    WorkspaceFixture *w = &world->w;
    g_autofree char *text = text_of(LARGE_SIZE, 'a');
    *world = (World){.unwatched = false};
    workspace_init_keeping(w, KEEP_TWO);
    write_file(w, LARGE, text);
    write_file(w, SMALL, SMALL_TEXT);
    begin(w);
    listen_to(world);
}

/* ---- chunks ---- */

static SyncdHash chunk_of(World *world, const char *file, guint64 version, guint number)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdContentRow) row = {0};
    SyncdHash name;
    bool found;
    syncd_store_find_content(store_of(&world->w), row_of(&world->w, file).id, version, &row, &found,
                             &error);
    g_assert_no_error(error);
    g_assert_true(found);
    memcpy(name.bytes, (const guint8 *)g_bytes_get_data(row.chunks, NULL) + number * sizeof name,
           sizeof name.bytes);
    return name;
}

static char *path_of(World *world, const SyncdHash *name)
{
    g_autofree char *path = syncd_blobs_path(SYNCD_CHUNK_OF_FILE, name);
    return g_build_filename(world->w.f.base.directory, path, NULL);
}

static void damage(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name);
    write_private(path, DAMAGE, -1);
}

static void lose(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static bool is_damaged(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name), *bytes = NULL;
    return g_file_get_contents(path, &bytes, NULL, NULL) && strcmp(bytes, DAMAGE) == 0;
}

static bool is_lost(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name);
    return !g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What the disk did to a row of the journal; NULL: it is gone. */
static void change_row(World *world, const SyncdHash *name, const char *bytes)
{
    g_autoptr(GError) error = NULL;
    SyncdStore *store = store_of(&world->w);
    g_assert_true(bytes != NULL ? syncd_journal_put_content(store->journal, name,
                                                            SYNCD_BYTES_TEXT(bytes), &error)
                                : syncd_journal_drop_content(store->journal, name, &error));
    g_assert_true(syncd_store_commit(store, NULL, &error));
    g_assert_no_error(error);
}

static GBytes *row_bytes(World *world, const SyncdHash *name)
{
    g_autoptr(GError) error = NULL;
    GBytes *bytes = NULL;
    g_assert_true(syncd_journal_read_content(store_of(&world->w)->journal, name, &bytes, &error));
    return bytes;
}

/* ---- repairing ---- */

static SyncdRepairPlan *begun(World *world)
{
    verify_all(&world->w.f);
    g_assert_true(is_found(&world->w.f, "blob-damaged"));
    SyncdRepairPlan *plan = plan_repair(&world->w.f);
    g_assert_false(syncd_repair_plan_is_destructive(plan));
    approve_repair(&world->w.f, plan);
    begin_repair(&world->w.f, plan);
    return plan;
}

static SyncdRepairPlan *applied(World *world)
{
    SyncdRepairPlan *plan = begun(world);
    run_on(world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    return plan;
}

static void assert_whole(World *world)
{
    g_autofree char *text = text_of(LARGE_SIZE, 'a');
    assert_kept(&world->w, row_of(&world->w, LARGE).id, 1, text);
    assert_kept(&world->w, row_of(&world->w, SMALL).id, 1, SMALL_TEXT);
    g_assert_cmpuint(findings(&world->w), ==, 0);
    assert_clean(&world->w.f);
}

static bool is_snapshot(const char *name)
{
    return g_str_has_suffix(name, ".was") || g_str_has_suffix(name, ".list");
}

static guint snapshots(World *world)
{
    g_autoptr(GPtrArray) names = NULL;
    g_assert_true(syncd_store_list_repair(store_of(&world->w), is_snapshot, &names, NULL));
    return names->len;
}

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
    g_assert_true(report_says(&world.w.f, plan, "2 came back, 0 are lost"));
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
        g_assert_true(report_says(&world.w.f, plan, "1 chunks that came back stay"));
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

/* ---- what nobody has ---- */

/* By its path, to who may know of it. */
static void assert_version_is_named(World *world)
{
    const SyncdDiagnoseOptions options = {.deep = false};
    const SyncdCaller stranger = {.uid = OWNER + 1};
    ServiceFixture *f = &world->w.f;
    g_autofree char *own = syncd_service_describe_diagnosis(f->service, &f->caller, &options),
                    *hidden = syncd_service_describe_diagnosis(f->service, &stranger, &options);
    g_test_message("%s", own);
    g_assert_nonnull(strstr(own, "\"" LARGE " of workspace:notes, version 1: content-lost"));
    g_assert_nonnull(strstr(hidden, "blob-lost"));
    g_assert_null(strstr(hidden, LARGE));
}

/* What is known of it does not depend on where it lies. */
static void restart_elsewhere(World *world)
{
    ServiceFixture *f = &world->w.f;
    char *before = f->base.directory;
    end_workspace(&world->w);
    service_close(f);
    f->base.directory = g_strconcat(before, "-moved", NULL);
    g_assert_cmpint(rename(before, f->base.directory), ==, 0);
    g_free(before);
    service_open(f);
    listen_to(world);
    begin_workspace(&world->w);
}

/* The file by its id, which is not its path, the version, and then the digest. */
static void assert_plan_names(const SyncdRepairPlan *plan, guint64 version, const SyncdHash *chunk)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(chunk, digits);
    g_autofree char *named =
        g_strdup_printf(" of workspace:notes, version %" G_GUINT64_FORMAT ": %s", version, digits);
    g_assert_true(plan_says(plan, named));
    g_assert_true(plan_says(plan, "file-"));
}

static void what_can_be_had_nowhere_is_named(void)
{
    World world;
    world_init(&world);
    g_autofree char *other = text_of(LARGE_SIZE, 'b');
    SyncdHash old = chunk_of(&world, LARGE, 1, 1), new;
    write_file(&world.w, LARGE, other);
    rescan(&world.w);
    new = chunk_of(&world, LARGE, 2, 0);
    lose(&world, &old);
    damage(&world, &new);
    SyncdRepairPlan *plan = applied(&world);
    assert_kept(&world.w, row_of(&world.w, LARGE).id, 2, other);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "is given up, and called lost"));
    assert_plan_names(plan, 1, &old);
    assert_plan_names(plan, 2, &new);
    g_assert_false(plan_says(plan, LARGE " of "));
    g_assert_true(report_says(&world.w.f, plan, "\"quarantined\":[],\"given_up\":[\"The chunk "));
    g_assert_true(report_says(&world.w.f, plan, "is lost: nothing here has it"));
    g_assert_true(report_says(&world.w.f, plan, "1 came back, 1 are lost"));
    g_assert_true(report_says(&world.w.f, plan, ", content of file-"));
    g_assert_true(report_says(&world.w.f, plan, " of workspace:notes, version 1 is lost: "));
    assert_version_is_named(&world);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(world.w.f.service);
    g_assert_null(find(found, "blob-damaged"));
    g_assert_cmpuint(find(found, "blob-lost")->count, ==, 1);
    /* There is nothing more to be planned, however often it is found. */
    verify_all(&world.w.f);
    g_assert_false(is_found(&world.w.f, "blob-damaged"));
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *again = NULL;
    g_assert_false(
        syncd_service_plan_repair(world.w.f.service, &world.w.f.caller, NULL, &again, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    restart_elsewhere(&world);
    run_until(&world.w, SYNCD_WORKSPACE_WATCHING);
    verify_all(&world.w.f);
    g_assert_true(is_found(&world.w.f, "blob-lost"));
    g_assert_false(is_found(&world.w.f, "blob-damaged"));
    /* Whoever has the bytes again has it mended; other damage is damage. */
    g_autofree char *text = text_of(LARGE_SIZE, 'a');
    write_file(&world.w, "again", text);
    rescan(&world.w);
    verify_all(&world.w.f);
    assert_clean(&world.w.f);
    damage(&world, &old);
    verify_all(&world.w.f);
    g_assert_true(is_found(&world.w.f, "blob-damaged"));
    workspace_clear(&world.w);
}

/* As a daemon of earlier has left it, which told of content by a sentence alone. */
static void forget_parts(ServiceFixture *f)
{
    gsize size;
    g_autofree char *text = state_read(f, "damage.json", &size);
    g_autoptr(GRegex) parts = g_regex_new(",\\s*\"(part|file)\": *\"[^\"]*\"", 0, 0, NULL);
    g_autofree char *without = g_regex_replace_literal(parts, text, -1, 0, "", 0, NULL);
    g_assert_cmpuint(strlen(without), <, strlen(text));
    state_write(f, "damage.json", without, -1);
}

static void what_was_known_by_a_sentence_is_known_still(void)
{
    World world;
    world_init(&world);
    ServiceFixture *f = &world.w.f;
    SyncdHash old = chunk_of(&world, LARGE, 1, 1);
    g_autofree char *other = text_of(LARGE_SIZE, 'b');
    write_file(&world.w, LARGE, other);
    rescan(&world.w);
    lose(&world, &old);
    applied(&world);
    end_workspace(&world.w);
    service_close(f);
    forget_parts(f);
    service_open(f);
    listen_to(&world);
    begin_workspace(&world.w);
    run_until(&world.w, SYNCD_WORKSPACE_WATCHING);
    for (guint i = 0; i < 2; i++) {
        verify_all(f);
        g_assert_true(is_found(f, "blob-lost"));
        g_assert_false(is_found(f, "blob-damaged"));
    }
    workspace_clear(&world.w);
}

static guint count_lost(World *world)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(world->w.f.service);
    const SyncdFound *lost = find(found, "blob-lost");
    return lost != NULL ? (guint)lost->count : 0;
}

/* It is named as what was given up, and what is left holds. */
static void a_log_without_it_is_sound(void)
{
    World world;
    world_init(&world);
    g_autoptr(GError) error = NULL;
    ServiceFixture *f = &world.w.f;
    SyncdHash old = chunk_of(&world, LARGE, 1, 1);
    g_autofree char *other = text_of(LARGE_SIZE, 'b');
    SyncdJob *job = NULL;
    write_file(&world.w, LARGE, other);
    rescan(&world.w);
    lose(&world, &old);
    applied(&world);
    syncd_service_verify(f->service, &f->caller, SYNCD_VERIFY_FULL, NULL, &job, &error);
    g_assert_no_error(error);
    run_jobs(f);
    const char *result = syncd_job_result(job);
    g_test_message("%s", result);
    SyncdJson verification = syncd_json_root(result, strlen(result));
    g_assert_true(syncd_json_is(syncd_json_member(verification, "verdict"), "sound"));
    g_assert_nonnull(strstr(result, "\"findings_count\":0,\"findings\":[]"));
    g_assert_nonnull(strstr(result, "\"losses_count\":1,\"losses\":[{\"code\":\"content-lost\""));
    workspace_clear(&world.w);
}

/* Whoever approved was told of one. */
static void no_more_is_given_up_than_was_agreed_to(void)
{
    World world;
    world_init(&world);
    g_autofree char *other = text_of(LARGE_SIZE, 'b');
    SyncdHash large = chunk_of(&world, LARGE, 1, 1), small = chunk_of(&world, SMALL, 1, 0);
    write_file(&world.w, LARGE, other);
    write_file(&world.w, SMALL, "other");
    rescan(&world.w);
    lose(&world, &large);
    SyncdRepairPlan *plan = begun(&world);
    change_row(&world, &small, NULL);
    run_on(&world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_true(report_says(&world.w.f, plan, "1 more than the plan says are not called lost"));
    g_assert_cmpuint(count_lost(&world), ==, 1);
    applied(&world);
    g_assert_cmpuint(count_lost(&world), ==, 2);
    g_assert_false(is_found(&world.w.f, "blob-damaged"));
    workspace_clear(&world.w);
}

/* What is found between planning and applying was not agreed to either. */
static void more_than_was_agreed_to_is_another_plan(void)
{
    World world;
    world_init(&world);
    g_autoptr(GError) error = NULL;
    SyncdHash large = chunk_of(&world, LARGE, 1, 1), small = chunk_of(&world, SMALL, 1, 0);
    lose(&world, &large);
    verify_all(&world.w.f);
    SyncdRepairPlan *plan = plan_repair(&world.w.f);
    SyncdJob *job = NULL;
    approve_repair(&world.w.f, plan);
    change_row(&world, &small, NULL);
    verify_all(&world.w.f);
    g_assert_false(syncd_service_apply_repair(world.w.f.service, &world.w.f.caller, plan,
                                              syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    workspace_clear(&world.w);
}

/* Nor is another one, though it is no more of it: the one that was named is back. */
static void another_than_was_agreed_to_is_not_given_up(void)
{
    for (guint looks = 0; looks < 2; looks++) {
        World world;
        world_init(&world);
        g_autoptr(GError) error = NULL;
        g_autofree char *other = text_of(LARGE_SIZE, 'b'), *text = text_of(LARGE_SIZE, 'a');
        SyncdHash large = chunk_of(&world, LARGE, 1, 1), small = chunk_of(&world, SMALL, 1, 0);
        write_file(&world.w, LARGE, other);
        write_file(&world.w, SMALL, "other");
        rescan(&world.w);
        lose(&world, &large);
        verify_all(&world.w.f);
        SyncdRepairPlan *plan = plan_repair(&world.w.f);
        SyncdJob *job = NULL;
        approve_repair(&world.w.f, plan);
        write_file(&world.w, "again", text);
        rescan(&world.w);
        change_row(&world, &small, NULL);
        if (looks) {
            verify_all(&world.w.f);
            g_assert_false(syncd_service_apply_repair(world.w.f.service, &world.w.f.caller, plan,
                                                      syncd_repair_plan_digest(plan), &job,
                                                      &error));
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
        } else {
            apply_repair(&world.w.f, plan);
            g_assert_true(
                report_says(&world.w.f, plan, "1 more than the plan says are not called lost"));
        }
        g_assert_cmpuint(count_lost(&world), ==, 0);
        g_assert_true(is_found(&world.w.f, "blob-damaged"));
        applied(&world);
        g_assert_cmpuint(count_lost(&world), ==, 1);
        workspace_clear(&world.w);
    }
}

/* More than a verification names at once: the ones behind them are looked for, too. */
static void however_many_they_are(void)
{
    enum { MANY = 450, HAD = 449 };
    World world;
    world_init(&world);
    char name[32], text[32];
    for (guint i = 0; i < MANY; i++) {
        g_snprintf(name, sizeof name, "many-%u", i);
        g_snprintf(text, sizeof text, "text of %u", i);
        write_file(&world.w, name, text);
    }
    rescan(&world.w);
    for (guint i = 0; i < MANY; i++) {
        g_snprintf(name, sizeof name, "many-%u", i);
        SyncdHash chunk = chunk_of(&world, name, 1, 0);
        change_row(&world, &chunk, NULL);
        if (i < HAD)
            write_file(&world.w, name, "other");
    }
    rescan(&world.w);
    SyncdRepairPlan *plan = applied(&world);
    g_assert_true(report_says(&world.w.f, plan, "1 came back, 449 are lost"));
    for (guint i = 1; i < 3; i++) {
        /* The one that came back may be among those that the first plan named. */
        g_assert_cmpuint(count_lost(&world), <=, i * SYNCD_VERIFY_MAX_FINDINGS);
        g_assert_cmpuint(count_lost(&world) + 1, >=, i * SYNCD_VERIFY_MAX_FINDINGS);
        applied(&world);
    }
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpuint(count_lost(&world), ==, HAD);
        verify_all(&world.w.f);
    }
    g_assert_false(is_found(&world.w.f, "blob-damaged"));
    restart(&world);
    run_until(&world.w, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(count_lost(&world), ==, HAD);
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
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-blobs/file", a_file_gives_its_chunks_back);
    g_test_add_func("/repair-blobs/mode", a_chunk_comes_back_with_its_mode);
    g_test_add_func("/repair-blobs/row", short_files_give_their_rows_back);
    g_test_add_func("/repair-blobs/copy", another_file_of_the_same_bytes_does);
    g_test_add_func("/repair-blobs/aside", what_was_set_aside_does);
    g_test_add_func("/repair-blobs/only-copy", what_is_nowhere_else_is_not_taken_back);
    g_test_add_func("/repair-blobs/errs", where_the_disk_errs_it_is_tried_again);
    g_test_add_func("/repair-blobs/lost", what_can_be_had_nowhere_is_named);
    g_test_add_func("/repair-blobs/sentence", what_was_known_by_a_sentence_is_known_still);
    g_test_add_func("/repair-blobs/sound", a_log_without_it_is_sound);
    g_test_add_func("/repair-blobs/agreed", no_more_is_given_up_than_was_agreed_to);
    g_test_add_func("/repair-blobs/stale", more_than_was_agreed_to_is_another_plan);
    g_test_add_func("/repair-blobs/another", another_than_was_agreed_to_is_not_given_up);
    g_test_add_func("/repair-blobs/many", however_many_they_are);
    g_test_add_func("/repair-blobs/rotten", a_file_that_rotted_gives_nothing);
    g_test_add_func("/repair-blobs/kill", a_kill_leaves_all_or_nothing);
    return g_test_run();
}
