/*
 * A deep scan takes as long as it takes: meanwhile it can be stopped, changes are recorded, what
 * the disk does not give is told of, and no step of it is long.
 */
#include "hurried.h"
#include "rot-fixture.h"
#include "service/file-mismatch.h"
#include "workspace/workspace-private.h"

static void write_three_hundred(WorkspaceFixture *w)
{
    two_files(w, NULL);
    for (int i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("folder/%03d", i);
        write_file(w, name, name);
    }
    rescan(w);
    run_until_recorded(w, 304, 0, 0);
}

static void a_deep_scan_may_be_cancelled(void)
{
    WorkspaceFixture w;
    write_three_hundred(&w);
    rot(&w, "sound", "and staYs");
    syncd_workspace_scan_deep(w.workspace);
    while (standing_of(&w).deep.files == 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    syncd_workspace_cancel_scan(w.workspace);
    g_assert_false(standing_of(&w).deep.running);
    while (step_workspace(&w, 0))
        ;
    g_assert_cmpuint(standing_of(&w).deep.files, <, 302);
    g_assert_cmpint(standing_of(&w).state, ==, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(standing_of(&w).unreadable, ==, 0);
    /* It is there for other things, and for another one. */
    write_file(&w, "new", "new");
    while (standing_of(&w).created == 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    scan_deep(&w);
    g_assert_cmpuint(standing_of(&w).deep.files, ==, 303);
    g_assert_cmpuint(mismatches(&w), ==, 1);
    workspace_clear(&w);
}

static void what_changes_meanwhile_is_recorded(void)
{
    WorkspaceFixture w;
    write_three_hundred(&w);
    syncd_workspace_scan_deep(w.workspace);
    while (standing_of(&w).deep.files == 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    write_over(&w, "sound", "and is changed");
    remove_file(&w, "folder/299");
    while (standing_of(&w).changed == 0 || standing_of(&w).deleted == 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    while (standing_of(&w).deep.running)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpuint(mismatches(&w), ==, 0);
    g_assert_cmpuint(row_of(&w, "sound").version, ==, 2);
    workspace_clear(&w);
}

static SyncdFileStat stat_of(const SyncdFileRow *row)
{
    const SyncdFileSeen *seen = &row->at_sight;
    return (SyncdFileStat){.kind = row->kind,
                           .mode = row->mode,
                           .links = 1,
                           .device = seen->device,
                           .inode = seen->inode,
                           .size = seen->size,
                           .mtime = seen->mtime,
                           .ctime = seen->ctime,
                           .born = seen->born};
}

/* What the disk does not give is not read, and is told of. */
static void what_cannot_be_read_counts_as_that(void)
{
    static const guint32 others[] = {0, ENOENT, ECANCELED};
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    two_files(&w, NULL);
    SyncdFileRow row = row_of(&w, ROTTEN);
    SyncdQuestion question = {.type = SYNCD_WIRE_LOOK,
                              .hashing = true,
                              .deep = true,
                              .folder = {.id = row.folder, .path = g_strdup("folder")}};
    const SyncdWireMessage found = {.type = SYNCD_WIRE_FOUND,
                                    .error = EIO,
                                    .name = SYNCD_BYTES_TEXT("rotten"),
                                    .stat = stat_of(&row)};
    g_assert_true(syncd_workspace_compare_deep(w.workspace, &question, &found, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(standing_of(&w).deep.files, ==, 0);
    g_assert_cmpuint(standing_of(&w).deep.bytes, ==, 0);
    g_assert_cmpuint(standing_of(&w).unreadable, ==, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        syncd_workspace_end_look_deep(w.workspace, &question, others[i]);
    g_assert_cmpuint(standing_of(&w).unreadable, ==, 1);
    syncd_workspace_end_look_deep(w.workspace, &question, EIO);
    g_assert_cmpuint(standing_of(&w).unreadable, ==, 2);
    syncd_folder_clear(&question.folder);
    workspace_clear(&w);
}

/* Others have their turn, whatever there is in a workspace. */
static void what_is_not_read_is_bounded_too(void)
{
    WorkspaceFixture w;
    guint turns = 0;
    workspace_init(&w);
    for (int i = 0; i < 2500; i++) {
        g_autofree char *name = g_strdup_printf("%04d", i), *path = path_in(&w, name);
        g_assert_cmpint(symlink("nowhere", path), ==, 0);
    }
    write_file(&w, "sound", "and stays");
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    syncd_workspace_scan_deep(w.workspace);
    while (standing_of(&w).deep.running) {
        SyncdWorkspaceStanding now = standing_of(&w);
        turns += now.state == SYNCD_WORKSPACE_WATCHING && now.deep.to_read > 0 &&
                 now.deep.files == 0 && syncd_workspace_due(w.workspace) == 0;
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    }
    g_assert_cmpuint(turns, >=, 2);
    g_assert_cmpuint(standing_of(&w).deep.files, ==, 1);
    g_assert_cmpuint(standing_of(&w).deep.to_read, ==, strlen("and stays"));
    workspace_clear(&w);
}

#define MANY 480u
#define LONG 240u

/* However long their paths are: each page has an end, and all of them are in one. */
static void a_page_of_them_is_bounded(void)
{
    WorkspaceFixture w;
    g_autoptr(GString) folder = g_string_new(NULL);
    g_autofree char *cursor = g_strdup("");
    guint pages = 0, files = 0;
    workspace_init(&w);
    for (int i = 0; i < 10; i++) {
        for (guint n = 0; n < LONG; n++)
            g_string_append_c(folder, 'a');
        make_folder(&w, folder->str);
        g_string_append_c(folder, '/');
    }
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("%s%03u", folder->str, i);
        write_file(&w, name, WRITTEN);
    }
    begin(&w);
    end_workspace(&w);
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("%s%03u", folder->str, i);
        SyncdFileRow row = row_of(&w, name);
        write_over(&w, name, ROT);
        SyncdFileSeen seen = seen_of(&w, name, &row.at_sight);
        syncd_store_see_file(store_of(&w), row.id, 0, &seen);
    }
    settle(&w);
    begin(&w);
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, MANY);
    do {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) page = g_string_new(NULL);
        char *next = NULL;
        const SyncdFileListing listing = {
            .workspace = "workspace:notes", .cursor = cursor, .mismatched = true};
        syncd_file_mismatched_list(w.f.service, &listing, page, &next, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(page->len, <, SYNCD_PAGE_SIZE + 16384);
        for (const char *at = page->str; (at = strstr(at, "checksum-mismatch")) != NULL; at++)
            files++;
        g_free(cursor);
        cursor = next;
        pages++;
    } while (*cursor != '\0');
    g_assert_cmpuint(pages, >, 1);
    g_assert_cmpuint(files, ==, MANY);
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-deep-bounds/a-deep-scan-may-be-cancelled",
                    a_deep_scan_may_be_cancelled);
    g_test_add_func("/workspace-deep-bounds/what-changes-meanwhile-is-recorded",
                    what_changes_meanwhile_is_recorded);
    g_test_add_func("/workspace-deep-bounds/what-cannot-be-read-counts-as-that",
                    what_cannot_be_read_counts_as_that);
    if (!is_hurried())
        g_test_add_func("/workspace-deep-bounds/what-is-not-read-is-bounded-too",
                        what_is_not_read_is_bounded_too);
    if (!is_hurried())
        g_test_add_func("/workspace-deep-bounds/a-page-of-them-is-bounded",
                        a_page_of_them_is_bounded);
    return g_test_run();
}
