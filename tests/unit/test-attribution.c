/*
 * What an agent announced is its doing where exactly that is found; all else is that of whose
 * instance it is, or of nobody who can be named. It is never guessed.
 */
#include "announce-fixture.h"
#include "policy-fixture.h"
#include "service/file-reading.h"
#include "service/internal.h"
#include "workspace-fixture.h"
#include "workspace/workspace-private.h"

#define AGENT "builder.service"
#define BY_AGENT "\"builder\""

static void begin_of(WorkspaceFixture *w, uid_t owner)
{
    workspace_init_of(w, owner, NULL);
    register_unit(&w->f, "builder", "workspace:notes", "\"read\",\"write\",\"delete\"");
    register_unit(&w->f, "other", "workspace:notes", "\"write\"");
    begin_workspace(w);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

static void begin(WorkspaceFixture *w)
{
    begin_of(w, geteuid());
}

static void announce(WorkspaceFixture *w, const char *changes)
{
    g_assert_cmpint(try_announce(&w->f, AGENT, changes), ==, -1);
}

static void announce_write(WorkspaceFixture *w, const char *path, const char *sha256)
{
    g_autofree char *changes =
        g_strdup_printf("[{\"path\":\"%s\",\"sha256\":\"%s\"}]", path, sha256);
    announce(w, changes);
}

static char *user_of(WorkspaceFixture *w)
{
    char *actor = NULL;
    const SyncdCaller owner = {.uid = w->f.owner};
    g_assert_true(syncd_service_find_caller(w->f.service, &owner, &actor, NULL));
    g_assert_nonnull(actor);
    char *quoted = g_strdup_printf("\"%s\"", actor);
    g_free(actor);
    return quoted;
}

static void assert_by(WorkspaceFixture *w, const char *path, const char *actor)
{
    g_autoptr(GError) error = NULL;
    const SyncdFileAsked asked = {.workspace = "workspace:notes", .path = SYNCD_BYTES_TEXT(path)};
    g_autofree char *file = syncd_service_get_file(w->f.service, &w->f.caller, &asked, &error);
    g_assert_no_error(error);
    assert_member(file, "actor_id", actor);
    assert_member(file, "changed_by", NULL);
}

static void assert_by_user(WorkspaceFixture *w, const char *path)
{
    g_autofree char *user = user_of(w);
    assert_by(w, path, user);
}

static void assert_by_nobody(WorkspaceFixture *w, const char *path)
{
    g_autoptr(GError) error = NULL;
    const SyncdFileAsked asked = {.workspace = "workspace:notes", .path = SYNCD_BYTES_TEXT(path)};
    g_autofree char *file = syncd_service_get_file(w->f.service, &w->f.caller, &asked, &error);
    g_assert_no_error(error);
    g_autofree char *daemon = g_strdup_printf("\"%s\"", syncd_service_nobody(w->f.service));
    assert_member(file, "actor_id", daemon);
    assert_member(file, "changed_by", "\"unknown\"");
}

static void assert_deletion_by(WorkspaceFixture *w, const char *path, const char *actor)
{
    g_autoptr(GError) error = NULL;
    const SyncdFileAsked asked = {
        .workspace = "workspace:notes", .path = SYNCD_BYTES_TEXT(path), .past = true};
    g_autofree char *file = syncd_service_get_file(w->f.service, &w->f.caller, &asked, &error);
    g_assert_no_error(error);
    assert_member(file, "gone", "\"deleted\"");
    assert_member(file, "actor_id", actor);
}

/* So many entries about what was deleted are his. */
static void assert_deleted_by(WorkspaceFixture *w, const char *actor, guint n)
{
    g_autofree char *events = events_of(&w->f, "sync.object.deleted");
    g_autofree char *text = g_strdup_printf("\"actor_id\":%s", actor);
    guint found = 0;
    for (const char *at = strstr(events, text); at != NULL; at = strstr(at + 1, text))
        found++;
    g_assert_cmpuint(found, ==, n);
}

static void what_was_announced_is_the_agents_and_all_else_the_users(void)
{
    WorkspaceFixture w;
    begin(&w);
    announce_write(&w, "a", ONE);
    announce_write(&w, "d/e", TWO);
    announce(&w, "[{\"path\":\"d\",\"folder\":true}]");
    write_file(&w, "a", "one");
    write_file(&w, "b", "one");
    make_folder(&w, "d");
    write_file(&w, "d/e", "two");
    write_file(&w, "d/f", "two");
    run_until_recorded(&w, 6, 0, 0);
    assert_by(&w, "a", BY_AGENT);
    assert_by(&w, "d", BY_AGENT);
    assert_by(&w, "d/e", BY_AGENT);
    assert_by_user(&w, "");
    assert_by_user(&w, "b");
    assert_by_user(&w, "d/f");
    g_assert_false(syncd_service_has_announcements(w.f.service));
    workspace_clear(&w);
}

static void other_content_is_not_the_agents(void)
{
    WorkspaceFixture w;
    begin(&w);
    announce_write(&w, "a", TWO);
    write_file(&w, "a", "one");
    run_until_recorded(&w, 2, 0, 0);
    assert_by_user(&w, "a");
    workspace_clear(&w);
}

static void an_announcement_is_for_one_change(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "a", "six");
    run_until_recorded(&w, 2, 0, 0);
    announce_write(&w, "a", ONE);
    write_file(&w, "a", "one");
    run_until_recorded(&w, 2, 1, 0);
    assert_by(&w, "a", BY_AGENT);
    write_file(&w, "a", "two");
    run_until_recorded(&w, 2, 2, 0);
    assert_by_user(&w, "a");
    write_file(&w, "a", "one");
    run_until_recorded(&w, 2, 3, 0);
    assert_by_user(&w, "a");
    workspace_clear(&w);
}

static void one_that_comes_late_changes_nothing(void)
{
    WorkspaceFixture w;
    g_autofree char *said = NULL;
    begin(&w);
    write_file(&w, "a", "one");
    run_until_recorded(&w, 2, 0, 0);
    g_assert_cmpint(announce_from(&w.f, AGENT, "workspace:notes",
                                  "[{\"path\":\"a\",\"sha256\":\"" ONE "\"}]", &said),
                    ==, -1);
    assert_member(said, "already_recorded", "[{\"path\":\"a\"}]");
    g_assert_false(syncd_service_has_announcements(w.f.service));
    assert_by_user(&w, "a");
    /* Not even of what nobody can tell: who changed the mode. */
    g_autofree char *path = path_in(&w, "a");
    g_assert_cmpint(chmod(path, 0600), ==, 0);
    run_until_recorded(&w, 2, 1, 0);
    assert_by_user(&w, "a");
    workspace_clear(&w);
}

static void it_ends_by_itself(void)
{
    WorkspaceFixture w;
    begin(&w);
    announce_write(&w, "a", ONE);
    w.f.base.now_usec += SYNCD_ANNOUNCED_USEC;
    write_file(&w, "a", "one");
    run_until_recorded(&w, 2, 0, 0);
    assert_by_user(&w, "a");
    workspace_clear(&w);
}

static void deletions_and_renames_are_the_agents_too(void)
{
    WorkspaceFixture w;
    begin(&w);
    make_folder(&w, "d");
    make_folder(&w, "d/e");
    write_file(&w, "d/e/f", "1");
    write_file(&w, "a", "2");
    write_file(&w, "b", "3");
    for (int i = 0; i < 20; i++) {
        g_autofree char *name = g_strdup_printf("many-%d", i);
        write_file(&w, name, name);
    }
    run_until_recorded(&w, 26, 0, 0);
    g_autofree char *user = user_of(&w);

    announce(&w, "[{\"path\":\"a\",\"renamed_to\":\"z\"}]");
    rename_file(&w, "b", "y");
    run_until_recorded(&w, 26, 1, 0);
    assert_by_user(&w, "y");
    rename_file(&w, "a", "z");
    run_until_recorded(&w, 26, 2, 0);
    assert_by(&w, "z", BY_AGENT);

    remove_file(&w, "y");
    run_until_recorded(&w, 26, 2, 1);
    assert_deleted_by(&w, user, 1);
    announce(&w, "[{\"path\":\"d\",\"deleted\":true}]");
    remove_file(&w, "d/e/f");
    remove_file(&w, "d/e");
    remove_file(&w, "d");
    run_until_recorded(&w, 26, 2, 4);
    assert_deleted_by(&w, user, 1);
    assert_deletion_by(&w, "d", BY_AGENT);
    assert_deletion_by(&w, "d/e", BY_AGENT);
    assert_deletion_by(&w, "d/e/f", BY_AGENT);
    g_assert_false(syncd_service_has_announcements(w.f.service));
    workspace_clear(&w);
}

/* So many that a few deletions are no mass deletion. */
static void fill(WorkspaceFixture *w, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("many-%u", i);
        write_file(w, name, name);
    }
}

/* Who announced that a folder is deleted did not say that of what is in it while it stands. */
static void a_folder_that_stays_covers_nothing(void)
{
    WorkspaceFixture w;
    begin(&w);
    fill(&w, 20);
    make_folder(&w, "build");
    write_file(&w, "build/x", "1");
    make_folder(&w, "build/in");
    write_file(&w, "build/in/y", "2");
    run_until_recorded(&w, 25, 0, 0);
    g_autofree char *user = user_of(&w);
    announce(&w, "[{\"path\":\"build\",\"deleted\":true}]");

    remove_file(&w, "build/x");
    run_until_recorded(&w, 25, 0, 1);
    assert_deletion_by(&w, "build/x", user);
    remove_file(&w, "build/in/y");
    remove_file(&w, "build/in");
    run_until_recorded(&w, 25, 0, 3);
    assert_deletion_by(&w, "build/in/y", user);
    assert_deletion_by(&w, "build/in", user);
    g_assert_true(syncd_service_has_announcements(w.f.service));

    remove_file(&w, "build");
    run_until_recorded(&w, 25, 0, 4);
    assert_deletion_by(&w, "build", BY_AGENT);

    /* And that was it. */
    make_folder(&w, "build");
    write_file(&w, "build/x", "1");
    run_until_recorded(&w, 27, 0, 4);
    remove_file(&w, "build/x");
    remove_file(&w, "build");
    run_until_recorded(&w, 27, 0, 6);
    assert_deletion_by(&w, "build/x", user);
    assert_deletion_by(&w, "build", user);
    workspace_clear(&w);
}

/* A folder that has moved away is not deleted, and covers nothing either. */
static void a_folder_that_moves_covers_nothing(void)
{
    WorkspaceFixture w;
    begin(&w);
    fill(&w, 20);
    make_folder(&w, "build");
    write_file(&w, "build/x", "1");
    run_until_recorded(&w, 23, 0, 0);
    g_autofree char *user = user_of(&w);
    announce(&w, "[{\"path\":\"build\",\"deleted\":true}]");
    remove_file(&w, "build/x");
    rename_file(&w, "build", "kept");
    run_until_recorded(&w, 23, 1, 1);
    assert_deletion_by(&w, "kept/x", user);
    workspace_clear(&w);
}

/* What is in a folder comes before the folder, whosever it is: where the log takes no more, nothing
 * stays behind in a folder that is gone. */
static void files_are_deleted_before_their_folder_whoever_did_it(void)
{
    WorkspaceFixture w;
    begin(&w);
    fill(&w, 20);
    make_folder(&w, "d");
    write_file(&w, "d/a", "1");
    write_file(&w, "d/b", "2");
    run_until_recorded(&w, 24, 0, 0);
    announce(&w, "[{\"path\":\"d/a\",\"deleted\":true}]");
    remove_file(&w, "d/a");
    remove_file(&w, "d/b");
    remove_file(&w, "d");
    run_until_recorded(&w, 24, 0, 3);
    g_autofree char *user = user_of(&w);
    assert_deletion_by(&w, "d/a", BY_AGENT);
    assert_deletion_by(&w, "d/b", user);
    assert_deletion_by(&w, "d", user);
    g_autofree char *by_user = g_strdup_printf("\"actor_id\":%s", user);
    g_autofree char *events = events_of(&w.f, "sync.object.deleted");
    const char *agents = strstr(events, "\"actor_id\":" BY_AGENT);
    g_assert_nonnull(agents);
    /* The folder is the last of the user's. */
    g_assert_nonnull(strstr(agents, by_user));
    workspace_clear(&w);
}

static bool take_row(void *data, const SyncdFileRow *row)
{
    *(SyncdFileRow *)data = *row;
    return false;
}

/* However deep they lie, and however many, the way to them is gone once. */
static void the_way_to_what_is_deleted_is_gone_once(void)
{
    enum { DEEP = 40, MANY = 30 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) path = g_string_new("d");
    WorkspaceFixture w;
    SyncdFileRow row = {0};
    begin(&w);
    for (guint i = 0; i < DEEP; i++) {
        make_folder(&w, path->str);
        g_string_append(path, "/d");
    }
    write_file(&w, path->str, "1");
    run_until_recorded(&w, DEEP + 2, 0, 0);
    announce_write(&w, "elsewhere", ONE);
    announce(&w, "[{\"path\":\"d/d/d\",\"deleted\":true}]");

    SyncdStore *store = syncd_service_store(w.f.service);
    bool found;
    syncd_store_find_workspace_folder(store, w.workspace->root->scope_id, &row, &found, &error);
    guint64 line[DEEP + 2], n = 0;
    for (line[n++] = row.id; n < G_N_ELEMENTS(line); line[n++] = row.id)
        syncd_store_walk_folder(store, row.id, take_row, &row, &error);
    g_assert_no_error(error);
    g_hash_table_add(w.workspace->missing, SYNCD_NUMBER(line[2]));
    g_autoptr(GHashTable) moving = g_hash_table_new(NULL, NULL);
    g_autoptr(SyncdLineage) lineage = syncd_lineage_new(w.workspace, moving);
    for (guint64 i = MANY + n - 1; i > 0; i--) {
        g_autofree char *author = NULL;
        guint64 depth = MIN(i, n - 1);
        g_assert_true(syncd_store_find_file(store, line[depth], &row, &found, &error) && found);
        g_assert_true(syncd_lineage_take(lineage, &row, &author, &error));
        /* d/d is going, and so is all that is in it. */
        g_assert_cmpstr(author, ==, depth >= 3 ? "builder" : NULL);
    }
    g_assert_cmpuint(syncd_lineage_climbed(lineage), ==, DEEP + 1);
    g_hash_table_remove_all(w.workspace->missing);
    workspace_clear(&w);
}

/* Renamed over what is there is a change of that; what it was before says nothing. */
static void what_takes_a_files_place_is_its_content(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "a", "six");
    run_until_recorded(&w, 2, 0, 0);
    announce_write(&w, "a", ONE);
    announce_write(&w, ".tmp", ONE);
    announce(&w, "[{\"path\":\".tmp\",\"deleted\":true}]");
    write_file(&w, ".tmp", "one");
    run_until_recorded(&w, 3, 0, 0);
    assert_by(&w, ".tmp", BY_AGENT);
    rename_file(&w, ".tmp", "a");
    run_until_recorded(&w, 3, 1, 1);
    assert_by(&w, "a", BY_AGENT);
    g_assert_false(syncd_service_has_announcements(w.f.service));
    workspace_clear(&w);
}

static void files_of_another_user_are_nobodys(void)
{
    WorkspaceFixture w;
    begin_of(&w, geteuid() + 1);
    announce_write(&w, "a", ONE);
    write_file(&w, "a", "one");
    write_file(&w, "b", "two");
    run_until_recorded(&w, 3, 0, 0);
    assert_by(&w, "a", BY_AGENT);
    assert_by_nobody(&w, "b");
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.order = "newest", .limit = 8, .bodies = true};
    g_autoptr(GString) lines =
        syncd_service_list_bytes(w.f.service, &w.f.caller, &listing, &cursor, NULL);
    g_assert_nonnull(strstr(lines->str, "\"name\":\"b\""));
    g_assert_nonnull(strstr(lines->str, "\"by\":\"unknown\""));
    workspace_clear(&w);
}

/* One file of another user stops nothing: policy is asked as for whose workspace it is. */
static void a_policy_for_actors_lets_what_is_nobodys_be_recorded(void)
{
    static const char rules[] =
        FILE_OF(RULE("\"actor_types\":[\"service\"]", "deny", "only_people"));
    WorkspaceFixture w;
    begin_of(&w, geteuid() + 1);
    syncd_service_set_policy(w.f.service, set_of(rules, NULL), NULL);
    write_file(&w, "a", "one");
    run_until_recorded(&w, 2, 0, 0);
    assert_by_nobody(&w, "a");
    write_file(&w, "a", "two");
    run_until_recorded(&w, 2, 1, 0);
    assert_by_nobody(&w, "a");
    workspace_clear(&w);
}

static void what_several_announced_is_nobodys(void)
{
    WorkspaceFixture w;
    begin(&w);
    announce_write(&w, "a", ONE);
    g_assert_cmpint(
        try_announce(&w.f, "other.service", "[{\"path\":\"a\",\"sha256\":\"" ONE "\"}]"), ==, -1);
    write_file(&w, "a", "one");
    run_until_recorded(&w, 2, 0, 0);
    assert_by_nobody(&w, "a");
    workspace_clear(&w);
}

static void whoever_may_not_any_more_is_not_named_and_not_replaced(void)
{
    WorkspaceFixture w;
    begin(&w);
    write_file(&w, "b", "1");
    run_until_recorded(&w, 2, 0, 0);
    announce(&w, "[{\"path\":\"a\",\"sha256\":\"" ONE "\"},{\"path\":\"b\",\"deleted\":true}]");
    g_assert_cmpint(revoke_record(&w.f, "actor", "builder"), ==, -1);
    write_file(&w, "a", "one");
    remove_file(&w, "b");
    run_until_recorded(&w, 3, 0, 1);
    assert_by_nobody(&w, "a");
    g_autofree char *daemon = g_strdup_printf("\"%s\"", syncd_service_nobody(w.f.service));
    assert_deleted_by(&w, daemon, 1);
    workspace_clear(&w);
}

static void each_agent_has_entries_of_its_own(void)
{
    WorkspaceFixture w;
    begin(&w);
    for (int i = 0; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        g_autofree char *changes =
            g_strdup_printf("[{\"path\":\"%s\",\"sha256\":\"" ONE "\"}]", name);
        if (i % 3 != 2)
            g_assert_cmpint(try_announce(&w.f, i % 3 == 0 ? AGENT : "other.service", changes), ==,
                            -1);
    }
    end_workspace(&w);
    for (int i = 0; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        write_file(&w, name, "one");
    }
    begin_workspace(&w);
    run_until(&w, SYNCD_WORKSPACE_WATCHING);
    assert_tree(&w, "f0 v1\nf1 v1\nf2 v1\nf3 v1\nf4 v1\nf5 v1\n");
    assert_by(&w, "f0", BY_AGENT);
    assert_by(&w, "f1", "\"other\"");
    assert_by_user(&w, "f2");
    assert_by(&w, "f3", BY_AGENT);
    assert_by(&w, "f4", "\"other\"");
    assert_by_user(&w, "f5");
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/attribution/announced",
                    what_was_announced_is_the_agents_and_all_else_the_users);
    g_test_add_func("/attribution/other-content", other_content_is_not_the_agents);
    g_test_add_func("/attribution/once", an_announcement_is_for_one_change);
    g_test_add_func("/attribution/late", one_that_comes_late_changes_nothing);
    g_test_add_func("/attribution/ends", it_ends_by_itself);
    g_test_add_func("/attribution/deletions-and-renames", deletions_and_renames_are_the_agents_too);
    g_test_add_func("/attribution/stays", a_folder_that_stays_covers_nothing);
    g_test_add_func("/attribution/moves", a_folder_that_moves_covers_nothing);
    g_test_add_func("/attribution/children-first",
                    files_are_deleted_before_their_folder_whoever_did_it);
    g_test_add_func("/attribution/deep", the_way_to_what_is_deleted_is_gone_once);
    g_test_add_func("/attribution/takes-a-place", what_takes_a_files_place_is_its_content);
    g_test_add_func("/attribution/another-user", files_of_another_user_are_nobodys);
    g_test_add_func("/attribution/policy", a_policy_for_actors_lets_what_is_nobodys_be_recorded);
    g_test_add_func("/attribution/several", what_several_announced_is_nobodys);
    g_test_add_func("/attribution/revoked", whoever_may_not_any_more_is_not_named_and_not_replaced);
    g_test_add_func("/attribution/own-entries", each_agent_has_entries_of_its_own);
    return g_test_run();
}
