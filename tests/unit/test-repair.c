/* Repair of the index, from its plan to its rollback. */
#include "diagnose-fixture.h"
#include "raw-sql.h"
#include "repair-fixture.h"

#include "base/timestamp.h"
#include "contract/check.h"
#include "domain/problems.h"
#include "service/diagnose.h"
#include "service/internal.h"
#include "store/store-private.h"

#define HOUR (3600 * (guint64)G_USEC_PER_SEC)

static void start_broken(ServiceFixture *f)
{
    repair_init(f);
    put(f, "note-1", "{}");
    put(f, "note-2", "{}");
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
}

static void assert_contract(const char *schema, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    syncd_json_check(text, strlen(text), SYNCD_JSON_MUST_BE_OBJECT, &error);
    g_assert_no_error(error);
    syncd_problems_add_contract(problems, schema, syncd_json_root(text, strlen(text)));
    g_assert_cmpuint(problems->len, ==, 0);
}

static void what_is_sound_is_not_repaired(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    service_clear(&f);
}

static void an_index_is_left_as_it_is_until_its_repair_is_approved(void)
{
    ServiceFixture f;
    gsize size;
    start_broken(&f);
    g_assert_false(lookups_answer(&f));
    run_jobs(&f);
    g_assert_false(lookups_answer(&f));
    g_autofree char *bytes = index_bytes(&f, &size);
    g_assert_cmpstr(bytes, ==, "this is no database at all");
    service_clear(&f);
}

static void a_plan_says_what_it_will_do(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    const char *text = syncd_repair_plan_text(plan);
    assert_contract("sourceos.repair-plan/v1alpha1", text);
    g_assert_true(g_str_has_suffix(text, "\n}\n"));
    SyncdHash hash = syncd_hash(text, strlen(text));
    char digest[SYNCD_DIGEST_SIZE];
    syncd_hash_to_digest(&hash, digest);
    g_assert_cmpstr(digest, ==, syncd_repair_plan_digest(plan));
    g_assert_nonnull(strstr(text, "\"id\": \"index-rebuild\""));
    g_assert_nonnull(strstr(text, "\"target\": \"index\""));
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "preview");
    g_assert_cmpstr(syncd_repair_plan_risk(plan), ==, "low");
    g_assert_false(syncd_repair_plan_is_destructive(plan));
    /* and changes nothing */
    run_jobs(&f);
    g_assert_false(lookups_answer(&f));
    service_clear(&f);
}

static void change_index(const ServiceFixture *f, const char *sql)
{
    g_autofree char *path = index_path(f);
    run_raw(path, sql);
}

/* One that serves is compared with the one that takes its place. */
static void the_report_says_what_was_wrong(void)
{
    ServiceFixture f;
    SyncdJob *job = NULL;
    g_autoptr(GError) error = NULL;
    const SyncdVerifyOptions options = {.mode = SYNCD_VERIFY_FULL, .index = true};
    repair_init(&f);
    for (int i = 0; i < 20; i++)
        put(&f, i % 2 == 0 ? "note-1" : "note-2", "{}");
    service_close(&f);
    change_index(&f, "UPDATE tally SET count = count + 1 WHERE kind = (SELECT kind FROM tally "
                     "ORDER BY count DESC LIMIT 1); DELETE FROM task WHERE pos % 2 = 0");
    repair_open(&f, NULL);
    g_assert_true(syncd_service_verify_with(f.service, &f.caller, &options, &job, NULL));
    run_jobs(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    assert_contract("sourceos.repair-report/v1alpha1", report);
    g_assert_nonnull(strstr(report, "\"tally: 1 of "));
    g_assert_nonnull(strstr(report, "\"task: 10 of 20 rows that were compared\""));
    g_assert_nonnull(strstr(report, ", that were wrong: 11\""));
    service_clear(&f);
}

static void an_index_is_made_anew_and_put_back(void)
{
    ServiceFixture f;
    gsize size;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "approved");
    g_assert_cmpstr(syncd_repair_plan_approver(plan), ==, "uid:1000");
    apply_repair(&f, plan);
    g_assert_true(lookups_answer(&f));
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    assert_contract("sourceos.repair-report/v1alpha1", report);
    assert_member(report, "outcome", "\"complete\"");
    assert_member(report, "unresolved_conflicts", "[]");
    g_assert_nonnull(strstr(report, "\"is_prefix\":true"));
    g_assert_null(strstr(report, "\"is_prefix\":false"));

    /* all of its life is in the log, what was owed before there was an index too */
    rest(&f);
    g_assert_cmpuint(count_events(&f, "sync.repair.planned"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.repair.approved"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.repair.started"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 1);

    rollback_repair(&f, plan);
    g_autofree char *bytes = index_bytes(&f, &size);
    g_assert_cmpuint(size, ==, strlen("this is no database at all"));
    g_assert_cmpstr(bytes, ==, "this is no database at all");
    g_assert_false(lookups_answer(&f));

    /* and once more */
    plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rest(&f);
    g_assert_cmpuint(count_events(&f, "sync.repair.rolled_back"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 2);
    service_clear(&f);
}

/* While it serves. */
static void drift(ServiceFixture *f)
{
    SyncdJob *job = NULL;
    g_autoptr(GError) error = NULL;
    const SyncdVerifyOptions options = {.mode = SYNCD_VERIFY_FULL, .index = true};
    rest(f);
    syncd_database_run(syncd_index_database(f->service->store->index),
                       "UPDATE tally SET count = count + 1", &error);
    g_assert_no_error(error);
    syncd_service_verify_with(f->service, &f->caller, &options, &job, &error);
    g_assert_no_error(error);
    run_jobs(f);
}

/* An hour later each, so that it is seen which time is told. */
static void expect_told_of_repair(ServiceFixture *f)
{
    char before[SYNCD_TIME_SIZE], after[SYNCD_TIME_SIZE];
    f->base.now_usec += HOUR;
    syncd_time_format_ms(f->base.now_usec / 1000, before);
    apply_repair(f, approve_repair(f, plan_repair(f)));
    syncd_time_format_ms(f->base.now_usec / 1000, after);
    f->base.now_usec += HOUR;
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *remade = find(found, "index-remade");
    g_assert_nonnull(remade);
    g_assert_cmpstr(remade->facts[0].name, ==, "at");
    g_assert_cmpstr(remade->facts[0].text, >=, before);
    g_assert_cmpstr(remade->facts[0].text, <=, after);
    g_assert_cmpstr(remade->facts[1].text, ==, "a repair was carried out");
}

/* What is told is when the one that serves was made: by a repair alone, and by another one that
 * made it beside that. */
static void when_it_was_made_is_told(void)
{
    ServiceFixture f;
    start_broken(&f);
    g_assert_false(is_found(&f, "index-remade"));
    expect_told_of_repair(&f);
    drift(&f);
    expect_told_of_repair(&f);
    service_clear(&f);
}

/* Whoever was killed amid putting another one in its place has not lost it: nobody is asked. */
static void one_that_was_being_exchanged_is_made_anew_at_once(void)
{
    for (guint made = 0; made < 2; made++) {
        ServiceFixture f;
        repair_init(&f);
        put(&f, "note-1", "{}");
        rest(&f);
        service_close(&f);
        state_move(&f, "index.db", made ? "index.db.new" : "elsewhere");
        repair_open(&f, NULL);
        g_assert_cmpint(lookups_answer(&f), ==, made);
        g_assert_cmpint(is_found(&f, "index-unavailable"), ==, !made);
        g_assert_false(state_has(&f, "index.db.new"));
        service_clear(&f);
    }
}

static void a_rebuildable_index_is_repaired_at_the_start_where_that_is_configured(void)
{
    static const char *const automatic[] = {"index-rebuild", NULL};
    ServiceFixture f;
    leave_broken(&f);
    repair_open(&f, automatic);
    g_assert_true(lookups_answer(&f));
    rest(&f);
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    g_assert_cmpuint(plans->len, ==, 1);
    g_assert_cmpstr(syncd_repair_plan_state(plans->pdata[0]), ==, "complete");
    g_assert_cmpstr(syncd_repair_plan_approver(plans->pdata[0]), ==, "daemon");
    g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 1);

    /* what was wrong with the one before is told, and by which plan it was mended */
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    g_autofree char *wanted =
        g_strconcat(syncd_repair_plan_id(plans->pdata[0]), ": index-unavailable", NULL);
    const SyncdFound *remade = found->len == 1 ? found->pdata[0] : NULL;
    g_assert_nonnull(remade);
    g_assert_cmpstr(remade->finding->code, ==, "index-remade");
    g_assert_cmpuint(remade->evidence->len, ==, 1);
    g_assert_cmpstr(remade->evidence->pdata[0], ==, wanted);
    service_clear(&f);
}

static void a_plan_outlives_the_daemon(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan)),
                    *text = g_strdup(syncd_repair_plan_text(plan));
    approve_repair(&f, plan);
    repair_reopen(&f);
    plan = find_repair_plan(f.service, id);
    g_assert_nonnull(plan);
    g_assert_cmpstr(syncd_repair_plan_text(plan), ==, text);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "approved");
    apply_repair(&f, plan);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair/compared", the_report_says_what_was_wrong);
    g_test_add_func("/repair/nothing", what_is_sound_is_not_repaired);
    g_test_add_func("/repair/held", an_index_is_left_as_it_is_until_its_repair_is_approved);
    g_test_add_func("/repair/exchanged", one_that_was_being_exchanged_is_made_anew_at_once);
    g_test_add_func("/repair/plan", a_plan_says_what_it_will_do);
    g_test_add_func("/repair/index", an_index_is_made_anew_and_put_back);
    g_test_add_func("/repair/made-at", when_it_was_made_is_told);
    g_test_add_func("/repair/automatic",
                    a_rebuildable_index_is_repaired_at_the_start_where_that_is_configured);
    g_test_add_func("/repair/restart", a_plan_outlives_the_daemon);
    return g_test_run();
}
