/*
 * Nothing is planned that could not be restored, or not to where it shall be; whoever asked is told
 * which of them it is.
 */
#include "restore-fixture.h"

#include "service/damage.h"
#include "store/blobs.h"

static const SyncdIgnore *tell_rules(void *data, const char *root)
{
    return syncd_workspace_rules(((WorkspaceFixture *)data)->workspace);
}

static void nothing_is_restored_where_it_would_be_ignored(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    write_file(&w, SYNCD_IGNORE_FILE, "out/\n");
    begin(&w);
    const SyncdListener listener = {.data = &w, .rules = tell_rules};
    syncd_service_set_listener(w.f.service, &listener);
    SyncdRestoreRequest request = {.workspace = "workspace:notes", .path = "file", .to = "out/x"};
    g_assert_null(syncd_service_plan_restore(w.f.service, &w.f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    request.to = "in/x";
    g_clear_error(&error);
    g_autofree char *plan = syncd_service_plan_restore(w.f.service, &w.f.caller, &request, &error);
    g_assert_no_error(error);
    g_assert_nonnull(plan);
    workspace_clear(&w);
}

/* Readers take files of such names for what a crash has left of theirs. */
static void nothing_is_restored_where_it_would_be_removed(void)
{
    static const struct {
        const char *to;
        bool refused;
    } cases[] = {
        {".sourceos-filling-0123456789abcdef", true},
        {"d/.sourceos-filling-0123456789abcdef", true},
        {".sourceos-filling-0123456789abcde", false},
        {".sourceos-filling-0123456789abcdeF", false},
        {".sourceos-restore-0123456789abcdef", false},
    };
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    make_folder(&w, "d");
    write_file(&w, "file", "one");
    begin(&w);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const SyncdRestoreRequest request = {
            .workspace = "workspace:notes", .path = "file", .to = cases[i].to};
        g_autofree char *plan =
            syncd_service_plan_restore(w.f.service, &w.f.caller, &request, &error);
        g_assert_cmpint(plan == NULL, ==, cases[i].refused);
        if (cases[i].refused)
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    }
    workspace_clear(&w);
}

static bool stand_missing(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    *ret_standing = (SyncdRootStanding){.state = data};
    return true;
}

/* The first version is not said to be where nobody can look. */
static void what_nobody_sees_is_not_said_to_be_there(void)
{
    static const struct {
        const char *state;
        int code;
    } cases[] = {{"watching", SYNCD_ERROR_NOT_FOUND},
                 {"missing", SYNCD_ERROR_ENGINE_DISABLED},
                 {"failed", SYNCD_ERROR_ENGINE_DISABLED}};
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    begin(&w);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const SyncdListener listener = {.data = (void *)cases[i].state, .standing = stand_missing};
        const SyncdRestoreRequest request = {.workspace = "workspace:notes", .path = "file"};
        syncd_service_set_listener(w.f.service, &listener);
        g_assert_null(syncd_service_plan_restore(w.f.service, &w.f.caller, &request, &error));
        g_assert_error(error, SYNCD_ERROR, cases[i].code);
    }
    workspace_clear(&w);
}

/* Its error names the file that it took the place of. */
static void what_was_made_again_does_not_hide_what_was_there(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    const SyncdRestoreRequest request = {.workspace = "workspace:notes", .path = "file"};
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    begin(&w);
    char id[SYNCD_FILE_ID_SIZE];
    g_assert_true(syncd_store_file_id(store_of(&w), row_of(&w, "file").id, id, &error));
    remove_file(&w, "file");
    rescan(&w);
    write_file(&w, "file", "two");
    rescan(&w);
    g_assert_null(syncd_service_plan_restore(w.f.service, &w.f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, id));
    workspace_clear(&w);
}

static void a_file_of_another_workspace_is_none_of_this(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    begin(&w);
    char id[SYNCD_FILE_ID_SIZE];
    g_assert_true(syncd_store_file_id(store_of(&w), row_of(&w, "file").id, id, &error));
    g_autofree char *other = g_dir_make_tmp("syncd-other-XXXXXX", NULL);
    g_autofree char *root = g_strdup_printf(
        "{\"root_id\":\"r2\",\"workspace_id\":\"workspace:other\",\"directory\":\"%s\","
        "\"root_state\":\"active\"}",
        other);
    g_assert_cmpint(register_record(&w.f, "workspace",
                                    "{\"workspace_id\":\"workspace:other\","
                                    "\"profile_id\":\"profile:default\"}"),
                    ==, -1);
    g_assert_cmpint(register_record(&w.f, "root", root), ==, -1);
    SyncdRestoreRequest request = {.workspace = "workspace:other", .path = id, .version = 1};
    g_assert_null(syncd_service_plan_restore(w.f.service, &w.f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_clear_error(&error);
    request.workspace = "workspace:notes";
    request.to = "there";
    g_autofree char *plan = syncd_service_plan_restore(w.f.service, &w.f.caller, &request, &error);
    g_assert_no_error(error);
    g_assert_nonnull(plan);
    fixture_remove(other);
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

/* Known at once, and nobody is told that it would take the place of anything. */
static void what_is_kept_and_cannot_be_read_is_damage(void)
{
    static const char *const spoilt[] = {NULL, "no chunk"};
    for (size_t i = 0; i < G_N_ELEMENTS(spoilt); i++) {
        WorkspaceFixture w;
        g_autoptr(GError) error = NULL;
        g_auto(SyncdContentRow) row = {0};
        SyncdHash name;
        bool found;
        g_autofree char *first = text_of(SYNCD_CONTENT_ROW_MAX + 1, 'a');
        workspace_init_keeping(&w, KEEP_TWO);
        write_file(&w, "file", first);
        begin(&w);
        write_file(&w, "file", "other");
        rescan(&w);
        g_assert_true(
            syncd_store_find_content(store_of(&w), row_of(&w, "file").id, 1, &row, &found, NULL));
        memcpy(name.bytes, g_bytes_get_data(row.chunks, NULL), sizeof name.bytes);
        g_autofree char *blob = syncd_blobs_path(SYNCD_CHUNK_OF_FILE, &name);
        g_autofree char *path = g_build_filename(w.f.base.directory, blob, NULL);
        g_assert_cmpint(unlink(path), ==, 0);
        if (spoilt[i] != NULL)
            g_assert_true(g_file_set_contents(path, spoilt[i], -1, NULL));
        for (guint times = 0; times < 2; times++) {
            g_clear_error(&error);
            g_assert_null(plan_restore(&w, "file", 1, &error));
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
            g_assert_nonnull(
                strstr(error->message, spoilt[i] != NULL ? "not what it was" : "are missing"));
            g_assert_nonnull(strstr(error->message, "sourceos-syncd doctor"));
            g_assert_null(strstr(error->message, "blobs/"));
            g_assert_cmpuint(syncd_service_damage(w.f.service)->len, ==, 1);
        }
        workspace_clear(&w);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-restore-plan/nothing-is-restored-where-it-would-be-ignored",
                    nothing_is_restored_where_it_would_be_ignored);
    g_test_add_func("/workspace-restore-plan/nothing-is-restored-where-it-would-be-removed",
                    nothing_is_restored_where_it_would_be_removed);
    g_test_add_func("/workspace-restore-plan/what-nobody-sees-is-not-said-to-be-there",
                    what_nobody_sees_is_not_said_to_be_there);
    g_test_add_func("/workspace-restore-plan/what-was-made-again-does-not-hide-what-was-there",
                    what_was_made_again_does_not_hide_what_was_there);
    g_test_add_func("/workspace-restore-plan/a-file-of-another-workspace-is-none-of-this",
                    a_file_of_another_workspace_is_none_of_this);
    g_test_add_func("/workspace-restore-plan/what-was-not-kept-does-not-come-back",
                    what_was_not_kept_does_not_come_back);
    g_test_add_func("/workspace-restore-plan/what-is-kept-and-cannot-be-read-is-damage",
                    what_is_kept_and_cannot_be_read_is_damage);
    return g_test_run();
}
