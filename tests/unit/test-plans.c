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

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plans/a-plan-takes-its-steps", a_plan_takes_its_steps);
    g_test_add_func("/plans/a-plan-waits-for-what-can-end", a_plan_waits_for_what_can_end);
    g_test_add_func("/plans/a-plan-sends-nothing-where-its-objects-are-not-let",
                    a_plan_sends_nothing_where_its_objects_are_not_let);
    g_test_add_func("/plans/a-rule-about-replication-hears-of-plans",
                    a_rule_about_replication_hears_of_plans);
    return g_test_run();
}
