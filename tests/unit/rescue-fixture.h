/*
 * A journal with a hundred operations that is then damaged or gone, and what there is once a plan
 * has put another one into its place: what the tests of that share.
 */
#pragma once

#include "repair-fixture.h"

#include "diagnose-fixture.h"
#include "index-count.h"
#include "service/damage.h"
#include "service/evidence.h"
#include "service/internal.h"
#include "store/journal-private.h"
#include "store/rescue.h"

#include <string.h>

#define ENTRIES 100u

static inline void begin(ServiceFixture *f)
{
    repair_init(f);
    f->base.stands_in = true;
    put_many(f, 0, ENTRIES);
    rest(f);
    service_close(f);
}

/* And a backup that has all of it so far. */
static inline void begin_with_backup(ServiceFixture *f)
{
    begin(f);
    state_copy(f, "journal.db", "journal-backup.db");
}

/* ---- what may have happened to it ---- */

static inline void overwrite(const ServiceFixture *f, size_t size)
{
    gsize all;
    g_autofree char *bytes = state_read(f, "journal.db", &all);
    memset(bytes, 0xa5, MIN(size, all));
    state_write(f, "journal.db", bytes, (gssize)all);
}

static inline void without_header(const ServiceFixture *f)
{
    overwrite(f, 100);
}

static inline void overwritten(const ServiceFixture *f)
{
    overwrite(f, G_MAXSIZE);
}

static inline void removed(const ServiceFixture *f)
{
    state_remove(f, "journal.db");
}

/* ---- what is there then ---- */

/* What cannot be looked at without a journal is told with it, and leads nowhere else. */
static inline void expect_told_once(ServiceFixture *f)
{
    const SyncdDiagnoseOptions options = {.deep = true};
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *unreadable = find(found, "journal-unreadable");
    g_autofree char *diagnosis = syncd_service_describe_diagnosis(f->service, &f->caller, &options);
    g_assert_null(find(found, "unchecked"));
    g_assert_null(strstr(diagnosis, "unchecked"));
    guint told = 0;
    for (guint i = 0; i < unreadable->evidence->len; i++)
        told += g_str_has_prefix(unreadable->evidence->pdata[i], "not looked at: ");
    g_assert_cmpuint(told, ==, 3);
}

/* It is said of it, and nobody reads or writes. */
static inline void expect_served(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdEnqueued enqueued = {0};
    SyncdRequest request = good_request();
    g_assert_true(is_found(f, "journal-unreadable"));
    g_assert_false(is_found(f, "index-damaged") || is_found(f, "index-unavailable"));
    SyncdState state;
    syncd_service_state(f->service, &state);
    g_assert_cmpstr(state.reasons[0], ==, "journal-unreadable");
    g_assert_null(state.reasons[1]);
    expect_told_once(f);
    g_assert_true(state.repair_needed);
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.limit = 1};
    g_assert_null(syncd_service_list_operations(f->service, &f->caller, &listing, &cursor, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    const SyncdEvidenceListing evidence = {.limit = 1};
    g_assert_null(syncd_service_list_evidence(f->service, &f->caller, &evidence, &cursor, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    SyncdJob *job = NULL;
    g_assert_false(
        syncd_service_verify(f->service, &f->caller, SYNCD_VERIFY_FULL, NULL, &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    g_autofree char *report = syncd_service_health(f->service, &f->caller, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"status\":\"unsafe\""));
    run_jobs(f);
}

/* Nothing there would do, for this reason among others: no plan is made of it. */
static inline void expect_no_way(ServiceFixture *f, const char *why)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *unreadable = find(found, "journal-unreadable"),
                     *beyond = find(found, "journal-beyond-rescue");
    g_assert_true(unreadable->unmended);
    g_assert_nonnull(beyond);
    g_test_message("%s", beyond->facts[0].text);
    g_assert_nonnull(strstr(beyond->facts[0].text, why));
    g_assert_nonnull(strstr(beyond->finding->person, "journal-backup.db"));
    g_assert_nonnull(strstr(beyond->finding->person, "begin another log"));
    g_assert_false(syncd_service_plan_repair(f->service, &f->caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "journal-backup.db"));
}

static inline SyncdRepairPlan *carry_out(ServiceFixture *f, const char *kind)
{
    SyncdRepairPlan *plan = plan_repair(f);
    g_assert_true(plan_says(plan, kind));
    approve_repair(f, plan);
    apply_repair(f, plan);
    return plan;
}

static inline SyncdRepairPlan *restore(ServiceFixture *f)
{
    SyncdRepairPlan *plan = carry_out(f, "journal-restore");
    g_assert_null(syncd_store_unreadable(f->service->store));
    return plan;
}

/* The plan of it, where there is nothing that would do. */
static inline SyncdRepairPlan *restore_in_vain(ServiceFixture *f)
{
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    SyncdJob *job = begin_repair(f, plan);
    run_jobs(f);
    g_assert_cmpstr(syncd_job_state(job), ==, "failed");
    /* Whether another plan helps that says. */
    g_assert_true(report_says(f, plan, "what helps now with `sourceos-syncd doctor`"));
    g_assert_false(report_says(f, plan, "plan again"));
    expect_served(f);
    return plan;
}

/* Somebody says that the log goes on without what it lacks. */
static inline void adopt(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    syncd_store_adopt(f->service->store, "actor-test", &error);
    g_assert_no_error(error);
}

static inline guint64 count_operations(ServiceFixture *f)
{
    guint64 n = 0;
    g_assert_true(count_kind(f->service->store, "operation.enqueue", &n, NULL));
    return n;
}

/* So many operations are there, and it goes on. */
static inline void expect_all(ServiceFixture *f, guint64 operations)
{
    g_assert_cmpint(syncd_store_condition(f->service->store), ==, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(count_operations(f), ==, operations);
    put(f, "note-later", "{}");
    rest(f);
    verify_all(f);
    g_assert_false(syncd_service_is_damaged(f->service));
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(syncd_database_check_structure(syncd_journal_database(f->service->store->journal),
                                                 faults, NULL));
    g_assert_cmpuint(faults->len, ==, 0);
    repair_reopen(f);
    assert_clean(f);
    g_assert_cmpuint(count_events(f, "sync.repair.completed"), ==, 1);
}
