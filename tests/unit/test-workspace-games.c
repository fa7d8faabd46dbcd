/*
 * What people and programs do with files: whatever it is, the log says what is there, and whatever
 * was renamed is what it was.
 */
#include "service/internal.h"
#include "workspace-fixture.h"
#include "workspace/workspace-private.h"

static void begin(WorkspaceFixture *w)
{
    workspace_init(w);
    begin_workspace(w);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

static guint64 file_at(WorkspaceFixture *w, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    SyncdStore *store = syncd_service_store(w->f.service);
    const SyncdRoot *root = w->workspace->root;
    SyncdFileRow row;
    bool found;
    syncd_store_find_workspace_folder(store, root->scope_id, &row, &found, &error);
    for (size_t i = 0; found && names[i] != NULL; i++)
        syncd_store_find_file_in(store, row.id, SYNCD_BYTES_TEXT(names[i]), &row, &found, &error);
    g_assert_no_error(error);
    return found ? row.id : 0;
}

/* Until nothing happens any more. */
static void settle(WorkspaceFixture *w)
{
    while (step_workspace(w, 0) || standing_of(w).waiting > 0 || step_workspace(w, 100))
        ;
}

static void a_folder_that_is_made_again_is_looked_into_again(void)
{
    WorkspaceFixture w;
    begin(&w);
    make_folder(&w, "f");
    write_file(&w, "f/a", "1");
    settle(&w);
    remove_file(&w, "f/a");
    remove_file(&w, "f");
    make_folder(&w, "f");
    write_file(&w, "f/b", "2");
    settle(&w);
    assert_tree(&w, "f v1/\nf/b v1\n");
    /* And it is watched. */
    write_file(&w, "f/c", "3");
    settle(&w);
    assert_tree(&w, "f v1/\nf/b v1\nf/c v1\n");
    workspace_clear(&w);
}

static void a_folder_that_was_away_is_watched_again(void)
{
    WorkspaceFixture w;
    g_autofree char *away = NULL;
    begin(&w);
    away = g_strconcat(w.directory, ".away", NULL);
    g_autofree char *inside = path_in(&w, "f"), *added = g_build_filename(away, "b", NULL);
    make_folder(&w, "f");
    write_file(&w, "f/a", "1");
    write_file(&w, "rest", "r");
    settle(&w);
    g_assert_cmpint(rename(inside, away), ==, 0);
    g_assert_true(g_file_set_contents(added, "2", 1, NULL));
    g_assert_cmpint(rename(away, inside), ==, 0);
    settle(&w);
    assert_tree(&w, "f v1/\nrest v1\nf/a v1\nf/b v1\n");
    write_file(&w, "f/c", "3");
    settle(&w);
    assert_tree(&w, "f v1/\nrest v1\nf/a v1\nf/b v1\nf/c v1\n");
    workspace_clear(&w);
}

static void folders_that_swap_are_looked_into(void)
{
    WorkspaceFixture w;
    begin(&w);
    make_folder(&w, "one");
    make_folder(&w, "two");
    write_file(&w, "one/a", "1");
    write_file(&w, "two/b", "2");
    settle(&w);
    g_autofree char *one = path_in(&w, "one"), *two = path_in(&w, "two");
    g_assert_cmpint(renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE), ==, 0);
    settle(&w);
    assert_tree(&w, "one v1/\ntwo v1/\none/b v1\ntwo/a v1\n");
    write_file(&w, "one/c", "3");
    settle(&w);
    assert_tree(&w, "one v1/\ntwo v1/\none/b v1\none/c v1\ntwo/a v1\n");
    workspace_clear(&w);
}

#define BULK 700

/* More than are looked at in one go. */
static void many_that_are_renamed_at_once_stay_what_they_were(void)
{
    WorkspaceFixture w;
    guint64 ids[BULK];
    begin(&w);
    make_folder(&w, "to");
    for (int i = 0; i < BULK; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        write_file(&w, name, name);
    }
    settle(&w);
    for (int i = 0; i < BULK; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        ids[i] = file_at(&w, name);
        g_assert_cmpuint(ids[i], !=, 0);
    }
    for (int i = 0; i < BULK; i++) {
        g_autofree char *from = g_strdup_printf("f%d", i), *to = g_strdup_printf("to/g%d", i);
        rename_file(&w, from, to);
    }
    settle(&w);
    g_assert_cmpuint(standing_of(&w).deleted, ==, 0);
    for (int i = 0; i < BULK; i++) {
        g_autofree char *to = g_strdup_printf("to/g%d", i);
        g_assert_cmpuint(file_at(&w, to), ==, ids[i]);
    }
    workspace_clear(&w);
}

/* Out of a folder that is deleted then, and a folder out of one. */
static void what_leaves_a_folder_that_is_deleted_stays(void)
{
    WorkspaceFixture w;
    begin(&w);
    make_folder(&w, "old");
    make_folder(&w, "old/sub");
    write_file(&w, "old/a", "1");
    write_file(&w, "old/sub/b", "2");
    write_file(&w, "more", "3");
    settle(&w);
    guint64 a = file_at(&w, "old/a"), b = file_at(&w, "old/sub/b");
    rename_file(&w, "old/a", "a");
    rename_file(&w, "old/sub", "sub");
    remove_file(&w, "old");
    settle(&w);
    assert_tree(&w, "a v1\nmore v1\nsub v1/\nsub/b v1\n");
    g_assert_cmpuint(file_at(&w, "a"), ==, a);
    g_assert_cmpuint(file_at(&w, "sub/b"), ==, b);
    g_assert_cmpuint(standing_of(&w).deleted, ==, 1);
    workspace_clear(&w);
}

/* What cannot be read at the moment may have been renamed all the same. */
static void what_is_renamed_unread_stays_what_it_was(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "a", "1");
    write_file(&w, "rest", "2");
    settle(&w);
    guint64 a = file_at(&w, "a");
    end_workspace(&w);
    g_autofree char *path = path_in(&w, "a");
    g_assert_cmpint(truncate(path, (off_t)1 << 40), ==, 0);
    rename_file(&w, "a", "b");
    begin_workspace(&w);
    settle(&w);
    g_assert_cmpuint(file_at(&w, "b"), ==, a);
    g_assert_cmpuint(standing_of(&w).unreadable, ==, 1);
    assert_tree(&w, "b v1\nrest v1\n");
    g_autofree char *renamed = path_in(&w, "b");
    g_assert_cmpint(truncate(renamed, 5), ==, 0);
    settle(&w);
    w.f.base.now_usec += SYNCD_WORKSPACE_LATER_USEC;
    settle(&w);
    assert_tree(&w, "b v2\nrest v1\n");
    g_assert_cmpuint(standing_of(&w).unreadable, ==, 0);
    workspace_clear(&w);
}

#define NAMES 3000

static void a_file_may_have_many_names(void)
{
    WorkspaceFixture w;
    begin(&w);
    make_folder(&w, "f");
    write_file(&w, "a", "1");
    g_autofree char *a = path_in(&w, "a");
    for (int i = 0; i < NAMES; i++) {
        g_autofree char *name = g_strdup_printf("f/%d", i), *path = path_in(&w, name);
        g_assert_cmpint(link(a, path), ==, 0);
    }
    settle(&w);
    g_assert_cmpuint(standing_of(&w).created, ==, NAMES + 3);
    int fd = open(a, O_WRONLY | O_TRUNC | O_CLOEXEC);
    g_assert_cmpint(write(fd, "changed", 7), ==, 7);
    close(fd);
    settle(&w);
    g_assert_cmpuint(standing_of(&w).changed, ==, NAMES + 1);
    workspace_clear(&w);
}

/* An inode that is given to another file is another file. */
static void what_is_deleted_and_made_anew_elsewhere_is_new(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "a", "1");
    write_file(&w, "b", "1");
    write_file(&w, "c", "1");
    settle(&w);
    guint64 a = file_at(&w, "a");
    remove_file(&w, "a");
    write_file(&w, "d", "1");
    settle(&w);
    g_assert_cmpuint(file_at(&w, "a"), ==, 0);
    g_assert_cmpuint(file_at(&w, "d"), !=, a);
    workspace_clear(&w);
}

static void what_is_written_into_an_open_file_is_recorded_later(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "log", "1");
    settle(&w);
    g_autofree char *path = path_in(&w, "log");
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    g_assert_cmpint(write(fd, "2", 1), ==, 1);
    guint64 sequence = service_sequence(&w.f);
    settle(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    g_assert_cmpuint(syncd_workspace_due(w.workspace), <=,
                     syncd_service_clock(w.f.service) + SYNCD_WORKSPACE_LATER_USEC);
    w.f.base.now_usec += SYNCD_WORKSPACE_LATER_USEC;
    settle(&w);
    assert_tree(&w, "log v2\n");
    g_assert_cmpuint(syncd_workspace_due(w.workspace), ==, G_MAXUINT64);
    close(fd);
    workspace_clear(&w);
}

static void the_other_names_of_a_file_change_with_it(void)
{
    WorkspaceFixture w;
    begin(&w);
    make_folder(&w, "f");
    write_file(&w, "a", "1");
    g_autofree char *a = path_in(&w, "a"), *b = path_in(&w, "f/b");
    g_assert_cmpint(link(a, b), ==, 0);
    settle(&w);
    int fd = open(a, O_WRONLY | O_TRUNC | O_CLOEXEC);
    g_assert_cmpint(write(fd, "changed", 7), ==, 7);
    close(fd);
    settle(&w);
    assert_tree(&w, "a v2\nf v1/\nf/b v2\n");
    workspace_clear(&w);
}

static void a_pipe_where_a_file_was_is_no_file(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "a", "1");
    write_file(&w, "b", "1");
    write_file(&w, "c", "1");
    settle(&w);
    g_autofree char *a = path_in(&w, "a");
    remove_file(&w, "a");
    g_assert_cmpint(mkfifo(a, 0600), ==, 0);
    settle(&w);
    assert_tree(&w, "b v1\nc v1\n");
    workspace_clear(&w);
}

static void what_takes_the_place_of_the_directory_is_seen(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "a", "1");
    settle(&w);
    g_autofree char *away = g_strconcat(w.directory, ".away", NULL);
    g_assert_cmpint(rename(w.directory, away), ==, 0);
    g_assert_cmpint(g_mkdir(w.directory, 0755), ==, 0);
    while (standing_of(&w).state == SYNCD_WORKSPACE_WATCHING)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpuint(standing_of(&w).deleted, ==, 0);
    end_workspace(&w);
    g_assert_cmpint(rmdir(w.directory), ==, 0);
    g_assert_cmpint(rename(away, w.directory), ==, 0);

    /* One that is empty is removed without a word but this one. */
    begin_workspace(&w);
    remove_file(&w, "a");
    settle(&w);
    g_assert_cmpint(rmdir(w.directory), ==, 0);
    g_assert_cmpint(g_mkdir(w.directory, 0755), ==, 0);
    while (standing_of(&w).state == SYNCD_WORKSPACE_WATCHING)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    workspace_clear(&w);
}

#define LARGE 2500

/* More than are deleted at once: what is left of a folder is there, with the folder. */
static void a_large_folder_that_is_deleted_half_is_found_again(void)
{
    WorkspaceFixture w;
    begin(&w);
    make_folder(&w, "keep");
    make_folder(&w, "large");
    make_folder(&w, "large/deep");
    for (int i = 0; i < LARGE; i++) {
        g_autofree char *name = g_strdup_printf("large/deep/f%d", i);
        write_file(&w, name, "");
    }
    settle(&w);
    end_workspace(&w);
    g_autofree char *large = path_in(&w, "large");
    fixture_remove(large);
    begin_workspace(&w);
    syncd_workspace_accept_deletions(w.workspace);
    while (standing_of(&w).deleted == 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    syncd_service_commit(w.f.service);
    g_assert_cmpuint(standing_of(&w).deleted, <, LARGE);
    g_assert_cmpuint(file_at(&w, "large/deep"), !=, 0);
    end_workspace(&w);
    begin_workspace(&w);
    syncd_workspace_accept_deletions(w.workspace);
    settle(&w);
    assert_tree(&w, "keep v1/\n");
    bool more;
    g_assert_true(syncd_store_has_more_files(syncd_service_store(w.f.service),
                                             w.workspace->root->scope_id, 2, &more, NULL));
    g_assert_false(more);
    workspace_clear(&w);
}

static void a_commit_that_fails_amid_a_scan_is_noticed(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    for (int i = 0; i < 3000; i++) {
        g_autofree char *name =
            g_strdup_printf("a-long-name-of-a-file-of-which-there-are-many-%d", i);
        write_file(&w, name, name);
    }
    begin_workspace(&w);
    /* The first document goes out long before the scan is done. */
    while (!syncd_service_has_turn(w.f.service))
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpuint(standing_of(&w).state, ==, SYNCD_WORKSPACE_SCANNING);
    g_autoptr(GError) why = g_error_new_literal(SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED, "gone");
    syncd_service_discard(w.f.service, why);
    g_assert_cmpuint(standing_of(&w).state, ==, SYNCD_WORKSPACE_FAILED);
    g_assert_cmpstr(standing_of(&w).reason, ==,
                    "its reader ended, or something could not be read or written");
    workspace_clear(&w);
}

static void a_pause_says_why_and_keeps_the_rest_of_the_record(void)
{
    WorkspaceFixture w;
    begin(&w);
    for (int i = 0; i < 9; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        write_file(&w, name, name);
    }
    settle(&w);
    for (int i = 0; i < 9; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        remove_file(&w, name);
    }
    run_until(&w, SYNCD_WORKSPACE_PAUSED);
    while (syncd_service_has_turn(w.f.service))
        syncd_service_commit(w.f.service);
    g_autoptr(GPtrArray) roots = NULL;
    g_assert_true(syncd_service_list_roots(w.f.service, &roots, NULL));
    const SyncdRoot *root = roots->pdata[0];
    g_assert_true(root->paused);
    g_assert_true(root->asks);
    g_autofree char *record = show_record(&w.f, "root", "r1");
    g_assert_nonnull(strstr(record, "\"pause_cause\":\"mass_deletion\""));
    g_assert_nonnull(strstr(record, "\"x_note\":\"mine\""));

    /* Nobody else can say that it was that, and what was does not count for the next pause. */
    g_autofree char *resumed = g_strdup_printf(
        "{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\",\"directory\":\"%s\","
        "\"root_state\":\"paused\",\"pause_cause\":\"mass_deletion\"}",
        w.directory);
    g_assert_cmpint(update_record(&w.f, "root", "r1", resumed), ==, -1);
    g_clear_pointer(&roots, g_ptr_array_unref);
    g_assert_true(syncd_service_list_roots(w.f.service, &roots, NULL));
    root = roots->pdata[0];
    g_assert_true(root->paused);
    g_assert_false(root->asks);
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
#define ADD(name, func) g_test_add_func("/workspace-games/" name, func)
    ADD("a-folder-that-is-made-again-is-looked-into-again",
        a_folder_that_is_made_again_is_looked_into_again);
    ADD("a-folder-that-was-away-is-watched-again", a_folder_that_was_away_is_watched_again);
    ADD("folders-that-swap-are-looked-into", folders_that_swap_are_looked_into);
    ADD("many-that-are-renamed-at-once-stay-what-they-were",
        many_that_are_renamed_at_once_stay_what_they_were);
    ADD("what-leaves-a-folder-that-is-deleted-stays", what_leaves_a_folder_that_is_deleted_stays);
    ADD("what-is-renamed-unread-stays-what-it-was", what_is_renamed_unread_stays_what_it_was);
    ADD("a-file-may-have-many-names", a_file_may_have_many_names);
    ADD("what-is-deleted-and-made-anew-elsewhere-is-new",
        what_is_deleted_and_made_anew_elsewhere_is_new);
    ADD("what-is-written-into-an-open-file-is-recorded-later",
        what_is_written_into_an_open_file_is_recorded_later);
    ADD("the-other-names-of-a-file-change-with-it", the_other_names_of_a_file_change_with_it);
    ADD("a-pipe-where-a-file-was-is-no-file", a_pipe_where_a_file_was_is_no_file);
    ADD("what-takes-the-place-of-the-directory-is-seen",
        what_takes_the_place_of_the_directory_is_seen);
    ADD("a-large-folder-that-is-deleted-half-is-found-again",
        a_large_folder_that_is_deleted_half_is_found_again);
    ADD("a-commit-that-fails-amid-a-scan-is-noticed", a_commit_that_fails_amid_a_scan_is_noticed);
    ADD("a-pause-says-why-and-keeps-the-rest-of-the-record",
        a_pause_says_why_and_keeps_the_rest_of_the_record);
    return g_test_run();
}
