/*
 * What is recorded of files is told as it is: in pages that lose and repeat nothing, by paths that
 * have one spelling, and to nobody else.
 */
#include "files-fixture.h"
#include "service/file-path.h"
#include "service/file-reading.h"

#define STRANGER 1001

static void append_path(GString *out, SyncdJson file)
{
    gsize size;
    g_autofree char *path = syncd_json_dup_string(syncd_json_member(file, "path"), NULL);
    if (path != NULL) {
        g_string_append_printf(out, "%s ", path);
        return;
    }
    g_autofree char *base64 = syncd_json_dup_string(syncd_json_member(file, "path_base64"), NULL);
    g_autofree guchar *bytes = g_base64_decode(base64, &size);
    g_string_append_len(out, (const char *)bytes, (gssize)size);
    g_string_append_c(out, ' ');
}

/* All pages of a listing; no page has more than `limit`. */
static char *list(Files *t, const char *path, guint32 limit)
{
    g_autofree char *cursor = g_strdup("");
    GString *out = g_string_new(NULL);
    do {
        g_autoptr(GError) error = NULL;
        SyncdFileListing listing = {WORKSPACE, SYNCD_BYTES_TEXT(path), cursor, limit};
        char *next = NULL;
        g_autofree char *files =
            syncd_service_list_files(t->f.service, &t->f.caller, &listing, &next, &error);
        SyncdJsonIter iter;
        SyncdJson file;
        guint n = 0;
        g_assert_no_error(error);
        g_assert_true(syncd_json_check(files, strlen(files), SYNCD_JSON_ANY, NULL));
        syncd_json_iter_init(&iter, syncd_json_root(files, strlen(files)));
        for (; syncd_json_iter_next(&iter, NULL, &file); n++)
            append_path(out, file);
        g_assert_true(limit == 0 || n <= limit);
        g_assert_true(*next == '\0' || n > 0);
        g_free(cursor);
        cursor = next;
    } while (*cursor != '\0');
    return g_string_free(out, FALSE);
}

static void pages_lose_and_repeat_nothing(void)
{
    static const struct {
        const char *path, *wanted;
    } cases[] = {
        {"", "a " BAD " s s/c s/d s/d/e z "},
        {"s", "s s/c s/d s/d/e "},
        {"s/d", "s/d s/d/e "},
        {"s/c", "s/c "},
        {BAD, BAD " "},
    };
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (guint32 limit = 0; limit <= 8; limit++) {
            g_autofree char *found = list(&t, cases[i].path, limit);
            g_assert_cmpstr(found, ==, cases[i].wanted);
        }
    files_clear(&t);
}

static char *get_file(Files *t, const char *path, bool past, GError **error)
{
    const SyncdFileAsked asked = {WORKSPACE, SYNCD_BYTES_TEXT(path), past};
    return syncd_service_get_file(t->f.service, &t->f.caller, &asked, error);
}

static void delete (Files *t, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = get_file(t, path, false, &error);
    g_assert_no_error(error);
    g_autofree char *file = syncd_json_dup_string(
        syncd_json_member(syncd_json_root(shown, strlen(shown)), "file_id"), NULL);
    files_begin(t);
    syncd_file_changes_add_deleted(&t->writer, file);
    files_record(t, "object.deleted");
}

static void what_goes_between_two_pages_is_passed_over(void)
{
    Files t;
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL, *end = NULL;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    SyncdFileListing listing = {WORKSPACE, SYNCD_BYTES_TEXT(""), NULL, 5};
    g_autofree char *first =
        syncd_service_list_files(t.f.service, &t.f.caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(first, "\"path\":\"s/d\""));
    /* s/d, which was the last one, and all of s are no more. */
    delete (&t, "s");
    listing.cursor = cursor;
    g_autofree char *second =
        syncd_service_list_files(t.f.service, &t.f.caller, &listing, &end, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(second, "\"path\":\"z\""));
    g_assert_null(strstr(second, "\"path\":\"s"));
    g_assert_cmpstr(end, ==, "");
    files_clear(&t);
}

static void one_file_is_told_with_its_entry(void)
{
    Files t;
    g_autoptr(GError) error = NULL;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    g_autofree char *text = get_file(&t, "s/d/e", false, &error);
    g_assert_no_error(error);
    SyncdJson file = syncd_json_root(text, strlen(text));
    g_autofree char *id = syncd_json_dup_string(syncd_json_member(file, "file_id"), NULL);
    char wanted[SYNCD_FILE_ID_SIZE];
    syncd_file_id(SYNCD_BYTES_TEXT(t.operation), 0, wanted);
    g_assert_cmpstr(id, ==, wanted);
    g_assert_true(syncd_json_is(syncd_json_member(file, "operation_id"), t.operation));
    g_assert_true(syncd_json_is(syncd_json_member(file, "kind"), "file"));
    g_assert_true(g_str_has_prefix(text, "{\"path\":\"s/d/e\","));
    files_clear(&t);
}

static void expect_gone(Files *t, const char *path)
{
    g_autoptr(GError) error = NULL, none = NULL;
    g_assert_null(get_file(t, path, false, &none));
    g_assert_error(none, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_autofree char *file = get_file(t, path, true, &error);
    g_assert_no_error(error);
    SyncdJson root = syncd_json_root(file, strlen(file));
    g_assert_true(syncd_json_is(syncd_json_member(root, "gone"), "deleted"));
    g_assert_true(syncd_json_is(syncd_json_member(root, "path"), path));
}

static void what_is_gone_is_found_where_it_was(void)
{
    Files t;
    g_autoptr(GError) error = NULL, none = NULL;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    g_autofree char *there = get_file(&t, "s/d/e", true, &error);
    g_assert_no_error(error);
    g_assert_null(strstr(there, "\"gone\""));
    delete (&t, "s/d/e");
    expect_gone(&t, "s/d/e");
    delete (&t, "s/d");
    delete (&t, "s");
    expect_gone(&t, "s");
    expect_gone(&t, "s/d/e");
    expect_gone(&t, "s/d");
    g_assert_null(get_file(&t, "e", true, &none));
    g_assert_error(none, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    files_clear(&t);
}

static void expect_refused(Files *t, const SyncdCaller *caller, const char *workspace,
                           SyncdBytes path, const char *cursor, int code)
{
    g_autoptr(GError) one = NULL, other = NULL;
    SyncdFileListing listing = {workspace, path, cursor, 0};
    g_autofree char *next = NULL;
    g_autofree char *files = syncd_service_list_files(t->f.service, caller, &listing, &next, &one);
    g_assert_null(files);
    g_assert_error(one, SYNCD_ERROR, code);
    if (cursor != NULL)
        return;
    const SyncdFileAsked asked = {.workspace = workspace, .path = path};
    g_autofree char *file = syncd_service_get_file(t->f.service, caller, &asked, &other);
    g_assert_null(file);
    g_assert_error(other, SYNCD_ERROR, code);
}

static void what_cannot_be_is_refused(void)
{
    static const char *const paths[] = {"/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a"};
    static const char *const cursors[] = {"?", "YQ==", "Li4v", "czI=", "c3g="};
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
        expect_refused(&t, &t.f.caller, WORKSPACE, SYNCD_BYTES_TEXT(paths[i]), NULL,
                       SYNCD_ERROR_INVALID_ARGS);
    expect_refused(&t, &t.f.caller, WORKSPACE, SYNCD_BYTES("a\0b", 3), NULL,
                   SYNCD_ERROR_INVALID_ARGS);
    g_autofree char *huge = g_strnfill(SYNCD_FILE_PATH_MAX + 1, 'x');
    expect_refused(&t, &t.f.caller, WORKSPACE, SYNCD_BYTES_TEXT(huge), NULL,
                   SYNCD_ERROR_INVALID_ARGS);
    for (size_t i = 0; i < G_N_ELEMENTS(cursors); i++)
        expect_refused(&t, &t.f.caller, WORKSPACE, SYNCD_BYTES_TEXT("s"), cursors[i],
                       SYNCD_ERROR_INVALID_ARGS);
    expect_refused(&t, &t.f.caller, WORKSPACE, SYNCD_BYTES_TEXT("none"), NULL,
                   SYNCD_ERROR_NOT_FOUND);
    expect_refused(&t, &t.f.caller, WORKSPACE, SYNCD_BYTES_TEXT("a/b"), NULL,
                   SYNCD_ERROR_NOT_FOUND);
    expect_refused(&t, &t.f.caller, "workspace:other", SYNCD_BYTES_TEXT("a"), NULL,
                   SYNCD_ERROR_NOT_FOUND);
    expect_refused(&t, &t.f.caller, "no scope", SYNCD_BYTES_TEXT("a"), NULL, SYNCD_ERROR_NOT_FOUND);
    files_clear(&t);
}

/* Nobody else knows that there is such a file, and an id that names none names none. */
static void a_history_is_the_reader_s_alone(void)
{
    static const char *const ids[] = {"", "file-x", "note-1", "file-00000000000000000000000000-0"};
    const SyncdCaller stranger = {.uid = STRANGER};
    Files t;
    g_autofree char *cursor = NULL, *none = NULL;
    g_autoptr(GError) error = NULL;
    files_init(&t, SYNCD_INSTANCE_SYSTEM);
    files_fill(&t);
    g_autofree char *steps =
        syncd_service_file_history(t.f.service, &t.f.caller, t.folder, NULL, 0, &cursor, &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(steps, "[{\"change\":\"created\",\"version\":1,"));
    g_assert_cmpstr(cursor, ==, "");
    g_assert_null(
        syncd_service_file_history(t.f.service, &stranger, t.folder, NULL, 0, &none, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(GError) refused = NULL;
        g_assert_null(
            syncd_service_file_history(t.f.service, &t.f.caller, ids[i], NULL, 0, &none, &refused));
        g_assert_error(refused, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    }
    files_clear(&t);
}

static char *list_workspaces(Files *t, const SyncdCaller *caller)
{
    g_autoptr(GError) error = NULL;
    char *text = syncd_service_list_workspaces(t->f.service, caller, &error);
    g_assert_no_error(error);
    return text;
}

static void a_workspace_is_told_with_its_counts(void)
{
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    g_autofree char *empty = list_workspaces(&t, &t.f.caller);
    g_assert_nonnull(strstr(empty, "\"files\":0,\"folders\":0,\"symlinks\":0,\"size\":0"));
    g_autofree char *nothing = list(&t, "", 0);
    g_assert_cmpstr(nothing, ==, "");
    files_fill(&t);
    g_autofree char *filled = list_workspaces(&t, &t.f.caller);
    g_assert_nonnull(strstr(filled, "\"files\":4,\"folders\":2,\"symlinks\":1,\"size\":12"));
    g_assert_nonnull(strstr(filled, "\"directory\":\"/srv/notes\",\"state\":\"active\""));
    files_clear(&t);
}

/* For them it is as though there were nothing. */
static void others_see_nothing(void)
{
    const SyncdCaller stranger = {.uid = STRANGER},
                      inspector = {.uid = STRANGER, .inspector = true};
    Files t;
    files_init(&t, SYNCD_INSTANCE_SYSTEM);
    files_fill(&t);
    g_assert_cmpint(register_record(&t.f, "actor", ACTOR("actor-stranger", "uid:1001", "")), ==,
                    -1);
    g_autofree char *theirs = list_workspaces(&t, &stranger);
    g_assert_cmpstr(theirs, ==, "[]");
    expect_refused(&t, &stranger, WORKSPACE, SYNCD_BYTES_TEXT("a"), NULL, SYNCD_ERROR_NOT_FOUND);
    g_autofree char *inspected = list_workspaces(&t, &inspector);
    g_assert_nonnull(strstr(inspected, WORKSPACE));
    /* Whoever the instance is needs no right to see what is his. */
    g_autofree char *own = list_workspaces(&t, &t.f.caller);
    g_assert_cmpstr(own, ==, inspected);
    files_clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
#define ADD(name, func) g_test_add_func("/file-reading/" name, func)
    ADD("pages-lose-and-repeat-nothing", pages_lose_and_repeat_nothing);
    ADD("what-goes-between-two-pages-is-passed-over", what_goes_between_two_pages_is_passed_over);
    ADD("one-file-is-told-with-its-entry", one_file_is_told_with_its_entry);
    ADD("what-is-gone-is-found-where-it-was", what_is_gone_is_found_where_it_was);
    ADD("what-cannot-be-is-refused", what_cannot_be_is_refused);
    ADD("a-history-is-the-reader-s-alone", a_history_is_the_reader_s_alone);
    ADD("a-workspace-is-told-with-its-counts", a_workspace_is_told_with_its_counts);
    ADD("others-see-nothing", others_see_nothing);
    return g_test_run();
}
