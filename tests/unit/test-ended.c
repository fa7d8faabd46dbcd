/*
 * Work on what is not there any more, or not for this worker any more, ends.
 */
#include "places-fixture.h"
#include "task-fixture.h"

static void delete_object(ServiceFixture *f, const char *object)
{
    SyncdRequest request = good_request();
    request.scope = "workspace:a";
    request.object = object;
    request.lane = "tombstone";
    g_free(enqueue_committed(f, &request));
}

static int claim_code(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *lease = NULL;
    const SyncdClaim wanted = {.operation = operation};
    bool done = claim_at_once(f->service, &f->caller, &wanted, &lease, &error);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static int replay_code(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    bool done = syncd_service_replay(f->service, &f->caller, operation, "again", &replayed, &error);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static void what_was_deleted_is_not_worked_on(void)
{
    static const char *const objects[] = {"o-1", "without-record"};
    for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
        ServiceFixture f;
        world_init(&f);
        g_autofree char *done = enqueue_on(&f, &f.caller, objects[i]);
        g_autofree char *lease = claim_operation(&f, done);
        complete(&f, lease);
        g_autofree char *held = enqueue_on(&f, &f.caller, objects[i]);
        g_autofree char *holding = claim_operation(&f, held);
        g_autofree char *offered = enqueue_on(&f, &f.caller, objects[i]);
        delete_object(&f, objects[i]);
        g_assert_cmpint(claim_code(&f, offered), ==, SYNCD_ERROR_NOT_FOUND);
        g_assert_cmpint(replay_code(&f, done), ==, SYNCD_ERROR_NOT_FOUND);
        g_assert_cmpuint(count_events(&f, "sync.operation.replayed"), ==, 0);
        g_assert_null(claim(&f, NULL));
        complete(&f, holding);
        service_clear(&f);
    }
}

static void set_scope(ServiceFixture *f, const char *workspace)
{
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"display_name\":\"A\","
        "\"identity_id\":\"uid:1001\",\"workspace_scope\":[\"%s\"],"
        "\"profile_scope\":[\"profile:work\"],\"capabilities\":[\"read\",\"write\"],"
        "\"trust_level\":\"user\",\"policy_subject\":\"agent-1\",\"signing_key_ref\":\"none\"}",
        workspace);
    g_assert_cmpint(update_record(f, "actor", "agent-1", record), ==, -1);
}

static int renew_code(ServiceFixture *f, const SyncdCaller *caller, const char *lease)
{
    g_autoptr(GError) error = NULL;
    guint64 until;
    return syncd_service_renew_task(f->service, caller, lease, 0, &until, &error) ? -1
                                                                                  : error->code;
}

static void a_worker_that_does_not_reach_its_task_any_more_does_not_keep_it(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *lease = NULL;
    ServiceFixture f;
    world_init(&f);
    g_autofree char *operation = enqueue_on(&f, &agent, "o-1");
    const SyncdClaim wanted = {.operation = operation};
    claim_at_once(f.service, &agent, &wanted, &lease, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    g_assert_cmpint(renew_code(&f, &agent, lease), ==, -1);
    set_scope(&f, "workspace:b");
    g_assert_cmpint(renew_code(&f, &agent, lease), ==, SYNCD_ERROR_ACCESS_DENIED);
    set_scope(&f, "workspace:a");
    g_assert_cmpint(renew_code(&f, &agent, lease), ==, -1);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/ended/what-was-deleted-is-not-worked-on", what_was_deleted_is_not_worked_on);
    g_test_add_func("/ended/a-worker-that-does-not-reach-its-task-any-more-does-not-keep-it",
                    a_worker_that_does_not_reach_its_task_any_more_does_not_keep_it);
    return g_test_run();
}
