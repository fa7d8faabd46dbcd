/*
 * What is ignored in a workspace is not in the log: from the first scan on, and from the moment on
 * at which a rule says so; and it comes back as what it was.
 */
#include "service/internal.h"
#include "workspace-fixture.h"
#include "workspace/workspace-private.h"

static void scan(WorkspaceFixture *w)
{
    begin_workspace(w);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

/* Until nothing is left to be done. */
static void settle(WorkspaceFixture *w)
{
    while (standing_of(w).state == SYNCD_WORKSPACE_SCANNING || standing_of(w).waiting > 0 ||
           syncd_service_has_turn(w->f.service) || step_workspace(w, 300))
        if (standing_of(w).state != SYNCD_WORKSPACE_WATCHING || standing_of(w).waiting > 0)
            step_workspace(w, 300);
}

static void make_tree(WorkspaceFixture *w)
{
    write_file(w, "a.c", "one");
    write_file(w, "a.o", "two");
    make_folder(w, "build");
    write_file(w, "build/a.c", "three");
    make_folder(w, "src");
    write_file(w, "src/b.o", "four");
    write_file(w, "src/keep.o", "five");
}

#define WHOLE "a.c v1\na.o v1\nbuild v1/\nsrc v1/\nbuild/a.c v1\nsrc/b.o v1\nsrc/keep.o v1\n"
#define RULES "*.o\n!keep.o\nbuild/\n"
#define LEFT ".syncignore v1\na.c v1\nsrc v1/\nsrc/keep.o v1\n"

static guint64 folder_of(WorkspaceFixture *w)
{
    g_autoptr(GPtrArray) roots = NULL;
    SyncdFileRow row;
    bool found;
    g_assert_true(syncd_service_list_roots(w->f.service, &roots, NULL));
    g_assert_true(syncd_store_find_workspace_folder(syncd_service_store(w->f.service),
                                                    ((SyncdRoot *)roots->pdata[0])->scope_id, &row,
                                                    &found, NULL));
    return row.id;
}

static guint64 id_of(WorkspaceFixture *w, const char *folder_name, const char *name)
{
    SyncdStore *store = syncd_service_store(w->f.service);
    SyncdFileRow row = {.id = folder_of(w)};
    bool found;
    if (folder_name != NULL)
        g_assert_true(syncd_store_find_file_in(store, row.id, SYNCD_BYTES_TEXT(folder_name), &row,
                                               &found, NULL));
    g_assert_true(
        syncd_store_find_file_in(store, row.id, SYNCD_BYTES_TEXT(name), &row, &found, NULL));
    return found ? row.id : 0;
}

static void a_scan_leaves_out_what_is_ignored(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    write_file(&w, ".syncignore", RULES);
    write_file(&w, "src/.syncignore", "!b.o\n/x\n");
    write_file(&w, "src/x", "");
    scan(&w);
    assert_tree(&w, ".syncignore v1\na.c v1\nsrc v1/\nsrc/.syncignore v1\nsrc/b.o v1\n"
                    "src/keep.o v1\n");
    g_assert_cmpuint(standing_of(&w).ignored, ==, 3);
    g_assert_cmpuint(standing_of(&w).folders, ==, 2);
    /* Nor while it is watched. */
    guint64 sequence = service_sequence(&w.f);
    write_file(&w, "new.o", "");
    write_file(&w, "build/new.c", "");
    make_folder(&w, "src/build");
    write_file(&w, "src/build/c", "");
    settle(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

static void rules_that_change_often_make_nothing_twice(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    write_file(&w, ".syncignore", "x\n");
    scan(&w);
    guint64 top = folder_of(&w);
    make_folder(&w, "a");
    /* Three that are told of in one pass. */
    for (guint i = 0; i < 3; i++)
        g_assert_true(syncd_workspace_check_rules(w.workspace, top,
                                                  SYNCD_BYTES_TEXT(SYNCD_IGNORE_FILE), NULL));
    settle(&w);
    assert_tree(&w, ".syncignore v1\na v1/\n");
    workspace_clear(&w);
}

static void what_becomes_ignored_stays_in_history_and_comes_back_as_what_it_was(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    assert_tree(&w, WHOLE);
    guint64 file = id_of(&w, NULL, "a.o"), inner = id_of(&w, "build", "a.c");
    guint64 folder = id_of(&w, NULL, "build");
    /* It is no deletion, and so no mass deletion: that is four of seven. */
    write_file(&w, ".syncignore", RULES);
    run_until_recorded(&w, 9, 4, 0);
    assert_tree(&w, LEFT);
    g_assert_cmpint(standing_of(&w).state, ==, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(standing_of(&w).ignored, ==, 3);

    /* What becomes of it now is not seen … */
    write_file(&w, "a.o", "changed");
    remove_file(&w, "src/b.o");
    settle(&w);
    assert_tree(&w, LEFT);
    /* … until it is there again. */
    remove_file(&w, ".syncignore");
    run_until_recorded(&w, 9, 7, 2);
    assert_tree(&w, "a.c v1\na.o v2\nbuild v1/\nsrc v1/\nbuild/a.c v1\nsrc/keep.o v1\n");
    g_assert_cmpuint(id_of(&w, NULL, "a.o"), ==, file);
    g_assert_cmpuint(id_of(&w, "build", "a.c"), ==, inner);
    g_assert_cmpuint(id_of(&w, NULL, "build"), ==, folder);
    g_assert_cmpuint(standing_of(&w).ignored, ==, 0);
    /* It is watched again, too. */
    write_file(&w, "build/new", "");
    run_until_recorded(&w, 10, 7, 2);
    workspace_clear(&w);
}

static void many_that_become_ignored_pause_nothing(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_folder(&w, "many");
    for (int i = 0; i < 1500; i++) {
        g_autofree char *name = g_strdup_printf("many/%d", i);
        write_file(&w, name, "");
    }
    scan(&w);
    end_workspace(&w);
    write_file(&w, ".syncignore", "many\n");
    scan(&w);
    assert_tree(&w, ".syncignore v1\n");
    g_assert_cmpuint(standing_of(&w).deleted, ==, 0);
    end_workspace(&w);
    remove_file(&w, ".syncignore");
    scan(&w);
    g_assert_cmpuint(standing_of(&w).created, ==, 0);
    g_assert_cmpuint(standing_of(&w).changed, ==, 1501);
    workspace_clear(&w);
}

static void a_rebuilt_index_says_the_same(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    scan(&w);
    guint64 file = id_of(&w, NULL, "a.o");
    write_file(&w, ".syncignore", RULES);
    run_until_recorded(&w, 9, 4, 0);
    end_workspace(&w);
    g_autofree char *index = g_build_filename(w.f.base.directory, "index.db", NULL);
    service_close(&w.f);
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&w.f);
    scan(&w);
    assert_tree(&w, LEFT);
    remove_file(&w, ".syncignore");
    settle(&w);
    assert_tree(&w, WHOLE);
    g_assert_cmpuint(id_of(&w, NULL, "a.o"), ==, file);
    workspace_clear(&w);
}

static void a_folder_takes_its_rules_with_it(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_folder(&w, "d");
    make_folder(&w, "d/e");
    write_file(&w, "d/.syncignore", "*.o\n/e/x\n");
    scan(&w);
    rename_file(&w, "d", "f");
    run_until_recorded(&w, 4, 1, 0);
    write_file(&w, "f/a.o", "");
    write_file(&w, "f/e/x", "");
    make_folder(&w, "d");
    write_file(&w, "d/a.o", "");
    settle(&w);
    assert_tree(&w, "d v1/\nf v1/\nd/a.o v1\nf/.syncignore v1\nf/e v1/\n");
    workspace_clear(&w);
}

/* As a compiler writes: the rules and what they are about within a moment. */
static void rules_hold_for_what_is_told_of_after_them(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_folder(&w, "d");
    scan(&w);
    write_file(&w, ".syncignore", "*.o\n");
    for (int i = 0; i < 50; i++) {
        g_autofree char *name = g_strdup_printf("d/%d.o", i);
        write_file(&w, name, "");
    }
    settle(&w);
    assert_tree(&w, ".syncignore v1\nd v1/\n");
    g_assert_cmpuint(standing_of(&w).created, ==, 3);
    workspace_clear(&w);
}

static void shared_rules_are_the_weakest(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    make_tree(&w);
    write_file(&w, ".syncignore", "!b.o\n");
    g_assert_cmpint(update_record(&w.f, "workspace", "workspace:notes",
                                  "{\"workspace_id\":\"workspace:notes\",\"profile_id\":"
                                  "\"profile:default\",\"ignore_rules\":[\"*.o\",\"build/\"]}"),
                    ==, -1);
    scan(&w);
    assert_tree(&w, ".syncignore v1\na.c v1\nsrc v1/\nsrc/b.o v1\n");
    syncd_workspace_set_rules(w.workspace, "build/\n");
    settle(&w);
    assert_tree(&w, ".syncignore v1\na.c v1\na.o v1\nsrc v1/\nsrc/b.o v1\nsrc/keep.o v1\n");
    workspace_clear(&w);
}

static void what_is_no_file_with_rules_has_none(void)
{
    WorkspaceFixture w;
    workspace_init(&w);
    g_autofree char *link = path_in(&w, ".syncignore"), *text = g_strnfill(70000, '*');
    make_folder(&w, "d");
    make_folder(&w, "d/.syncignore");
    make_folder(&w, "e");
    write_file(&w, "e/.syncignore", text);
    write_file(&w, "rules", "*\n");
    g_assert_cmpint(symlink("rules", link), ==, 0);
    scan(&w);
    assert_tree(&w, ".syncignore v1@\nd v1/\ne v1/\nrules v1\nd/.syncignore v1/\n"
                    "e/.syncignore v1\n");
    g_assert_cmpuint(standing_of(&w).ignored, ==, 0);
    /* Somebody has to hear of it: what they name is recorded. */
    g_assert_cmpuint(standing_of(&w).unruled, >=, 1);
    remove_file(&w, "e/.syncignore");
    settle(&w);
    g_assert_cmpuint(standing_of(&w).unruled, ==, 0);
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    /* Valgrind does not know openat2. */
    if (is_hurried())
        return g_test_run();
    g_test_add_func("/workspace-ignore/a-scan-leaves-out-what-is-ignored",
                    a_scan_leaves_out_what_is_ignored);
    g_test_add_func("/workspace-ignore/rules-that-change-often-make-nothing-twice",
                    rules_that_change_often_make_nothing_twice);
    g_test_add_func("/workspace-ignore/"
                    "what-becomes-ignored-stays-in-history-and-comes-back-as-what-it-was",
                    what_becomes_ignored_stays_in_history_and_comes_back_as_what_it_was);
    g_test_add_func("/workspace-ignore/many-that-become-ignored-pause-nothing",
                    many_that_become_ignored_pause_nothing);
    g_test_add_func("/workspace-ignore/a-rebuilt-index-says-the-same",
                    a_rebuilt_index_says_the_same);
    g_test_add_func("/workspace-ignore/a-folder-takes-its-rules-with-it",
                    a_folder_takes_its_rules_with_it);
    g_test_add_func("/workspace-ignore/rules-hold-for-what-is-told-of-after-them",
                    rules_hold_for_what_is_told_of_after_them);
    g_test_add_func("/workspace-ignore/shared-rules-are-the-weakest", shared_rules_are_the_weakest);
    g_test_add_func("/workspace-ignore/what-is-no-file-with-rules-has-none",
                    what_is_no_file_with_rules_has_none);
    return g_test_run();
}
