/*
 * Policy is asked about what the data is and where it lies, whatever the caller says of either: the
 * class of an object that is registered is that of every operation on it, and a rule about a
 * profile or a workspace hears of all that lies in it.
 */
#include "places-fixture.h"
#include "policy-fixture.h"
#include "task-fixture.h"

#define SECRET(id) CLASSED(id, "secret")
#define RULES(match) FILE_OF(RULE(match, "deny", "site_says_no"))
#define IN_WORK "{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:work\"}"

static void give(ServiceFixture *f, const char *machine)
{
    syncd_service_set_policy(f->service, set_of(machine, NULL), NULL);
}

/* ---- what it is ---- */

static int enqueue_many_as(ServiceFixture *f, const SyncdCaller *caller, const char *lines)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) results =
        enqueue_many_at_once(f->service, caller, SYNCD_BYTES_TEXT(lines), &error);
    syncd_service_commit(f->service);
    return results != NULL ? -1 : error->code;
}

static int claim_as(ServiceFixture *f, const SyncdCaller *caller, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *lease = NULL;
    const SyncdClaim wanted = {.operation = operation};
    bool done = claim_at_once(f->service, caller, &wanted, &lease, &error);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static int replay_as(ServiceFixture *f, const SyncdCaller *caller, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    bool done = syncd_service_replay(f->service, caller, operation, "again", &replayed, &error);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static int update_as(ServiceFixture *f, const SyncdCaller *caller, const char *record)
{
    SyncdRegistryRequest request = {.kind = "object", .record = SYNCD_BYTES_TEXT(record)};
    return change_as(f, caller, syncd_service_update, &request, NULL);
}

static void a_secret_object_is_secret_whatever_is_said_of_it(void)
{
    ServiceFixture f;
    world_init(&f);
    const SyncdCaller watching = {.uid = agent.uid, .inspector = true};
    /* The agent's own, from before the object was secret. */
    g_autofree char *early = enqueue_on(&f, &agent, "o-1");
    g_autofree char *taken = claim_operation(&f, early);
    complete(&f, taken);
    g_autofree char *offered = enqueue_on(&f, &agent, "o-1");
    g_assert_cmpint(update_record(&f, "object", "o-1", SECRET("o-1")), ==, -1);
    guint enqueued = count_events(&f, "sync.operation.enqueued");

    g_assert_cmpint(enqueue_in(&f, &agent, "workspace:a", "o-1", "{}"), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(
        enqueue_many_as(&f, &agent,
                        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:a\","
                        "\"object\":\"o-1\",\"data_class\":\"public\",\"body\":{}}\n"),
        ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(claim_as(&f, &watching, offered), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(replay_as(&f, &watching, early), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(update_as(&f, &agent, CLASSED("o-1", "public")), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(update_as(&f, &agent, SECRET("o-1")), ==, SYNCD_ERROR_POLICY_DENIED);

    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, enqueued);
    g_assert_cmpuint(count_events(&f, "sync.operation.replayed"), ==, 0);
    g_autofree char *class = record_member(&f, "object", "o-1", "privacy_class");
    g_assert_cmpstr(class, ==, "\"secret\"");
    service_clear(&f);
}

static void an_operation_is_classed_as_its_object(void)
{
    static const struct {
        const char *object, *said, *shown;
    } cases[] = {
        {"public", NULL, "\"internal\""},
        {"work", NULL, "\"work\""},
        {"work", "confidential", "\"confidential\""},
        {"secret", "public", "\"secret\""},
        {"secret", "credential", "\"credential\""},
        {"regulated", "internal", "\"regulated\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        world_init(&f);
        g_autofree char *record = g_strdup_printf(CLASSED("o-1", "%s"), cases[i].object);
        g_assert_cmpint(update_record(&f, "object", "o-1", record), ==, -1);
        SyncdRequest request = good_request();
        request.scope = "workspace:a";
        request.object = "o-1";
        request.data_class = cases[i].said;
        g_autofree char *operation = enqueue_committed(&f, &request);
        g_autofree char *shown = get(&f, operation);
        assert_member(shown, "data_class", cases[i].shown);
        service_clear(&f);
    }
}

/* ---- where it lies ---- */

static void a_rule_about_a_place_hears_of_all_that_lies_there(void)
{
    static const struct {
        const char *rule, *scope, *object, *body;
        int code;
    } cases[] = {
        {"\"profiles\":[\"profile:work\"]", "workspace:a", "", "{}", SYNCD_ERROR_POLICY_DENIED},
        {"\"profiles\":[\"profile:work\"]", "workspace:a", "o-1", "{}", SYNCD_ERROR_POLICY_DENIED},
        {"\"profiles\":[\"profile:work\"]", "profile:work", "", "{}", SYNCD_ERROR_POLICY_DENIED},
        {"\"profiles\":[\"profile:work\"]", "device", "", IN_WORK, SYNCD_ERROR_POLICY_DENIED},
        {"\"profiles\":[\"profile:work\"]", "device", "", "{\"workspace_id\":\"workspace:a\"}",
         SYNCD_ERROR_POLICY_DENIED},
        {"\"profiles\":[\"profile:work\"]", "workspace:b", "", "{}", -1},
        {"\"profiles\":[\"profile:work\"]", "device", "", "{}", -1},
        {"\"profiles\":[\"profile:home\"]", "workspace:a", "", "{}", -1},
        {"\"workspaces\":[\"workspace:a\"]", "workspace:a", "", "{}", SYNCD_ERROR_POLICY_DENIED},
        {"\"workspaces\":[\"workspace:a\"]", "device", "", IN_WORK, SYNCD_ERROR_POLICY_DENIED},
        {"\"workspaces\":[\"workspace:a\"]", "vault:keys", "", IN_WORK, SYNCD_ERROR_POLICY_DENIED},
        {"\"workspaces\":[\"workspace:a\"]", "workspace:b", "", "{}", -1},
        {"\"workspaces\":[\"workspace:a\"]", "device", "", "{}", -1},
        {"\"object_types\":[\"note\"]", "workspace:a", "o-1", "{}", SYNCD_ERROR_POLICY_DENIED},
        {"\"object_types\":[\"note\"]", "workspace:a", "o-2", "{}", -1},
        {"\"data_classes\":[\"work\"]", "workspace:a", "o-1", "{}", SYNCD_ERROR_POLICY_DENIED},
        {"\"data_classes\":[\"work\"]", "workspace:a", "o-2", "{}", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        world_init(&f);
        g_autofree char *rules = g_strdup_printf(RULES("%s"), cases[i].rule);
        give(&f, rules);
        g_test_message("case %zu", i);
        g_assert_cmpint(enqueue_in(&f, &f.caller, cases[i].scope, cases[i].object, cases[i].body),
                        ==, cases[i].code);
        service_clear(&f);
    }
}

/* An object that may be worked on from another profile is still one of its own. */
static void a_rule_about_the_profile_of_an_object_hears_of_work_from_another(void)
{
    static const char *const rules[] = {RULES("\"profiles\":[\"profile:work\"]"),
                                        RULES("\"profiles\":[\"profile:home\"]"), NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        ServiceFixture f;
        world_init_tags(&f, "\"cross-to:profile:home\"", "\"cross-from:profile:work\"");
        give(&f, rules[i]);
        g_assert_cmpint(
            enqueue_in(&f, &f.caller, "workspace:a", "o-1", "{\"profile_id\":\"profile:home\"}"),
            ==, rules[i] != NULL ? SYNCD_ERROR_POLICY_DENIED : -1);
        service_clear(&f);
    }
}

static void a_rule_hears_of_what_an_update_takes_away(void)
{
    static const char *const rules[] = {RULES("\"data_classes\":[\"work\"]"),
                                        RULES("\"data_classes\":[\"public\"]"),
                                        RULES("\"data_classes\":[\"personal\"]"), NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        ServiceFixture f;
        world_init(&f);
        give(&f, rules[i]);
        g_assert_cmpint(update_record(&f, "object", "o-1", CLASSED("o-1", "public")), ==,
                        i < 2 ? SYNCD_ERROR_POLICY_DENIED : -1);
        service_clear(&f);
    }
}

/* ---- what it becomes ---- */

static void a_rule_about_tombstones_hears_of_every_deletion(void)
{
    ServiceFixture f;
    world_init(&f);
    give(&f, RULES("\"operation_types\":[\"sync.tombstone.apply\"]"));
    SyncdRequest request = good_request();
    request.scope = "workspace:a";
    request.object = "o-1";
    request.lane = "tombstone";
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(revoke_record(&f, "object", "o-1"), ==, SYNCD_ERROR_POLICY_DENIED);
    assert_state(&f, "object", "o-1", "active");
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "o-1", "{}"), ==, -1);
    give(&f, NULL);
    g_assert_cmpint(revoke_record(&f, "object", "o-1"), ==, -1);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
#define ADD(name, func) g_test_add_func("/policy-places/" name, func)
    ADD("a-secret-object-is-secret-whatever-is-said-of-it",
        a_secret_object_is_secret_whatever_is_said_of_it);
    ADD("an-operation-is-classed-as-its-object", an_operation_is_classed_as_its_object);
    ADD("a-rule-about-a-place-hears-of-all-that-lies-there",
        a_rule_about_a_place_hears_of_all_that_lies_there);
    ADD("a-rule-about-the-profile-of-an-object-hears-of-work-from-another",
        a_rule_about_the_profile_of_an_object_hears_of_work_from_another);
    ADD("a-rule-hears-of-what-an-update-takes-away", a_rule_hears_of_what_an_update_takes_away);
    ADD("a-rule-about-tombstones-hears-of-every-deletion",
        a_rule_about_tombstones_hears_of_every_deletion);
#undef ADD
    return g_test_run();
}
