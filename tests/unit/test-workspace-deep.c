/*
 * Bytes that are not those of their record, although nothing says that they were changed, are found
 * by reading: they are told of, and never become the record by themselves.
 */
#include "hurried.h"
#include "service/explain.h"
#include "service/file-mismatch.h"
#include "service/job.h"
#include "service/restore.h"
#include "workspace-fixture.h"
#include "workspace/workspace-private.h"

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

static void scan_deep(WorkspaceFixture *w)
{
    syncd_workspace_scan_deep(w->workspace);
    while (standing_of(w).deep.running || standing_of(w).waiting > 0 ||
           syncd_service_has_turn(w->f.service))
        g_assert_true(step_workspace(w, PATIENCE_MS));
}

static SyncdFileRow row_of(WorkspaceFixture *w, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    SyncdFileRow row;
    bool found;
    syncd_service_list_roots(w->f.service, &roots, &error);
    g_assert_no_error(error);
    const char *scope = ((SyncdRoot *)roots->pdata[0])->scope_id;
    syncd_store_find_workspace_folder(store_of(w), scope, &row, &found, &error);
    for (size_t i = 0; names[i] != NULL; i++) {
        g_assert_no_error(error);
        g_assert_true(found);
        syncd_store_find_file_in(store_of(w), row.id, SYNCD_BYTES_TEXT(names[i]), &row, &found,
                                 &error);
    }
    g_assert_no_error(error);
    g_assert_true(found);
    return row;
}

static void write_over(WorkspaceFixture *w, const char *name, const char *content)
{
    g_autofree char *path = path_in(w, name);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    g_assert_cmpint(write(fd, content, strlen(content)), ==, (int)strlen(content));
    close(fd);
}

static SyncdFileSeen seen_of(WorkspaceFixture *w, const char *name, const SyncdFileSeen *before)
{
    g_autofree char *path = path_in(w, name);
    struct statx st;
    g_assert_cmpint(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st), ==, 0);
    SyncdFileSeen seen = *before;
    seen.size = st.stx_size;
    seen.mtime = st.stx_mtime.tv_sec * G_GINT64_CONSTANT(1000000000) + st.stx_mtime.tv_nsec;
    seen.ctime = st.stx_ctime.tv_sec * G_GINT64_CONSTANT(1000000000) + st.stx_ctime.tv_nsec;
    return seen;
}

/* While nobody watches: what the disk does, but for the times, which are taken for those that were
 * seen. */
static void rot(WorkspaceFixture *w, const char *name, const char *content)
{
    end_workspace(w);
    SyncdFileRow row = row_of(w, name);
    write_over(w, name, content);
    SyncdFileSeen seen = seen_of(w, name, &row.at_sight);
    syncd_store_see_file(store_of(w), row.id, 0, &seen);
    while (syncd_service_work(w->f.service))
        ;
    begin(w);
}

static void assert_mismatch(WorkspaceFixture *w, const char *name, const char *found)
{
    SyncdFileRow row = row_of(w, name);
    SyncdHash hash = syncd_hash(found, strlen(found));
    g_assert_true(row.mismatched);
    g_assert_true(syncd_hash_equal(&row.mismatch.hash, &hash));
    g_assert_false(syncd_hash_equal(&row.hash, &hash));
}

static guint64 mismatches(WorkspaceFixture *w)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    guint64 n;
    syncd_store_find_scope(store_of(w), "workspace", "notes", &scope, &error);
    g_assert_no_error(error);
    syncd_store_count_mismatched(store_of(w), scope->id, G_MAXUINT64, &n, &error);
    g_assert_no_error(error);
    return n;
}

static void two_files(WorkspaceFixture *w, const char *keep)
{
    workspace_init_keeping(w, keep);
    make_folder(w, "folder");
    write_file(w, "folder/rotten", "what was written");
    write_file(w, "sound", "and stays");
    begin(w);
}

/* ---- finding ---- */

static void only_reading_finds_what_nobody_changed(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    syncd_workspace_scan(w.workspace);
    run_until(&w, SYNCD_WORKSPACE_WATCHING);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    scan_deep(&w);
    assert_mismatch(&w, "folder/rotten", "what was writteN");
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
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    g_autofree char *index = g_build_filename(w.f.base.directory, "index.db", NULL);
    end_workspace(&w);
    service_close(&w.f);
    service_open(&w.f);
    assert_mismatch(&w, "folder/rotten", "what was writteN");
    service_close(&w.f);
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&w.f);
    while (syncd_service_work(w.f.service))
        ;
    assert_mismatch(&w, "folder/rotten", "what was writteN");
    /* Everything is read once more, as nothing is known to be as it was seen; what was found then
     * is what was found before. */
    guint64 sequence = service_sequence(&w.f);
    begin(&w);
    assert_mismatch(&w, "folder/rotten", "what was writteN");
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
    while (syncd_service_work(w->f.service))
        ;
}

/* Nobody knows how anything was seen: the record says which size and time it had. */
static void what_rotted_before_the_index_was_made_anew_is_found_too(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    end_workspace(&w);
    gint64 mtime = row_of(&w, "folder/rotten").mtime, second = G_GINT64_CONSTANT(1000000000);
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {mtime / second, mtime % second}};
    g_autofree char *path = path_in(&w, "folder/rotten");
    write_over(&w, "folder/rotten", "what was writteN");
    write_over(&w, "sound", "and goeS.");
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    remake_index(&w);
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    g_assert_cmpuint(mismatches(&w), ==, 1);
    assert_mismatch(&w, "folder/rotten", "what was writteN");
    assert_tree(&w, "folder v1/\nsound v2\nfolder/rotten v1\n");
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
    rot(&w, "folder/rotten", "what was writteN");
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
    rot(&w, "folder/rotten", "what was writteN");
    end_workspace(&w);
    g_autofree char *root =
        g_strdup_printf("{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\","
                        "\"directory\":\"%s\",\"root_state\":\"active\",\"keep\":" KEEP_TWO "}",
                        w.directory);
    g_assert_cmpint(update_record(&w.f, "root", "r1", root), ==, -1);
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, "folder/rotten", "what was writteN");
    g_assert_false(row_of(&w, "folder/rotten").kept);
    g_assert_true(row_of(&w, "sound").kept);
    workspace_clear(&w);
}

/* ---- how it ends ---- */

static void another_name_or_mode_does_not_end_it(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    g_autofree char *path = path_in(&w, "folder/rotten");
    g_assert_cmpint(chmod(path, 0600), ==, 0);
    run_until_recorded(&w, 0, 1, 0);
    assert_mismatch(&w, "folder/rotten", "what was writteN");
    g_assert_cmpuint(row_of(&w, "folder/rotten").mode, ==, 0600);
    rename_file(&w, "folder/rotten", "elsewhere");
    run_until_recorded(&w, 0, 2, 0);
    assert_mismatch(&w, "elsewhere", "what was writteN");
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
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    touch(&w, "folder/rotten", 1000);
    while (row_of(&w, "folder/rotten").mismatch.mtime != 1000 * second)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    assert_mismatch(&w, "folder/rotten", "what was writteN");
    end_workspace(&w);
    touch(&w, "folder/rotten", 2000);
    rename_file(&w, "folder/rotten", "elsewhere");
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, "elsewhere", "what was writteN");
    g_assert_cmpint(row_of(&w, "elsewhere").mismatch.mtime, ==, 2000 * second);
    assert_tree(&w, "elsewhere v1\nfolder v1/\nsound v1\n");
    workspace_clear(&w);
}

/* Not every file system says when a file was made: then it is known by what was found in it. */
static void what_has_another_name_is_known_by_its_bytes(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    end_workspace(&w);
    SyncdFileRow row = row_of(&w, "folder/rotten");
    row.at_sight.born = 0;
    syncd_store_see_file(store_of(&w), row.id, 0, &row.at_sight);
    while (syncd_service_work(w.f.service))
        ;
    rename_file(&w, "folder/rotten", "elsewhere");
    begin(&w);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, "elsewhere", "what was writteN");
    g_assert_cmpuint(row_of(&w, "elsewhere").id, ==, row.id);
    assert_tree(&w, "elsewhere v1\nfolder v1/\nsound v1\n");
    workspace_clear(&w);
}

/* ---- how it is told of ---- */

static void an_explanation_rests_on_what_found_it(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    SyncdFileRow row = row_of(&w, "folder/rotten");
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
        write_file(&w, name, "what was written");
    }
    begin(&w);
    end_workspace(&w);
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("%s%03u", folder->str, i);
        SyncdFileRow row = row_of(&w, name);
        write_over(&w, name, "what was writteN");
        SyncdFileSeen seen = seen_of(&w, name, &row.at_sight);
        syncd_store_see_file(store_of(&w), row.id, 0, &seen);
    }
    while (syncd_service_work(w.f.service))
        ;
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

static void a_change_ends_it_and_so_does_a_deletion(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    rot(&w, "sound", "and staYs");
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, 2);
    write_over(&w, "folder/rotten", "somebody's");
    remove_file(&w, "sound");
    run_until_recorded(&w, 0, 1, 1);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    assert_tree(&w, "folder v1/\nfolder/rotten v2\n");
    workspace_clear(&w);
}

static void bytes_that_are_back_end_it(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    write_over(&w, "folder/rotten", "what was written");
    while (mismatches(&w) > 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    rot(&w, "folder/rotten", "what was written");
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    workspace_clear(&w);
}

static int accept_as(WorkspaceFixture *w, const SyncdCaller *caller, const char *path,
                     const char *content)
{
    g_autoptr(GError) error = NULL;
    SyncdAccepted accepted = {NULL};
    SyncdHash hash = syncd_hash(content, strlen(content));
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&hash, digits);
    if (!syncd_service_accept_file(w->f.service, caller, "workspace:notes", SYNCD_BYTES_TEXT(path),
                                   digits, &accepted, &error))
        return error->code;
    /* Whoever looks at it next knows of it. */
    g_assert_false(syncd_service_has_turn(w->f.service));
    syncd_accepted_clear(&accepted);
    return -1;
}

static void what_is_there_may_be_accepted(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    const SyncdCaller *me = &w.f.caller, stranger = {.uid = w.f.caller.uid + 1};
    g_assert_cmpint(accept_as(&w, me, "folder/rotten", "what was writteN"), ==,
                    SYNCD_ERROR_STALE_DIGEST);
    scan_deep(&w);
    g_assert_cmpint(accept_as(&w, me, "folder/rotten", "another"), ==, SYNCD_ERROR_STALE_DIGEST);
    g_assert_cmpint(accept_as(&w, me, "sound", "another"), ==, SYNCD_ERROR_STALE_DIGEST);
    g_assert_cmpint(accept_as(&w, me, "folder", "another"), ==, SYNCD_ERROR_STALE_DIGEST);
    g_assert_cmpint(accept_as(&w, me, "nothing", "another"), ==, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(accept_as(&w, &stranger, "folder/rotten", "what was writteN"), ==,
                    SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpuint(mismatches(&w), ==, 1);
    g_assert_cmpint(accept_as(&w, me, "folder/rotten", "what was writteN"), ==, -1);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v2\n");
    /* Once is enough, and it is the record from then on. */
    guint64 sequence = service_sequence(&w.f);
    g_assert_cmpint(accept_as(&w, me, "folder/rotten", "what was writteN"), ==, -1);
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

typedef struct {
    bool done;
    GError *error;
} Outcome;

static void on_restored(void *data, const char *result, const GError *error)
{
    Outcome *outcome = data;
    outcome->done = true;
    outcome->error = error != NULL ? g_error_copy(error) : NULL;
}

static SyncdJob *begin_restore(void *data, const char *root, SyncdRestore *restore, uid_t uid)
{
    static const SyncdJobKind kind = {.operation = "restore"};
    WorkspaceFixture *w = data;
    syncd_workspace_restore(w->workspace, restore, on_restored, w->data);
    return syncd_service_begin_job(w->f.service, &kind, NULL, uid, false);
}

static char *plan_restore(WorkspaceFixture *w, const char *path, GError **error)
{
    const SyncdRestoreRequest request = {.workspace = "workspace:notes", .path = path};
    return syncd_service_plan_restore(w->f.service, &w->f.caller, &request, error);
}

static char *plan_of(WorkspaceFixture *w, const char *path)
{
    g_autoptr(GError) error = NULL;
    char *plan = plan_restore(w, path, &error);
    g_assert_no_error(error);
    return plan;
}

static Outcome restore_as(WorkspaceFixture *w, const char *path, const char *plan)
{
    Outcome outcome = {0};
    SyncdJob *job = NULL;
    SyncdListener listener = {.data = w, .restore = begin_restore};
    g_autofree char *digest =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(plan, strlen(plan)), "digest"));
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = path, .digest = digest};
    w->data = &outcome;
    syncd_service_set_listener(w->f.service, &listener);
    if (!syncd_service_restore(w->f.service, &w->f.caller, &request, &job, &outcome.error))
        return outcome;
    while (!outcome.done)
        g_assert_true(step_workspace(w, PATIENCE_MS));
    return outcome;
}

static bool stand(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    SyncdWorkspaceStanding now = standing_of(data);
    *ret_standing = (SyncdRootStanding){
        .state = now.state == SYNCD_WORKSPACE_WATCHING ? "watching" : "failed",
        .waiting = now.waiting,
    };
    return true;
}

static bool stand_missing(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    *ret_standing = (SyncdRootStanding){.state = "missing"};
    return true;
}

static void where_nobody_looks_nothing_is_accepted(void)
{
    WorkspaceFixture w;
    SyncdListener listener = {.data = &w, .standing = stand_missing};
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    syncd_service_set_listener(w.f.service, &listener);
    g_assert_cmpint(accept_as(&w, &w.f.caller, "folder/rotten", "what was writteN"), ==,
                    SYNCD_ERROR_BUSY);
    listener.standing = stand;
    syncd_service_set_listener(w.f.service, &listener);
    g_assert_cmpint(accept_as(&w, &w.f.caller, "folder/rotten", "what was writteN"), ==, -1);
    workspace_clear(&w);
}

/* From the first step of the other to its last one. */
static void what_is_being_put_back_is_not_accepted(void)
{
    WorkspaceFixture w;
    Outcome outcome = {0};
    SyncdJob *job = NULL;
    SyncdListener listener = {.data = &w, .restore = begin_restore, .standing = stand};
    two_files(&w, KEEP_TWO);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    g_autofree char *plan = plan_of(&w, "folder/rotten");
    g_autofree char *digest =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(plan, strlen(plan)), "digest"));
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = "folder/rotten", .digest = digest};
    w.data = &outcome;
    syncd_service_set_listener(w.f.service, &listener);
    g_assert_true(syncd_service_restore(w.f.service, &w.f.caller, &request, &job, &outcome.error));
    while (!outcome.done && mismatches(&w) > 0) {
        int code = accept_as(&w, &w.f.caller, "folder/rotten", "what was writteN");
        g_assert_true(code == SYNCD_ERROR_BUSY || code == SYNCD_ERROR_STALE_DIGEST);
        if (!outcome.done)
            g_assert_true(step_workspace(&w, PATIENCE_MS));
    }
    g_assert_no_error(outcome.error);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    workspace_clear(&w);
}

/* A deep scan takes hours, perhaps. */
static void a_deep_scan_keeps_nothing_from_being_accepted(void)
{
    WorkspaceFixture w;
    SyncdListener listener = {.data = &w, .standing = stand};
    two_files(&w, NULL);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    syncd_service_set_listener(w.f.service, &listener);
    syncd_workspace_scan_deep(w.workspace);
    while (standing_of(&w).deep.to_read == 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpint(accept_as(&w, &w.f.caller, "folder/rotten", "what was writteN"), ==, -1);
    g_assert_true(standing_of(&w).deep.running);
    while (standing_of(&w).deep.running)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpuint(mismatches(&w), ==, 0);
    workspace_clear(&w);
}

static void what_is_recorded_may_be_put_back(void)
{
    WorkspaceFixture w;
    g_autofree char *path = NULL, *content = NULL;
    two_files(&w, KEEP_TWO);
    rot(&w, "folder/rotten", "what was writteN");
    scan_deep(&w);
    g_autofree char *plan = plan_of(&w, "folder/rotten");
    assert_member(plan, "present_recorded", "false");
    assert_member(plan, "present_kept", "false");
    Outcome outcome = restore_as(&w, "folder/rotten", plan);
    g_assert_no_error(outcome.error);
    path = path_in(&w, "folder/rotten");
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "what was written");
    g_assert_cmpuint(mismatches(&w), ==, 0);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    guint64 sequence = service_sequence(&w.f);
    scan_deep(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

/* A plan is about the bytes that are there, whether anybody knew of them or not. */
static void what_nobody_knew_to_be_there_is_not_replaced(void)
{
    WorkspaceFixture w;
    two_files(&w, KEEP_TWO);
    write_over(&w, "folder/rotten", "the second one");
    run_until_recorded(&w, 4, 1, 0);
    g_autofree char *plan = plan_of(&w, "folder/rotten");
    rot(&w, "folder/rotten", "the second onE");
    Outcome outcome = restore_as(&w, "folder/rotten", plan);
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    g_clear_error(&outcome.error);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, "folder/rotten", "the second onE");
    workspace_clear(&w);
}

static void set_state(WorkspaceFixture *w, const char *state)
{
    g_autofree char *root =
        g_strdup_printf("{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\","
                        "\"directory\":\"%s\",\"root_state\":\"%s\",\"keep\":" KEEP_TWO "}",
                        w->directory, state);
    g_assert_cmpint(update_record(&w->f, "root", "r1", root), ==, -1);
}

static void what_is_gone_while_nobody_looks_comes_back_after_that(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    two_files(&w, KEEP_TWO);
    end_workspace(&w);
    set_state(&w, "paused");
    remove_file(&w, "sound");
    g_autofree char *none = plan_restore(&w, "sound", &error);
    g_assert_null(none);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ENGINE_DISABLED);
    g_assert_nonnull(strstr(error->message, "is paused"));
    set_state(&w, "active");
    begin(&w);
    assert_tree(&w, "folder v1/\nfolder/rotten v1\n");
    g_autofree char *plan = plan_of(&w, "sound");
    Outcome outcome = restore_as(&w, "sound", plan);
    g_assert_no_error(outcome.error);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    workspace_clear(&w);
}

/* ---- while it is read ---- */

static void a_deep_scan_may_be_cancelled(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    for (int i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("folder/%03d", i);
        write_file(&w, name, name);
    }
    syncd_workspace_scan(w.workspace);
    run_until_recorded(&w, 304, 0, 0);
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
    SyncdFileRow row = row_of(&w, "folder/rotten");
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

static void what_changes_meanwhile_is_recorded(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    for (int i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("folder/%03d", i);
        write_file(&w, name, name);
    }
    syncd_workspace_scan(w.workspace);
    run_until_recorded(&w, 304, 0, 0);
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
    g_test_add_func("/workspace-deep/what-was-found-in-a-workspace-that-is-none-any-more-is-over",
                    what_was_found_in_a_workspace_that_is_none_any_more_is_over);
    g_test_add_func("/workspace-deep/where-nobody-looks-nothing-is-accepted",
                    where_nobody_looks_nothing_is_accepted);
    g_test_add_func("/workspace-deep/what-is-being-put-back-is-not-accepted",
                    what_is_being_put_back_is_not_accepted);
    g_test_add_func("/workspace-deep/a-deep-scan-keeps-nothing-from-being-accepted",
                    a_deep_scan_keeps_nothing_from_being_accepted);
    g_test_add_func("/workspace-deep/what-has-other-times-is-an-ordinary-change",
                    what_has_other_times_is_an_ordinary_change);
    g_test_add_func("/workspace-deep/what-is-read-to-be-kept-is-held-against-its-record",
                    what_is_read_to_be_kept_is_held_against_its_record);
    g_test_add_func("/workspace-deep/another-name-or-mode-does-not-end-it",
                    another_name_or_mode_does_not_end_it);
    g_test_add_func("/workspace-deep/another-time-does-not-end-it", another_time_does_not_end_it);
    g_test_add_func("/workspace-deep/what-has-another-name-is-known-by-its-bytes",
                    what_has_another_name_is_known_by_its_bytes);
    g_test_add_func("/workspace-deep/an-explanation-rests-on-what-found-it",
                    an_explanation_rests_on_what_found_it);
    if (!is_hurried())
        g_test_add_func("/workspace-deep/a-page-of-them-is-bounded", a_page_of_them_is_bounded);
    if (!is_hurried())
        g_test_add_func("/workspace-deep/what-is-not-read-is-bounded-too",
                        what_is_not_read_is_bounded_too);
    g_test_add_func("/workspace-deep/what-cannot-be-read-counts-as-that",
                    what_cannot_be_read_counts_as_that);
    g_test_add_func("/workspace-deep/a-change-ends-it-and-so-does-a-deletion",
                    a_change_ends_it_and_so_does_a_deletion);
    g_test_add_func("/workspace-deep/bytes-that-are-back-end-it", bytes_that_are_back_end_it);
    g_test_add_func("/workspace-deep/what-is-there-may-be-accepted", what_is_there_may_be_accepted);
    g_test_add_func("/workspace-deep/what-is-recorded-may-be-put-back",
                    what_is_recorded_may_be_put_back);
    g_test_add_func("/workspace-deep/what-nobody-knew-to-be-there-is-not-replaced",
                    what_nobody_knew_to_be_there_is_not_replaced);
    g_test_add_func("/workspace-deep/what-is-gone-while-nobody-looks-comes-back-after-that",
                    what_is_gone_while_nobody_looks_comes_back_after_that);
    g_test_add_func("/workspace-deep/a-deep-scan-may-be-cancelled", a_deep_scan_may_be_cancelled);
    g_test_add_func("/workspace-deep/what-changes-meanwhile-is-recorded",
                    what_changes_meanwhile_is_recorded);
    return g_test_run();
}
