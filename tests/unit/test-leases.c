/*
 * A task is in one pair of hands as long as they hold it, and is offered again when they let go:
 * nothing else ends a lease, and nothing keeps one.
 */
#include "raw-sql.h"
#include "service/diagnose.h"
#include "service/internal.h"
#include "store/store-private.h"
#include "task-fixture.h"

#include <string.h>

static void refuse_lease(ServiceFixture *f, const char *lease)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    guint64 until, before = service_sequence(f);
    const SyncdFailure failure = {.reason = "late"};
    g_assert_false(
        syncd_service_complete_task(f->service, &f->caller, lease, NULL, &operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LEASE_LOST);
    g_clear_error(&error);
    g_assert_false(
        syncd_service_fail_task(f->service, &f->caller, lease, &failure, &operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LEASE_LOST);
    g_clear_error(&error);
    g_assert_false(syncd_service_renew_task(f->service, &f->caller, lease, 0, &until, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LEASE_LOST);
    g_assert_null(operation);
    g_assert_false(syncd_service_has_turn(f->service));
    g_assert_cmpuint(service_sequence(f), ==, before);
}

static void a_lease_that_is_not_renewed_is_lost_and_a_late_result_changes_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *late = claim(&f, NULL);
    pass(&f, SYNCD_LEASE_DEFAULT_MS - 1000);
    assert_status(&f, operation, "running");
    guint64 until;
    g_assert_true(syncd_service_renew_task(f.service, &f.caller, late, 0, &until, NULL));
    pass(&f, SYNCD_LEASE_DEFAULT_MS - 1000);
    assert_status(&f, operation, "running");
    pass(&f, 2000);
    assert_status(&f, operation, "queued");
    g_autofree char *lost = get(&f, operation);
    assert_member(lost, "lease_expired", "true");
    refuse_lease(&f, late);

    g_autofree char *next = claim(&f, NULL);
    g_autofree char *again = get(&f, operation);
    assert_member(again, "lease_expired", "false");
    refuse_lease(&f, late);
    complete(&f, next);
    refuse_lease(&f, late);
    refuse_lease(&f, next);
    refuse_lease(&f, "lease-none");
    refuse_lease(&f, "");
    assert_status(&f, operation, "completed");
    service_clear(&f);
}

static void a_worker_that_leaves_loses_what_it_holds(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *one = enqueue_body(&f, "note-1", "{}");
    g_autofree char *two = enqueue_body(&f, "note-2", "{}");
    f.caller.worker = ":1.7";
    g_autofree char *lease_one = claim_operation(&f, one);
    f.caller.worker = ":1.8";
    g_autofree char *lease_two = claim_operation(&f, two);
    syncd_service_worker_gone(f.service, ":1.7");
    syncd_service_worker_gone(f.service, ":1.9");
    syncd_service_commit(f.service);
    assert_status(&f, one, "queued");
    assert_status(&f, two, "running");
    refuse_lease(&f, lease_one);
    complete(&f, lease_two);
    service_clear(&f);
}

/* What somebody else could not write is taken back with his turn, and with nothing else. */
static void fail_to_write(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    static const char lines[] =
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"a\","
        "\"body\":{},\"idempotency_key\":\"twice\"}\n"
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"b\","
        "\"body\":{},\"idempotency_key\":\"twice\"}";
    g_assert_null(enqueue_many_at_once(f->service, &f->caller, SYNCD_BYTES_TEXT(lines), &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
}

static void a_turn_that_others_lose_ends_no_lease(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *kept = enqueue_body(&f, "note-1", "{}");
    g_autofree char *left = enqueue_body(&f, "note-2", "{}");
    f.caller.worker = ":1.7";
    g_autofree char *kept_lease = claim_operation(&f, kept);
    f.caller.worker = ":1.8";
    g_autofree char *left_lease = claim_operation(&f, left);
    f.caller.worker = ":1.7";
    guint64 until;
    g_assert_true(syncd_service_renew_task(f.service, &f.caller, kept_lease, 3600, &until, NULL));
    fail_to_write(&f);

    syncd_service_worker_gone(f.service, ":1.8");
    syncd_service_commit(f.service);
    assert_status(&f, left, "queued");
    refuse_lease(&f, left_lease);
    /* What was promised for an hour is held for an hour. */
    pass(&f, 2 * SYNCD_LEASE_DEFAULT_MS);
    assert_status(&f, kept, "running");
    complete(&f, kept_lease);
    service_clear(&f);
}

/* Somebody who fails again and again must not keep what nobody holds any more. */
static void a_turn_that_others_lose_keeps_no_lease(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *lease = claim(&f, NULL);
    for (unsigned i = 0; i < 4; i++) {
        pass(&f, SYNCD_LEASE_DEFAULT_MS / 3);
        fail_to_write(&f);
    }
    assert_status(&f, operation, "queued");
    refuse_lease(&f, lease);
    service_clear(&f);
}

/* The grace after a restart is one lease long; whoever calls in time goes on as before. */
static void a_restart_gives_one_grace_period(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *kept = enqueue_body(&f, "note-1", "{}");
    g_autofree char *left = enqueue_body(&f, "note-2", "{}");
    g_autofree char *kept_lease = claim_operation(&f, kept);
    g_autofree char *left_lease = claim_operation(&f, left);
    service_close(&f);
    f.base.now_usec += G_GUINT64_CONSTANT(86400) * G_USEC_PER_SEC;
    service_open(&f);
    syncd_service_work(f.service);
    assert_status(&f, kept, "running");
    g_assert_null(claim(&f, NULL));
    pass(&f, SYNCD_LEASE_DEFAULT_MS / 2);
    guint64 until;
    g_assert_true(syncd_service_renew_task(f.service, &f.caller, kept_lease, 0, &until, NULL));
    pass(&f, SYNCD_LEASE_DEFAULT_MS / 2 + 1000);
    assert_status(&f, left, "queued");
    refuse_lease(&f, left_lease);
    complete(&f, kept_lease);
    assert_status(&f, kept, "completed");
    service_clear(&f);
}

/* More entries than are projected at once. */
#define MANY_ENTRIES 20500u

static SyncdStore *fill_log(ServiceFixture *f, guint n)
{
    f->base.store = f->service->store;
    for (guint i = 0; i < n; i += 500)
        fixture_fill(&f->base, 500);
    return g_steal_pointer(&f->base.store);
}

static void renew_within(ServiceFixture *f, const char *lease, int code)
{
    g_autoptr(GError) error = NULL;
    guint64 until = 0;
    if (syncd_service_renew_task(f->service, &f->caller, lease, 0, &until, &error))
        g_assert_cmpint(code, ==, -1);
    else
        g_assert_error(error, SYNCD_ERROR, code);
}

/* As when it was lost. */
static void make_index_anew(SyncdStore *store)
{
    g_autoptr(GError) error = NULL;
    syncd_store_settle(store, &error);
    g_assert_no_error(error);
    g_clear_pointer(&store->index, syncd_index_free);
    g_assert_true(syncd_directory_remove(store->directory, "index.db", NULL));
    syncd_store_open_index(store, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_store_is_indexing(store));
}

static char *claim_briefly(ServiceFixture *f, const char *operation)
{
    const SyncdClaim wanted = {.operation = operation, .lease_s = 5};
    return claim(f, &wanted);
}

static void while_the_index_is_made_no_lease_ends(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdStore *store = fill_log(&f, MANY_ENTRIES);
    g_autofree char *one = enqueue_body(&f, "a", "{}"), *two = enqueue_body(&f, "b", "{}"),
                    *held = claim_briefly(&f, one), *left = claim_briefly(&f, two);

    make_index_anew(store);
    f.base.now_usec += 6000000;
    renew_within(&f, held, SYNCD_ERROR_BUSY);
    while (syncd_store_is_indexing(store))
        pass(&f, 1000);

    /* From the first time that somebody can be answered: a call, or else the work of a pause. */
    f.base.now_usec += 60000000;
    renew_within(&f, held, -1);
    pass(&f, 3000);
    assert_status(&f, one, "running");
    assert_status(&f, two, "running");
    renew_within(&f, held, -1);
    pass(&f, 3000);
    assert_status(&f, one, "running");
    assert_status(&f, two, "queued");
    complete(&f, held);
    refuse_lease(&f, left);

    /* Nobody calls. */
    g_free(left);
    left = claim_briefly(&f, two);
    make_index_anew(store);
    while (syncd_store_is_indexing(store))
        pass(&f, 1000);
    pass(&f, 60000);
    assert_status(&f, two, "running");
    pass(&f, 6000);
    assert_status(&f, two, "queued");
    service_clear(&f);
}

static void an_index_that_is_made_at_the_start_gives_one_grace_period(void)
{
    ServiceFixture f;
    service_init(&f);
    fill_log(&f, MANY_ENTRIES);
    g_autofree char *one = enqueue_body(&f, "a", "{}"), *held = claim_briefly(&f, one);
    service_close(&f);
    g_autofree char *index = g_build_filename(f.base.directory, "index.db", NULL);
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&f);
    g_assert_true(syncd_store_is_indexing(f.service->store));
    while (syncd_store_is_indexing(f.service->store))
        pass(&f, 1000);
    pass(&f, 0);
    pass(&f, 3000);
    assert_status(&f, one, "running");
    pass(&f, 3000);
    assert_status(&f, one, "queued");
    refuse_lease(&f, held);
    service_clear(&f);
}

/* While nobody has it open. */
static void damage(ServiceFixture *f, const char *sql)
{
    g_autofree char *path = g_build_filename(f->base.directory, "journal.db", NULL);
    forge_raw(path, sql);
}

static bool finds(ServiceFixture *f, const char *code)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++)
        if (strcmp(((SyncdFound *)found->pdata[i])->finding->code, code) == 0)
            return true;
    return false;
}

/* One claim that cannot be read keeps nobody from claiming, and is found. */
static void a_claim_that_cannot_be_read_is_given_up_and_found(void)
{
    ServiceFixture f;
    service_init(&f);
    for (int i = 0; i < 2; i++)
        g_free(enqueue_task(&f, "normal", NULL));
    g_autofree char *lease = claim(&f, NULL);
    g_assert_nonnull(lease);
    service_close(&f);
    damage(&f, "UPDATE entry SET body = zeroblob(length(body)) WHERE pos = "
               "(SELECT max(pos) FROM entry)");
    service_open(&f);
    run_jobs(&f);
    g_autofree char *other = claim(&f, NULL);
    g_assert_nonnull(other);
    g_assert_true(finds(&f, "leases-lost"));
    service_clear(&f);
}

/* The end of a lease whose operation cannot be read is tried once. */
static void the_lease_of_what_cannot_be_read_ends(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_task(&f, "normal", NULL), *lease = claim(&f, NULL);
    guint64 pos = 0;
    g_assert_nonnull(lease);
    g_assert_true(syncd_store_find_op(f.service->store, operation, &pos, NULL));
    g_autofree char *sql = g_strdup_printf(
        "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = %d", (int)pos);
    service_close(&f);
    damage(&f, sql);
    service_open(&f);
    pass(&f, 1);
    for (unsigned i = 0; i < 3; i++)
        pass(&f, SYNCD_LEASE_MAX_MS + 1);
    g_assert_cmpuint(syncd_leases_count(f.service->leases, NULL), ==, 0);
    run_jobs(&f);
    g_assert_true(finds(&f, "body-damaged") || finds(&f, "log-damaged"));
    service_clear(&f);
}

static void without_a_lease_or_a_wait_there_is_no_timer(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdListener nobody = {NULL};
    syncd_service_set_listener(f.service, &nobody);
    put(&f, "note-1", "{}");
    run_jobs(&f);
    guint64 idle = syncd_service_next_due(f.service);
    g_autofree char *lease = claim(&f, NULL);
    run_jobs(&f);
    g_assert_cmpuint(syncd_service_next_due(f.service), <,
                     f.base.now_usec + SYNCD_LEASE_DEFAULT_MS * 1000);
    complete(&f, lease);
    run_jobs(&f);
    g_assert_cmpuint(syncd_service_next_due(f.service), >=, MIN(idle, G_MAXUINT64));
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/leases/a-lease-that-is-not-renewed-is-lost-and-a-late-result-changes-nothing",
                    a_lease_that_is_not_renewed_is_lost_and_a_late_result_changes_nothing);
    g_test_add_func("/leases/unreadable-claim", a_claim_that_cannot_be_read_is_given_up_and_found);
    g_test_add_func("/leases/unreadable-operation", the_lease_of_what_cannot_be_read_ends);
    g_test_add_func("/leases/a-worker-that-leaves-loses-what-it-holds",
                    a_worker_that_leaves_loses_what_it_holds);
    g_test_add_func("/leases/a-restart-gives-one-grace-period", a_restart_gives_one_grace_period);
    /* They need more entries than are projected at once. */
    if (!is_hurried()) {
        g_test_add_func("/leases/while-the-index-is-made-no-lease-ends",
                        while_the_index_is_made_no_lease_ends);
        g_test_add_func("/leases/an-index-that-is-made-at-the-start-gives-one-grace-period",
                        an_index_that_is_made_at_the_start_gives_one_grace_period);
    }
    g_test_add_func("/leases/a-turn-that-others-lose-ends-no-lease",
                    a_turn_that_others_lose_ends_no_lease);
    g_test_add_func("/leases/a-turn-that-others-lose-keeps-no-lease",
                    a_turn_that_others_lose_keeps_no_lease);
    g_test_add_func("/leases/without-a-lease-or-a-wait-there-is-no-timer",
                    without_a_lease_or_a_wait_there_is_no_timer);
    return g_test_run();
}
