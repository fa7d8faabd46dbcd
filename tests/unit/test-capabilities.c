/*
 * What an actor may do is what its capabilities say, one by one: whoever lacks exactly the one that
 * a request needs is refused and changes nothing, and with it the same request is taken.
 */
#include "places-fixture.h"

static const char *const capabilities[] = {"read",   "write",          "delete", "merge",
                                           "repair", "migrate_schema", "export", "replicate"};

/* NULL: the agent has all of them. */
static void give_all_but(ServiceFixture *f, const char *lacking)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(capabilities); i++)
        if (g_strcmp0(capabilities[i], lacking) != 0)
            g_string_append_printf(list, "%s\"%s\"", list->len > 0 ? "," : "", capabilities[i]);
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"display_name\":\"A\","
        "\"identity_id\":\"uid:1001\",\"workspace_scope\":[\"workspace:a\"],"
        "\"profile_scope\":[\"profile:work\"],\"capabilities\":[%s],\"trust_level\":\"user\","
        "\"policy_subject\":\"agent-1\",\"signing_key_ref\":\"none\"}",
        list->str);
    g_assert_cmpint(update_record(f, "actor", "agent-1", record), ==, -1);
}

/* What is asked for, and what that needs: an operation in a lane, or a plan of a class. */
typedef struct {
    const char *needs;
    const char *lane;
    const char *plan_class;
} Case;

static const Case cases[] = {
    {"write", "normal", NULL},           {"delete", "tombstone", NULL},
    {"write", NULL, "import"},           {"write", NULL, "restore"},
    {"replicate", NULL, "replicate"},    {"export", NULL, "export"},
    {"repair", NULL, "repair"},          {"delete", NULL, "delete"},
    {"migrate_schema", NULL, "migrate"},
};

static int ask(ServiceFixture *f, const Case *asked, size_t number)
{
    if (asked->plan_class != NULL) {
        g_autofree char *plan = g_strdup_printf(
            "{\"plan_id\":\"p-%zu\",\"target_actor\":\"agent-1\",\"profile_id\":\"profile:work\","
            "\"workspace_id\":\"workspace:a\",\"object_ids\":[],\"operation_class\":\"%s\","
            "\"dependencies\":[],\"retry_policy\":\"none\",\"conflict_policy\":\"ask\","
            "\"status\":\"planned\",\"user_explanation\":\"x\"}",
            number, asked->plan_class);
        return register_as(f, &agent, "plan", plan);
    }
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    request.scope = "workspace:a";
    request.lane = asked->lane;
    bool done = syncd_service_enqueue(f->service, &agent, &request, &enqueued, &error);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static int ask_many(ServiceFixture *f)
{
    static const char lines[] =
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:a\",\"object\":\"note-1\","
        "\"body\":{}}\n";
    g_autoptr(GError) error = NULL;
    GString *results = NULL;
    g_autoptr(SyncdMany) batch =
        syncd_service_begin_many(f->service, &agent, SYNCD_BYTES_TEXT(lines), &error);
    while (error == NULL && results == NULL)
        syncd_many_step(batch, &results, &error);
    syncd_service_commit(f->service);
    if (results != NULL)
        g_string_free(results, TRUE);
    return error == NULL ? -1 : error->code;
}

static guint64 count_written(ServiceFixture *f)
{
    return service_sequence(f) - count_events(f, "sync.policy.denied");
}

static void each_request_needs_its_capability(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "note-1", "{}"), ==, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        give_all_but(&f, cases[i].needs);
        guint64 before = count_written(&f);
        g_assert_cmpint(ask(&f, &cases[i], i), ==, SYNCD_ERROR_ACCESS_DENIED);
        g_assert_cmpuint(count_written(&f), ==, before);
        give_all_but(&f, NULL);
        g_assert_cmpint(ask(&f, &cases[i], i), ==, -1);
        g_assert_cmpuint(count_written(&f), >, before);
    }
    service_clear(&f);
}

static void many_need_what_one_needs(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "note-1", "{}"), ==, -1);
    give_all_but(&f, "write");
    g_assert_cmpint(ask_many(&f), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 1);
    give_all_but(&f, NULL);
    g_assert_cmpint(ask_many(&f), ==, -1);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 2);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/capabilities/each-request-needs-its-capability",
                    each_request_needs_its_capability);
    g_test_add_func("/capabilities/many-need-what-one-needs", many_need_what_one_needs);
    return g_test_run();
}
