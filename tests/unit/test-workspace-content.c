/*
 * The content of files is kept as the workspace's rule says: byte for byte, older
 * versions are dropped and say so, and what nobody needs any more is gone.
 */
#include "content-fixture.h"
#include "raw-sql.h"

/* ---- what is kept ---- */

static void content_comes_back_whatever_its_size(void)
{
    static const size_t sizes[] = {0,
                                   1,
                                   SYNCD_CONTENT_ROW_MAX,
                                   SYNCD_CONTENT_ROW_MAX + 1,
                                   SYNCD_FILE_CHUNK,
                                   3 * 1024 * 1024 + 5};
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *name = g_strdup_printf("f%zu", i), *text = text_of(sizes[i], 'a');
        write_file(&w, name, text);
    }
    begin(&w);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *name = g_strdup_printf("f%zu", i), *text = text_of(sizes[i], 'a');
        SyncdFileRow row = row_of(&w, name);
        g_assert_true(row.kept);
        assert_kept(&w, row.id, 1, text);
    }
    /* The first chunk of the last one is that of the one before. */
    g_assert_cmpuint(blobs_of(&w), ==, 1 + 1 + 3);
    settle(&w);
    g_assert_cmpuint(findings(&w), ==, 0);

    /* A rescan reads nothing again, and writes nothing. */
    guint64 sequence = service_sequence(&w.f);
    rescan(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

static void older_versions_are_dropped_and_gone(void)
{
    WorkspaceFixture w;
    static const size_t sizes[] = {10, SYNCD_CONTENT_ROW_MAX + 1};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *last = text_of(sizes[i], 'A' + 5);
        workspace_init_keeping(&w, KEEP_TWO);
        g_autofree char *first = text_of(sizes[i], 'A');
        write_file(&w, "file", first);
        write_file(&w, "other", first); /* the same content, which stays */
        begin(&w);
        for (int version = 2; version <= 6; version++) {
            g_autofree char *text = text_of(sizes[i], (char)('A' + version - 1));
            write_file(&w, "file", text);
            rescan(&w);
        }
        guint64 file = row_of(&w, "file").id;
        g_assert_cmpuint(row_of(&w, "file").version, ==, 6);
        assert_kept(&w, file, 6, last);
        for (guint64 version = 1; version <= 6; version++) {
            g_autofree char *text = text_of(sizes[i], (char)('A' + version - 1));
            if (version >= 4)
                assert_kept(&w, file, version, text);
            else
                assert_not_kept(&w, file, version);
        }
        settle(&w);
        g_assert_cmpuint(blobs_of(&w), ==, sizes[i] > SYNCD_CONTENT_ROW_MAX ? 4 : 0);
        assert_kept(&w, row_of(&w, "other").id, 1, first);
        g_assert_cmpuint(findings(&w), ==, 0);
        workspace_clear(&w);
    }
}

static void what_is_not_kept_is_recorded_all_the_same(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, "{\"versions\":2,\"max_bytes\":3}");
    write_file(&w, "long", "four");
    write_file(&w, "short", "one");
    begin(&w);
    g_assert_true(row_of(&w, "short").kept);
    g_assert_false(row_of(&w, "long").kept);
    assert_not_kept(&w, row_of(&w, "long").id, 1);
    guint64 sequence = service_sequence(&w.f);
    rescan(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);

    workspace_init(&w);
    write_file(&w, "file", "one");
    begin(&w);
    g_assert_false(row_of(&w, "file").kept);
    workspace_clear(&w);
}

/* Its content is known by then, or is not: a version is kept once. */
static void a_touch_a_mode_and_a_new_name_keep_the_content(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    begin(&w);
    guint64 file = row_of(&w, "file").id;
    g_autofree char *path = path_in(&w, "file");
    g_assert_cmpint(chmod(path, 0600), ==, 0);
    rescan(&w);
    rename_file(&w, "file", "new");
    rescan(&w);
    g_assert_cmpuint(row_of(&w, "new").id, ==, file);
    g_assert_cmpuint(row_of(&w, "new").version, ==, 1);
    assert_kept(&w, file, 1, "one");
    write_file(&w, "new", "two");
    rescan(&w);
    assert_kept(&w, file, 2, "two");
    assert_kept(&w, file, 1, "one");
    remove_file(&w, "new");
    rescan(&w);
    assert_kept(&w, file, 2, "two");
    g_assert_cmpuint(findings(&w), ==, 0);
    workspace_clear(&w);
}

/* ---- it stays so ---- */

static void an_index_that_is_made_anew_knows_it(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "v1");
    begin(&w);
    for (int version = 2; version <= 5; version++) {
        g_autofree char *text = g_strdup_printf("v%d", version);
        write_file(&w, "file", text);
        rescan(&w);
    }
    guint64 file = row_of(&w, "file").id;
    settle(&w);
    g_autofree char *index = g_build_filename(w.f.base.directory, "index.db", NULL);
    g_autofree char *journal = g_build_filename(w.f.base.directory, "journal.db", NULL);
    end_workspace(&w);
    service_close(&w.f);
    assert_answer(journal, "SELECT count(*) FROM content", "3");
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&w.f);
    begin(&w);
    settle(&w);
    assert_not_kept(&w, file, 1);
    assert_not_kept(&w, file, 2);
    assert_kept(&w, file, 3, "v3");
    assert_kept(&w, file, 4, "v4");
    assert_kept(&w, file, 5, "v5");
    g_assert_cmpuint(findings(&w), ==, 0);
    workspace_clear(&w);
}

static void verification_misses_what_is_gone(void)
{
    WorkspaceFixture w;
    g_autofree char *large = text_of(SYNCD_CONTENT_ROW_MAX + 1, 'a');
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "small", "one");
    write_file(&w, "large", large);
    begin(&w);
    settle(&w);
    g_assert_cmpuint(findings(&w), ==, 0);
    end_workspace(&w);
    service_close(&w.f);
    g_autofree char *journal = g_build_filename(w.f.base.directory, "journal.db", NULL);
    run_raw(journal, "DELETE FROM content");
    g_autofree char *blobs = g_build_filename(w.f.base.directory, "blobs", NULL);
    fixture_remove(blobs);
    service_open(&w.f);
    g_assert_cmpuint(findings(&w), ==, 2);
    workspace_clear(&w);
}

/* A chunk that came to no entry is nothing that stays. */
static void what_no_version_needs_is_removed(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) row = NULL;
    SyncdHash name;
    workspace_init_keeping(&w, KEEP_TWO);
    begin(&w);
    syncd_store_put_chunk(store_of(&w), w.workspace->root->scope_id, SYNCD_BYTES_TEXT("loose"),
                          false, &name, &row, &error);
    g_assert_no_error(error);
    settle(&w);
    g_assert_cmpuint(blobs_of(&w), ==, 1);
    syncd_store_unpin_chunk(store_of(&w), &name);
    settle(&w);
    g_assert_cmpuint(blobs_of(&w), ==, 0);
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-content/content-comes-back-whatever-its-size",
                    content_comes_back_whatever_its_size);
    g_test_add_func("/workspace-content/older-versions-are-dropped-and-gone",
                    older_versions_are_dropped_and_gone);
    g_test_add_func("/workspace-content/what-is-not-kept-is-recorded-all-the-same",
                    what_is_not_kept_is_recorded_all_the_same);
    g_test_add_func("/workspace-content/a-touch-a-mode-and-a-new-name-keep-the-content",
                    a_touch_a_mode_and_a_new_name_keep_the_content);
    g_test_add_func("/workspace-content/an-index-that-is-made-anew-knows-it",
                    an_index_that_is_made_anew_knows_it);
    g_test_add_func("/workspace-content/verification-misses-what-is-gone",
                    verification_misses_what_is_gone);
    g_test_add_func("/workspace-content/what-no-version-needs-is-removed",
                    what_no_version_needs_is_removed);
    return g_test_run();
}
