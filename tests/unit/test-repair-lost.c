/* A file of the ledger that is gone, or is another one: nothing that is half done is forgotten by
 * that, nothing that was not written is given out, and there is a way out. */
#include "diagnose-fixture.h"
#include "repair-fixture.h"

#include "service/repair-private.h"

#include <string.h>

static char *file_of(const ServiceFixture *f, const char *plan, const char *suffix)
{
    return g_strdup_printf("%s/repair/%s%s", f->base.directory, plan, suffix);
}

static bool has(const ServiceFixture *f, const char *plan, const char *suffix)
{
    g_autofree char *path = file_of(f, plan, suffix);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void lose(const ServiceFixture *f, const char *plan, const char *suffix)
{
    g_autofree char *path = file_of(f, plan, suffix);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void start_broken(ServiceFixture *f)
{
    repair_init(f);
    put(f, "note-1", "{}");
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
}

/* The index that was there is set aside, and the process ends. */
static char *leave_it_half_done(ServiceFixture *f)
{
    start_broken(f);
    SyncdRepairPlan *plan = plan_repair(f);
    char *id = g_strdup(syncd_repair_plan_id(plan));
    approve_repair(f, plan);
    begin_repair(f, plan);
    while (!has(f, id, ".0"))
        syncd_service_work(f->service);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "running");
    service_close(f);
    return id;
}

static void what_is_half_done_is_never_forgotten(void)
{
    static const char *const suffixes[] = {".state", ".plan"}, *const others[] = {".plan",
                                                                                  ".state"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        ServiceFixture f;
        g_autofree char *id = leave_it_half_done(&f),
                        *aside = g_strconcat(others[i], ".damaged", NULL);
        lose(&f, id, suffixes[i]);
        repair_open(&f, NULL);
        g_assert_null(find_repair_plan(f.service, id));
        g_assert_true(has(&f, id, aside));
        g_assert_true(has(&f, id, ".0"));
        g_assert_true(is_found(&f, "repair-set-aside"));
        service_clear(&f);
    }
}

/* As when the process ended while one was made, or forgotten. */
static void what_never_was_a_plan_is_no_loss(void)
{
    ServiceFixture f;
    start_broken(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    service_close(&f);
    lose(&f, id, ".plan");
    repair_open(&f, NULL);
    g_assert_false(has(&f, id, ".state"));
    g_assert_false(is_found(&f, "repair-set-aside"));
    service_clear(&f);
}

static void what_was_set_aside_can_be_cleared_and_put_back(void)
{
    ServiceFixture f;
    g_autofree char *id = leave_it_half_done(&f);
    lose(&f, id, ".state");
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    g_assert_false(has(&f, id, ".plan.damaged"));
    g_assert_false(has(&f, id, ".0"));
    rollback_repair(&f, plan);
    g_assert_true(has(&f, id, ".plan.damaged"));
    g_assert_true(has(&f, id, ".0"));
    g_assert_true(is_found(&f, "repair-set-aside"));
    service_clear(&f);
}

/* What another plan keeps is not cleared away with it. */
static void what_is_kept_for_a_plan_stays(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *kept = approve_repair(&f, plan_repair(&f));
    g_autofree char *id = g_strdup(syncd_repair_plan_id(kept)),
                    *lost = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    apply_repair(&f, kept);
    service_close(&f);
    lose(&f, lost, ".state");
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    while (syncd_job_state(job)[0] == 'r' && has(&f, lost, ".plan.damaged"))
        syncd_service_work(f.service);
    g_assert_cmpstr(syncd_job_state(job), ==, "running");
    g_assert_true(has(&f, id, ".0"));
    run_jobs(&f);
    service_clear(&f);
}

static void a_report_that_is_another_one_is_not_given_out(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    service_close(&f);
    g_auto(GStrv) parts = g_strsplit(report, "\"complete\"", 2);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    g_autofree char *other = g_strjoinv("\"failed\"", parts), *path = file_of(&f, id, ".report");
    write_private(path, other, -1);
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    g_assert_null(syncd_service_repair_report(f.service, plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

/* What has the name of its folder is none, or is not for whoever runs this. */
static void a_ledger_that_cannot_be_read_is_found(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    service_close(&f);
    g_autofree char *path = g_build_filename(f.base.directory, "repair", NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        fixture_remove(path);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    repair_open(&f, NULL);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    g_assert_nonnull(find(found, "repair-unreadable"));
    SyncdState state;
    syncd_service_known_state(f.service, &state);
    g_assert_cmpstr(state.state, ==, "degraded");
    g_assert_cmpstr(state.reasons[0], ==, "repair-unreadable");

    service_close(&f);
    g_assert_cmpint(g_unlink(path), ==, 0);
    repair_open(&f, NULL);
    assert_clean(&f);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-lost/half-done", what_is_half_done_is_never_forgotten);
    g_test_add_func("/repair-lost/never", what_never_was_a_plan_is_no_loss);
    g_test_add_func("/repair-lost/cleared", what_was_set_aside_can_be_cleared_and_put_back);
    g_test_add_func("/repair-lost/kept", what_is_kept_for_a_plan_stays);
    g_test_add_func("/repair-lost/report", a_report_that_is_another_one_is_not_given_out);
    g_test_add_func("/repair-lost/all-of-it", a_ledger_that_cannot_be_read_is_found);
    return g_test_run();
}
