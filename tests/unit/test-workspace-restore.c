/*
 * What is kept of a file comes back as it was shown before, or nothing is changed, and the log says
 * who did it.
 */
#include "restore-fixture.h"

#include "service/damage.h"
#include "store/blobs.h"

#include <signal.h>

/* Begins it, and steps until what it does first is about to be committed. */
static void begin_until_turn(WorkspaceFixture *w, const char *path, guint64 version,
                             Outcome *outcome)
{
    SyncdJob *job = NULL;
    const SyncdListener listener = {.data = w, .restore = begin_restore};
    g_autofree char *plan = plan_of(w, path, version);
    g_autofree char *quoted = member_of(plan, "digest");
    g_autofree char *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = path, .version = version, .digest = digest};
    settle(w);
    g_assert_false(syncd_service_has_turn(w->f.service));
    w->data = outcome;
    syncd_service_set_listener(w->f.service, &listener);
    g_assert_true(
        syncd_service_restore(w->f.service, &w->f.caller, &request, &job, &outcome->error));
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
    g_assert_true(strcmp(found, content) == 0);
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

/* Its folder was made, and is unknown: nothing in it may be recorded as being in it. */
static void a_folder_whose_entry_is_lost_is_no_folder(void)
{
    WorkspaceFixture w;
    g_auto(Outcome) outcome = {0};
    workspace_init_keeping(&w, KEEP_TWO);
    for (int i = 0; i < 12; i++) {
        g_autofree char *other = g_strdup_printf("other%d", i);
        write_file(&w, other, other);
    }
    make_folder(&w, "a");
    write_file(&w, "a/file", "content");
    begin(&w);
    remove_file(&w, "a/file");
    remove_file(&w, "a");
    rescan(&w);
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
    workspace_init_keeping(&w, KEEP_TWO);
    for (int i = 0; i < 12; i++) {
        g_autofree char *other = g_strdup_printf("other%d", i);
        write_file(&w, other, other);
    }
    make_folder(&w, "a");
    write_file(&w, "a/file", "content");
    begin(&w);
    remove_file(&w, "a/file");
    remove_file(&w, "a");
    rescan(&w);
    begin_until_turn(&w, "a/file", 0, &outcome);
    write_file(&w, "a/file", "theirs");
    while (!outcome.done)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    g_assert_nonnull(strstr(outcome.error->message, "folders on the way to it were made"));
    assert_file(&w, "a/file", "theirs");
    workspace_clear(&w);
}

static void set_mode(WorkspaceFixture *w, const char *name, mode_t mode)
{
    g_autofree char *path = path_in(w, name);
    g_assert_cmpint(chmod(path, mode), ==, 0);
}

static mode_t mode_of(WorkspaceFixture *w, const char *name)
{
    struct stat st;
    g_autofree char *path = path_in(w, name);
    g_assert_cmpint(stat(path, &st), ==, 0);
    return st.st_mode & 07777;
}

/* The documents about files from an entry on that somebody's restoring made. */
static guint count_restored(WorkspaceFixture *w, guint64 after)
{
    guint n = 0;
    for (guint64 pos = after + 1; pos <= syncd_store_sequence(store_of(w)); pos++) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdEntry) entry = {0};
        g_auto(SyncdBody) body = {0};
        g_assert_true(syncd_store_read(store_of(w), pos, &entry, &error));
        if (!syncd_bytes_are(entry.header.schema_id, SYNCD_FILES_SCHEMA))
            continue;
        g_assert_true(syncd_store_read_body(store_of(w), &entry, &body, &error));
        g_autofree char *text = g_strndup(body.content, body.content_size);
        g_assert_nonnull(strstr(text, "\"found\":\"restore\""));
        n++;
    }
    return n;
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
    set_mode(&w, "a", 0751);
    set_mode(&w, "a/b", 0711);
    mode_t before = umask(077);
    begin(&w);
    umask(before);
    remove_file(&w, "a/b/file");
    remove_file(&w, "a/b");
    remove_file(&w, "a");
    rescan(&w);
    g_autofree char *plan = plan_of(&w, "a/b/file", 0);
    assert_member(plan, "present", NULL);
    assert_member(plan, "text", "\"content\"");
    guint64 sequence = service_sequence(&w.f);
    restore(&w, "a/b/file", 0);
    assert_file(&w, "a/b/file", "content");
    g_assert_cmpuint(mode_of(&w, "a"), ==, 0751);
    g_assert_cmpuint(mode_of(&w, "a/b"), ==, 0711);
    g_assert_cmpuint(count_restored(&w, sequence), ==, 3);
    sequence = service_sequence(&w.f);
    rescan(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    /* The folders are watched. */
    write_file(&w, "a/b/other", "new");
    while (standing_of(&w).created < 17 || syncd_service_has_turn(w.f.service))
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpuint(row_of(&w, "a/b/other").version, ==, 1);
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

/* One that was a program with another one's rights is a program afterwards, and no more. */
static void setuid_does_not_come_back(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    write_file(&w, "plain", "one");
    set_mode(&w, "file", 06755);
    begin(&w);
    write_file(&w, "file", "two");
    write_file(&w, "plain", "two");
    rescan(&w);
    g_autofree char *plan = plan_of(&w, "file", 1);
    assert_member(plan, "mode_dropped", "3072");
    restore(&w, "file", 1);
    assert_file(&w, "file", "one");
    g_assert_cmpuint(mode_of(&w, "file"), ==, 0755);
    g_autofree char *other = plan_of(&w, "plain", 1);
    assert_member(other, "mode_dropped", NULL);
    workspace_clear(&w);
}

static void assert_mode(const char *plan, const char *state, guint mode)
{
    g_autofree char *member = member_of(plan, state), *text = g_strdup_printf("%u", mode);
    assert_member(member, "mode", text);
}

/* Nobody who was kept from reading it can do so because an older version comes back. */
static void what_was_closed_with_a_version_comes_back_closed(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    set_mode(&w, "file", 0644);
    begin(&w);
    set_mode(&w, "file", 0640);
    rescan(&w);
    set_mode(&w, "file", 0600);
    rescan(&w);
    write_file(&w, "file", "two");
    set_mode(&w, "file", 0600);
    rescan(&w);
    g_autofree char *plan = plan_of(&w, "file", 1);
    assert_mode(plan, "restored", 0600);
    assert_member(plan, "mode_opened", NULL);
    restore(&w, "file", 1);
    g_assert_cmpuint(mode_of(&w, "file"), ==, 0600);
    workspace_clear(&w);
}

static void a_version_that_was_open_says_that_it_opens(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "file", "one");
    set_mode(&w, "file", 0644);
    begin(&w);
    write_file(&w, "file", "two");
    set_mode(&w, "file", 0600);
    rescan(&w);
    g_autofree char *plan = plan_of(&w, "file", 1);
    assert_mode(plan, "present", 0600);
    assert_mode(plan, "restored", 0644);
    assert_member(plan, "mode_opened", "36");
    workspace_clear(&w);
}

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
        SyncdJob *job = NULL;
        workspace_init_keeping(&w, KEEP_TWO);
        write_file(&w, "file", first);
        begin(&w);
        write_file(&w, "file", second);
        rescan(&w);
        const SyncdListener listener = {.data = &w, .restore = begin_restore};
        g_autofree char *plan = plan_of(&w, "file", 1);
        g_autofree char *quoted = member_of(plan, "digest");
        g_autofree char *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
        const SyncdRestoreRequest request = {
            .workspace = "workspace:notes", .path = "file", .version = 1, .digest = digest};
        w.data = &outcome;
        syncd_service_set_listener(w.f.service, &listener);
        g_assert_true(
            syncd_service_restore(w.f.service, &w.f.caller, &request, &job, &outcome.error));
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
    g_test_add_func("/workspace-restore/a-version-comes-back-as-another-one",
                    a_version_comes_back_as_another_one);
    g_test_add_func("/workspace-restore/what-was-deleted-comes-back-with-its-folder",
                    what_was_deleted_comes_back_with_its_folder);
    g_test_add_func("/workspace-restore/a-folder-whose-entry-is-lost-is-no-folder",
                    a_folder_whose_entry_is_lost_is_no_folder);
    g_test_add_func("/workspace-restore/a-file-whose-entry-is-lost-is-in-its-place",
                    a_file_whose_entry_is_lost_is_in_its_place);
    g_test_add_func("/workspace-restore/what-was-made-on-the-way-is-told",
                    what_was_made_on_the_way_is_told);
    g_test_add_func("/workspace-restore/what-changed-since-it-was-shown-stays",
                    what_changed_since_it_was_shown_stays);
    g_test_add_func("/workspace-restore/setuid-does-not-come-back", setuid_does_not_come_back);
    g_test_add_func("/workspace-restore/what-was-closed-with-a-version-comes-back-closed",
                    what_was_closed_with_a_version_comes_back_closed);
    g_test_add_func("/workspace-restore/a-version-that-was-open-says-that-it-opens",
                    a_version_that_was_open_says_that_it_opens);
    g_test_add_func("/workspace-restore/nothing-is-restored-where-it-would-be-ignored",
                    nothing_is_restored_where_it_would_be_ignored);
    g_test_add_func("/workspace-restore/nothing-is-restored-where-it-would-be-removed",
                    nothing_is_restored_where_it_would_be_removed);
    g_test_add_func("/workspace-restore/a-restore-that-is-hurried-is-whole-or-nothing",
                    a_restore_that_is_hurried_is_whole_or_nothing);
    g_test_add_func("/workspace-restore/what-nobody-sees-is-not-said-to-be-there",
                    what_nobody_sees_is_not_said_to_be_there);
    g_test_add_func("/workspace-restore/what-was-made-again-does-not-hide-what-was-there",
                    what_was_made_again_does_not_hide_what_was_there);
    g_test_add_func("/workspace-restore/a-file-of-another-workspace-is-none-of-this",
                    a_file_of_another_workspace_is_none_of_this);
    g_test_add_func("/workspace-restore/what-was-not-kept-does-not-come-back",
                    what_was_not_kept_does_not_come_back);
    g_test_add_func("/workspace-restore/what-is-kept-and-cannot-be-read-is-damage",
                    what_is_kept_and_cannot_be_read_is_damage);
    return g_test_run();
}
