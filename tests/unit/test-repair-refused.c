/* What is refused before anything is touched: while another plan is half done, without room, in the
 * place of who approved; and what goes on, cancelled or not. */
#include "disk-fixture.h"
#include "repair-life-fixture.h"

#define BROKEN "this is no database at all"

static void assert_broken(const ServiceFixture *f)
{
    gsize size;
    g_autofree char *bytes = index_bytes(f, &size);
    g_assert_cmpstr(bytes, ==, BROKEN);
}

/* ---- what is half done ---- */

static void nothing_is_begun_over_what_is_half_done(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *other = approve_repair(&f, plan_repair(&f)),
                    *plan = leave_half_done(&f, plan_repair(&f));
    expect_not_applied(&f, other, SYNCD_ERROR_BUSY, syncd_repair_plan_id(plan));
    expect_not_applied(&f, other, SYNCD_ERROR_BUSY, "sourceos-syncd repair apply");
    rollback_repair(&f, plan);
    assert_broken(&f);
    service_clear(&f);
}

/* Plans about files of workspaces meet no others: all else would wait for a disk that is away. */
static void but_what_has_nothing_to_do_with_it(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *other = approve_repair(&f, plan_repair(&f)),
                    *plan = leave_half_done(&f, plan_repair(&f));
    SyncdRepairWork *work = other->steps->pdata[0];
    const SyncdRepairKind *kind = work->kind;
    g_assert_false(syncd_repair_check_alone(other, NULL));
    work->kind = &syncd_repair_file_restore;
    g_assert_true(syncd_repair_check_alone(other, &error));
    work->kind = kind;
    rollback_repair(&f, plan);
    service_clear(&f);
}

static void what_cannot_go_on_is_tried_again(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = leave_half_done(&f, plan_repair(&f));
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "running");
    guint64 now = syncd_service_monotonic(f.service), due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, now);
    g_assert_cmpuint(due, <=, now + SYNCD_REPAIR_RETRY_USEC);
    f.base.now_usec += SYNCD_REPAIR_RETRY_USEC;
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_true(lookups_answer(&f));
    service_clear(&f);
}

/* ---- room ---- */

static void without_room_nothing_is_touched(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    plan->space = G_MAXUINT64 / 2;
    expect_not_applied(&f, plan, SYNCD_ERROR_NO_SPACE, "9.2"); /* that it takes … */
    expect_not_applied(&f, plan, SYNCD_ERROR_NO_SPACE, "free");
    assert_broken(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "approved");
    plan->space = 0;
    apply_repair(&f, plan);
    service_clear(&f);
}

/* The same with a disk, an index of four MiB and two MiB that are free. */
static void what_the_disk_has_is_what_counts(void)
{
    enum { MIB = 1024 * 1024 };
    ServiceFixture f = {.instance = SYNCD_INSTANCE_USER, .owner = OWNER, .caller = {.uid = OWNER}};
    if (!begin_small_disk(&f.base, 7, "size=32m"))
        return;
    repair_open(&f, NULL);
    put(&f, "note-1", "{}");
    service_close(&f);
    g_autofree char *path = index_path(&f), *large = g_strnfill(4 * MIB, 'x');
    write_private(path, large, 4 * MIB);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    fill_disk_but(&f.base, 2 * MIB);
    expect_not_applied(&f, plan, SYNCD_ERROR_NO_SPACE, "free");
    g_autofree char *now = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &now, &size, NULL));
    g_assert_cmpmem(now, size, large, 4 * MIB);
    free_disk(&f.base);
    apply_repair(&f, plan);
    service_close(&f);
    end_small_disk(&f.base);
}

/* ---- approving ---- */

static void nobody_takes_the_place_of_who_approved(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdCaller other = {.uid = OWNER + 1};
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    const char *digest = syncd_repair_plan_digest(plan);
    approve_repair(&f, plan);
    g_autofree char *first = g_strdup(syncd_repair_plan_approver(plan));
    g_assert_false(syncd_service_approve_repair(f.service, &other, plan, digest, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ALREADY_RESOLVED);
    g_assert_nonnull(strstr(error->message, first));
    g_assert_cmpstr(syncd_repair_plan_approver(plan), ==, first);
    approve_repair(&f, plan); /* the same one may, again */
    f.base.now_usec += SYNCD_REPAIR_APPROVAL_USEC;
    g_assert_true(syncd_service_approve_repair(f.service, &other, plan, digest, NULL));
    g_assert_cmpstr(syncd_repair_plan_approver(plan), !=, first);
    service_clear(&f);
}

/* ---- cancelling ---- */

static void what_is_taken_back_is_not_cancelled(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    g_assert_true(syncd_job_is_cancelable(job));
    for (unsigned i = 0; i < 3; i++)
        syncd_service_work(f.service);
    g_assert_true(syncd_service_cancel_job(f.service, job, &error));
    g_assert_cmpstr(syncd_job_state(job), ==, "cancelled");
    SyncdJob *back = syncd_service_find_job(f.service, plan->job);
    g_assert_true(back != job);
    g_assert_false(syncd_job_is_cancelable(back));
    g_assert_false(syncd_service_cancel_job(f.service, back, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_assert_cmpstr(syncd_job_state(back), ==, "running");
    run_jobs(&f);
    g_assert_cmpstr(syncd_job_state(back), ==, "done");
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    assert_broken(&f);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-refused/half-done", nothing_is_begun_over_what_is_half_done);
    g_test_add_func("/repair-refused/apart", but_what_has_nothing_to_do_with_it);
    g_test_add_func("/repair-refused/again", what_cannot_go_on_is_tried_again);
    g_test_add_func("/repair-refused/room", without_room_nothing_is_touched);
    g_test_add_func("/repair-refused/disk", what_the_disk_has_is_what_counts);
    g_test_add_func("/repair-refused/approver", nobody_takes_the_place_of_who_approved);
    g_test_add_func("/repair-refused/cancel", what_is_taken_back_is_not_cancelled);
    return g_test_run();
}
