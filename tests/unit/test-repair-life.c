/* What plans are bound to, how long they hold, and what a ledger may hold that nobody wrote. */
#include "policy-fixture.h"
#include "repair-fixture.h"

#include "service/diagnose.h"
#include "service/repair-private.h"

#include <string.h>

static void start_broken(ServiceFixture *f)
{
    repair_init(f);
    put(f, "note-1", "{}");
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
}

static void assert_refused(ServiceFixture *f, SyncdRepairPlan *plan, const char *digest, int code)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    g_assert_false(syncd_service_apply_repair(f->service, &f->caller, plan, digest, &job, &error));
    g_assert_error(error, SYNCD_ERROR, code);
    g_assert_null(job);
}

static void pass(ServiceFixture *f, guint64 usec)
{
    f->base.now_usec += usec;
}

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
    g_assert_null(syncd_service_find_repair_plan_by_digest(f.service, OTHER));
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
    plan = syncd_service_find_repair_plan(f.service, id);
    g_assert_nonnull(plan);
    apply_repair(&f, plan);
    repair_reopen(&f);
    plan = syncd_service_find_repair_plan(f.service, id);
    g_assert_nonnull(plan);
    rollback_repair(&f, plan);
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
    g_assert_null(syncd_service_find_repair_plan(f.service, id));
    repair_reopen(&f);
    g_assert_null(syncd_service_find_repair_plan(f.service, id));
    service_clear(&f);
}

static void there_are_only_so_many_plans(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    start_broken(&f);
    for (guint i = 0; i < SYNCD_REPAIR_PLANS_MAX; i++)
        plan_repair(&f);
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
    SyncdCaller other = {.uid = OWNER + 1};
    g_assert_true(syncd_service_plan_repair(f.service, &other, NULL, &plan, NULL));
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
    plan = syncd_service_find_repair_plan(f.service, id);
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
    plan = syncd_service_find_repair_plan(f.service, id);
    assert_refused(&f, plan, syncd_repair_plan_digest(plan), SYNCD_ERROR_PLAN_STALE);
    service_clear(&f);
}

/* ---- snapshots ---- */

static bool has_snapshot(const ServiceFixture *f, const char *plan)
{
    g_autofree char *path = g_strdup_printf("%s/repair/%s.0", f->base.directory, plan);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

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
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_autofree char *first = repair_once(&f);
    g_assert_true(has_snapshot(&f, first));
    g_autofree char *second = repair_once(&f);
    g_assert_false(has_snapshot(&f, first));
    g_assert_true(has_snapshot(&f, second));
    SyncdRepairPlan *plan = syncd_service_find_repair_plan(f.service, first);
    g_assert_false(syncd_service_rollback_repair(f.service, &f.caller, plan,
                                                 syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
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

/* ---- a disk that takes nothing ---- */

/* Nobody can write the state of that plan as long as a folder has its name. */
static void hold_state(const ServiceFixture *f, const char *plan, bool held)
{
    g_autofree char *state = g_strdup_printf("%s/repair/%s.state", f->base.directory, plan),
                    *other = g_strconcat(f->base.directory, "/held", NULL),
                    *child = g_build_filename(state, "x", NULL);
    if (held) {
        g_assert_cmpint(g_rename(state, other), ==, 0);
        g_assert_cmpint(g_mkdir_with_parents(child, 0700), ==, 0);
    } else {
        g_assert_cmpint(g_rmdir(child), ==, 0);
        g_assert_cmpint(g_rmdir(state), ==, 0);
        g_assert_cmpint(g_rename(other, state), ==, 0);
    }
}

static void what_cannot_be_written_is_tried_again_in_a_while(void)
{
    ServiceFixture f;
    start_broken(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    hold_state(&f, id, true);
    pass(&f, SYNCD_REPAIR_PLAN_USEC);
    run_jobs(&f);
    g_assert_nonnull(syncd_service_find_repair_plan(f.service, id));
    g_assert_cmpuint(syncd_service_next_due(f.service), >, syncd_service_monotonic(f.service));
    hold_state(&f, id, false);
    run_jobs(&f);
    g_assert_nonnull(syncd_service_find_repair_plan(f.service, id));
    pass(&f, 60 * (guint64)G_USEC_PER_SEC);
    run_jobs(&f);
    g_assert_null(syncd_service_find_repair_plan(f.service, id));
    service_clear(&f);
}

/* Nothing is repaired over it, and nothing takes its way back away. */
static void what_is_half_done_keeps_its_way_back(void)
{
    ServiceFixture f;
    gsize size;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan)),
                    *journal = g_build_filename(f.base.directory, "journal.db", NULL);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    for (unsigned i = 0; i < 3; i++)
        syncd_service_work(f.service);
    hold_state(&f, id, true);
    run_jobs(&f);
    hold_state(&f, id, false);
    g_assert_true(syncd_repair_plan_is_interrupted(plan));
    g_assert_true(has_snapshot(&f, id));
    g_assert_cmpint(g_chmod(journal, 0640), ==, 0);
    SyncdRepairPlan *other = plan_repair(&f);
    approve_repair(&f, other);
    assert_refused(&f, other, syncd_repair_plan_digest(other), SYNCD_ERROR_BUSY);
    g_assert_true(has_snapshot(&f, id));
    rollback_repair(&f, plan);
    g_autofree char *bytes = index_bytes(&f, &size);
    g_assert_cmpstr(bytes, ==, "this is no database at all");
    other = plan_repair(&f);
    approve_repair(&f, other);
    apply_repair(&f, other);
    service_clear(&f);
}

static void one_is_carried_out_at_a_time(void)
{
    ServiceFixture f;
    start_broken(&f);
    SyncdRepairPlan *one = plan_repair(&f), *other = plan_repair(&f);
    approve_repair(&f, one);
    approve_repair(&f, other);
    begin_repair(&f, one);
    assert_refused(&f, other, syncd_repair_plan_digest(other), SYNCD_ERROR_BUSY);
    run_jobs(&f);
    assert_refused(&f, other, syncd_repair_plan_digest(other), SYNCD_ERROR_PLAN_STALE);
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

/* As long as no index can be made the log takes nothing, and each attempt owes it what it did. */
static void what_fails_again_and_again_fills_no_ledger(void)
{
    static const char *const automatic[] = {"index-rebuild", NULL};
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    service_close(&f);
    damage_index(&f);
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

/* ---- ledgers that nobody wrote ---- */

static char *ledger_file(const ServiceFixture *f, const char *plan, const char *suffix)
{
    return g_strdup_printf("%s/repair/%s%s", f->base.directory, plan, suffix);
}

static bool finds(ServiceFixture *f, const char *code)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++)
        if (strcmp(((SyncdFound *)found->pdata[i])->finding->code, code) == 0)
            return true;
    return false;
}

static void edit(const char *path, const char *from, const char *to)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(text, from, 2);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    g_autofree char *edited = g_strjoinv(to, parts);
    write_private(path, edited, -1);
}

static void what_is_damaged_is_set_aside_and_named(void)
{
    static const struct {
        const char *suffix, *from, *to;
    } cases[] = {
        {".state", "\"state\":\"preview\"", "\"state\":\"approved\""},
        {".state", "{", "["},
        {".state", "repair-state/v1", "repair-state/v2"},
        {".state", "\"steps\":[", "\"steps\":[{\"state\":\"done\",\"note\":null},"},
        {".plan", "index-rebuild", "index-destroy"},
        {".plan", "\"target\": \"index\"", "\"target\": \"journal\""},
        {".plan", "{", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        start_broken(&f);
        g_assert_false(finds(&f, "repair-set-aside"));
        g_autofree char *id = g_strdup(syncd_repair_plan_id(plan_repair(&f))),
                        *other = g_strdup(syncd_repair_plan_id(plan_repair(&f))),
                        *path = ledger_file(&f, id, cases[i].suffix),
                        *aside = g_strconcat(path, ".damaged", NULL);
        service_close(&f);
        edit(path, cases[i].from, cases[i].to);
        repair_open(&f, NULL);
        g_assert_null(syncd_service_find_repair_plan(f.service, id));
        g_assert_nonnull(syncd_service_find_repair_plan(f.service, other));
        g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
        g_assert_true(finds(&f, "repair-set-aside"));
        service_clear(&f);
    }
}

static void anything_may_lie_in_the_ledger(void)
{
    static const char *const names[] = {"x", ".plan", ".state", "a.plan", "b.state", "c.report"};
    ServiceFixture f;
    start_broken(&f);
    g_autofree char *kept = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    service_close(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f.base.directory, "repair", names[i], NULL);
        write_private(path, "no JSON", -1);
    }
    g_autofree char *folder = g_build_filename(f.base.directory, "repair", "d.plan", NULL),
                    *link = g_build_filename(f.base.directory, "repair", "e.state", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    repair_open(&f, NULL);
    g_assert_nonnull(syncd_service_find_repair_plan(f.service, kept));
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    g_assert_cmpuint(plans->len, ==, 1);
    service_clear(&f);
}

/* What repairs keep may be many files. */
static void no_plan_is_missed_among_what_is_kept(void)
{
    ServiceFixture f;
    start_broken(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    service_close(&f);
    for (guint i = 0; i < 3000; i++) {
        g_autofree char *path = g_strdup_printf("%s/repair/x.0.half.%u", f.base.directory, i);
        g_assert_true(g_file_set_contents_full(path, "", 0, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
    repair_open(&f, NULL);
    g_assert_nonnull(syncd_service_find_repair_plan(f.service, id));
    g_assert_cmpuint(syncd_service_repair_set_aside(f.service)->len, ==, 0);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-life/digest", another_digest_names_nothing);
    g_test_add_func("/repair-life/approval", nothing_is_applied_without_an_approval_that_holds);
    g_test_add_func("/repair-life/ended", that_an_approval_has_ended_is_told);
    g_test_add_func("/repair-life/lasts", no_approval_lasts_longer_than_its_plan);
    g_test_add_func("/repair-life/again", one_that_is_approved_again_and_again_is_still_there);
    g_test_add_func("/repair-life/clock", a_clock_that_was_set_back_makes_no_approval_last);
    g_test_add_func("/repair-life/expires", a_plan_expires_and_the_log_says_so);
    g_test_add_func("/repair-life/discard", a_plan_can_be_discarded);
    g_test_add_func("/repair-life/limit", there_are_only_so_many_plans);
    g_test_add_func("/repair-life/room", what_was_discarded_keeps_nobody_from_planning);
    g_test_add_func("/repair-life/policy", policy_is_asked_first);
    g_test_add_func("/repair-life/mended", what_mended_itself_is_not_repaired);
    g_test_add_func("/repair-life/another-log", another_log_is_not_repaired);
    g_test_add_func("/repair-life/snapshots", the_newest_snapshot_is_kept_for_a_week);
    g_test_add_func("/repair-life/left", what_nobody_goes_back_to_is_removed_at_the_next_start);
    g_test_add_func("/repair-life/held", what_cannot_be_written_is_tried_again_in_a_while);
    g_test_add_func("/repair-life/half-done", what_is_half_done_keeps_its_way_back);
    g_test_add_func("/repair-life/busy", one_is_carried_out_at_a_time);
    g_test_add_func("/repair-life/cancel", what_is_cancelled_is_taken_back);
    g_test_add_func("/repair-life/damaged", what_is_damaged_is_set_aside_and_named);
    g_test_add_func("/repair-life/anything", anything_may_lie_in_the_ledger);
    g_test_add_func("/repair-life/fails", what_fails_again_and_again_fills_no_ledger);
    g_test_add_func("/repair-life/crowd", no_plan_is_missed_among_what_is_kept);
    return g_test_run();
}
