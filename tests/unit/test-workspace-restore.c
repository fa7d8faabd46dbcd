/*
 * What is kept of a file comes back as it was shown before, or nothing is changed, and the log says
 * who did it.
 */
#include "restore-fixture.h"

static void restore(WorkspaceFixture *w, const char *path, guint64 version)
{
    g_autofree char *plan = plan_of(w, path, version);
    g_auto(Outcome) outcome = restore_as(w, path, version, plan);
    g_assert_no_error(outcome.error);
    assert_member(outcome.result, "schema", "\"sourceos.workspace-restore/v1\"");
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
    write_others(&w);
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-restore/a-version-comes-back-as-another-one",
                    a_version_comes_back_as_another_one);
    g_test_add_func("/workspace-restore/what-was-deleted-comes-back-with-its-folder",
                    what_was_deleted_comes_back_with_its_folder);
    g_test_add_func("/workspace-restore/what-changed-since-it-was-shown-stays",
                    what_changed_since_it_was_shown_stays);
    g_test_add_func("/workspace-restore/setuid-does-not-come-back", setuid_does_not_come_back);
    g_test_add_func("/workspace-restore/what-was-closed-with-a-version-comes-back-closed",
                    what_was_closed_with_a_version_comes_back_closed);
    g_test_add_func("/workspace-restore/a-version-that-was-open-says-that-it-opens",
                    a_version_that_was_open_says_that_it_opens);
    return g_test_run();
}
