/*
 * Content beside the log that can be had nowhere is given up, and called lost: all of it is named,
 * none that whoever approved was not told of, and it stays known until somebody has it again.
 */
#include "blobs-fixture.h"

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
    g_assert_true(report_says(&world.w.f, plan, "came back: 1, that are lost: 1"));
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

/* Equal bytes are one chunk: all that have them are named, and counted. */
static void all_that_have_the_same_bytes_are_named(void)
{
    World world;
    world_init(&world);
    ServiceFixture *f = &world.w.f;
    g_autofree char *text = text_of(LARGE_SIZE, 'a'), *other = text_of(LARGE_SIZE, 'b');
    write_file(&world.w, "copy", text);
    rescan(&world.w);
    write_file(&world.w, LARGE, other);
    write_file(&world.w, "copy", other);
    rescan(&world.w);
    SyncdHash old = chunk_of(&world, LARGE, 1, 1);
    lose(&world, &old);
    verify_all(f);
    g_autoptr(GPtrArray) damaged = syncd_service_diagnose(f->service);
    const SyncdFound *found = find(damaged, "blob-damaged");
    g_assert_cmpuint(found->count, ==, 2);
    g_assert_cmpuint(found->evidence->len, ==, 1);
    g_test_message("%s", (char *)found->evidence->pdata[0]);
    g_assert_nonnull(strstr(found->evidence->pdata[0], LARGE " of workspace:notes, version 1"));
    g_assert_nonnull(strstr(found->evidence->pdata[0], "copy of workspace:notes, version 1"));
    SyncdRepairPlan *plan = applied(&world);
    g_assert_true(plan_says(plan, " of workspace:notes, version 1 (and file-"));
    g_assert_true(plan_says(plan, " of workspace:notes, version 1): "));
    g_assert_true(report_says(f, plan, " of workspace:notes, version 1) is lost: "));
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

static void assert_report_names(World *world, SyncdRepairPlan *plan, const SyncdHash *chunk,
                                const char *says)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(chunk, digits);
    g_autofree char *report = syncd_service_repair_report(world->w.f.service, plan, NULL);
    const char *at = strstr(report, digits), *said = at != NULL ? strstr(at, says) : NULL,
               *end = at != NULL ? strchr(at, '"') : NULL;
    g_test_message("%s", report);
    g_assert_nonnull(said);
    g_assert_true(said < end);
    g_assert_null(strstr(end, digits)); /* and says nothing else of it */
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
    assert_report_names(&world, plan, &large, "is lost: nothing here has it");
    assert_report_names(&world, plan, &small, "is damaged still, and not given up: it was found");
    g_assert_true(
        report_says(&world.w.f, plan, "back: 0, that are lost: 1, that are damaged still: 1"));
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
    SyncdHash large = chunk_of(&world, LARGE, 1, 1), small = chunk_of(&world, SMALL, 1, 0);
    lose(&world, &large);
    verify_all(&world.w.f);
    SyncdRepairPlan *plan = plan_repair(&world.w.f);
    approve_repair(&world.w.f, plan);
    change_row(&world, &small, NULL);
    verify_all(&world.w.f);
    expect_not_applied(&world.w.f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    workspace_clear(&world.w);
}

/* Nor is another one, though it is no more of it: the one that was named is back. */
static void another_than_was_agreed_to_is_not_given_up(void)
{
    for (guint looks = 0; looks < 2; looks++) {
        World world;
        world_init(&world);
        g_autofree char *other = text_of(LARGE_SIZE, 'b');
        SyncdHash large = chunk_of(&world, LARGE, 1, 1), small = chunk_of(&world, SMALL, 1, 0);
        g_autofree char *path = path_of(&world, &large);
        write_file(&world.w, LARGE, other);
        write_file(&world.w, SMALL, "other");
        rescan(&world.w);
        g_autofree char *bytes = NULL;
        gsize size;
        g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
        lose(&world, &large);
        verify_all(&world.w.f);
        SyncdRepairPlan *plan = plan_repair(&world.w.f);
        approve_repair(&world.w.f, plan);
        write_private(path, bytes, (gssize)size); /* which nobody is told of */
        change_row(&world, &small, NULL);
        if (looks) {
            verify_all(&world.w.f);
            expect_not_applied(&world.w.f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
        } else {
            apply_repair(&world.w.f, plan);
            assert_report_names(&world, plan, &small, "is damaged still, and not given up");
            g_assert_true(report_says(&world.w.f, plan, "\"given_up\":[]"));
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
    /* The one that came back may be among those that the first plan named. */
    bool among =
        report_says(&world.w.f, plan, "back: 1, that are lost: 199, that are damaged still: 250");
    g_assert_true(among || report_says(&world.w.f, plan,
                                       "back: 1, that are lost: 200, that are damaged still: 249"));
    for (guint i = 1; i < 3; i++) {
        g_assert_cmpuint(count_lost(&world) + among, ==, i * SYNCD_VERIFY_MAX_FINDINGS);
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

int main(int argc, char **argv)
{
    blobs_test_init(&argc, &argv);
    g_test_add_func("/repair-given-up/lost", what_can_be_had_nowhere_is_named);
    g_test_add_func("/repair-given-up/sentence", what_was_known_by_a_sentence_is_known_still);
    g_test_add_func("/repair-given-up/sound", a_log_without_it_is_sound);
    g_test_add_func("/repair-given-up/agreed", no_more_is_given_up_than_was_agreed_to);
    g_test_add_func("/repair-given-up/stale", more_than_was_agreed_to_is_another_plan);
    g_test_add_func("/repair-given-up/another", another_than_was_agreed_to_is_not_given_up);
    g_test_add_func("/repair-given-up/same-bytes", all_that_have_the_same_bytes_are_named);
    g_test_add_func("/repair-given-up/many", however_many_they_are);
    return g_test_run();
}
