/*
 * What the plan says that puts another journal into the place of one: which there are, how much of
 * it they have, and what none of them has. And the plan writes nothing.
 */
#include "rescue-fixture.h"

#include "base/timestamp.h"
#include "service/repair-private.h"

#include <utime.h>

/* Which one, of when by its own log, how much it has, and what is in none of them: before anybody
 * agrees. When its file was written says nothing: it is a copy. */
static void the_plan_says_what_there_is(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    g_autofree char *path = state_path(&f, "journal-backup.db");
    g_assert_cmpint(utime(path, &(struct utimbuf){1764385200, 1764385200}), ==, 0);
    repair_open(&f, NULL);
    guint64 had = service_sequence(&f);
    char at[SYNCD_TIME_SIZE];
    syncd_time_format_ms(syncd_journal_committed_clock(f.service->store->journal).ms, at);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    guint64 known = service_sequence(&f);
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    g_autofree char *has = g_strdup_printf("journal-backup.db with %" G_GUINT64_FORMAT
                                           " entries, the last one of %s",
                                           had, at),
                    *lost =
                        g_strdup_printf("the entries %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                                        " that the index knows of are in none of these",
                                        had + 1, known);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_true(plan_says(plan, has));
    g_assert_true(plan_says(plan, lost));
    g_assert_false(plan_says(plan, "can be read of journal.db"));
    service_clear(&f);
}

/* However many there are, so many are opened for a plan; all are when it is carried out. */
static void of_many_some_are_looked_at(void)
{
    ServiceFixture f;
    begin(&f);
    for (guint i = 0; i < SYNCD_RESCUABLE_MAX + 3; i++) {
        g_autofree char *name = g_strdup_printf("journal-b%02u.db", i);
        state_copy(&f, "journal.db", name);
    }
    removed(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_true(plan_says(plan, "journal-b03.db"));
    g_assert_false(plan_says(plan, "journal-b02.db"));
    g_assert_true(plan_says(plan, "and 3 more, which are looked at when it is carried out"));
    g_assert_false(plan_says(plan, "in none of these"));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

static void nor_is_more_said_than_is_known(void)
{
    ServiceFixture f;
    begin(&f);
    without_header(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_true(plan_says(plan, "what can be read of journal.db"));
    g_assert_false(plan_says(plan, "in none of these"));
    service_clear(&f);
}

/* The index that is open knows of it, and the plan says so. */
static void the_plan_says_what_is_in_none_of_the_copies(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    repair_open(&f, NULL);
    guint64 had = service_sequence(&f);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    guint64 known = service_sequence(&f);
    state_cut(&f, "journal.db", 8192);
    g_assert_true(is_found(&f, "journal-cut"));
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *said =
        g_strdup_printf("the entries %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                        " that the index knows of can only be in journal.db",
                        had + 1, known);
    g_assert_true(plan_says(plan, said));
    service_clear(&f);
}

/* Of each file of the state directory but plans what it is called, how long it is, when it was
 * written and what is in it. */
static char *all_files(const ServiceFixture *f)
{
    char *said = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *script =
        g_strdup_printf("cd '%s' && find . -path ./repair -prune -o -type f -exec stat -c '%%n %%s "
                        "%%y' {} + -exec sha256sum {} + | sort",
                        f->base.directory);
    const char *const argv[] = {"sh", "-c", script, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, NULL, NULL,
                 &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(said, "./journal.db "));
    return said;
}

/* But the plan: neither a backup, nor the index, nor what SQLite has beside them. */
static void a_plan_writes_nothing(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {without_header, overwritten};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        repair_init(&f);
        f.base.stands_in = true;
        put_many(&f, ENTRIES, 10);
        rest(&f);
        guint64 had = service_sequence(&f);
        state_copy(&f, "journal.db", "journal-backup.db");
        state_copy(&f, "journal.db-wal", "journal-backup.db-wal");
        state_copy(&f, "index.db", "index.was");
        state_copy(&f, "index.db-wal", "index.was-wal");
        service_close(&f);
        state_copy(&f, "journal.db", "journal.1");
        cases[i](&f);
        repair_open(&f, NULL);
        state_copy(&f, "index.was", "index.db");
        state_copy(&f, "index.was-wal", "index.db-wal");
        g_autofree char *before = all_files(&f);
        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_true(plan_says(plan, "journal-backup.db with "));
        g_assert_true(plan_says(plan, "journal.1 with "));
        g_autofree char *known =
            g_strdup_printf("The index knows of %" G_GUINT64_FORMAT " entries", had);
        g_assert_true(plan_says(plan, known));
        g_autofree char *after = all_files(&f);
        g_assert_cmpstr(before, ==, after);
        service_clear(&f);
    }
}

/* Who agreed to one backup did not agree to an older one. */
static void what_is_there_is_what_was_agreed_to(void)
{
    ServiceFixture f;
    begin(&f);
    state_copy(&f, "journal.db", "older");
    repair_open(&f, NULL);
    put_many(&f, ENTRIES, 5);
    rest(&f);
    service_close(&f);
    state_copy(&f, "journal.db", "journal-backup.db");
    state_remove(&f, "journal.db");
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    state_copy(&f, "older", "journal-backup.db");
    expect_not_applied(&f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "approved");
    service_clear(&f);
}

/* A backup that has five entries more than the one that somebody may put in its place. */
static SyncdRepairPlan *plan_with_two(ServiceFixture *f)
{
    begin(f);
    state_copy(f, "journal.db", "older");
    repair_open(f, NULL);
    put_many(f, ENTRIES, 5);
    rest(f);
    service_close(f);
    state_copy(f, "journal.db", "newer");
    state_copy(f, "newer", "journal-backup.db");
    state_remove(f, "journal.db");
    repair_open(f, NULL);
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    return plan;
}

static void swap(const ServiceFixture *f, const char *other)
{
    state_copy(f, other, "put-there");
    state_move(f, "put-there", "journal-backup.db");
}

/* It is done with what was agreed to, or not at all; and then it can be planned again. */
static bool ends_as_agreed(ServiceFixture *f, SyncdRepairPlan *plan)
{
    run_jobs(f);
    if (strcmp(syncd_repair_plan_state(plan), "complete") == 0) {
        expect_all(f, ENTRIES + 5);
        return true;
    }
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_true(report_says(f, plan, "is not what it was when it was looked at"));
    expect_served(f);
    swap(f, "newer");
    restore(f);
    expect_all(f, ENTRIES + 5);
    return false;
}

/* Whenever somebody puts another one in its place, and whether or not the daemon lives on. */
static void whatever_is_put_there_since_is_not_taken(void)
{
    guint refused = 0;
    for (int dies = 0; dies < 2; dies++) {
        bool done = false;
        for (guint steps = 0; !done; steps++) {
            ServiceFixture f;
            SyncdRepairPlan *plan = plan_with_two(&f);
            g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
            begin_repair(&f, plan);
            for (guint i = 0; i < steps; i++)
                syncd_service_step_jobs(f.service);
            swap(&f, "older");
            if (dies)
                repair_reopen(&f);
            done = ends_as_agreed(&f, find_repair_plan(f.service, id));
            refused += !done;
            service_clear(&f);
        }
    }
    g_assert_cmpuint(refused, >, 10);
}

/* Nor is one that nobody was told of, however much it has. */
static void what_nobody_was_told_of_is_passed_over(void)
{
    ServiceFixture f;
    plan_with_two(&f);
    swap(&f, "older");
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    state_copy(&f, "newer", "journal-other.db");
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_true(
        report_says(&f, plan, "journal-other.db cannot be used: The plan does not name it"));
    service_clear(&f);
}

/* That it was touched makes it no other one. */
static void what_has_the_same_is_the_same(void)
{
    ServiceFixture f;
    SyncdRepairPlan *plan = plan_with_two(&f);
    g_autofree char *path = state_path(&f, "journal-backup.db");
    g_assert_cmpint(utime(path, &(struct utimbuf){1764385200, 1764385200}), ==, 0);
    apply_repair(&f, plan);
    expect_all(&f, ENTRIES + 5);
    service_clear(&f);
}

/* A ledger that somebody has written names what no file can be called: it is refused. */
static void what_no_file_is_called_is_nowhere(void)
{
    static const char *const names[] = {"%00", "%zz"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        ServiceFixture f;
        SyncdRepairPlan *plan = plan_with_two(&f);
        begin_repair(&f, plan);
        SyncdRepairAct *act = syncd_repair_act_new(plan, 0);
        g_autofree char *bound = g_strdup_printf(
            "{\"found\":[{\"heads\":\"x\",\"name\":\"%s\"}],\"others\":0}", names[i]);
        g_autoptr(GError) error = NULL;
        bool more = true, ok = true;
        double progress;
        act->bound_to = bound;
        while (ok && more)
            ok = syncd_repair_journal_restore.step(act, &more, &progress, &error);
        g_assert_false(ok);
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
        syncd_repair_journal_restore.stop(act);
        syncd_repair_act_free(act);
        run_jobs(&f);
        expect_all(&f, ENTRIES + 5);
        service_clear(&f);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-plan/of-many-some-are-looked-at", of_many_some_are_looked_at);
    g_test_add_func("/rescue-plan/the-plan-says-what-there-is", the_plan_says_what_there_is);
    g_test_add_func("/rescue-plan/nor-is-more-said-than-is-known", nor_is_more_said_than_is_known);
    g_test_add_func("/rescue-plan/the-plan-says-what-is-in-none-of-the-copies",
                    the_plan_says_what_is_in_none_of_the_copies);
    g_test_add_func("/rescue-plan/a-plan-writes-nothing", a_plan_writes_nothing);
    g_test_add_func("/rescue-plan/what-is-there-is-what-was-agreed-to",
                    what_is_there_is_what_was_agreed_to);
    g_test_add_func("/rescue-plan/whatever-is-put-there-since-is-not-taken",
                    whatever_is_put_there_since_is_not_taken);
    g_test_add_func("/rescue-plan/what-nobody-was-told-of-is-passed-over",
                    what_nobody_was_told_of_is_passed_over);
    g_test_add_func("/rescue-plan/what-has-the-same-is-the-same", what_has_the_same_is_the_same);
    g_test_add_func("/rescue-plan/what-no-file-is-called-is-nowhere",
                    what_no_file_is_called_is_nowhere);
    return g_test_run();
}
