/*
 * What a directory holds is what the log says of it: after a scan, while it is watched, and after
 * what happened when nobody looked.
 */
#include "service/internal.h"
#include "workspace-fixture.h"

static void scan(WorkspaceFixture *w)
{
    begin_workspace(w);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

static void make_tree(WorkspaceFixture *w)
{
    g_autofree char *link = path_in(w, "link"), *pipe = path_in(w, "pipe");
    write_file(w, "a", "one");
    make_folder(w, "deep");
    make_folder(w, "deep/deeper");
    write_file(w, "deep/b", "two");
    write_file(w, "deep/deeper/c", "three");
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
}

#define TREE "a v1\ndeep v1/\nlink v1@\ndeep/b v1\ndeep/deeper v1/\ndeep/deeper/c v1\n"

static void a_scan_records_what_is_there(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    assert_tree(&w, TREE);
    SyncdWorkspaceStanding standing = standing_of(&w);
    g_assert_cmpuint(standing.created, ==, 7);
    g_assert_cmpuint(standing.skipped, ==, 1);
    g_assert_cmpuint(standing.folders, ==, 3);
    g_assert_false(standing.unwatched);

    /* Nothing has changed, and nothing is written. */
    guint64 sequence = service_sequence(&w.f);
    syncd_workspace_scan(w.workspace);
    run_until(&w, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

static void what_is_hidden_is_never_looked_into(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_folder(&w, "hidden");
    make_folder(&w, "hidden/state");
    make_folder(&w, "state");
    write_file(&w, "hidden/state/journal.db", "x");
    write_file(&w, "state/journal.db", "x");
    scan(&w);
    assert_tree(&w, "hidden v1/\nstate v1/\nstate/journal.db v1\n");
    g_assert_cmpuint(standing_of(&w).skipped, ==, 1);
    workspace_clear(&w);
}

static void what_changes_is_recorded_as_it_happens(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    write_file(&w, "new", "four");
    run_until_recorded(&w, 8, 0, 0);
    make_folder(&w, "folder");
    write_file(&w, "folder/inside", "five");
    run_until_recorded(&w, 10, 0, 0);
    assert_tree(&w, "a v1\ndeep v1/\nfolder v1/\nlink v1@\nnew v1\ndeep/b v1\ndeep/deeper v1/\n"
                    "folder/inside v1\ndeep/deeper/c v1\n");
    remove_file(&w, "new");
    run_until_recorded(&w, 10, 0, 1);
    g_autofree char *path = path_in(&w, "a");
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    g_assert_cmpint(write(fd, "changed", 7), ==, 7);
    close(fd);
    run_until_recorded(&w, 10, 1, 1);
    assert_tree(&w, "a v2\ndeep v1/\nfolder v1/\nlink v1@\ndeep/b v1\ndeep/deeper v1/\n"
                    "folder/inside v1\ndeep/deeper/c v1\n");
    workspace_clear(&w);
}

static void what_is_renamed_stays_the_object_that_it_was(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    rename_file(&w, "a", "deep/z");
    run_until_recorded(&w, 7, 1, 0);
    rename_file(&w, "deep", "moved");
    run_until_recorded(&w, 7, 2, 0);
    assert_tree(&w, "link v1@\nmoved v1/\nmoved/b v1\nmoved/deeper v1/\nmoved/z v1\n"
                    "moved/deeper/c v1\n");
    /* It is watched where it is now. */
    write_file(&w, "moved/deeper/new", "n");
    run_until_recorded(&w, 8, 2, 0);
    workspace_clear(&w);
}

static void what_happened_unseen_is_found(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    end_workspace(&w);
    rename_file(&w, "deep/deeper", "shallow");
    rename_file(&w, "a", "shallow/a");
    write_file(&w, "deep/b", "other");
    write_file(&w, "shallow/d", "new");
    remove_file(&w, "link");
    scan(&w);
    assert_tree(&w, "deep v1/\nshallow v1/\ndeep/b v2\nshallow/a v1\nshallow/c v1\n"
                    "shallow/d v1\n");
    workspace_clear(&w);
}

static void a_touch_makes_no_version_and_a_mode_no_other_content(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    guint64 sequence = service_sequence(&w.f);
    g_autofree char *path = path_in(&w, "a");
    const struct timespec times[] = {{1, 0}, {1, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    syncd_workspace_scan(w.workspace);
    run_until(&w, SYNCD_WORKSPACE_WATCHING);
    while (step_workspace(&w, 0))
        ;
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    g_assert_cmpint(chmod(path, 0600), ==, 0);
    run_until_recorded(&w, 7, 1, 0);
    assert_tree(&w, TREE);
    workspace_clear(&w);
}

static void a_mass_deletion_pauses_and_asks(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    for (int i = 0; i < 9; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        write_file(&w, name, name);
    }
    scan(&w);
    end_workspace(&w);
    for (int i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        remove_file(&w, name);
    }
    begin_workspace(&w);
    run_until(&w, SYNCD_WORKSPACE_PAUSED);
    while (syncd_service_has_turn(w.f.service))
        syncd_service_commit(w.f.service);
    g_assert_cmpuint(standing_of(&w).deleted, ==, 0);
    assert_state(&w.f, "root", "r1", "paused");
    end_workspace(&w);

    /* Somebody says that it was meant. */
    begin_workspace(&w);
    syncd_workspace_accept_deletions(w.workspace);
    run_until(&w, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(standing_of(&w).deleted, ==, 4);
    workspace_clear(&w);
}

static void one_that_was_never_there_is_missing(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    g_assert_cmpint(rmdir(w.directory), ==, 0);
    begin_workspace(&w);
    run_until(&w, SYNCD_WORKSPACE_MISSING);
    assert_tree(&w, "");
    workspace_clear(&w);
}

static void one_that_is_not_there_is_left_alone(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    end_workspace(&w);
    g_autofree char *away = g_strconcat(w.directory, ".away", NULL);
    g_assert_cmpint(rename(w.directory, away), ==, 0);
    begin_workspace(&w);
    run_until(&w, SYNCD_WORKSPACE_MISSING);
    end_workspace(&w);
    g_assert_cmpint(g_mkdir(w.directory, 0755), ==, 0);
    begin_workspace(&w);
    run_until(&w, SYNCD_WORKSPACE_MISSING);
    end_workspace(&w);
    assert_tree(&w, TREE);
    g_assert_cmpint(rmdir(w.directory), ==, 0);
    g_assert_cmpint(rename(away, w.directory), ==, 0);
    scan(&w);
    assert_tree(&w, TREE);
    workspace_clear(&w);
}

static void register_again(WorkspaceFixture *w)
{
    g_autofree char *again = g_strdup_printf("{\"root_id\":\"r2\",\"workspace_id\":"
                                             "\"workspace:notes\",\"directory\":\"%s\","
                                             "\"root_state\":\"active\"}",
                                             w->directory);
    g_assert_cmpint(revoke_record(&w->f, "root", "r1"), ==, -1);
    g_assert_cmpint(register_record(&w->f, "root", again), ==, -1);
}

/* As one that was brought back from a copy is. */
static void another_directory_is_the_workspace_once_it_is_registered_again(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    end_workspace(&w);
    fixture_remove(w.directory);
    g_assert_cmpint(g_mkdir(w.directory, 0755), ==, 0);
    make_tree(&w);
    begin_workspace(&w);
    run_until(&w, SYNCD_WORKSPACE_MISSING);
    end_workspace(&w);
    register_again(&w);
    scan(&w);
    assert_tree(&w, TREE);
    end_workspace(&w);
    /* It is that one from now on, and no other. */
    guint64 sequence = service_sequence(&w.f);
    scan(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    end_workspace(&w);
    g_autofree char *away = g_strconcat(w.directory, ".away", NULL);
    g_assert_cmpint(rename(w.directory, away), ==, 0);
    g_assert_cmpint(g_mkdir(w.directory, 0755), ==, 0);
    begin_workspace(&w);
    run_until(&w, SYNCD_WORKSPACE_MISSING);
    fixture_remove(away);
    workspace_clear(&w);
}

static void a_commit_that_fails_is_made_up_for(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    begin_workspace(&w);
    while (!syncd_service_has_turn(w.f.service))
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_autoptr(GError) why = g_error_new_literal(SYNCD_ERROR, SYNCD_ERROR_NO_SPACE, "full");
    while (standing_of(&w).state != SYNCD_WORKSPACE_FAILED) {
        if (syncd_service_has_turn(w.f.service))
            syncd_service_discard(w.f.service, why);
        else
            g_assert_true(step_workspace(&w, PATIENCE_MS));
    }
    end_workspace(&w);
    scan(&w);
    assert_tree(&w, TREE);
    workspace_clear(&w);
}

static void a_reader_that_ends_is_noticed(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    int ends[2];
    workspace_init(&w);
    syncd_service_list_roots(w.f.service, &roots, &error);
    g_assert_no_error(error);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    close(ends[1]);
    w.workspace = syncd_workspace_new(w.f.service, g_ptr_array_steal_index(roots, 0),
                                      syncd_reader_process_new(ends[0]), &(SyncdFileStat){0},
                                      nobody_listens, NULL);
    syncd_workspace_dispatch(w.workspace);
    g_assert_cmpint(standing_of(&w).state, ==, SYNCD_WORKSPACE_FAILED);
    g_assert_nonnull(strstr(standing_of(&w).reason, "its reader ended"));
    g_clear_pointer(&w.workspace, syncd_workspace_free);
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace/a-reader-that-ends-is-noticed", a_reader_that_ends_is_noticed);
    /* Valgrind does not know openat2. */
    if (is_hurried())
        return g_test_run();
    g_test_add_func("/workspace/one-that-was-never-there-is-missing",
                    one_that_was_never_there_is_missing);
    g_test_add_func("/workspace/a-scan-records-what-is-there", a_scan_records_what_is_there);
    g_test_add_func("/workspace/what-is-hidden-is-never-looked-into",
                    what_is_hidden_is_never_looked_into);
    g_test_add_func("/workspace/what-changes-is-recorded-as-it-happens",
                    what_changes_is_recorded_as_it_happens);
    g_test_add_func("/workspace/what-is-renamed-stays-the-object-that-it-was",
                    what_is_renamed_stays_the_object_that_it_was);
    g_test_add_func("/workspace/what-happened-unseen-is-found", what_happened_unseen_is_found);
    g_test_add_func("/workspace/a-touch-makes-no-version-and-a-mode-no-other-content",
                    a_touch_makes_no_version_and_a_mode_no_other_content);
    g_test_add_func("/workspace/a-mass-deletion-pauses-and-asks", a_mass_deletion_pauses_and_asks);
    g_test_add_func("/workspace/one-that-is-not-there-is-left-alone",
                    one_that_is_not_there_is_left_alone);
    g_test_add_func("/workspace/"
                    "another-directory-is-the-workspace-once-it-is-registered-again",
                    another_directory_is_the_workspace_once_it_is_registered_again);
    g_test_add_func("/workspace/a-commit-that-fails-is-made-up-for",
                    a_commit_that_fails_is_made_up_for);
    return g_test_run();
}
