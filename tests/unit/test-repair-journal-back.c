/*
 * A repair of the log that is taken back when more of it was damaged since: what is given up then,
 * as it is to be had nowhere, nobody has agreed to, so the log that has the rest of it stays.
 */
#include "raw-sql.h"
#include "repair-fixture.h"

#include "diagnose-fixture.h"
#include "service/repair-private.h"

#include <string.h>

#define ENTRIES 40u
#define LATER 10u
/* Of an entry that came when the repair was through. */
#define DAMAGED "60"

static void run_sql(const ServiceFixture *f, const char *sql)
{
    g_autofree char *path = state_path(f, "journal.db");
    forge_raw(path, sql);
}

static SyncdRepairPlan *repair_and_damage(ServiceFixture *f, const char *sql)
{
    repair_init(f);
    put_many(f, 0, ENTRIES);
    service_close(f);
    run_sql(f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
    repair_open(f, NULL);
    verify_all(f);
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    apply_repair(f, plan);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    put_many(f, ENTRIES, LATER);
    rest(f);
    service_close(f);
    if (sql != NULL)
        run_sql(f, sql);
    repair_open(f, NULL);
    return find_repair_plan(f->service, id);
}

static bool holds(const ServiceFixture *f, const char *name, const char *words)
{
    gsize size;
    g_autofree char *bytes = state_has(f, name) ? state_read(f, name, &size) : NULL;
    return bytes != NULL && memmem(bytes, size, words, strlen(words)) != NULL;
}

static void what_is_given_up_on_the_way_back_stays(void)
{
    ServiceFixture f;
    SyncdRepairPlan *plan = repair_and_damage(
        &f, "UPDATE entry SET body = CAST(substr(body, 1, 30) || 'what is left of it' AS BLOB)"
            " WHERE pos = " DAMAGED);
    rollback_repair(&f, plan);
    g_assert_true(report_says(&f, plan, "The body of sequence number " DAMAGED " is lost"));
    g_assert_true(report_says(&f, plan, "as journal.2"));
    g_assert_true(holds(&f, "journal.2", "what is left of it"));
    g_assert_true(state_has(&f, "journal.1"));
    verify_all(&f);
    g_assert_true(is_found(&f, "log-lost"));
    service_clear(&f);
}

/* The damaged one is not what the log is again: so it is kept on, as long as was promised. */
static void what_was_damaged_stays_for_a_while(void)
{
    ServiceFixture f;
    SyncdRepairPlan *plan = repair_and_damage(&f, NULL);
    gsize before, after;
    g_autofree char *damaged = state_read(&f, "journal.1", &before), *id = g_strdup(plan->id);
    rollback_repair(&f, plan);
    g_assert_true(
        report_says(&f, plan, "The damaged log as it was before the repair, as journal.1"));
    g_assert_false(state_has(&f, "journal.2"));
    repair_reopen(&f);
    rest(&f);
    g_autofree char *kept = state_read(&f, "journal.1", &after);
    g_assert_cmpmem(damaged, before, kept, after);
    plan = find_repair_plan(f.service, id);
    g_assert_false(syncd_repair_can_be_undone(plan));
    f.base.now_usec += SYNCD_REPAIR_SNAPSHOT_USEC + G_USEC_PER_SEC;
    rest(&f);
    g_assert_false(state_has(&f, "journal.1") || state_has(&f, "journal.2"));
    service_clear(&f);
}

#define LOSE "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = "

/* So it keeps nothing else from being repaired. */
static void what_cannot_be_taken_back_stays_done(void)
{
    ServiceFixture f;
    SyncdRepairPlan *plan = repair_and_damage(
        &f, LOSE "58;" LOSE "59;" LOSE "60; UPDATE head SET tail = zeroblob(length(tail))");
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    SyncdJob *job = begin_rollback(&f, plan);
    run_jobs(&f);
    g_assert_cmpstr(syncd_job_state(job), ==, "failed");
    g_assert_error(syncd_job_error(job), SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    service_close(&f);
    damage_index(&f);
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    SyncdRepairPlan *other = plan_repair(&f);
    g_assert_true(plan_says(other, "index-rebuild"));
    approve_repair(&f, other);
    begin_repair(&f, other);
    service_clear(&f);
}

/* Nor does one that failed, or of which some was taken back already: the rest is, later. */
static void what_was_being_taken_back_is_left_for_later(void)
{
    ServiceFixture f;
    SyncdRepairPlan *plan = repair_and_damage(&f, NULL);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    service_close(&f);
    state_copy(&f, "journal.db", "good");
    run_sql(&f, LOSE "58;" LOSE "59;" LOSE "60; UPDATE head SET tail = zeroblob(length(tail))");
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    plan->failure = g_strdup("It was cancelled");
    SyncdJob *job = begin_rollback(&f, plan);
    run_jobs(&f);
    g_assert_cmpstr(syncd_job_state(job), ==, "failed");
    for (guint i = 0; i < 2; i++) {
        plan = find_repair_plan(f.service, id);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
        g_assert_nonnull(strstr(syncd_repair_plan_reason(plan), "not taken back in whole"));
        g_assert_false(syncd_repair_is_half_done(f.service));
        g_assert_true(syncd_repair_can_be_undone(plan));
        service_close(&f);
        if (i > 0)
            state_copy(&f, "good", "journal.db");
        repair_open(&f, NULL);
    }
    plan = find_repair_plan(f.service, id);
    begin_rollback(&f, plan);
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_cmpstr(syncd_repair_plan_reason(plan), ==, "It was cancelled");
    g_assert_false(syncd_repair_can_be_undone(plan));
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-journal-back/stays", what_is_given_up_on_the_way_back_stays);
    g_test_add_func("/repair-journal-back/damaged", what_was_damaged_stays_for_a_while);
    g_test_add_func("/repair-journal-back/in-vain", what_cannot_be_taken_back_stays_done);
    g_test_add_func("/repair-journal-back/later", what_was_being_taken_back_is_left_for_later);
    return g_test_run();
}
