/* What plans are bound to, how long they hold, and how long what they keep. */
#include "policy-fixture.h"
#include "repair-life-fixture.h"
#include "store/database-private.h"
#include "store/journal-private.h"
#include "store/store-private.h"

#include <glib/gstdio.h>

/* ---- digests and approvals ---- */

#define OTHER "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static void another_digest_names_nothing(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_false(syncd_service_approve_repair(f.service, &f.caller, plan, OTHER, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    g_clear_error(&error);
    g_assert_false(syncd_service_discard_repair(f.service, &f.caller, plan, NULL, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    approve_repair(&f, plan);
    assert_refused(&f, plan, OTHER, SYNCD_ERROR_STALE_DIGEST);
    service_clear(&f);
}

static void nothing_is_applied_without_an_approval_that_holds(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    const char *digest = syncd_repair_plan_digest(plan);
    assert_refused(&f, plan, digest, SYNCD_ERROR_APPROVAL_REQUIRED);
    approve_repair(&f, plan);
    pass(&f, SYNCD_REPAIR_APPROVAL_USEC);
    assert_refused(&f, plan, digest, SYNCD_ERROR_APPROVAL_EXPIRED);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "preview");
    approve_repair(&f, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "approved");
    apply_repair(&f, plan);
    assert_refused(&f, plan, digest, SYNCD_ERROR_ALREADY_RESOLVED);
    service_clear(&f);
}

typedef struct {
    guint told;
    char *state;
} Told;

static void take_state(void *data, SyncdRepairPlan *plan)
{
    Told *told = data;
    told->told++;
    g_free(told->state);
    told->state = g_strdup(syncd_repair_plan_state(plan));
}

/* An applet shows what it was told last. */
static void that_an_approval_has_ended_is_told(void)
{
    ServiceFixture f;
    Told told = {0};
    start_broken(&f);
    const SyncdListener listener = {.data = &told, .repair_plan_changed = take_state};
    syncd_service_set_listener(f.service, &listener);
    approve_repair(&f, plan_repair(&f));
    g_assert_cmpstr(told.state, ==, "approved");
    g_assert_cmpuint(syncd_service_next_due(f.service), <=,
                     syncd_service_monotonic(f.service) + SYNCD_REPAIR_APPROVAL_USEC);
    pass(&f, SYNCD_REPAIR_APPROVAL_USEC);
    told.told = 0;
    run_jobs(&f);
    g_assert_cmpstr(told.state, ==, "preview");
    run_jobs(&f);
    g_assert_cmpuint(told.told, ==, 1);
    g_assert_cmpuint(syncd_service_next_due(f.service), >, syncd_service_monotonic(f.service));
    service_clear(&f);
    g_free(told.state);
}

/* Whether or not anybody came to discard it. */
static void no_approval_lasts_longer_than_its_plan(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    pass(&f, SYNCD_REPAIR_PLAN_USEC - SYNCD_REPAIR_APPROVAL_USEC / 2);
    approve_repair(&f, plan);
    g_autofree char *description = syncd_repair_plan_describe(plan),
                    *until =
                        g_strdup_printf("%" G_GUINT64_FORMAT, syncd_repair_plan_expires_usec(plan));
    assert_member(description, "approval_until_usec", until);
    pass(&f, SYNCD_REPAIR_APPROVAL_USEC / 2);
    assert_refused(&f, plan, syncd_repair_plan_digest(plan), SYNCD_ERROR_PLAN_STALE);
    service_clear(&f);
}

static void a_clock_that_was_set_back_makes_no_approval_last(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    pass(&f, SYNCD_REPAIR_APPROVAL_USEC);
    approve_repair(&f, plan);
    f.base.now_usec -= SYNCD_REPAIR_APPROVAL_USEC / 2;
    assert_refused(&f, plan, syncd_repair_plan_digest(plan), SYNCD_ERROR_APPROVAL_EXPIRED);
    f.base.now_usec -= SYNCD_REPAIR_PLAN_USEC;
    assert_refused(&f, plan, syncd_repair_plan_digest(plan), SYNCD_ERROR_PLAN_STALE);
    service_clear(&f);
}

static void a_plan_expires_and_the_log_says_so(void)
{
    static const char *const automatic[] = {"index-rebuild", NULL};
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    pass(&f, SYNCD_REPAIR_PLAN_USEC);
    g_assert_false(syncd_service_approve_repair(f.service, &f.caller, plan,
                                                syncd_repair_plan_digest(plan), &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    run_jobs(&f);
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    g_assert_cmpuint(plans->len, ==, 0);
    service_close(&f);
    repair_open(&f, automatic);
    rest(&f);
    g_assert_cmpuint(count_events(&f, "sync.repair.discarded"), ==, 1);
    service_clear(&f);
}

static void a_plan_can_be_discarded(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    g_assert_null(find_repair_plan(f.service, id));
    repair_reopen(&f);
    g_assert_null(find_repair_plan(f.service, id));
    service_clear(&f);
}

static void policy_is_asked_first(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    start_broken(&f);
    SyncdRepairPlan *made = plan_repair(&f);
    syncd_service_set_policy(
        f.service, set_of(FILE_OF(RULE("\"lanes\":[\"audit\"]", "deny", "none")), NULL), NULL);
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    g_clear_error(&error);
    g_assert_false(syncd_service_approve_repair(f.service, &f.caller, made,
                                                syncd_repair_plan_digest(made), &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    service_clear(&f);
}

/* ---- what has changed since ---- */

static void what_mended_itself_is_not_repaired(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    approve_repair(&f, plan);
    service_close(&f);
    f.base.holds_index = false; /* then it is made by opening */
    service_open(&f);
    service_close(&f);
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    g_assert_true(lookups_answer(&f));
    assert_refused(&f, plan, syncd_repair_plan_digest(plan), SYNCD_ERROR_PLAN_STALE);
    service_clear(&f);
}

static char *read_journal(const ServiceFixture *f, gsize *ret_size)
{
    char *bytes = NULL;
    g_autofree char *path = g_build_filename(f->base.directory, "journal.db", NULL);
    g_assert_true(g_file_get_contents(path, &bytes, ret_size, NULL));
    return bytes;
}

static void another_log_is_not_repaired(void)
{
    ServiceFixture f;
    gsize size;
    repair_init(&f);
    put(&f, "note-1", "{}");
    service_close(&f);
    g_autofree char *older = read_journal(&f, &size);
    repair_open(&f, NULL);
    put(&f, "note-2", "{}");
    service_close(&f);
    damage_index(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    approve_repair(&f, plan);
    service_close(&f);
    g_autofree char *path = g_build_filename(f.base.directory, "journal.db", NULL);
    write_private(path, older, (gssize)size);
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    assert_refused(&f, plan, syncd_repair_plan_digest(plan), SYNCD_ERROR_PLAN_STALE);
    service_clear(&f);
}

static void what_is_cancelled_is_taken_back(void)
{
    ServiceFixture f;
    gsize size;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    syncd_service_work(f.service);
    syncd_service_work(f.service);
    syncd_service_work(f.service);
    syncd_service_cancel_job(f.service, job, NULL);
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_autofree char *bytes = index_bytes(&f, &size);
    g_assert_cmpstr(bytes, ==, "this is no database at all");
    service_clear(&f);
}

/* ---- snapshots ---- */

static char *repair_once(ServiceFixture *f)
{
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    apply_repair(f, plan);
    return g_strdup(syncd_repair_plan_id(plan));
}

static void the_newest_snapshot_is_kept_for_a_week(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_autofree char *first = repair_once(&f);
    g_assert_true(has_snapshot(&f, first));
    g_autofree char *second = repair_once(&f);
    g_assert_false(has_snapshot(&f, first));
    g_assert_true(has_snapshot(&f, second));
    SyncdRepairPlan *plan = find_repair_plan(f.service, first);
    expect_not_taken_back(&f, plan, SYNCD_ERROR_NOT_FOUND, NULL);
    pass(&f, SYNCD_REPAIR_SNAPSHOT_USEC);
    run_jobs(&f);
    g_assert_false(has_snapshot(&f, second));
    service_clear(&f);
}

/* As when it was killed after the ledger said that there is no way back. */
static void what_nobody_goes_back_to_is_removed_at_the_next_start(void)
{
    ServiceFixture f;
    gsize size;
    g_autofree char *bytes = NULL;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_autofree char *first = repair_once(&f),
                    *path = g_strdup_printf("%s/repair/%s.0", f.base.directory, first);
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_autofree char *second = repair_once(&f);
    service_close(&f);
    write_private(path, bytes, (gssize)size);
    repair_open(&f, NULL);
    rest(&f);
    g_assert_false(has_snapshot(&f, first));
    g_assert_true(has_snapshot(&f, second));
    service_clear(&f);
}

/* Nothing in a state of another machine is written, so nothing is tried again and again. */
static void a_state_that_takes_no_writing_wakes_nobody(void)
{
    ServiceFixture f;
    start_broken(&f);
    plan_repair(&f);
    service_close(&f);
    f.base.machine = "machine-b";
    repair_open(&f, NULL);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_MACHINE_CHANGED);
    pass(&f, 2 * SYNCD_REPAIR_PLAN_USEC);
    syncd_service_work(f.service);
    g_assert_cmpuint(syncd_repair_next_due(f.service), ==, G_MAXUINT64);
    service_clear(&f);
}

/* A time that has passed is due for ever, and nothing else is ever woken for. */
static void what_the_log_cannot_take_is_not_due(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_cmpuint(plan->owed->len, >, 0);
    f.service->repairs->retry = f.base.now_usec;
    pass(&f, 1);
    syncd_service_work(f.service);
    g_assert_cmpuint(plan->owed->len, >, 0);
    g_assert_cmpuint(syncd_repair_next_due(f.service), >, syncd_service_monotonic(f.service));
    service_clear(&f);
}

static void note_answer(void *data, const GError *error)
{
    *(int *)data = error != NULL ? error->code : -1;
}

/* As where a page of the journal is damaged: whoever plans has his answer at once all the same. */
static void what_the_log_does_not_take_fails_nobody(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    int answer = 0;
    repair_init(&f);
    sqlite3 *db = syncd_journal_database(f.service->store->journal)->handle;
    g_assert_cmpint(sqlite3_exec(db,
                                 "CREATE TEMP TRIGGER no_more BEFORE INSERT ON main.entry"
                                 " BEGIN SELECT RAISE(ABORT, 'it is full'); END",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    g_autofree char *journal = state_path(&f, "journal.db");
    g_assert_cmpint(g_chmod(journal, 0644), ==, 0);
    g_assert_true(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_no_error(error);
    syncd_service_after_commit(f.service, note_answer, &answer);
    g_assert_cmpint(answer, ==, -1);
    g_assert_cmpuint(plan->owed->len, >, 0);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-life/digest", another_digest_names_nothing);
    g_test_add_func("/repair-life/approval", nothing_is_applied_without_an_approval_that_holds);
    g_test_add_func("/repair-life/ended", that_an_approval_has_ended_is_told);
    g_test_add_func("/repair-life/lasts", no_approval_lasts_longer_than_its_plan);
    g_test_add_func("/repair-life/clock", a_clock_that_was_set_back_makes_no_approval_last);
    g_test_add_func("/repair-life/expires", a_plan_expires_and_the_log_says_so);
    g_test_add_func("/repair-life/discard", a_plan_can_be_discarded);
    g_test_add_func("/repair-life/policy", policy_is_asked_first);
    g_test_add_func("/repair-life/mended", what_mended_itself_is_not_repaired);
    g_test_add_func("/repair-life/another-log", another_log_is_not_repaired);
    g_test_add_func("/repair-life/cancel", what_is_cancelled_is_taken_back);
    g_test_add_func("/repair-life/snapshots", the_newest_snapshot_is_kept_for_a_week);
    g_test_add_func("/repair-life/left", what_nobody_goes_back_to_is_removed_at_the_next_start);
    g_test_add_func("/repair-life/no-writing", a_state_that_takes_no_writing_wakes_nobody);
    g_test_add_func("/repair-life/owed", what_the_log_cannot_take_is_not_due);
    g_test_add_func("/repair-life/not-taken", what_the_log_does_not_take_fails_nobody);
    return g_test_run();
}
