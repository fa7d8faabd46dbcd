/*
 * What comes to a stand in a service that runs goes on by a plan: operations that nobody holds,
 * jobs, and what waits for the index. Nothing of that comes back, and nobody is told that it does.
 */
#include "diagnose-fixture.h"
#include "repair-fixture.h"
#include "service/internal.h"
#include "service/job.h"
#include "store/store-private.h"
#include "task-fixture.h"

/* What a plan did that nothing puts back: nobody is told that it can be taken back. */
static void expect_no_way_back(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autofree char *description = syncd_repair_plan_describe(plan);
    g_assert_nonnull(strstr(description, "\"rollback_until_usec\":null"));
    g_assert_true(plan_says(plan, "\"available\": false"));
    g_assert_true(plan_says(plan, "There is nothing to put back. "));
    g_assert_false(plan_says(plan, "is kept"));
    g_assert_true(report_says(f, plan, "\"rollback_available\":false"));
    expect_not_taken_back(f, plan, SYNCD_ERROR_NOT_FOUND, NULL);
}

/* ---- tasks ---- */

static void operations_that_nobody_holds_are_offered_again(void)
{
    ServiceFixture f;
    repair_init(&f);
    for (unsigned i = 0; i < 12; i++) {
        put(&f, "note-1", "{}");
        g_free(claim(&f, NULL));
    }
    g_assert_false(is_found(&f, "leases-lost"));
    /* As after a defect: the log says that they run, and nobody knows who has them. */
    syncd_leases_clear(f.service->leases);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *lost = find(found, "leases-lost");
    g_assert_nonnull(lost);
    g_assert_cmpuint(lost->count, ==, 12);
    g_assert_cmpuint(lost->first, >, 0);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    guint64 pending, running;
    g_assert_true(syncd_service_count_tasks(f.service, &pending, &running, NULL));
    g_assert_cmpuint(running, ==, 0);
    g_assert_cmpuint(pending, ==, 12);
    expect_no_way_back(&f, plan);
    service_clear(&f);
}

/* Beside something that is put back it is said that it stays. */
static void what_stays_is_named_when_the_rest_is_taken_back(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_free(claim(&f, NULL));
    rest(&f);
    syncd_leases_clear(f.service->leases);
    state_set_mode(&f, "journal.db", 0640);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_true(plan_says(plan, "\"available\": true"));
    g_assert_true(plan_says(plan,
                            "\"snapshot\": \"What each step is about is kept as it was before "
                            "it is touched, but for what does not come back. Operations that "
                            "were offered again stay so: nobody held them, and the log says "
                            "it.\""));
    g_assert_true(plan_says(plan, "further generation. Operations that were offered again stay "
                                  "so: nobody held them, and the log says it.\""));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_free(claim(&f, NULL));
    rollback_repair(&f, plan);
    g_assert_true(report_says(&f, plan, "Operations that were offered again stay so"));
    g_assert_true(is_found(&f, "file-modes"));
    g_assert_false(is_found(&f, "leases-lost")); /* whoever has claimed it since has it */
    service_clear(&f);
}

/* ---- jobs ---- */

static void nothing_is_released(void *data)
{
}

static void forward(ServiceFixture *f, guint minutes)
{
    f->base.now_usec += minutes * 60u * (guint64)G_USEC_PER_SEC;
}

static void jobs_that_do_not_go_on_are_cancelled(void)
{
    static const SyncdJobKind kind = {.operation = "waits", .release = nothing_is_released};
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    SyncdJob *stuck = syncd_service_begin_job(f.service, &kind, &f, OWNER, false),
             *moves = syncd_service_begin_job(f.service, &kind, &f, OWNER, false);
    forward(&f, 14);
    syncd_service_advance_job(f.service, moves, 0.0001); /* too little to be told to anybody */
    g_assert_false(is_found(&f, "jobs-stuck"));
    forward(&f, 2);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *jobs = find(found, "jobs-stuck");
    g_assert_nonnull(jobs);
    g_assert_cmpuint(jobs->count, ==, 1);
    g_assert_true(g_str_has_prefix(jobs->evidence->pdata[0], syncd_job_id(stuck)));
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_assert_cmpstr(syncd_job_state(stuck), ==, "cancelled");
    g_assert_cmpstr(syncd_job_state(moves), ==, "running");
    assert_clean(&f);
    expect_no_way_back(&f, plan);
    g_assert_true(syncd_service_cancel_job(f.service, moves, NULL));
    service_clear(&f);
}

/* It is cancelled by nobody but a person. */
static void a_repair_that_does_not_go_on_is_found(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    state_set_mode(&f, "journal.db", 0640);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    g_assert_false(is_found(&f, "repair-stuck"));
    forward(&f, 15);
    g_assert_false(is_found(&f, "repair-stuck")); /* it was not its turn */
    syncd_service_work(f.service);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *repair = find(found, "repair-stuck");
    g_assert_nonnull(repair);
    g_assert_cmpstr(repair->object, ==, syncd_repair_plan_id(plan));
    g_assert_null(find(found, "jobs-stuck"));
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    assert_clean(&f);
    service_clear(&f);
}

/* ---- what waits ---- */

static void what_waits_for_the_index_is_taken_into_it(void)
{
    ServiceFixture f;
    g_autoptr(GError) full = NULL;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    /* As on a disk that was full a moment ago, and would be tried again in a while. */
    SyncdStore *store = f.service->store;
    syncd_set_error(&full, SYNCD_ERROR_NO_SPACE, "There was no room");
    store->index_problem = g_error_copy(full);
    store->index_retry_at = G_MAXUINT64;
    g_free(enqueue_body(&f, "note-2", "{}"));
    guint64 last = service_sequence(&f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *lag = find(found, "replay-lag");
    g_assert_nonnull(lag);
    g_assert_cmpuint(lag->count, ==, lag->last - lag->first + 1);
    g_assert_cmpuint(lag->last, ==, last);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rest(&f);
    assert_clean(&f);
    expect_no_way_back(&f, plan);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-stalled/tasks", operations_that_nobody_holds_are_offered_again);
    g_test_add_func("/repair-stalled/tasks-and-modes",
                    what_stays_is_named_when_the_rest_is_taken_back);
    g_test_add_func("/repair-stalled/jobs", jobs_that_do_not_go_on_are_cancelled);
    g_test_add_func("/repair-stalled/repair", a_repair_that_does_not_go_on_is_found);
    g_test_add_func("/repair-stalled/lag", what_waits_for_the_index_is_taken_into_it);
    return g_test_run();
}
