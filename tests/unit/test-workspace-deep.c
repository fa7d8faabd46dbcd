/*
 * Bytes that are not those of their record, although nothing says that they were changed, are found
 * by reading: they are told of, and never become the record by themselves.
 */
#include "rot-fixture.h"
#include "service/explain.h"

/* ---- finding ---- */

static void only_reading_finds_what_nobody_changed(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, ROTTEN, ROT);
    syncd_workspace_scan(w.workspace);
    run_until(&w, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    scan_deep(&w);
    assert_mismatch(&w, ROTTEN, ROT);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    SyncdWorkspaceStanding standing = standing_of(&w);
    g_assert_cmpuint(standing.deep.files, ==, 2);
    g_assert_cmpuint(standing.deep.differing, ==, 1);
    g_assert_cmpuint(standing.deep.bytes, ==, standing.deep.to_read);
    g_assert_cmpuint(standing.changed, ==, 0);

    /* It is known by now, and nothing more is written. */
    guint64 sequence = service_sequence(&w.f);
    scan_deep(&w);
    g_assert_cmpuint(standing_of(&w).deep.differing, ==, 1);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    g_assert_cmpuint(mismatches(&w), ==, 1);
    workspace_clear(&w);
}

static void a_sound_tree_is_read_and_nothing_is_written(void)
{
    WorkspaceFixture w;
    two_files(&w, KEEP_TWO);
    for (int i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("folder/%03d", i);
        write_file(&w, name, name);
    }
    syncd_workspace_scan(w.workspace);
    run_until_recorded(&w, 204, 0, 0);
    guint64 sequence = service_sequence(&w.f);
    scan_deep(&w);
    g_assert_cmpuint(standing_of(&w).deep.files, ==, 202);
    g_assert_cmpuint(standing_of(&w).deep.differing, ==, 0);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

static void it_is_known_after_a_restart_and_without_an_index(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, NULL);
    g_autofree char *index = g_build_filename(w.f.base.directory, "index.db", NULL);
    end_workspace(&w);
    service_close(&w.f);
    service_open(&w.f);
    assert_mismatch(&w, ROTTEN, ROT);
    service_close(&w.f);
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&w.f);
    settle(&w);
    assert_mismatch(&w, ROTTEN, ROT);
    /* Everything is read once more, as nothing is known to be as it was seen; what was found then
     * is what was found before. */
    guint64 sequence = service_sequence(&w.f);
    begin(&w);
    assert_mismatch(&w, ROTTEN, ROT);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    workspace_clear(&w);
}

static void remake_index(WorkspaceFixture *w)
{
    g_autofree char *index = g_build_filename(w->f.base.directory, "index.db", NULL);
    service_close(&w->f);
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&w->f);
    settle(w);
}

/* Nobody knows how anything was seen: the record says which size and time it had. */
static void what_rotted_before_the_index_was_made_anew_is_found_too(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    end_workspace(&w);
    gint64 mtime = row_of(&w, ROTTEN).mtime, second = G_GINT64_CONSTANT(1000000000);
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {mtime / second, mtime % second}};
    g_autofree char *path = path_in(&w, ROTTEN);
    write_over(&w, ROTTEN, ROT);
    write_over(&w, "sound", "and goeS.");
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    remake_index(&w);
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    g_assert_cmpuint(mismatches(&w), ==, 1);
    assert_mismatch(&w, ROTTEN, ROT);
    assert_tree(&w, "folder v1/\nsound v2\nfolder/rotten v1\n");
    workspace_clear(&w);
}

/* Only what the workspace does: nobody has time for anything else. */
static void run_busy(WorkspaceFixture *w, guint64 changed)
{
    while (standing_of(w).changed < changed || standing_of(w).waiting > 0 ||
           syncd_service_has_turn(w->f.service)) {
        struct pollfd ready = {.fd = syncd_workspace_fd(w->workspace),
                               .events = syncd_workspace_events(w->workspace)};
        if (syncd_service_has_turn(w->f.service))
            syncd_service_commit(w->f.service);
        else if (syncd_workspace_due(w->workspace) <= syncd_service_clock(w->f.service))
            syncd_workspace_tick(w->workspace);
        else if (poll(&ready, 1, 1) > 0)
            syncd_workspace_dispatch(w->workspace);
    }
}

/* How it was seen last counts, whether there was time to write that down or not. */
static void what_was_seen_just_now_is_not_taken_for_changed(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot_unwatched(&w, ROTTEN, ROT);
    write_over(&w, "sound", "and goes!");
    run_busy(&w, 1);
    assert_tree(&w, "folder v1/\nsound v2\nfolder/rotten v1\n");
    scan_deep(&w);
    assert_mismatch(&w, ROTTEN, ROT);
    workspace_clear(&w);
}

static bool is_said(WorkspaceFixture *w)
{
    SyncdState state;
    syncd_service_state(w->f.service, &state);
    for (size_t i = 0; state.reasons[i] != NULL; i++)
        if (strcmp(state.reasons[i], "checksum-mismatch") == 0)
            return true;
    return state.repair_needed;
}

static void what_was_found_in_a_workspace_that_is_none_any_more_is_over(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    g_assert_false(is_said(&w));
    rot(&w, ROTTEN, ROT);
    scan_deep(&w);
    g_assert_true(is_said(&w));
    end_workspace(&w);
    g_assert_cmpint(revoke_record(&w.f, "root", "r1"), ==, -1);
    g_assert_false(is_said(&w));
    workspace_clear(&w);
}

static void what_has_other_times_is_an_ordinary_change(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    end_workspace(&w);
    write_over(&w, "sound", "and goes!");
    begin_workspace(&w);
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    g_assert_cmpuint(standing_of(&w).changed, ==, 1);
    assert_tree(&w, "folder v1/\nsound v2\nfolder/rotten v1\n");
    workspace_clear(&w);
}

/* Whatever it is read for. */
static void what_is_read_to_be_kept_is_held_against_its_record(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, ROTTEN, ROT);
    end_workspace(&w);
    g_autofree char *root =
        g_strdup_printf("{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\","
                        "\"directory\":\"%s\",\"root_state\":\"active\",\"keep\":" KEEP_TWO "}",
                        w.directory);
    g_assert_cmpint(update_record(&w.f, "root", "r1", root), ==, -1);
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, ROTTEN, ROT);
    g_assert_false(row_of(&w, ROTTEN).kept);
    g_assert_true(row_of(&w, "sound").kept);
    workspace_clear(&w);
}

static void an_explanation_rests_on_what_found_it(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    one_is_rotten(&w, NULL);
    SyncdFileRow row = row_of(&w, ROTTEN);
    guint64 finding = syncd_file_place_pos(row.mismatch.place);
    g_autofree char *sequence = g_strdup_printf("\"sequence\":%" G_GUINT64_FORMAT "}", finding);
    syncd_store_file_id(store_of(&w), row.id, id, &error);
    g_assert_no_error(error);
    g_autofree char *text = syncd_service_explain(w.f.service, &w.f.caller, id, &error);
    g_assert_no_error(error);
    const char *answer = strstr(text, "\"checksum_mismatch\"");
    g_assert_nonnull(answer);
    const char *at = strstr(answer, sequence), *end = strstr(answer, "]");
    g_assert_true(at != NULL && at < end);
    workspace_clear(&w);
}

/* ---- how it ends ---- */

static void another_name_or_mode_does_not_end_it(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, NULL);
    g_autofree char *path = path_in(&w, ROTTEN);
    g_assert_cmpint(chmod(path, 0600), ==, 0);
    run_until_recorded(&w, 0, 1, 0);
    assert_mismatch(&w, ROTTEN, ROT);
    g_assert_cmpuint(row_of(&w, ROTTEN).mode, ==, 0600);
    rename_file(&w, ROTTEN, "elsewhere");
    run_until_recorded(&w, 0, 2, 0);
    assert_mismatch(&w, "elsewhere", ROT);
    assert_tree(&w, "elsewhere v1\nfolder v1/\nsound v1\n");
    workspace_clear(&w);
}

static void touch(WorkspaceFixture *w, const char *name, gint64 seconds)
{
    const struct timespec times[] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    g_autofree char *path = path_in(w, name);
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

/* The same bytes are no more anybody's than they were. */
static void another_time_does_not_end_it(void)
{
    const gint64 second = G_GINT64_CONSTANT(1000000000);
    WorkspaceFixture w;
    one_is_rotten(&w, NULL);
    touch(&w, ROTTEN, 1000);
    while (row_of(&w, ROTTEN).mismatch.mtime != 1000 * second)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    assert_mismatch(&w, ROTTEN, ROT);
    end_workspace(&w);
    touch(&w, ROTTEN, 2000);
    rename_file(&w, ROTTEN, "elsewhere");
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, "elsewhere", ROT);
    g_assert_cmpint(row_of(&w, "elsewhere").mismatch.mtime, ==, 2000 * second);
    assert_tree(&w, "elsewhere v1\nfolder v1/\nsound v1\n");
    workspace_clear(&w);
}

/* Not every file system says when a file was made: then it is known by what was found in it. */
static void what_has_another_name_is_known_by_its_bytes(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, NULL);
    end_workspace(&w);
    SyncdFileRow row = row_of(&w, ROTTEN);
    row.at_sight.born = 0;
    syncd_store_see_file(store_of(&w), row.id, 0, &row.at_sight);
    settle(&w);
    rename_file(&w, ROTTEN, "elsewhere");
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, "elsewhere", ROT);
    g_assert_cmpuint(row_of(&w, "elsewhere").id, ==, row.id);
    assert_tree(&w, "elsewhere v1\nfolder v1/\nsound v1\n");
    workspace_clear(&w);
}

static void a_change_ends_it_and_so_does_a_deletion(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, ROTTEN, ROT);
    rot(&w, "sound", "and staYs");
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, 2);
    write_over(&w, ROTTEN, "somebody's");
    remove_file(&w, "sound");
    run_until_recorded(&w, 0, 1, 1);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    assert_tree(&w, "folder v1/\nfolder/rotten v2\n");
    workspace_clear(&w);
}

static void bytes_that_are_back_end_it(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, NULL);
    write_over(&w, ROTTEN, WRITTEN);
    while (mismatches(&w) > 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    rot(&w, ROTTEN, ROT);
    scan_deep(&w);
    rot(&w, ROTTEN, WRITTEN);
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-deep/only-reading-finds-what-nobody-changed",
                    only_reading_finds_what_nobody_changed);
    g_test_add_func("/workspace-deep/a-sound-tree-is-read-and-nothing-is-written",
                    a_sound_tree_is_read_and_nothing_is_written);
    g_test_add_func("/workspace-deep/it-is-known-after-a-restart-and-without-an-index",
                    it_is_known_after_a_restart_and_without_an_index);
    g_test_add_func("/workspace-deep/what-rotted-before-the-index-was-made-anew-is-found-too",
                    what_rotted_before_the_index_was_made_anew_is_found_too);
    g_test_add_func("/workspace-deep/what-was-seen-just-now-is-not-taken-for-changed",
                    what_was_seen_just_now_is_not_taken_for_changed);
    g_test_add_func("/workspace-deep/what-was-found-in-a-workspace-that-is-none-any-more-is-over",
                    what_was_found_in_a_workspace_that_is_none_any_more_is_over);
    g_test_add_func("/workspace-deep/what-has-other-times-is-an-ordinary-change",
                    what_has_other_times_is_an_ordinary_change);
    g_test_add_func("/workspace-deep/what-is-read-to-be-kept-is-held-against-its-record",
                    what_is_read_to_be_kept_is_held_against_its_record);
    g_test_add_func("/workspace-deep/an-explanation-rests-on-what-found-it",
                    an_explanation_rests_on_what_found_it);
    g_test_add_func("/workspace-deep/another-name-or-mode-does-not-end-it",
                    another_name_or_mode_does_not_end_it);
    g_test_add_func("/workspace-deep/another-time-does-not-end-it", another_time_does_not_end_it);
    g_test_add_func("/workspace-deep/what-has-another-name-is-known-by-its-bytes",
                    what_has_another_name_is_known_by_its_bytes);
    g_test_add_func("/workspace-deep/a-change-ends-it-and-so-does-a-deletion",
                    a_change_ends_it_and_so_does_a_deletion);
    g_test_add_func("/workspace-deep/bytes-that-are-back-end-it", bytes_that_are_back_end_it);
    return g_test_run();
}
