/* A repair is complete only while the log proves to be the one that it was planned for. */
#include "repair-fixture.h"

#include "service/diagnose.h"
#include "service/repair-private.h"

#include <glib/gstdio.h>
#include <string.h>

#define BROKEN "this is no database at all"

static bool finds(ServiceFixture *f, const char *code)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++)
        if (strcmp(((SyncdFound *)found->pdata[i])->finding->code, code) == 0)
            return true;
    return false;
}

/* As if the log were another one since: what a plan was made for is nowhere in it. */
static void change_heads(SyncdRepairPlan *plan)
{
    for (guint i = 0; i < plan->heads->len; i++)
        g_array_index(plan->heads, SyncdRepairHead, i).root.bytes[0] ^= 1;
}

static SyncdRepairPlan *begin_with_another_log(ServiceFixture *f, SyncdJob **ret_job)
{
    repair_init(f);
    put(f, "note-1", "{}");
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    *ret_job = begin_repair(f, plan);
    change_heads(plan);
    return plan;
}

static char *report_of(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    char *report = syncd_service_repair_report(f->service, plan, &error);
    g_assert_no_error(error);
    return report;
}

static void what_nothing_proves_is_not_complete(void)
{
    ServiceFixture f;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = begin_with_another_log(&f, &job);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_cmpstr(syncd_job_state(job), ==, "failed");
    g_assert_error(syncd_job_error(job), SYNCD_ERROR, SYNCD_ERROR_FEED_ROLLBACK);
    g_assert_nonnull(strstr(syncd_job_error(job)->message, "repair rollback"));
    g_autofree char *report = report_of(&f, plan);
    assert_member(report, "outcome", "\"failed\"");
    assert_member(report, "rollback_available", "true");
    g_assert_nonnull(strstr(report, "\"is_prefix\":false"));
    g_assert_nonnull(strstr(report, "sourceos-syncd verify log --full"));
    g_autofree char *back = g_strdup_printf("`sourceos-syncd repair rollback %s`", id),
                    *discarding = g_strdup_printf("`sourceos-syncd repair discard %s`", id);
    const char *const said[] = {report, syncd_job_error(job)->message};
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++)
        g_assert_true(strstr(said[i], back) != NULL && strstr(said[i], discarding) != NULL);
    g_assert_true(finds(&f, "repair-unproven"));
    rest(&f);
    g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 0);
    g_assert_cmpuint(count_events(&f, "sync.repair.unproven"), ==, 1);
    repair_reopen(&f);
    g_assert_true(finds(&f, "repair-unproven"));
    plan = find_repair_plan(f.service, id);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    service_clear(&f);
}

static void it_can_be_taken_back(void)
{
    ServiceFixture f;
    gsize size;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = begin_with_another_log(&f, &job);
    run_jobs(&f);
    g_assert_true(lookups_answer(&f));
    rollback_repair(&f, plan);
    g_autofree char *bytes = index_bytes(&f, &size);
    g_assert_cmpstr(bytes, ==, BROKEN);
    g_assert_false(finds(&f, "repair-unproven"));
    service_clear(&f);
}

/* What failed was taken back already: there is no way out left that anybody could be shown. */
static void what_failed_was_taken_back(void)
{
    ServiceFixture f;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = begin_with_another_log(&f, &job);
    for (unsigned i = 0; i < 3; i++)
        syncd_service_work(f.service);
    g_assert_true(syncd_service_cancel_job(f.service, job, NULL));
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_true(syncd_repair_plan_is_unproven(plan));
    g_assert_false(syncd_repair_can_be_undone(plan));
    g_assert_false(finds(&f, "repair-unproven"));
    repair_reopen(&f);
    g_assert_false(finds(&f, "repair-unproven"));
    service_clear(&f);
}

static void or_be_left_as_it_is(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = begin_with_another_log(&f, &job);
    run_jobs(&f);
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    g_assert_true(lookups_answer(&f));
    g_assert_false(finds(&f, "repair-unproven"));
    service_clear(&f);
}

/* What it kept may be the only copy of what was there: no other repair takes that away. */
static void and_stays_until_somebody_decides(void)
{
    ServiceFixture f;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = begin_with_another_log(&f, &job);
    run_jobs(&f);
    g_autofree char *path = g_build_filename(f.base.directory, "journal.db", NULL);
    g_assert_cmpint(g_chmod(path, 0644), ==, 0);
    SyncdRepairPlan *other = plan_repair(&f);
    approve_repair(&f, other);
    apply_repair(&f, other);
    g_assert_true(syncd_repair_can_be_undone(plan));
    rollback_repair(&f, plan);
    g_autofree char *bytes = index_bytes(&f, NULL);
    g_assert_cmpstr(bytes, ==, BROKEN);
    service_clear(&f);
}

/* The control: it is the proof that makes the difference. */
static void what_is_proven_is_complete(void)
{
    ServiceFixture f;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = begin_with_another_log(&f, &job);
    change_heads(plan);
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_false(finds(&f, "repair-unproven"));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-proof/unproven", what_nothing_proves_is_not_complete);
    g_test_add_func("/repair-proof/back", it_can_be_taken_back);
    g_test_add_func("/repair-proof/failed", what_failed_was_taken_back);
    g_test_add_func("/repair-proof/left", or_be_left_as_it_is);
    g_test_add_func("/repair-proof/other", and_stays_until_somebody_decides);
    g_test_add_func("/repair-proof/proven", what_is_proven_is_complete);
    return g_test_run();
}
