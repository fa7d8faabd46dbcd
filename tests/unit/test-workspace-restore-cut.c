/*
 * A restore that is cut short is whole or nothing: what was done of it before the log could not say
 * so, or before the daemon ended, is told, and taken for nothing that it is not.
 */
#include "restore-fixture.h"

#include <signal.h>

/* Begins it, and steps until what it does first is about to be committed. */
static void begin_until_turn(WorkspaceFixture *w, const char *path, guint64 version,
                             Outcome *outcome)
{
    g_autofree char *plan = plan_of(w, path, version);
    settle(w);
    g_assert_false(syncd_service_has_turn(w->f.service));
    listen_for_restores(w);
    g_assert_true(ask_to_restore(w, path, version, plan, outcome));
    while (!syncd_service_has_turn(w->f.service))
        g_assert_true(step_workspace(w, PATIENCE_MS));
}

/* As when there is no room for it. */
static void lose_turn(WorkspaceFixture *w)
{
    g_autoptr(GError) full = NULL;
    syncd_set_error(&full, SYNCD_ERROR_NO_SPACE, "There is no room");
    syncd_service_discard(w->f.service, full);
}

/* What had a file, and was deleted with it. */
static void lose_folder(WorkspaceFixture *w)
{
    workspace_init_keeping(w, KEEP_TWO);
    write_others(w);
    make_folder(w, "a");
    write_file(w, "a/file", "content");
    begin(w);
    remove_file(w, "a/file");
    remove_file(w, "a");
    rescan(w);
}

/* Its folder was made, and is unknown: nothing in it may be recorded as being in it. */
static void a_folder_whose_entry_is_lost_is_no_folder(void)
{
    WorkspaceFixture w;
    g_auto(Outcome) outcome = {0};
    lose_folder(&w);
    begin_until_turn(&w, "a/file", 0, &outcome);
    write_file(&w, "a/theirs", "theirs");
    lose_turn(&w);
    g_assert_true(outcome.done);
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    g_assert_cmpint(standing_of(&w).state, ==, SYNCD_WORKSPACE_FAILED);
    guint64 sequence = service_sequence(&w.f);
    while (step_workspace(&w, 100))
        ;
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    /* As the daemon does when some time has passed. */
    end_workspace(&w);
    begin(&w);
    g_assert_cmpuint(row_of(&w, "a/theirs").version, ==, 1);
    g_assert_cmpuint(findings(&w), ==, 0);
    workspace_clear(&w);
}

/* Whoever asked hears that the file is another one now. */
static void a_file_whose_entry_is_lost_is_in_its_place(void)
{
    WorkspaceFixture w;
    g_auto(Outcome) outcome = {0};
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    begin(&w);
    write_file(&w, "file", "two");
    rescan(&w);
    begin_until_turn(&w, "file", 1, &outcome);
    lose_turn(&w);
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    g_assert_nonnull(strstr(outcome.error->message, "file was put in its place, but"));
    assert_file(&w, "file", "one");
    g_assert_cmpuint(row_of(&w, "file").version, ==, 2);
    end_workspace(&w);
    begin(&w);
    g_assert_cmpuint(row_of(&w, "file").version, ==, 3);
    workspace_clear(&w);
}

/* Of what was made on the way as well. */
static void what_was_made_on_the_way_is_told(void)
{
    WorkspaceFixture w;
    g_auto(Outcome) outcome = {0};
    lose_folder(&w);
    begin_until_turn(&w, "a/file", 0, &outcome);
    write_file(&w, "a/file", "theirs");
    wait_for_outcome(&w, &outcome);
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    g_assert_nonnull(strstr(outcome.error->message, "folders on the way to it were made"));
    assert_file(&w, "a/file", "theirs");
    workspace_clear(&w);
}

/* A step while the reader stands still: what it is told in it, it has not done yet. */
static void step_without_reader(WorkspaceFixture *w)
{
    struct pollfd ready = {.fd = syncd_workspace_fd(w->workspace), .events = POLLIN};
    g_assert_cmpint(kill(w->reader, SIGSTOP), ==, 0);
    if (syncd_service_has_turn(w->f.service)) {
        syncd_service_commit(w->f.service);
        return;
    }
    if (poll(&ready, 1, 0) == 0) {
        g_assert_cmpint(kill(w->reader, SIGCONT), ==, 0);
        g_assert_cmpint(poll(&ready, 1, PATIENCE_MS), ==, 1);
        g_assert_cmpint(kill(w->reader, SIGSTOP), ==, 0);
    }
    syncd_workspace_dispatch(w->workspace);
}

/* It ends at once: whole, or not at all. */
static void a_restore_that_is_hurried_is_whole_or_nothing(void)
{
    guint told = 0, restored = 0;
    g_autofree char *first = text_of(100, 'a');
    g_autofree char *second = text_of(100, 'b');
    for (guint steps = 0; steps < 40 && (told == 0 || restored == 0); steps++) {
        WorkspaceFixture w;
        Outcome outcome = {0};
        workspace_init_keeping(&w, KEEP_TWO);
        write_file(&w, "file", first);
        begin(&w);
        write_file(&w, "file", second);
        rescan(&w);
        g_autofree char *plan = plan_of(&w, "file", 1);
        listen_for_restores(&w);
        g_assert_true(ask_to_restore(&w, "file", 1, plan, &outcome));
        for (guint i = 0; i < steps && !outcome.done; i++)
            step_without_reader(&w);
        bool hurries = syncd_workspace_hurry_restore(w.workspace);
        g_assert_cmpint(kill(w.reader, SIGCONT), ==, 0);
        while (hurries && syncd_workspace_hurry_restore(w.workspace))
            g_assert_true(step_workspace(&w, PATIENCE_MS));
        bool was_done = outcome.done;
        end_workspace(&w);
        g_assert_true(outcome.done);
        told += was_done && outcome.error != NULL;
        restored += outcome.error == NULL;
        assert_file(&w, "file", outcome.error == NULL ? first : second);
        begin(&w);
        g_assert_cmpuint(row_of(&w, "file").version, ==, outcome.error == NULL ? 3 : 2);
        outcome_clear(&outcome);
        workspace_clear(&w);
    }
    g_assert_cmpuint(told, >, 0);
    g_assert_cmpuint(restored, >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-restore-cut/a-folder-whose-entry-is-lost-is-no-folder",
                    a_folder_whose_entry_is_lost_is_no_folder);
    g_test_add_func("/workspace-restore-cut/a-file-whose-entry-is-lost-is-in-its-place",
                    a_file_whose_entry_is_lost_is_in_its_place);
    g_test_add_func("/workspace-restore-cut/what-was-made-on-the-way-is-told",
                    what_was_made_on_the_way_is_told);
    g_test_add_func("/workspace-restore-cut/a-restore-that-is-hurried-is-whole-or-nothing",
                    a_restore_that_is_hurried_is_whole_or_nothing);
    return g_test_run();
}
