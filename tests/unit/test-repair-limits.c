/* How many plans there may be, how much of them the log is owed, and how many go on at once. */
#include "repair-life-fixture.h"

static void there_are_only_so_many_plans(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    start_broken(&f);
    for (guint i = 0; i < SYNCD_REPAIR_PLANS_MAX; i++)
        approve_repair(&f, plan_repair(&f));
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
    SyncdCaller other = {.uid = OWNER + 1};
    g_assert_true(syncd_service_plan_repair(f.service, &other, NULL, &plan, NULL));
    service_clear(&f);
}

/* What the next start would not read is not written. */
static void one_that_is_too_long_is_none(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_free(plan->text);
    plan->text = g_strnfill(SYNCD_REPAIR_PLAN_SIZE + 1, 'x');
    g_assert_false(syncd_repair_save_new(plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
    repair_reopen(&f);
    g_assert_cmpuint(syncd_service_repair_set_aside(f.service)->len, ==, 0);
    service_clear(&f);
}

/* While the log takes nothing they owe it that they were made and discarded. */
static void what_was_discarded_keeps_nobody_from_planning(void)
{
    ServiceFixture f;
    start_broken(&f);
    for (guint i = 0; i < 2 * SYNCD_REPAIR_PLANS_MAX; i++) {
        g_autoptr(GError) error = NULL;
        SyncdRepairPlan *plan = plan_repair(&f);
        syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                     &error);
        g_assert_no_error(error);
    }
    g_assert_cmpuint(f.service->repairs->plans->len, <=, SYNCD_REPAIR_PLANS_MAX);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rest(&f);
    g_assert_cmpuint(count_events(&f, "sync.repair.discarded"), ==, SYNCD_REPAIR_PLANS_MAX - 1);
    service_clear(&f);
}

/* While there is no index no approval gets into the log, and the ledger has each. */
static void one_that_is_approved_again_and_again_is_still_there(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    for (guint i = 0; i < 100 && error == NULL; i++)
        syncd_service_approve_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                     &error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "approved");
    repair_reopen(&f);
    plan = find_repair_plan(f.service, id);
    g_assert_nonnull(plan);
    apply_repair(&f, plan);
    repair_reopen(&f);
    plan = find_repair_plan(f.service, id);
    g_assert_nonnull(plan);
    rollback_repair(&f, plan);
    service_clear(&f);
}

/* As long as no index can be made the log takes nothing, and each attempt owes it what it did. */
static void what_fails_again_and_again_fills_no_ledger(void)
{
    static const char *const automatic[] = {"index-rebuild", NULL};
    ServiceFixture f;
    leave_broken(&f);
    g_autofree char *path = g_build_filename(f.base.directory, "index.db.new", NULL),
                    *child = g_build_filename(path, "x", NULL);
    g_assert_cmpint(g_mkdir_with_parents(child, 0700), ==, 0);
    repair_open(&f, automatic);
    for (guint i = 0; i < 100; i++) {
        run_jobs(&f);
        pass(&f, 60 * (guint64)G_USEC_PER_SEC);
    }
    g_assert_false(lookups_answer(&f));
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    g_assert_cmpuint(plans->len, >, 1);
    g_assert_cmpuint(plans->len, <=, 33);
    g_assert_cmpint(g_rmdir(child), ==, 0);
    g_assert_cmpint(g_rmdir(path), ==, 0);
    run_jobs(&f);
    g_assert_true(lookups_answer(&f));
    service_clear(&f);
}

static guint32 to_approve(ServiceFixture *f)
{
    SyncdState state;
    syncd_service_state(f->service, &state);
    return state.pending_approvals;
}

static void the_last_of_the_same_takes_the_place_of_those_before(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *approved = approve_repair(&f, plan_repair(&f));
    g_autofree char *first = g_strdup(syncd_repair_plan_id(plan_repair(&f))),
                    *second = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    SyncdCaller other = {.uid = OWNER + 1};
    SyncdRepairPlan *others = NULL;
    g_assert_true(syncd_service_plan_repair(f.service, &other, NULL, &others, NULL));
    g_assert_null(find_repair_plan(f.service, first));
    g_assert_nonnull(find_repair_plan(f.service, second));
    g_assert_nonnull(find_repair_plan(f.service, syncd_repair_plan_id(approved)));
    g_assert_cmpuint(to_approve(&f), ==, 2);
    repair_reopen(&f);
    g_assert_null(find_repair_plan(f.service, first));
    g_assert_nonnull(find_repair_plan(f.service, second));
    service_clear(&f);
}

static void count_change(void *data)
{
    ++*(guint *)data;
}

static void one_that_fits_no_more_waits_for_nobody(void)
{
    guint changes = 0;
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *one = approve_repair(&f, plan_repair(&f)), *other = plan_repair(&f);
    g_assert_true(syncd_repair_plan_check(other, NULL));
    g_assert_null(syncd_repair_plan_stale(other));
    g_assert_cmpuint(to_approve(&f), ==, 1);
    apply_repair(&f, one);
    syncd_service_judge_repairs(f.service);
    g_assert_nonnull(strstr(syncd_repair_plan_stale(other), "does not fit any more"));
    g_assert_cmpuint(to_approve(&f), ==, 0);
    g_assert_false(syncd_repair_plan_check(other, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    /* What is wrong again is what it was made for. */
    rollback_repair(&f, one);
    syncd_service_judge_repairs(f.service);
    g_assert_null(syncd_repair_plan_stale(other));
    g_assert_cmpuint(to_approve(&f), ==, 1);
    /* Whoever is shown how many wait is told when that changes, and only then. */
    const SyncdListener listener = {.changed = count_change, .data = &changes};
    syncd_service_set_listener(f.service, &listener); /* who is told at once */
    changes = 0;
    other->stale = g_strdup("It did not fit then");
    for (guint i = 0; i < 2; i++) {
        syncd_service_judge_repairs(f.service);
        g_assert_cmpuint(changes, ==, 1);
    }
    service_clear(&f);
}

static gint64 diagnosed_at(const ServiceFixture *f)
{
    return (gint64)f->service->diagnosed.ended;
}

static guint64 slowly(void *data)
{
    return ((Fixture *)data)->now_usec += 10 * 1000;
}

/* What a diagnosis costs is what somebody who lists plans all the time would have all the others
 * wait for. */
static void who_lists_plans_again_and_again_is_told_what_was_found(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *one = approve_repair(&f, plan_repair(&f)), *other = plan_repair(&f);
    syncd_service_keep_repairs_judged(f.service);
    f.base.sources.monotonic_usec = slowly;
    syncd_service_judge_repairs(f.service);
    gint64 then = diagnosed_at(&f);
    for (guint i = 0; i < 5; i++)
        syncd_service_keep_repairs_judged(f.service);
    g_assert_cmpint(diagnosed_at(&f), ==, then);
    f.base.now_usec += 10 * (f.service->diagnosed.ended - f.service->diagnosed.begun);
    syncd_service_keep_repairs_judged(f.service);
    g_assert_cmpint(diagnosed_at(&f), >, then);
    /* But what the state shows by now is told at once. */
    apply_repair(&f, one);
    syncd_service_keep_repairs_judged(f.service);
    g_assert_nonnull(syncd_repair_plan_stale(other));
    service_clear(&f);
}

/* Of an error that no reason of the state tells it is told which one it is. */
static void another_error_is_another_state(void)
{
    ServiceFixture f;
    start_broken(&f);
    f.service->found = syncd_finding_find(SYNCD_BYTES_TEXT("blob-damaged"));
    syncd_service_show_state(f.service, true);
    g_assert_true(syncd_service_state_is_shown(f.service));
    f.service->found = syncd_finding_find(SYNCD_BYTES_TEXT("log-damaged"));
    g_assert_false(syncd_service_state_is_shown(f.service));
    service_clear(&f);
}

static void one_is_carried_out_at_a_time(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *one = approve_repair(&f, plan_repair(&f)),
                    *other = approve_repair(&f, plan_repair(&f));
    begin_repair(&f, one);
    assert_refused(&f, other, syncd_repair_plan_digest(other), SYNCD_ERROR_BUSY);
    run_jobs(&f);
    assert_refused(&f, other, syncd_repair_plan_digest(other), SYNCD_ERROR_PLAN_STALE);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-limits/limit", there_are_only_so_many_plans);
    g_test_add_func("/repair-limits/long", one_that_is_too_long_is_none);
    g_test_add_func("/repair-limits/room", what_was_discarded_keeps_nobody_from_planning);
    g_test_add_func("/repair-limits/again", one_that_is_approved_again_and_again_is_still_there);
    g_test_add_func("/repair-limits/fails", what_fails_again_and_again_fills_no_ledger);
    g_test_add_func("/repair-limits/again-and-again",
                    the_last_of_the_same_takes_the_place_of_those_before);
    g_test_add_func("/repair-limits/listed",
                    who_lists_plans_again_and_again_is_told_what_was_found);
    g_test_add_func("/repair-limits/stale", one_that_fits_no_more_waits_for_nobody);
    g_test_add_func("/repair-limits/another-error", another_error_is_another_state);
    g_test_add_func("/repair-limits/busy", one_is_carried_out_at_a_time);
    return g_test_run();
}
