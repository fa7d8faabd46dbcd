/*
 * A sync plan is about objects that are there, where the plan lies, for an actor that reaches them;
 * it takes its steps, and waits for what can end.
 */
#include "places-fixture.h"
#include "policy-fixture.h"

#define PLAN_OF(id, status, more, class, target)                                                   \
    "{\"plan_id\":\"" id "\",\"target_actor\":\"" target "\",\"profile_id\":\"profile:work\","     \
    "\"workspace_id\":\"workspace:a\",\"object_ids\":[\"o-1\"],\"operation_class\":\"" class       \
        "\","                                                                                      \
        "\"dependencies\":[" more "],\"retry_policy\":\"none\",\"conflict_policy\":\"ask\","       \
        "\"status\":\"" status "\",\"user_explanation\":\"x\"}"
#define PLAN(id, status, more) PLAN_OF(id, status, more, "replicate", "agent-1")

static void a_plan_takes_its_steps(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(register_record(&f, "plan", PLAN("p-1", "running", "")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    register_good(&f, "plan", PLAN("p-1", "planned", ""));
    register_good(&f, "plan", PLAN("p-2", "planned", "\"p-1\""));
    g_assert_cmpint(update_record(&f, "plan", "p-2", PLAN("p-2", "running", "\"p-1\"")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "plan", "p-2", PLAN("p-2", "planned", "\"p-2\"")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "completed", "")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "running", "")), ==, -1);
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "completed", "")), ==, -1);
    g_assert_cmpint(update_record(&f, "plan", "p-2", PLAN("p-2", "running", "\"p-1\"")), ==, -1);
    g_assert_cmpint(revoke_record(&f, "plan", "p-1"), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(revoke_record(&f, "plan", "p-2"), ==, -1);
    assert_state(&f, "plan", "p-2", "cancelled");
    /* Replicating needs a capability that the agent lacks. */
    g_assert_cmpint(register_as(&f, &agent, "plan", PLAN("p-3", "planned", "")), ==,
                    SYNCD_ERROR_ACCESS_DENIED);
    service_clear(&f);
}

/* What a plan waits for is there, and does not wait for the plan. */
static void a_plan_waits_for_what_can_end(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(register_record(&f, "plan", PLAN("p-1", "planned", "\"none-such\"")), ==,
                    SYNCD_ERROR_NOT_FOUND);
    register_good(&f, "plan", PLAN("p-1", "planned", ""));
    register_good(&f, "plan", PLAN("p-2", "planned", "\"p-1\""));
    register_good(&f, "plan", PLAN("p-3", "planned", "\"p-1\",\"p-2\""));
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "planned", "\"p-2\"")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "planned", "\"p-3\"")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "running", "\"none-such\"")), ==,
                    SYNCD_ERROR_NOT_FOUND);
    assert_state(&f, "plan", "p-1", "planned");
    g_assert_cmpint(update_record(&f, "plan", "p-2", PLAN("p-2", "planned", "")), ==, -1);
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "planned", "\"p-2\"")), ==, -1);
    service_clear(&f);
}

static void register_reaching(ServiceFixture *f, const char *id, const char *workspaces,
                              const char *profiles)
{
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"%s\",\"actor_type\":\"agent\",\"display_name\":\"A\","
        "\"identity_id\":\"agent:%s\",\"workspace_scope\":[%s],\"profile_scope\":[%s],"
        "\"capabilities\":[\"read\",\"write\"],\"trust_level\":\"user\","
        "\"policy_subject\":\"%s\",\"signing_key_ref\":\"none\"}",
        id, id, workspaces, profiles, id);
    register_good(f, "actor", record);
}

static void a_plan_sends_nothing_where_its_objects_are_not_let(void)
{
    ServiceFixture f;
    world_init(&f);
    register_reaching(&f, "at-home", "\"workspace:a\"", "\"profile:home\"");
    register_reaching(&f, "elsewhere", "\"workspace:b\"", "\"profile:work\"");
    g_assert_cmpint(register_record(&f, "plan", PLAN_OF("p-1", "planned", "", "import", "at-home")),
                    ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(
        register_record(&f, "plan", PLAN_OF("p-1", "planned", "", "import", "elsewhere")), ==,
        SYNCD_ERROR_POLICY_DENIED);
    register_good(&f, "plan", PLAN("p-1", "planned", ""));
    /* What was let go may not be any more when it is to begin. */
    g_assert_cmpint(update_record(&f, "object", "o-1", CLASSED("o-1", "secret")), ==, -1);
    g_assert_cmpint(update_record(&f, "plan", "p-1", PLAN("p-1", "running", "")), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(register_record(&f, "plan", PLAN_OF("p-2", "planned", "", "export", "agent-1")),
                    ==, SYNCD_ERROR_POLICY_DENIED);
    register_good(&f, "plan", PLAN_OF("p-2", "planned", "", "import", "agent-1"));
    g_assert_cmpint(revoke_record(&f, "plan", "p-1"), ==, -1);
    service_clear(&f);
}

static void a_rule_about_replication_hears_of_plans(void)
{
    ServiceFixture f;
    world_init(&f);
    syncd_service_set_policy(
        f.service,
        set_of(FILE_OF(RULE("\"actions\":[\"replicate\"],\"profiles\":[\"profile:work\"]", "deny",
                            "stays_here")),
               NULL),
        NULL);
    g_assert_cmpint(register_record(&f, "plan", PLAN("p-1", "planned", "")), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(register_record(&f, "plan", PLAN_OF("p-1", "planned", "", "export", "agent-1")),
                    ==, SYNCD_ERROR_POLICY_DENIED);
    register_good(&f, "plan", PLAN_OF("p-1", "planned", "", "import", "agent-1"));
    service_clear(&f);
}

/* A plan about these objects, by the owner. -1 when it was taken. */
static int plan_as(ServiceFixture *f, const SyncdCaller *caller, ChangeFunc func, const char *class,
                   const char *status, const char *objects, char **ret_message)
{
    g_autofree char *record = g_strdup_printf(
        "{\"plan_id\":\"p-%s\",\"target_actor\":\"agent-1\",\"profile_id\":\"profile:work\","
        "\"workspace_id\":\"workspace:a\",\"object_ids\":[%s],\"operation_class\":\"%s\","
        "\"dependencies\":[],\"retry_policy\":\"none\",\"conflict_policy\":\"ask\","
        "\"status\":\"%s\",\"user_explanation\":\"x\"}",
        class, objects, class, status);
    g_autofree char *id = g_strconcat("p-", class, NULL);
    const SyncdRegistryRequest request = {
        .kind = "plan",
        .id = func == syncd_service_update ? id : NULL,
        .record = SYNCD_BYTES_TEXT(record),
    };
    return change_as(f, caller, func, &request, ret_message);
}

static int plan(ServiceFixture *f, const char *class, const char *status, const char *objects)
{
    bool begins = strcmp(status, "planned") == 0;
    return plan_as(f, &f->caller, begins ? syncd_service_register : syncd_service_update, class,
                   status, objects, NULL);
}

/* What nobody registered cannot be held against the profile; only what comes in is not there yet.
 */
static void a_plan_is_about_objects_that_are_there(void)
{
    static const char *const classes[] = {"replicate", "export", "repair",
                                          "migrate",   "delete", "restore"};
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "o-loose", "{}"), ==, -1);
    guint64 before = service_sequence(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        g_autofree char *message = NULL;
        g_assert_cmpint(plan(&f, classes[i], "planned", "\"o-1\",\"o-none\""), ==,
                        SYNCD_ERROR_NOT_FOUND);
        g_assert_cmpint(plan_as(&f, &f.caller, syncd_service_register, classes[i], "planned",
                                "\"o-1\",\"o-loose\"", &message),
                        ==, SYNCD_ERROR_NOT_FOUND);
        g_assert_nonnull(strstr(message, "/record/object_ids/1"));
    }
    g_assert_cmpuint(service_sequence(&f), ==, before);
    g_assert_cmpint(plan(&f, "import", "planned", "\"o-none\""), ==, -1);
    /* It came in elsewhere. */
    register_good(&f, "object", OBJECT("o-none", "workspace:b", "profile:home", "note/v1"));
    g_assert_cmpint(plan(&f, "import", "running", "\"o-none\""), ==, SYNCD_ERROR_POLICY_DENIED);
    service_clear(&f);
}

/* What lies where the actor does not reach is to it like what is not there. */
static void a_plan_tells_nothing_of_other_places(void)
{
    const SyncdCaller builder = {.uid = 1002};
    ServiceFixture f;
    g_autofree char *hidden = NULL, *absent = NULL;
    world_init(&f);
    register_good(&f, "actor",
                  "{\"actor_id\":\"builder\",\"actor_type\":\"agent\",\"display_name\":\"B\","
                  "\"identity_id\":\"uid:1002\",\"workspace_scope\":[\"workspace:a\"],"
                  "\"profile_scope\":[\"profile:work\"],\"capabilities\":[\"read\",\"write\","
                  "\"repair\"],\"trust_level\":\"user\",\"policy_subject\":\"b\","
                  "\"signing_key_ref\":\"none\"}");
    register_good(&f, "object", OBJECT("o-2", "workspace:b", "profile:home", "note/v1"));
    g_assert_cmpint(plan_as(&f, &builder, syncd_service_register, "repair", "planned",
                            "\"o-1\",\"o-2\"", &hidden),
                    ==, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(plan_as(&f, &builder, syncd_service_register, "repair", "planned",
                            "\"o-1\",\"o-3\"", &absent),
                    ==, SYNCD_ERROR_NOT_FOUND);
    *strstr(hidden, "o-2") = *strstr(absent, "o-3") = 'x';
    strstr(hidden, "x-2")[2] = '3';
    g_assert_cmpstr(hidden, ==, absent);
    g_assert_cmpint(
        plan_as(&f, &builder, syncd_service_register, "repair", "planned", "\"o-1\"", NULL), ==,
        -1);
    service_clear(&f);
}

/* What is gone is only deleted or restored; a plan that was made before can still end. */
static void a_plan_begins_nothing_with_what_is_deleted(void)
{
    static const struct {
        const char *class;
        int code;
    } cases[] = {
        {"replicate", SYNCD_ERROR_NOT_FOUND},
        {"export", SYNCD_ERROR_NOT_FOUND},
        {"import", SYNCD_ERROR_NOT_FOUND},
        {"repair", SYNCD_ERROR_NOT_FOUND},
        {"migrate", SYNCD_ERROR_NOT_FOUND},
        {"delete", -1},
        {"restore", -1},
    };
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "object", OBJECT("o-2", "workspace:a", "profile:work", "note/v1"));
    g_assert_cmpint(plan(&f, "replicate", "planned", "\"o-2\""), ==, -1);
    g_assert_cmpint(revoke_record(&f, "object", "o-2"), ==, -1);
    g_assert_cmpint(plan(&f, "replicate", "blocked", "\"o-2\""), ==, -1);
    g_assert_cmpint(plan(&f, "replicate", "running", "\"o-2\""), ==, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(revoke_record(&f, "plan", "p-replicate"), ==, -1);
    g_assert_cmpint(revoke_record(&f, "object", "o-1"), ==, -1);
    for (size_t i = 1; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(plan(&f, cases[i].class, "planned", "\"o-1\""), ==, cases[i].code);
    service_clear(&f);
}

/* Nobody knows what it is: it is mended, migrated or deleted, and goes nowhere. */
static void a_plan_sends_nothing_that_is_quarantined(void)
{
    static const struct {
        const char *class;
        int code;
    } cases[] = {
        {"replicate", SYNCD_ERROR_POLICY_DENIED},
        {"export", SYNCD_ERROR_POLICY_DENIED},
        {"import", SYNCD_ERROR_POLICY_DENIED},
        {"repair", -1},
        {"migrate", -1},
        {"delete", -1},
        {"restore", -1},
    };
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "object", OBJECT("o-9", "workspace:a", "profile:work", "other/v1"));
    assert_state(&f, "object", "o-9", "quarantined");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(plan(&f, cases[i].class, "planned", "\"o-9\""), ==, cases[i].code);
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plans/a-plan-takes-its-steps", a_plan_takes_its_steps);
    g_test_add_func("/plans/a-plan-waits-for-what-can-end", a_plan_waits_for_what_can_end);
    g_test_add_func("/plans/a-plan-sends-nothing-where-its-objects-are-not-let",
                    a_plan_sends_nothing_where_its_objects_are_not_let);
    g_test_add_func("/plans/a-rule-about-replication-hears-of-plans",
                    a_rule_about_replication_hears_of_plans);
    g_test_add_func("/plans/a-plan-is-about-objects-that-are-there",
                    a_plan_is_about_objects_that_are_there);
    g_test_add_func("/plans/a-plan-tells-nothing-of-other-places",
                    a_plan_tells_nothing_of_other_places);
    g_test_add_func("/plans/a-plan-begins-nothing-with-what-is-deleted",
                    a_plan_begins_nothing_with_what_is_deleted);
    g_test_add_func("/plans/a-plan-sends-nothing-that-is-quarantined",
                    a_plan_sends_nothing_that_is_quarantined);
    return g_test_run();
}
