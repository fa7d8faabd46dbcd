/*
 * The content of files is kept as the workspace's rule says: it comes back byte for byte, older
 * versions are dropped and say so, and what nobody needs any more is gone.
 */
#include "service/internal.h"
#include "service/job.h"
#include "service/restore.h"
#include "store-fixture.h"
#include "store/chunks.h"
#include "workspace-fixture.h"

#include <sqlite3.h>

#define KEEP_TWO "{\"versions\":2,\"max_bytes\":4194304}"

static SyncdStore *store_of(WorkspaceFixture *w)
{
    return syncd_service_store(w->f.service);
}

static void begin(WorkspaceFixture *w)
{
    begin_workspace(w);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

static void rescan(WorkspaceFixture *w)
{
    syncd_workspace_scan(w->workspace);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

static void settle(WorkspaceFixture *w)
{
    while (syncd_service_work(w->f.service))
        ;
}

static SyncdFileRow row_of(WorkspaceFixture *w, const char *name)
{
    g_autoptr(GError) error = NULL;
    SyncdFileRow folder, row;
    bool found;
    const char *scope = syncd_workspace_root(w->workspace)->scope_id;
    syncd_store_find_workspace_folder(store_of(w), scope, &folder, &found, &error);
    g_assert_no_error(error);
    g_assert_true(found);
    syncd_store_find_file_in(store_of(w), folder.id, SYNCD_BYTES_TEXT(name), &row, &found, &error);
    g_assert_no_error(error);
    g_assert_true(found);
    return row;
}

/* NULL: it is not kept. */
static GByteArray *kept(WorkspaceFixture *w, guint64 file, guint64 version)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdContentRow) row = {0};
    bool found;
    const char *scope = syncd_workspace_root(w->workspace)->scope_id;
    syncd_store_find_content(store_of(w), file, version, &row, &found, &error);
    g_assert_no_error(error);
    if (!found || row.version != version)
        return NULL;
    GByteArray *content = g_byte_array_new();
    const guint8 *names = g_bytes_get_data(row.chunks, NULL);
    for (guint64 i = 0; i < syncd_file_chunk_count(row.size); i++) {
        SyncdHash name;
        memcpy(name.bytes, names + i * sizeof name.bytes, sizeof name.bytes);
        size_t size = MIN(row.size - i * SYNCD_FILE_CHUNK, SYNCD_FILE_CHUNK);
        g_autoptr(GBytes) part = syncd_store_get_chunk(store_of(w), scope, &name, size,
                                                       row.size <= SYNCD_CONTENT_ROW_MAX, &error);
        g_assert_no_error(error);
        g_byte_array_append(content, g_bytes_get_data(part, NULL), (guint)size);
    }
    g_assert_cmpuint(content->len, ==, row.size);
    return content;
}

static void assert_kept(WorkspaceFixture *w, guint64 file, guint64 version, const char *content)
{
    g_autoptr(GByteArray) bytes = kept(w, file, version);
    g_assert_nonnull(bytes);
    g_assert_cmpmem(bytes->data, bytes->len, content, strlen(content));
}

static void assert_not_kept(WorkspaceFixture *w, guint64 file, guint64 version)
{
    g_autoptr(GByteArray) bytes = kept(w, file, version);
    g_assert_null(bytes);
}

/* Files beneath blobs/. */
static guint count_files(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        n += g_file_test(child, G_FILE_TEST_IS_DIR) ? count_files(child) : 1;
    }
    return n;
}

static guint blobs_of(WorkspaceFixture *w)
{
    g_autofree char *path = g_build_filename(w->f.base.directory, "blobs", NULL);
    return count_files(path);
}

static guint64 findings(WorkspaceFixture *w)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(store_of(w), SYNCD_VERIFY_FULL, NULL, &error);
    bool more = true;
    g_assert_no_error(error);
    while (more && syncd_verify_step(verify, &more, &error))
        ;
    g_assert_no_error(error);
    const GPtrArray *list = syncd_verify_findings(verify);
    for (guint i = 0; i < list->len; i++)
        g_test_message("%s", ((const SyncdFinding *)list->pdata[i])->detail);
    return syncd_verify_n_findings(verify);
}

static char *text_of(size_t size, char first)
{
    char *text = g_malloc(size + 1);
    for (size_t at = 0; at < size; at++)
        text[at] = (char)(first + at * 31 % 23 + at / 4096 % 3);
    text[size] = '\0';
    return text;
}

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

static int take_number(void *data, int n, char **values, char **names)
{
    *(int *)data = atoi(values[0]);
    return 0;
}

static int count_rows(WorkspaceFixture *w)
{
    sqlite3 *db;
    int n = -1;
    g_autofree char *path = g_build_filename(w->f.base.directory, "journal.db", NULL);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "SELECT count(*) FROM content", take_number, &n, NULL), ==,
                    SQLITE_OK);
    sqlite3_close(db);
    return n;
}

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
    end_workspace(&w);
    service_close(&w.f);
    g_assert_cmpint(count_rows(&w), ==, 3);
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

static void run_sql(WorkspaceFixture *w, const char *sql)
{
    sqlite3 *db;
    g_autofree char *path = g_build_filename(w->f.base.directory, "journal.db", NULL);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
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
    run_sql(&w, "DELETE FROM content");
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
    syncd_store_put_chunk(store_of(&w), syncd_workspace_root(w.workspace)->scope_id,
                          SYNCD_BYTES_TEXT("loose"), false, &name, &row, &error);
    g_assert_no_error(error);
    settle(&w);
    g_assert_cmpuint(blobs_of(&w), ==, 1);
    syncd_store_unpin_chunk(store_of(&w), &name);
    settle(&w);
    g_assert_cmpuint(blobs_of(&w), ==, 0);
    workspace_clear(&w);
}

/* ---- it comes back ---- */

typedef struct {
    char *result;
    GError *error;
    bool done;
} Outcome;

static void on_restored(void *data, const char *result, const GError *error)
{
    Outcome *outcome = data;
    outcome->done = true;
    outcome->result = g_strdup(result);
    outcome->error = error != NULL ? g_error_copy(error) : NULL;
}

static SyncdJob *begin_restore(void *data, const char *root, SyncdRestore *restore, uid_t uid)
{
    static const SyncdJobKind kind = {.operation = "restore"};
    WorkspaceFixture *w = data;
    syncd_workspace_restore(w->workspace, restore, on_restored, w->data);
    return syncd_service_begin_job(w->f.service, &kind, NULL, uid, false);
}

static char *plan_restore(WorkspaceFixture *w, const char *path, guint64 version, GError **error)
{
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = path, .version = version, .text = true};
    return syncd_service_plan_restore(w->f.service, &w->f.caller, &request, error);
}

static char *plan_of(WorkspaceFixture *w, const char *path, guint64 version)
{
    g_autoptr(GError) error = NULL;
    char *plan = plan_restore(w, path, version, &error);
    g_assert_no_error(error);
    return plan;
}

/* As its plan says; what came of it. */
static Outcome restore_as(WorkspaceFixture *w, const char *path, guint64 version, const char *plan)
{
    Outcome outcome = {0};
    SyncdJob *job = NULL;
    SyncdListener listener = {.data = w, .restore = begin_restore};
    g_autofree char *quoted = member_of(plan, "digest");
    g_autofree char *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = path, .version = version, .digest = digest};
    w->data = &outcome;
    syncd_service_set_listener(w->f.service, &listener);
    if (!syncd_service_restore(w->f.service, &w->f.caller, &request, &job, &outcome.error))
        return outcome;
    while (!outcome.done)
        g_assert_true(step_workspace(w, PATIENCE_MS));
    return outcome;
}

static void outcome_clear(Outcome *outcome)
{
    g_free(outcome->result);
    g_clear_error(&outcome->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static void restore(WorkspaceFixture *w, const char *path, guint64 version)
{
    g_autofree char *plan = plan_of(w, path, version);
    g_auto(Outcome) outcome = restore_as(w, path, version, plan);
    g_assert_no_error(outcome.error);
    assert_member(outcome.result, "schema", "\"sourceos.workspace-restore/v1\"");
}

static void assert_file(WorkspaceFixture *w, const char *name, const char *content)
{
    g_autofree char *path = path_in(w, name), *found = NULL;
    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_cmpstr(found, ==, content);
}

static void a_version_comes_back_as_another_one(void)
{
    static const size_t sizes[] = {3, SYNCD_CONTENT_ROW_MAX + 1, 3 * 1024 * 1024};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        WorkspaceFixture w;
        g_autofree char *first = text_of(sizes[i], 'a'), *second = text_of(sizes[i], 'b');
        workspace_init_keeping(&w, KEEP_TWO);
        write_file(&w, "file", first);
        begin(&w);
        write_file(&w, "file", second);
        rescan(&w);
        restore(&w, "file", 0);
        assert_file(&w, "file", first);
        guint64 sequence = service_sequence(&w.f);
        rescan(&w); /* … and nobody takes it for the user's own doing */
        g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
        SyncdFileRow row = row_of(&w, "file");
        g_assert_cmpuint(row.version, ==, 3);
        assert_kept(&w, row.id, 3, first);
        assert_kept(&w, row.id, 2, second);
        settle(&w);
        g_assert_cmpuint(findings(&w), ==, 0);
        workspace_clear(&w);
    }
}

static void what_was_deleted_comes_back_with_its_folder(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    for (int i = 0; i < 12; i++) {
        g_autofree char *other = g_strdup_printf("other%d", i);
        write_file(&w, other, other);
    }
    make_folder(&w, "a");
    make_folder(&w, "a/b");
    write_file(&w, "a/b/file", "content");
    begin(&w);
    remove_file(&w, "a/b/file");
    remove_file(&w, "a/b");
    remove_file(&w, "a");
    rescan(&w);
    g_autofree char *plan = plan_of(&w, "a/b/file", 0);
    assert_member(plan, "present", NULL);
    assert_member(plan, "text", "\"content\"");
    restore(&w, "a/b/file", 0);
    assert_file(&w, "a/b/file", "content");
    guint64 sequence = service_sequence(&w.f);
    rescan(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

static void what_changed_since_it_was_shown_stays(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    begin(&w);
    write_file(&w, "file", "two");
    rescan(&w);
    g_autofree char *plan = plan_of(&w, "file", 1);
    /* Nobody has looked at it yet … */
    write_file(&w, "file", "three");
    g_auto(Outcome) unseen = restore_as(&w, "file", 1, plan);
    g_assert_error(unseen.error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    assert_file(&w, "file", "three");
    /* … and now somebody has. */
    rescan(&w);
    g_auto(Outcome) seen = restore_as(&w, "file", 1, plan);
    g_assert_error(seen.error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    assert_file(&w, "file", "three");
    assert_kept(&w, row_of(&w, "file").id, 3, "three");
    workspace_clear(&w);
}

static void what_was_not_kept_does_not_come_back(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) unkept = NULL;
    g_autoptr(GError) unknown = NULL;
    g_autoptr(GError) later = NULL;
    workspace_init(&w);
    write_file(&w, "file", "one");
    begin(&w);
    g_assert_null(plan_restore(&w, "file", 1, &unkept));
    g_assert_error(unkept, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(unkept->message, "Only the hash"));
    g_assert_null(plan_restore(&w, "none", 0, &unknown));
    g_assert_error(unknown, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_null(plan_restore(&w, "file", 7, &later));
    g_assert_error(later, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
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
    g_test_add_func("/workspace-content/a-version-comes-back-as-another-one",
                    a_version_comes_back_as_another_one);
    g_test_add_func("/workspace-content/what-was-deleted-comes-back-with-its-folder",
                    what_was_deleted_comes_back_with_its_folder);
    g_test_add_func("/workspace-content/what-changed-since-it-was-shown-stays",
                    what_changed_since_it_was_shown_stays);
    g_test_add_func("/workspace-content/what-was-not-kept-does-not-come-back",
                    what_was_not_kept_does_not_come_back);
    return g_test_run();
}
