/*
 * Where a workspace lies: one directory, which is no other's, and stays it.
 */
#include "registry-fixture.h"
#include "service/internal.h"

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
    static const char *const homes[] = {"/home/ada", "/home", "/root/x", "/run/user/1000/x"};
    ServiceFixture f;
    init(&f);
    f.service->instance = SYNCD_INSTANCE_SYSTEM;
    for (size_t i = 0; i < G_N_ELEMENTS(homes); i++)
        g_assert_cmpint(add(&f, "r1", "workspace:notes", homes[i]), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(add(&f, "r1", "workspace:notes", "/homestead"), ==, -1);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/registry-root/a-workspace-is-one-directory", a_workspace_is_one_directory);
    g_test_add_func("/registry-root/a-directory-has-one-spelling", a_directory_has_one_spelling);
    g_test_add_func("/registry-root/it-is-paused-and-resumed-and-never-moved",
                    it_is_paused_and_resumed_and_never_moved);
    g_test_add_func("/registry-root/the-system-instance-looks-into-no-home",
                    the_system_instance_looks_into_no_home);
    return g_test_run();
}
