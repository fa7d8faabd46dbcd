/*
 * Where a workspace lies: one directory, which is no other's, and stays it. Who does not reach the
 * workspace neither changes nor learns that.
 */
#include "policy-fixture.h"
#include "registry-fixture.h"
#include "service/internal.h"

#define SECRET "/srv/secret"

static char *root(const char *id, const char *workspace, const char *directory)
{
    return g_strdup_printf("{\"root_id\":\"%s\",\"workspace_id\":\"%s\",\"directory\":\"%s\","
                           "\"root_state\":\"active\"}",
                           id, workspace, directory);
}

static int add(ServiceFixture *f, const char *id, const char *workspace, const char *directory)
{
    g_autofree char *record = root(id, workspace, directory);
    return register_record(f, "root", record);
}

static void init(ServiceFixture *f)
{
    service_init(f);
    g_assert_cmpint(register_record(f, "workspace",
                                    "{\"workspace_id\":\"workspace:notes\","
                                    "\"profile_id\":\"profile:default\"}"),
                    ==, -1);
    g_assert_cmpint(register_record(f, "workspace",
                                    "{\"workspace_id\":\"workspace:code\","
                                    "\"profile_id\":\"profile:default\"}"),
                    ==, -1);
}

static void a_workspace_is_one_directory(void)
{
    ServiceFixture f;
    init(&f);
    g_assert_cmpint(add(&f, "r1", "workspace:notes", "/srv/notes"), ==, -1);
    assert_state(&f, "root", "r1", "active");
    g_assert_cmpint(add(&f, "r2", "workspace:notes", "/srv/other"), ==, SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(add(&f, "r2", "workspace:nobody", "/srv/other"), ==, SYNCD_ERROR_NOT_FOUND);

    static const char *const overlapping[] = {"/srv", "/srv/notes", "/srv/notes/deep"};
    for (size_t i = 0; i < G_N_ELEMENTS(overlapping); i++)
        g_assert_cmpint(add(&f, "r2", "workspace:code", overlapping[i]), ==,
                        SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(add(&f, "r2", "workspace:code", "/srv/notes-too"), ==, -1);
    service_clear(&f);
}

static void a_directory_has_one_spelling(void)
{
    static const char *const spellings[] = {
        "",           "/",           "srv",          "./srv",       "/srv/",
        "//srv",      "/srv//notes", "/srv/./notes", "/srv/../etc", "/srv/notes/..",
        "/srv/a\\nb",
    };
    ServiceFixture f;
    init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++)
        g_assert_cmpint(add(&f, "r1", "workspace:notes", spellings[i]), ==,
                        SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(add(&f, "r1", "workspace:notes", "/srv/..notes/.git"), ==, -1);
    service_clear(&f);
}

static void it_is_paused_and_resumed_and_never_moved(void)
{
    ServiceFixture f;
    init(&f);
    g_assert_cmpint(add(&f, "r1", "workspace:notes", "/srv/notes"), ==, -1);
    g_autofree char *moved = root("r1", "workspace:notes", "/srv/elsewhere");
    g_autofree char *other = root("r1", "workspace:code", "/srv/notes");
    g_autofree char *same = root("r1", "workspace:notes", "/srv/notes");
    g_autofree char *paused = g_strdup_printf("%.*spaused\"}", (int)(strlen(same) - 8), same);
    g_assert_cmpint(update_record(&f, "root", "r1", moved), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "root", "r1", other), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "root", "r1", paused), ==, -1);
    assert_state(&f, "root", "r1", "paused");
    g_assert_cmpint(update_record(&f, "root", "r1", same), ==, -1);
    assert_state(&f, "root", "r1", "active");

    /* What has ended is out of the way of another one. */
    g_assert_cmpint(revoke_record(&f, "root", "r1"), ==, -1);
    assert_state(&f, "root", "r1", "revoked");
    g_assert_cmpint(update_record(&f, "root", "r1", same), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(add(&f, "r2", "workspace:notes", "/srv/notes"), ==, -1);
    service_clear(&f);
}

static void the_system_instance_looks_into_no_home(void)
{
    static const char *const homes[] = {
        "/home/ada", "/home", "/root/x",   "/run/user/1000/x",
        "/run",      "/var",  "/var/home", "/var/home/ada",
    };
    ServiceFixture f;
    init(&f);
    f.service->instance = SYNCD_INSTANCE_SYSTEM;
    for (size_t i = 0; i < G_N_ELEMENTS(homes); i++)
        g_assert_cmpint(add(&f, "r1", "workspace:notes", homes[i]), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(add(&f, "r1", "workspace:notes", "/homestead"), ==, -1);
    service_clear(&f);
}

/* What came in with the same turn counts, and what that ended does not. */
static int add_open(ServiceFixture *f, ChangeFunc func, const char *id, const char *workspace,
                    const char *directory, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdRegistered) registered = {0};
    g_autofree char *record = root(id, workspace, directory);
    const SyncdRegistryRequest request = {
        .kind = "root",
        .id = id,
        .record = func == syncd_service_revoke ? SYNCD_BYTES(NULL, 0) : SYNCD_BYTES_TEXT(record)};
    bool done = func(f->service, &f->caller, &request, &registered, &error);
    if (expected != NULL)
        g_assert_nonnull(strstr(error->message, expected));
    return done ? -1 : error->code;
}

static void two_roots_of_one_turn_do_not_overlap(void)
{
    ServiceFixture f;
    init(&f);
    g_assert_cmpint(
        add_open(&f, syncd_service_register, "r1", "workspace:notes", "/srv/notes", NULL), ==, -1);
    g_assert_true(syncd_service_has_turn(f.service));
    g_assert_cmpint(add_open(&f, syncd_service_register, "r2", "workspace:code", "/srv", "r1"), ==,
                    SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(
        add_open(&f, syncd_service_register, "r2", "workspace:notes", "/srv/other", "r1"), ==,
        SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(add_open(&f, syncd_service_revoke, "r1", "", "", NULL), ==, -1);
    g_assert_cmpint(add_open(&f, syncd_service_register, "r2", "workspace:code", "/srv", NULL), ==,
                    -1);
    syncd_service_commit(f.service);
    assert_state(&f, "root", "r1", "revoked");
    assert_state(&f, "root", "r2", "active");

    /* What ended in the open turn is out of the way of what comes after it. */
    g_assert_cmpint(add_open(&f, syncd_service_revoke, "r2", "", "", NULL), ==, -1);
    g_assert_cmpint(
        add_open(&f, syncd_service_register, "r3", "workspace:notes", "/srv/notes", NULL), ==, -1);
    syncd_service_commit(f.service);
    service_clear(&f);
}

static void the_daemon_keeps_its_own_directories(void)
{
    static const char *const own[] = {"/var/lib/syncd", "/run/syncd", NULL};
    static const char *const refused[] = {"/var/lib/syncd", "/var/lib/syncd/blobs", "/var/lib",
                                          "/run/syncd/x", "/run"};
    ServiceFixture f;
    init(&f);
    syncd_service_set_own_directories(f.service, own);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        g_assert_cmpint(add(&f, "r1", "workspace:notes", refused[i]), ==,
                        SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(add(&f, "r1", "workspace:notes", "/var/lib/syncd-too"), ==, -1);

    /* One that is there already does no worse for being paused and removed. */
    g_autofree char *record = root("r1", "workspace:notes", "/var/lib/syncd-too");
    g_autofree char *paused = g_strdup_printf("%.*spaused\"}", (int)(strlen(record) - 8), record);
    syncd_service_set_own_directories(f.service, (const char *[]){"/var/lib/syncd-too", NULL});
    g_assert_cmpint(update_record(&f, "root", "r1", record), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(update_record(&f, "root", "r1", paused), ==, -1);
    g_assert_cmpint(update_record(&f, "root", "r1", record), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(revoke_record(&f, "root", "r1"), ==, -1);
    service_clear(&f);
}

/* A workspace in a profile each; somebody reaches one of the workspaces or one of the profiles. */
static void init_two(ServiceFixture *f, const char *workspaces, const char *profiles)
{
    service_init_instance(f, SYNCD_INSTANCE_SYSTEM);
    f->caller.uid = 0;
    f->caller.inspector = true;
    static const char *const records[][2] = {
        {"profile", "{\"profile_id\":\"profile:hidden\",\"display_name\":\"H\","
                    "\"profile_class\":\"work\",\"policy_tags\":[]}"},
        {"workspace", "{\"workspace_id\":\"workspace:hidden\","
                      "\"profile_id\":\"profile:hidden\"}"},
        {"workspace", "{\"workspace_id\":\"workspace:notes\","
                      "\"profile_id\":\"profile:default\"}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(records); i++)
        g_assert_cmpint(register_record(f, records[i][0], records[i][1]), ==, -1);
    g_assert_cmpint(add(f, "r1", "workspace:hidden", SECRET), ==, -1);
    g_autofree char *actor = g_strdup_printf(
        "{\"actor_id\":\"a-1\",\"actor_type\":\"human\",\"display_name\":\"A\",\"identity_id\":"
        "\"uid:1001\",\"workspace_scope\":[%s],\"profile_scope\":[%s],\"capabilities\":"
        "[\"read\",\"write\",\"delete\"],\"trust_level\":\"user\",\"policy_subject\":\"a-1\","
        "\"signing_key_ref\":\"none\"}",
        workspaces, profiles);
    g_assert_cmpint(register_record(f, "actor", actor), ==, -1);
}

static const SyncdCaller limited = {.uid = 1001};

static int try_root(ServiceFixture *f, ChangeFunc func, const char *id, const char *workspace,
                    const char *directory)
{
    g_autofree char *record = root(id, workspace, directory), *message = NULL;
    const SyncdRegistryRequest request = {
        .kind = "root",
        .id = id,
        .expected = func == syncd_service_register ? 0 : 1,
        .record = func == syncd_service_revoke ? SYNCD_BYTES(NULL, 0) : SYNCD_BYTES_TEXT(record)};
    int code = change_as(f, &limited, func, &request, &message);
    /* Nothing that was not said by whoever asked. */
    if (message != NULL && strcmp(directory, SECRET) != 0)
        g_assert_null(strstr(message, SECRET));
    if (message != NULL && strcmp(workspace, "workspace:hidden") != 0)
        g_assert_null(strstr(message, "hidden"));
    if (message != NULL && strcmp(id, "r1") != 0)
        g_assert_null(strstr(message, "r1"));
    return code;
}

static guint count_refusals(ServiceFixture *f)
{
    return count_events(f, "sync.policy.denied") +
           count_events(f, "sync.profile.boundary_violation");
}

static void nobody_changes_or_learns_where_what_he_does_not_reach_lies(void)
{
    static const char *const reach[][2] = {
        {"\"workspace:notes\"", "\"*\""},
        {"\"*\"", "\"profile:default\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(reach); i++) {
        ServiceFixture f;
        init_two(&f, reach[i][0], reach[i][1]);
        guint denied = count_refusals(&f);
        guint64 before = service_sequence(&f);
        /* As if it were not there, whatever is asked of it. */
        g_assert_cmpint(try_root(&f, syncd_service_update, "r1", "workspace:notes", "/srv/notes"),
                        ==, SYNCD_ERROR_NOT_FOUND);
        g_assert_cmpint(try_root(&f, syncd_service_update, "r0", "workspace:notes", "/srv/notes"),
                        ==, SYNCD_ERROR_NOT_FOUND);
        g_assert_cmpint(try_root(&f, syncd_service_revoke, "r1", "", ""), ==,
                        SYNCD_ERROR_NOT_FOUND);
        g_assert_cmpint(try_root(&f, syncd_service_register, "r1", "workspace:notes", "/srv/notes"),
                        ==, SYNCD_ERROR_INVALID_ARGS);
        /* It may not be made there either, and nobody is told what is. */
        g_assert_cmpint(
            try_root(&f, syncd_service_register, "r2", "workspace:hidden", "/srv/other"), ==,
            SYNCD_ERROR_ACCESS_DENIED);
        g_assert_cmpint(try_root(&f, syncd_service_register, "r2", "workspace:notes", "/srv"), ==,
                        SYNCD_ERROR_POLICY_DENIED);
        assert_state(&f, "root", "r1", "active");
        g_assert_cmpuint(count_refusals(&f), >, denied);
        g_assert_cmpuint(service_sequence(&f) - before, ==, count_refusals(&f) - denied);
        g_assert_cmpint(try_root(&f, syncd_service_register, "r2", "workspace:notes", "/srv/notes"),
                        ==, -1);
        service_clear(&f);
    }
}

/* Neither the workspace nor the profile is ended, or changed, by who does not reach both. */
static void whoever_does_not_reach_a_profile_leaves_its_workspaces_alone(void)
{
    ServiceFixture f;
    init_two(&f, "\"*\"", "\"profile:default\"");
    const SyncdRegistryRequest end = {.kind = "workspace", .id = "workspace:hidden"};
    const SyncdRegistryRequest change = {
        .kind = "workspace",
        .id = "workspace:hidden",
        .record = SYNCD_BYTES_TEXT(
            "{\"workspace_id\":\"workspace:hidden\",\"profile_id\":\"profile:hidden\"}")};
    g_assert_cmpint(change_as(&f, &limited, syncd_service_update, &change, NULL), ==,
                    SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(change_as(&f, &limited, syncd_service_revoke, &end, NULL), ==,
                    SYNCD_ERROR_NOT_FOUND);
    assert_state(&f, "workspace", "workspace:hidden", "active");
    service_clear(&f);
}

static void policy_hears_of_the_profile_of_a_root(void)
{
    ServiceFixture f;
    init_two(&f, "\"*\"", "\"*\"");
    syncd_service_set_policy(
        f.service,
        set_of(FILE_OF(RULE("\"profiles\":[\"profile:hidden\"]", "deny", "not_there")), NULL),
        NULL);
    g_assert_cmpint(revoke_record(&f, "root", "r1"), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(add(&f, "r2", "workspace:notes", "/srv/notes"), ==, -1);
    service_clear(&f);
}

static void nothing_ends_under_a_root(void)
{
    static const char *const what[][2] = {{"workspace", "workspace:hidden"},
                                          {"profile", "profile:hidden"}};
    ServiceFixture f;
    init_two(&f, "\"*\"", "\"*\"");
    for (size_t i = 0; i < G_N_ELEMENTS(what); i++) {
        g_autofree char *message = NULL;
        const SyncdRegistryRequest request = {.kind = what[i][0], .id = what[i][1]};
        g_assert_cmpint(change_as(&f, &f.caller, syncd_service_revoke, &request, &message), ==,
                        SYNCD_ERROR_INVALID_CONTRACT);
        g_assert_nonnull(
            strstr(message, "`sourceos-syncd --system workspace remove workspace:hidden`"));
    }
    /* Of one turn. */
    g_assert_cmpint(add_open(&f, syncd_service_revoke, "r1", "", "", NULL), ==, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(what); i++)
        g_assert_cmpint(revoke_record(&f, what[i][0], what[i][1]), ==, -1);
    service_clear(&f);
}

#define ADD(name, func) g_test_add_func("/registry-root/" name, func)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    ADD("a-workspace-is-one-directory", a_workspace_is_one_directory);
    ADD("a-directory-has-one-spelling", a_directory_has_one_spelling);
    ADD("it-is-paused-and-resumed-and-never-moved", it_is_paused_and_resumed_and_never_moved);
    ADD("the-system-instance-looks-into-no-home", the_system_instance_looks_into_no_home);
    ADD("two-roots-of-one-turn-do-not-overlap", two_roots_of_one_turn_do_not_overlap);
    ADD("the-daemon-keeps-its-own-directories", the_daemon_keeps_its_own_directories);
    ADD("nobody-changes-or-learns-where-what-he-does-not-reach-lies",
        nobody_changes_or_learns_where_what_he_does_not_reach_lies);
    ADD("whoever-does-not-reach-a-profile-leaves-its-workspaces-alone",
        whoever_does_not_reach_a_profile_leaves_its_workspaces_alone);
    ADD("policy-hears-of-the-profile-of-a-root", policy_hears_of_the_profile_of_a_root);
    ADD("nothing-ends-under-a-root", nothing_ends_under_a_root);
    return g_test_run();
}
