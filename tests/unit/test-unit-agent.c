/*
 * Whoever runs in the systemd unit of a registered agent is that agent, in the instance of a user.
 */
#include "policy-fixture.h"
#include "signed-fixture.h"

static int enqueue_from(Signed *s, const char *unit, char **ret_actor)
{
    SyncdCaller caller = s->f.caller;
    SyncdRequest request = good_request();
    g_auto(SyncdEnqueued) enqueued = {0};
    g_autoptr(GError) error = NULL;
    caller.unit = unit;
    bool done = syncd_service_enqueue(s->f.service, &caller, &request, &enqueued, &error);
    syncd_service_commit(s->f.service);
    if (!done)
        return error->code;
    g_autofree char *record = get(&s->f, enqueued.operation);
    *ret_actor = member_of(record, "actor_id");
    return -1;
}

static void who_runs_in_a_registered_unit_is_its_agent(void)
{
    Signed s;
    g_autofree char *user = NULL, *agent = NULL, *other = NULL;
    signed_init(&s);
    g_assert_cmpint(register_record(&s.f, "actor",
                                    "{\"actor_id\":\"builder\",\"actor_type\":\"agent\","
                                    "\"display_name\":\"B\",\"identity_id\":"
                                    "\"unit:builder.service\",\"workspace_scope\":[\"*\"],"
                                    "\"profile_scope\":[\"*\"],\"capabilities\":[\"write\"],"
                                    "\"trust_level\":\"user\",\"policy_subject\":\"builder\","
                                    "\"signing_key_ref\":\"none\"}"),
                    ==, -1);
    g_assert_cmpint(enqueue_from(&s, NULL, &user), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &agent), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "other.service", &other), ==, -1);
    g_assert_cmpstr(agent, ==, "\"builder\"");
    g_assert_cmpstr(other, ==, user);
    g_assert_cmpstr(user, !=, agent);
    /* It does not become its user again by being revoked. */
    g_assert_cmpint(revoke_record(&s.f, "actor", "builder"), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &agent), ==, SYNCD_ERROR_ACCESS_DENIED);
    signed_clear(&s);
}

#define BUILDER(subject)                                                                           \
    "{\"actor_id\":\"builder\",\"actor_type\":\"agent\",\"display_name\":\"B\",\"identity_id\":"   \
    "\"unit:builder.service\",\"workspace_scope\":[\"*\"],\"profile_scope\":[\"*\"],"              \
    "\"capabilities\":[\"write\"],\"trust_level\":\"user\",\"policy_subject\":\"" subject          \
    "\",\"signing_key_ref\":\"none\"}"

/* The sandbox hides processes there, and a unit's name would be anybody's. */
static void the_system_instance_heeds_no_unit(void)
{
    Signed s;
    g_autofree char *user = NULL, *unit = NULL;
    signed_init(&s);
    g_assert_cmpint(register_record(&s.f, "actor", BUILDER("builder")), ==, -1);
    s.f.service->instance = SYNCD_INSTANCE_SYSTEM;
    g_assert_cmpint(enqueue_from(&s, NULL, &user), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &unit), ==, -1);
    g_assert_cmpstr(unit, ==, user);
    signed_clear(&s);
}

/* What was decided for the subject that an agent was is not decided for the one that it is. */
static void another_subject_is_asked_about_anew(void)
{
    Signed s;
    g_autofree char *before = NULL, *after = NULL;
    signed_init(&s);
    syncd_service_set_policy(
        s.f.service,
        set_of(FILE_OF(RULE("\"subjects\":[\"suspect\"]", "deny", "no_suspects")), NULL), NULL);
    g_assert_cmpint(register_record(&s.f, "actor", BUILDER("builder")), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &before), ==, -1);
    g_assert_cmpint(update_record(&s.f, "actor", "builder", BUILDER("suspect")), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &after), ==, SYNCD_ERROR_POLICY_DENIED);
    signed_clear(&s);
}

/* Whether and from which unit he calls: the user is one subject, that of his record. */
static void a_unit_makes_nobody_another_subject(void)
{
    Signed s;
    g_autofree char *actor = NULL, *record = NULL, *after = NULL;
    signed_init(&s);
    syncd_service_set_policy(
        s.f.service, set_of(FILE_OF(RULE("\"subjects\":[\"alice\"]", "deny", "no_alice")), NULL),
        NULL);
    g_assert_true(syncd_service_find_caller(s.f.service, &s.f.caller, &actor, NULL));
    record = g_strdup_printf(
        "{\"actor_id\":\"%s\",\"actor_type\":\"human\",\"display_name\":\"A\",\"identity_id\":"
        "\"uid:1000\",\"workspace_scope\":[],\"profile_scope\":[],\"capabilities\":[\"read\","
        "\"write\"],\"trust_level\":\"user\",\"policy_subject\":\"alice\",\"signing_key_ref\":"
        "\"none\"}",
        actor);
    g_assert_cmpint(update_record(&s.f, "actor", actor, record), ==, -1);
    static const char *const units[] = {NULL, "terminal.scope", "", "other.service"};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        g_assert_cmpint(enqueue_from(&s, units[i], &after), ==, SYNCD_ERROR_POLICY_DENIED);
    signed_clear(&s);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/unit-agent/the-system-instance-heeds-no-unit",
                    the_system_instance_heeds_no_unit);
    g_test_add_func("/unit-agent/who-runs-in-a-registered-unit-is-its-agent",
                    who_runs_in_a_registered_unit_is_its_agent);
    g_test_add_func("/unit-agent/another-subject-is-asked-about-anew",
                    another_subject_is_asked_about_anew);
    g_test_add_func("/unit-agent/a-unit-makes-nobody-another-subject",
                    a_unit_makes_nobody_another_subject);
    return g_test_run();
}
