/*
 * A journal that is removed, replaced or cut short while it is open: it is noticed before anybody
 * is told that more was written, what was acknowledged comes back by a plan, and where it is closed
 * before that it leaves what it had.
 */
#include "repair-fixture.h"

#include "base/log.h"
#include "diagnose-fixture.h"
#include "service/health.h"
#include "service/internal.h"
#include "store/displaced.h"
#include "store/examine.h"
#include "store/store-private.h"

#include <string.h>

static void removed(const ServiceFixture *f)
{
    state_remove(f, "journal.db");
}

static void wal_removed(const ServiceFixture *f)
{
    state_remove(f, "journal.db-wal");
}

static void replaced(const ServiceFixture *f)
{
    state_copy(f, "journal.db", "copy");
    state_move(f, "copy", "journal.db");
}

static void wal_cut(const ServiceFixture *f)
{
    state_cut(f, "journal.db-wal", 100);
}

static const struct {
    const char *what;
    void (*displace)(const ServiceFixture *f);
    bool all; /* what is open has all of it */
    const char *code;
} cases[] = {
    {"journal.db was removed", removed, true, "journal-displaced"},
    {"journal.db-wal was removed", wal_removed, true, "journal-displaced"},
    {"journal.db was replaced by another file", replaced, true, "journal-displaced"},
    {"journal.db-wal was cut short", wal_cut, false, "journal-cut"},
};

static void begin(ServiceFixture *f)
{
    repair_init(f);
    put(f, "note-1", "{}");
    rest(f);
    put(f, "note-2", "{}");
    g_assert_true(syncd_store_look_at_place(f->service->store));
}

static void expect_found(ServiceFixture *f, size_t i)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *displaced = find(found, cases[i].code);
    g_assert_nonnull(displaced);
    g_assert_cmpstr(displaced->evidence->pdata[0], ==, cases[i].what);
    SyncdState state;
    syncd_service_state(f->service, &state);
    g_assert_true(g_strv_contains(state.reasons, "journal-displaced"));
    g_assert_true(state.repair_needed);
}

/* Whoever waits for the commit hears of it. */
static void a_commit_notices(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        Heard heard = {0};
        begin(&f);
        guint64 before = service_sequence(&f);
        SyncdRequest request = good_request();
        SyncdEnqueued enqueued = enqueue(&f, &request);
        syncd_service_after_commit(f.service, note_commit, &heard);
        cases[i].displace(&f);
        syncd_service_commit(f.service);
        g_assert_cmpint(heard.code, ==, SYNCD_ERROR_STORAGE_FAILED);
        g_assert_cmpuint(service_sequence(&f), ==, before);
        g_free(enqueued.operation);

        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
        g_assert_nonnull(strstr(error->message, cases[i].what));
        g_assert_nonnull(strstr(error->message, "repair plan"));
        expect_found(&f, i);
        service_clear(&f);
    }
}

static void a_diagnosis_notices(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        cases[i].displace(&f);
        expect_found(&f, i);
        service_clear(&f);
    }
}

static void count_failure(void *data, const char *kind, const char *message)
{
    ++*(unsigned *)data;
}

/* However often somebody looks: that nothing is kept then is no failure of its own. */
static void looking_is_no_failure(void)
{
    ServiceFixture f;
    unsigned failures = 0;
    begin(&f);
    cases[0].displace(&f);
    g_assert_true(is_found(&f, cases[0].code));
    syncd_log_set_watch(count_failure, &failures);
    verify_all(&f);
    verify_all(&f);
    syncd_log_set_watch(NULL, NULL);
    g_assert_cmpuint(failures, ==, 0);
    service_clear(&f);
}

static void a_plan_writes_it_back(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases) && cases[i].all; i++) {
        ServiceFixture f;
        begin(&f);
        cases[i].displace(&f);
        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_true(plan_says(plan, "journal-generation"));
        g_assert_true(plan_says(plan, "is lost if the daemon ends before"));
        g_assert_cmpstr(syncd_repair_plan_risk(plan), ==, "high");
        approve_repair(&f, plan);
        apply_repair(&f, plan);
        g_assert_false(is_found(&f, "journal-displaced"));
        put(&f, "note-3", "{}");
        rest(&f);
        repair_reopen(&f);
        assert_clean(&f);
        verify_all(&f);
        g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 3);
        g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 1);
        service_clear(&f);
    }
}

/* What was open ended with the daemon: the report claims nothing of it. */
static void one_that_is_killed_meanwhile_says_what_is_lost(void)
{
    ServiceFixture f;
    begin(&f);
    f.base.stands_in = true;
    removed(&f);
    wal_removed(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    syncd_service_work(f.service);
    f.service->store->displaced_kept = true;
    service_close(&f);
    repair_open(&f, NULL);
    run_jobs(&f);
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    plan = plans->pdata[0];
    g_assert_cmpstr(syncd_repair_plan_state(plan), !=, "complete");
    g_assert_false(report_says(&f, plan, "tree is lost"));
    g_assert_false(report_says(&f, plan, "The log as it was before"));
    g_assert_true(report_says(&f, plan, "cannot be opened"));
    g_assert_true(is_found(&f, "journal-unreadable"));
    service_clear(&f);
}

/* Once it is closed. */
static void put_kept_in_place(ServiceFixture *f)
{
    if (state_has(f, "journal.db-wal"))
        state_remove(f, "journal.db-wal");
    state_move(f, "journal.1", "journal.db");
    repair_open(f, NULL);
}

/* All of it is in what was kept. */
static void expect_kept(ServiceFixture *f, guint64 sequence)
{
    put_kept_in_place(f);
    g_assert_cmpuint(service_sequence(f), ==, sequence);
    verify_all(f);
}

static void one_that_is_closed_leaves_what_it_had(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases) && cases[i].all; i++) {
        ServiceFixture f;
        begin(&f);
        guint64 sequence = service_sequence(&f);
        cases[i].displace(&f);
        expect_found(&f, i);
        service_close(&f);
        expect_kept(&f, sequence);
        assert_clean(&f);
        service_clear(&f);
    }
}

/* Of a run that ended cleanly nobody says that it did not, wherever its journal was by then. */
static void one_that_ends_cleanly_is_no_dirty_open(void)
{
    const SyncdProcess process = {.pid = 41, .manager = "manual"};
    for (guint i = 0; cases[i / 2].all; i++) {
        bool clean = i % 2 == 0;
        ServiceFixture f;
        begin(&f);
        syncd_service_begin_run(f.service, &process);
        cases[i / 2].displace(&f);
        expect_found(&f, i / 2);
        if (clean)
            syncd_service_end_run(f.service);
        service_close(&f);
        put_kept_in_place(&f);
        g_assert_cmpint(is_found(&f, "dirty-open"), ==, !clean);
        service_clear(&f);
    }
}

/* A process was killed amid putting what it had made where others had put theirs: that is there as
 * it was, or what was made is. */
static void what_was_whole_takes_the_place_of_what_is_gone(void)
{
    for (guint gone = 0; gone < 2; gone++) {
        ServiceFixture f;
        begin(&f);
        service_close(&f);
        state_copy(&f, "journal.db", "journal.db.new-whole");
        repair_open(&f, NULL);
        g_assert_false(state_has(&f, "journal.db.new-whole"));
        put(&f, "note-3", "{}");
        guint64 sequence = service_sequence(&f);
        service_close(&f);
        if (gone) {
            state_move(&f, "journal.db", "journal.db.new-whole");
            state_write(&f, "journal.db-wal", "of what is gone", -1);
        }
        repair_open(&f, NULL);
        g_assert_false(state_has(&f, "journal.db.new-whole"));
        g_assert_cmpuint(service_sequence(&f), ==, sequence);
        verify_all(&f);
        g_assert_false(is_found(&f, "log-damaged"));
        service_clear(&f);
    }
}

static guint steps_to_keep(guint entries)
{
    ServiceFixture f;
    guint steps = 0;
    g_autofree char *text = g_strnfill(60000, 'a'),
                    *body = g_strdup_printf("{\"text\":\"%s\"}", text);
    begin(&f);
    for (guint i = 0; i < entries; i++)
        put(&f, "note-3", body);
    rest(&f);
    repair_reopen(&f); /* nothing of it is in memory */
    guint64 sequence = service_sequence(&f);
    removed(&f);
    expect_found(&f, 0);
    while (syncd_service_keep_displaced(f.service))
        steps++;
    service_close(&f);
    g_assert_false(state_has(&f, "journal.2"));
    expect_kept(&f, sequence);
    service_clear(&f);
    return steps;
}

/* Whoever closes it hears that it goes on. */
static void what_takes_long_to_keep_goes_in_steps(void)
{
    g_assert_cmpuint(steps_to_keep(1), ==, 0);
    g_assert_cmpuint(steps_to_keep(200), >=, 5);
}

/* ---- the index ---- */

static void index_removed(const ServiceFixture *f)
{
    state_remove(f, "index.db");
    state_remove(f, "index.db-wal");
}

static void index_wal_removed(const ServiceFixture *f)
{
    state_remove(f, "index.db-wal");
}

static void index_replaced(const ServiceFixture *f)
{
    damage_index(f);
}

static const struct {
    const char *what;
    void (*displace)(const ServiceFixture *f);
} index_cases[] = {
    {"index.db was removed while it was open", index_removed},
    {"index.db-wal was removed while it was open", index_wal_removed},
    {"index.db was replaced by another file while it was open", index_replaced},
};

static void expect_index(ServiceFixture *f, const char *damage)
{
    SyncdIndexHealth health;
    syncd_store_index_health(f->service->store, &health);
    g_assert_true(health.serves);
    g_assert_cmpstr(health.damage, ==, damage);
}

/* What is open goes on to answer: nothing is said of it that is not so, and a restart is enough. */
static void expect_answered(ServiceFixture *f)
{
    SyncdState state;
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *displaced = find(found, "index-displaced");
    g_assert_nonnull(displaced);
    g_assert_null(find(found, "index-damaged"));
    g_assert_nonnull(strstr(displaced->finding->next, "restart"));
    syncd_service_state(f->service, &state);
    g_assert_true(g_strv_contains(state.reasons, "index-displaced"));
    g_assert_false(g_strv_contains(state.reasons, "index-damaged"));
}

static void an_index_is_noticed_and_made_anew(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(index_cases); i++) {
        ServiceFixture f;
        begin(&f);
        rest(&f);
        index_cases[i].displace(&f);
        put(&f, "note-3", "{}"); /* is taken, and answered from what is open */
        g_assert_true(lookups_answer(&f));
        expect_index(&f, index_cases[i].what);
        expect_answered(&f);

        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "index-rebuild"));
        approve_repair(&f, plan);
        apply_repair(&f, plan);
        g_assert_false(is_found(&f, "index-displaced"));
        put(&f, "note-4", "{}");
        rest(&f);
        expect_index(&f, NULL);
        repair_reopen(&f);
        assert_clean(&f);
        SyncdIndexHealth health;
        syncd_store_index_health(f.service->store, &health);
        g_assert_null(health.lost); /* it is the one that was made */
        g_assert_true(lookups_answer(&f));
        service_clear(&f);
    }
}

/* What answered was closed: that lookups fail is said, and not that all is as it was before. */
static void taking_that_back_says_what_follows(void)
{
    ServiceFixture f;
    begin(&f);
    rest(&f);
    index_removed(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rollback_repair(&f, plan);
    g_assert_false(lookups_answer(&f));
    g_assert_true(report_says(&f, plan, "lookups fail"));
    service_clear(&f);
}

/* What somebody put there is not written to by one that ends. */
static void one_that_ends_leaves_the_other_index_alone(void)
{
    ServiceFixture f;
    begin(&f);
    rest(&f);
    index_replaced(&f);
    state_write(&f, "index.db-wal", "another WAL", -1);
    put(&f, "note-3", "{}");
    service_close(&f);
    g_autofree char *bytes = state_read(&f, "index.db", NULL),
                    *other = state_read(&f, "index.db-wal", NULL);
    g_assert_cmpstr(bytes, ==, "this is no database at all");
    g_assert_cmpstr(other, ==, "another WAL");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/displaced/a-commit-notices", a_commit_notices);
    g_test_add_func("/displaced/a-diagnosis-notices", a_diagnosis_notices);
    g_test_add_func("/displaced/looking-is-no-failure", looking_is_no_failure);
    g_test_add_func("/displaced/a-plan-writes-it-back", a_plan_writes_it_back);
    g_test_add_func("/displaced/one-that-is-killed-meanwhile-says-what-is-lost",
                    one_that_is_killed_meanwhile_says_what_is_lost);
    g_test_add_func("/displaced/one-that-is-closed-leaves-what-it-had",
                    one_that_is_closed_leaves_what_it_had);
    g_test_add_func("/displaced/one-that-ends-cleanly-is-no-dirty-open",
                    one_that_ends_cleanly_is_no_dirty_open);
    g_test_add_func("/displaced/what-was-whole-takes-the-place-of-what-is-gone",
                    what_was_whole_takes_the_place_of_what_is_gone);
    g_test_add_func("/displaced/what-takes-long-to-keep-goes-in-steps",
                    what_takes_long_to_keep_goes_in_steps);
    g_test_add_func("/displaced/an-index-is-noticed-and-made-anew",
                    an_index_is_noticed_and_made_anew);
    g_test_add_func("/displaced/taking-that-back-says-what-follows",
                    taking_that_back_says_what_follows);
    g_test_add_func("/displaced/one-that-ends-leaves-the-other-index-alone",
                    one_that_ends_leaves_the_other_index_alone);
    return g_test_run();
}
