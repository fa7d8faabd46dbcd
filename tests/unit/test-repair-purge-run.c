/*
 * A plan that purges, carried out: what it showed and nothing else is gone, each with its proof,
 * and nobody is told that it could come back.
 */
#include "purge-world.h"
#include "store/examine.h"

static guint64 index_generation(ServiceFixture *f)
{
    SyncdIndexHealth health;
    syncd_store_index_health(f->service->store, &health);
    return health.generation;
}

static void what_was_shown_is_purged_and_proven(void)
{
    ServiceFixture f;
    begin_world(&f);
    fill_disk(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    guint64 generation = index_generation(&f);
    apply_repair(&f, plan);
    assert_purged(&f);
    g_assert_cmpuint(index_generation(&f), ==, generation + 1); /* once for both */
    g_autoptr(GError) error = NULL;
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"purged\":[{\"target\":\"object/"));
    /* … and the next plan has nothing, and says why. */
    g_assert_true(is_found(&f, "disk-pressure-kept"));
    SyncdRepairPlan *again = NULL;
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &again, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "Nothing may be purged"));
    service_clear(&f);
}

static void nobody_is_told_that_it_comes_back(void)
{
    ServiceFixture f;
    begin_world(&f);
    SyncdRepairPlan *plan = approve_purge(&f);
    apply_repair(&f, plan);
    expect_not_taken_back(&f, plan, SYNCD_ERROR_NOT_FOUND, "cannot come back");
    g_autofree char *description = syncd_repair_plan_describe(plan);
    g_assert_nonnull(strstr(description, "\"rollback_until_usec\":null"));
    service_clear(&f);
}

/* Half done it goes on, and that is what is said: nothing of it could be taken back. */
static void nor_while_it_is_half_done(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    begin_world(&f);
    SyncdRepairPlan *other = approve_repair(&f, plan_purge(&f, -1)),
                    *plan = leave_half_done(&f, plan_purge(&f, -1));
    g_assert_false(syncd_service_apply_repair(f.service, &f.caller, other,
                                              syncd_repair_plan_digest(other), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_assert_nonnull(strstr(error->message, "repair apply"));
    g_assert_null(strstr(error->message, "rollback"));
    g_clear_error(&error);
    g_assert_false(syncd_service_discard_repair(f.service, &f.caller, plan,
                                                syncd_repair_plan_digest(plan), &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_assert_nonnull(strstr(error->message, "repair apply"));
    g_assert_null(strstr(error->message, "roll"));
    g_clear_error(&error);
    expect_not_taken_back(&f, plan, SYNCD_ERROR_NOT_FOUND, "repair apply");
    g_assert_true(syncd_service_apply_repair(f.service, &f.caller, plan,
                                             syncd_repair_plan_digest(plan), &job, &error));
    run_jobs(&f);
    assert_purged(&f);
    service_clear(&f);
}

/* It has more to it than was shown. */
static void change_object(ServiceFixture *f, const char *object)
{
    restore_object(f, object);
    put_ended(f, object, KEPT);
    remove_object(f, object);
}

/* When it is already under way the others go, and it stays. */
static void what_changes_meanwhile_stays(void)
{
    static void (*const changes[])(ServiceFixture *, const char *) = {restore_object,
                                                                      change_object};
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        ServiceFixture f;
        begin_world(&f);
        SyncdRepairPlan *plan = approve_purge(&f);
        SyncdJob *job = begin_repair(&f, plan);
        changes[i](&f, "gone-2");
        run_jobs(&f);
        g_assert_cmpstr(syncd_job_state(job), ==, "done");
        rest(&f);
        g_assert_true(is_in(&f, "gone-1", SYNCD_DELETION_PROVEN));
        g_assert_true(
            is_in(&f, "gone-2", i == 0 ? SYNCD_DELETION_RESTORED : SYNCD_DELETION_HIDDEN));
        g_assert_cmpuint(count_entries(&f, "deletion.purged"), ==, 1);
        g_autofree char *report = syncd_service_repair_report(f.service, plan, NULL);
        g_assert_nonnull(strstr(report, "The object gone-2, which is not as it was shown"));
        g_assert_nonnull(strstr(report, "Plan again with `sourceos-syncd repair plan --purge`"));
        service_clear(&f);
    }
}

/* Somebody did it meanwhile, or this plan did before a crash. */
static void what_is_purged_already_is_told_of(void)
{
    ServiceFixture f;
    begin_world(&f);
    SyncdRepairPlan *plan = approve_purge(&f);
    begin_repair(&f, plan);
    g_autofree char *operation = purge_as_shown(&f, SCOPE, "gone-2");
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_autofree char *report = syncd_service_repair_report(f.service, plan, NULL);
    g_assert_nonnull(strstr(report, operation));
    assert_purged(&f);
    service_clear(&f);
}

/* The control: what is not to be taken would be missed. */
static void it_would_show_if_more_were_purged(void)
{
    ServiceFixture f;
    begin_world(&f);
    g_assert_true(is_the_rest_there(&f));
    remove_object(&f, "there");
    g_free(purge_as_shown(&f, SCOPE, "there"));
    rest(&f);
    g_assert_false(is_the_rest_there(&f));
    service_clear(&f);
}

/* Killed again and again, after one more step each time. */
static void a_crash_between_any_two_steps_purges_each_once(void)
{
    for (guint steps = 1; steps < 40; steps += is_hurried() ? 7 : 1) {
        ServiceFixture f;
        begin_world(&f);
        SyncdRepairPlan *plan = approve_purge(&f);
        g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
        begin_repair(&f, plan);
        for (guint i = 0; i < steps; i++)
            syncd_service_work(f.service);
        repair_reopen(&f);
        run_jobs(&f);
        plan = find_repair_plan(f.service, id);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        assert_purged(&f);
        g_autofree char *report = syncd_service_repair_report(f.service, plan, NULL);
        g_assert_nonnull(strstr(report, "gone-1"));
        service_clear(&f);
    }
}

/* Whoever purges is told of that, and not of what else is wrong. */
static void what_else_is_wrong_is_not_told_of(void)
{
    ServiceFixture f;
    begin_world(&f);
    state_set_mode(&f, "keys/device.key", 0644);
    g_assert_true(is_found(&f, "file-modes"));
    SyncdRepairPlan *plan = approve_purge(&f);
    apply_repair(&f, plan);
    g_assert_true(report_says(&f, plan, "\"unresolved_conflicts\":[]"));
    g_assert_true(is_found(&f, "file-modes"));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-purge-run/apply", what_was_shown_is_purged_and_proven);
    g_test_add_func("/repair-purge-run/else", what_else_is_wrong_is_not_told_of);
    g_test_add_func("/repair-purge-run/no-way-back", nobody_is_told_that_it_comes_back);
    g_test_add_func("/repair-purge-run/half-done", nor_while_it_is_half_done);
    g_test_add_func("/repair-purge-run/meanwhile", what_changes_meanwhile_stays);
    g_test_add_func("/repair-purge-run/already", what_is_purged_already_is_told_of);
    g_test_add_func("/repair-purge-run/control", it_would_show_if_more_were_purged);
    g_test_add_func("/repair-purge-run/crash", a_crash_between_any_two_steps_purges_each_once);
    return g_test_run();
}
