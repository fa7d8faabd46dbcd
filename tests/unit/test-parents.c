/*
 * What an operation builds on is of its own profile, or of one from which both profiles let objects
 * pass; what the caller does not reach is for him not there.
 */
#include "places-fixture.h"
#include "service/internal.h"
#include "task-fixture.h"

#define TO_WORK "\"cross-to:profile:work\""
#define FROM_HOME "\"cross-from:profile:home\""

typedef struct {
    const char *scope, *body;
} At;

static char *put_at(ServiceFixture *f, At at)
{
    SyncdRequest request = good_request();
    request.scope = at.scope;
    request.body = SYNCD_BYTES_TEXT(at.body);
    return enqueue_committed(f, &request);
}

/* -1 when it was taken. Commits. */
static int build_as(ServiceFixture *f, const SyncdCaller *caller, At at, const char *parent,
                    char **ret_message)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    const char *const parents[] = {parent, NULL};
    SyncdRequest request = good_request();
    request.scope = at.scope;
    request.object = "";
    request.body = SYNCD_BYTES_TEXT(at.body);
    request.parents = parents;
    bool done = syncd_service_enqueue(f->service, caller, &request, &enqueued, &error);
    if (!done) {
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, "/parents/0"));
        if (ret_message != NULL)
            *ret_message = g_strdup(error->message);
    }
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

/* A parent in the one place, and a child in the other. */
static int build(ServiceFixture *f, At parent, At child)
{
    g_autofree char *operation = put_at(f, parent);
    return build_as(f, &f->caller, child, operation, NULL);
}

static const At in_a = {"workspace:a", "{}"}, in_b = {"workspace:b", "{}"};

static void nothing_is_built_on_another_profile(void)
{
    ServiceFixture f;
    world_init(&f);
    g_autofree char *operation = put_at(&f, in_b);
    g_autofree char *message = NULL;
    guint64 before = service_sequence(&f);
    g_assert_cmpint(build_as(&f, &f.caller, in_a, operation, &message), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_nonnull(strstr(message, "profile_boundary_violation"));
    g_assert_cmpuint(count_events(&f, "sync.profile.boundary_violation"), ==, 1);
    g_assert_cmpuint(service_sequence(&f), ==, before + 1);
    service_clear(&f);
}

/* The boundary is between profiles: a workspace is no obstacle to whoever reaches both. */
static void what_is_of_the_same_profile_is_built_on(void)
{
    static const At home_too = {"vault:keys", "{\"profile_id\":\"profile:home\"}"};
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "workspace",
                  "{\"workspace_id\":\"workspace:c\",\"profile_id\":\"profile:home\"}");
    g_assert_cmpint(build(&f, in_b, in_b), ==, -1);
    g_assert_cmpint(build(&f, in_b, (At){"workspace:c", "{}"}), ==, -1);
    g_assert_cmpint(build(&f, in_b, home_too), ==, -1);
    g_assert_cmpint(build(&f, home_too, in_b), ==, -1);
    service_clear(&f);
}

/* Where its scope does not say to which profile an operation belongs, its body does. */
static void an_operation_is_of_the_profile_that_it_names(void)
{
    static const At home = {"vault:keys", "{\"profile_id\":\"profile:home\"}"},
                    nobodys = {"vault:keys", "{}"};
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(build(&f, home, in_a), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(build(&f, home, nobodys), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(build(&f, nobodys, home), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(build(&f, nobodys, nobodys), ==, -1);
    service_clear(&f);
}

static void tags_of_both_profiles_let_it_pass(void)
{
    static const struct {
        const char *work, *home;
        int code;
    } cases[] = {
        {FROM_HOME, TO_WORK, -1},
        {"", TO_WORK, SYNCD_ERROR_POLICY_DENIED},
        {FROM_HOME, "", SYNCD_ERROR_POLICY_DENIED},
        {"\"cross-to:profile:home\"", "\"cross-from:profile:work\"", SYNCD_ERROR_POLICY_DENIED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        world_init_tags(&f, cases[i].work, cases[i].home);
        g_assert_cmpint(build(&f, in_b, in_a), ==, cases[i].code);
        service_clear(&f);
    }
}

/* In the instance of a user an agent may read what is the user's; what it may not write to it hears
 * nothing of here. */
static void what_is_not_reached_is_as_if_it_were_not_there(void)
{
    static const char absent[] = "op-00000000000000000000000000";
    static const At hidden[] = {{"workspace:b", "{}"},
                                {"vault:keys", "{}"},
                                {"device", "{\"profile_id\":\"profile:work\",\"workspace_id\":"
                                           "\"workspace:a\"}"}};
    const SyncdCaller builder = {.uid = OWNER, .unit = "builder.service"};
    ServiceFixture f;
    service_init(&f);
    world_fill(&f, FROM_HOME, TO_WORK);
    register_good(&f, "actor",
                  "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"display_name\":\"A\","
                  "\"identity_id\":\"unit:builder.service\",\"workspace_scope\":[\"workspace:a\"],"
                  "\"profile_scope\":[\"profile:work\"],\"capabilities\":[\"read\",\"write\"],"
                  "\"trust_level\":\"user\",\"policy_subject\":\"agent-1\",\"signing_key_ref\":"
                  "\"none\"}");
    g_autofree char *seen = put_at(&f, in_a);
    g_assert_cmpint(build_as(&f, &builder, in_a, seen, NULL), ==, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(hidden); i++) {
        g_autofree char *operation = put_at(&f, hidden[i]), *there = NULL, *not_there = NULL;
        guint64 before = service_sequence(&f);
        g_assert_cmpint(build_as(&f, &builder, in_a, operation, &there), ==, SYNCD_ERROR_NOT_FOUND);
        g_assert_cmpint(build_as(&f, &builder, in_a, absent, &not_there), ==,
                        SYNCD_ERROR_NOT_FOUND);
        char *name = strstr(there, operation);
        g_assert_nonnull(name);
        memcpy(name, absent, sizeof absent - 1);
        g_assert_cmpstr(there, ==, not_there);
        g_assert_cmpuint(service_sequence(&f), ==, before);
    }
    service_clear(&f);
}

/* Many at once are no way around it. */
static void many_lines_do_not_cross_either(void)
{
    ServiceFixture f;
    world_init(&f);
    g_autofree char *operation = put_at(&f, in_b);
    g_autofree char *lines = g_strdup_printf(
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:a\",\"object\":\"\",\"body\":"
        "{},\"create_scope\":true,\"parents\":[\"%s\"]}\n",
        operation);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) results =
        enqueue_many_at_once(f.service, &f.caller, SYNCD_BYTES_TEXT(lines), &error);
    g_assert_null(results);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    g_assert_nonnull(strstr(error->message, "/parents/0"));
    service_clear(&f);
}

/* Two of the largest are one merge; what more of them say is not read for one request. */
static void what_is_read_of_parents_is_bounded(void)
{
    enum { PARENTS = 4 };
    ServiceFixture f;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *body = g_strnfill((gsize)10 * 1024 * 1024, ' ');
    char *parents[PARENTS + 1] = {NULL};
    service_init(&f);
    memcpy(body, "{}", 2);
    for (size_t i = 0; i < PARENTS; i++)
        parents[i] = enqueue_body(&f, "note-1", body);
    SyncdRequest request = good_request();
    request.parents = (const char *const *)parents;
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
    g_assert_nonnull(strstr(error->message, "/parents/2"));
    g_assert_cmpuint(g_hash_table_size(f.service->said), ==, 2);
    g_clear_pointer(&parents[2], g_free);
    g_free(enqueue_committed(&f, &request));
    /* They are not read again. */
    g_assert_cmpuint(g_hash_table_size(f.service->said), ==, 2);
    g_free(parents[0]);
    g_free(parents[1]);
    g_free(parents[3]);
    service_clear(&f);
}

/* Of what was purged only the name is left: it lies where its scope does. */
static void what_was_purged_still_lies_somewhere(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    world_init(&f);
    g_autofree char *operation = put_at(&f, in_b);
    g_autofree char *lease = claim_operation(&f, operation);
    complete(&f, lease);
    SyncdRequest deletion = good_request();
    deletion.scope = "workspace:b";
    deletion.lane = "tombstone";
    g_free(enqueue_committed(&f, &deletion));
    run_jobs(&f);
    SyncdPurgeRequest request = {.scope = "workspace:b", .object = "note-1"};
    g_autofree char *plan = plan_purge_at_once(f.service, &f.caller, &request, &error);
    g_assert_no_error(error);
    g_autofree char *quoted = member_of(plan, "digest");
    g_autofree char *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
    g_auto(SyncdPurged) purged = {0};
    request.digest = digest;
    purge_at_once(f.service, &f.caller, &request, &purged, &error);
    g_assert_no_error(error);
    g_assert_cmpint(build_as(&f, &f.caller, in_b, operation, NULL), ==, -1);
    g_assert_cmpint(build_as(&f, &f.caller, in_a, operation, NULL), ==, SYNCD_ERROR_POLICY_DENIED);
    service_clear(&f);
}

#define ADD(name, func) g_test_add_func("/parents/" name, func)

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("nothing-is-built-on-another-profile", nothing_is_built_on_another_profile);
    ADD("what-is-of-the-same-profile-is-built-on", what_is_of_the_same_profile_is_built_on);
    ADD("an-operation-is-of-the-profile-that-it-names",
        an_operation_is_of_the_profile_that_it_names);
    ADD("tags-of-both-profiles-let-it-pass", tags_of_both_profiles_let_it_pass);
    ADD("what-is-not-reached-is-as-if-it-were-not-there",
        what_is_not_reached_is_as_if_it_were_not_there);
    ADD("many-lines-do-not-cross-either", many_lines_do_not_cross_either);
    ADD("what-is-read-of-parents-is-bounded", what_is_read_of_parents_is_bounded);
    ADD("what-was-purged-still-lies-somewhere", what_was_purged_still_lies_somewhere);
    return g_test_run();
}
