/*
 * The way back after another journal was put into the place of one: to what was there before, if
 * anything was, and nothing that came since is lost.
 */
#include "repair-life-fixture.h"
#include "rescue-fixture.h"

static void what_was_done_is_taken_back(void)
{
    ServiceFixture f;
    begin(&f);
    without_header(&f);
    gsize size, size_after;
    g_autofree char *before = state_read(&f, "journal.db", &size);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    g_assert_true(plan_says(plan, "kept as it was before it is touched.\""));
    put(&f, "note-later", "{}");
    guint64 sequence = service_sequence(&f);
    rollback_repair(&f, plan);
    g_assert_true(is_found(&f, "journal-unreadable"));
    g_autofree char *after = state_read(&f, "journal.db", &size_after);
    g_assert_cmpmem(before, size, after, size_after);
    g_autofree char *said =
        g_strdup_printf("with %" G_GUINT64_FORMAT " entries, as an earlier", sequence);
    g_assert_true(report_says(&f, plan, said));
    /* What came since is not lost: it is an earlier generation now. */
    restore(&f);
    g_assert_cmpuint(service_sequence(&f), >=, sequence);
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES + 1);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_WRITABLE);
    service_clear(&f);
}

/* Whoever could read it before: nobody else reads what is kept of it meanwhile, nor what is kept of
 * the one that was in its place. */
static void it_comes_back_with_its_mode(void)
{
    for (guint noted = 0; noted < 2; noted++) {
        ServiceFixture f;
        guint modes;
        begin(&f);
        without_header(&f);
        repair_open(&f, NULL);
        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_true(plan_says(plan, "journal-restore"));
        approve_repair(&f, plan);
        begin_repair(&f, plan);
        state_set_mode(&f, "journal.db", 0644); /* no other step mends it */
        run_jobs(&f);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        g_assert_cmpuint(state_mode(&f, "journal.db"), ==, 0600);
        g_assert_true(kept_is_private(&f, &modes));
        g_assert_cmpuint(modes, ==, 1);
        g_assert_false(is_found(&f, "file-modes"));
        if (!noted)
            forget_modes(&f);
        state_set_mode(&f, "journal.db", 0640);
        rollback_repair(&f, plan);
        g_assert_true(is_found(&f, "journal-unreadable"));
        g_assert_cmpuint(state_mode(&f, "journal.db"), ==, noted ? 0644 : 0600);
        g_assert_cmpuint(state_mode(&f, "journal.1"), ==, 0600);
        g_assert_true(kept_is_private(&f, &modes));
        g_assert_cmpuint(modes, ==, 0);
        service_clear(&f);
    }
}

/* Whoever adopts it has decided to go on with what there is. There would be no log, and whatever
 * took its place would be this one again, or one that has to be adopted once more. */
static void what_was_adopted_since_is_not_taken_back(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    service_close(&f);
    overwritten(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan)),
                    *before = syncd_repair_plan_describe(plan);
    assert_member(before, "rollback_refused", "null");
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
    adopt(&f);
    put(&f, "note-later", "{}");
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *after = syncd_repair_plan_describe(plan);
        g_assert_nonnull(strstr(after, "\"rollback_refused\":\"The log that this repair"));
        expect_not_taken_back(&f, plan, SYNCD_ERROR_ALREADY_RESOLVED, "discard the plan");
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        repair_reopen(&f);
        plan = find_repair_plan(f.service, id);
    }
    expect_all(&f, ENTRIES + 1);
    plan = find_repair_plan(f.service, id);
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    service_clear(&f);
}

/* Where no journal was there is none to go back to: that is said, and not that it was done. */
static void where_nothing_was_there_is_no_way_back(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin_with_backup(&f);
    removed(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    g_assert_true(plan_says(plan, "\"available\": false"));
    g_assert_true(plan_says(plan, "\"snapshot\": \"None: there is nothing to put back.\""));
    g_assert_true(plan_says(plan, "there is no journal that could be put back"));
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error),
                    *description = syncd_repair_plan_describe(plan);
    g_assert_no_error(error);
    assert_member(report, "rollback_available", "false");
    assert_member(description, "rollback_until_usec", "null");
    expect_not_taken_back(&f, plan, SYNCD_ERROR_NOT_FOUND, NULL);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES);
    service_clear(&f);
}

/* ---- an index that was made anew before ---- */

static SyncdRepairPlan *make_unreadable(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    service_close(f);
    overwritten(f);
    repair_open(f, NULL);
    return find_repair_plan(f->service, id);
}

/* Neither index could be brought up to the log, nor could the log prove anything. */
static void the_index_stays_while_there_is_no_log(void)
{
    ServiceFixture f;
    begin(&f);
    damage_index(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = make_unreadable(&f, carry_out(&f, "index-rebuild"));
    g_autofree char *described = syncd_repair_plan_describe(plan);
    g_assert_nonnull(strstr(described, "\"rollback_refused\":\"The journal cannot be opened"));
    expect_not_taken_back(&f, plan, SYNCD_ERROR_JOURNAL_CORRUPT, "sourceos-syncd doctor");
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    expect_served(&f);
    service_clear(&f);
}

/* It is put back as it was, and no other is made of what is no log. */
static void one_that_is_half_made_is_given_up(void)
{
    ServiceFixture f;
    begin(&f);
    damage_index(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = make_unreadable(&f, leave_half_done(&f, plan_repair(&f)));
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_nonnull(strstr(syncd_repair_plan_reason(plan), "The journal cannot be opened"));
    gsize size;
    g_autofree char *index = index_bytes(&f, &size);
    g_assert_cmpstr(index, ==, "this is no database at all");
    g_assert_false(has_snapshot(&f, syncd_repair_plan_id(plan)));
    expect_served(&f);
    service_clear(&f);
}

/* What else the same plan did goes back, and of the log is said that it stays. */
static void what_stays_of_a_repair_is_said(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    removed(&f);
    state_set_mode(&f, "index.db", 0644);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    g_assert_true(plan_says(plan, "\"available\": true"));
    g_assert_true(plan_says(plan, "but for what does not come back. The log stays as it is then"));
    rollback_repair(&f, plan);
    g_assert_true(report_says(&f, plan, "there was no journal before it"));
    service_clear(&f);
}

/* Neither what it has found, nor where it is, has to do with the journal that is there then. */
static void a_verification_ends_with_its_journal(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    begin(&f);
    without_header(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_FULL, NULL, &job, &error);
    g_assert_no_error(error);
    syncd_service_work(f.service);
    g_assert_cmpstr(syncd_job_state(job), ==, "running");
    rollback_repair(&f, plan);
    g_assert_error(syncd_job_error(job), SYNCD_ERROR, SYNCD_ERROR_CANCELLED);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-back/what-was-adopted-since-is-not-taken-back",
                    what_was_adopted_since_is_not_taken_back);
    g_test_add_func("/rescue-back/what-was-done-is-taken-back", what_was_done_is_taken_back);
    g_test_add_func("/rescue-back/mode", it_comes_back_with_its_mode);
    g_test_add_func("/rescue-back/where-nothing-was-there-is-no-way-back",
                    where_nothing_was_there_is_no_way_back);
    g_test_add_func("/rescue-back/what-stays-of-a-repair-is-said", what_stays_of_a_repair_is_said);
    g_test_add_func("/rescue-back/a-verification-ends-with-its-journal",
                    a_verification_ends_with_its_journal);
    g_test_add_func("/rescue-back/index-stays", the_index_stays_while_there_is_no_log);
    g_test_add_func("/rescue-back/index-half-made", one_that_is_half_made_is_given_up);
    return g_test_run();
}
