/*
 * A service without rules of policy, and an index that is damaged: what the tests of repair share.
 */
#pragma once

#include "service-fixture.h"
#include "service/repair.h"
#include "state-files.h"

static inline void repair_open(ServiceFixture *f, const char *const *automatic)
{
    f->base.holds_index = true;
    service_open(f);
    SyncdRepairSettings settings = {automatic};
    syncd_service_start_repair(f->service, &settings);
}

static inline void repair_init(ServiceFixture *f)
{
    *f =
        (ServiceFixture){.instance = SYNCD_INSTANCE_USER, .owner = OWNER, .caller = {.uid = OWNER}};
    fixture_init(&f->base, 7);
    repair_open(f, NULL);
}

static inline void repair_reopen(ServiceFixture *f)
{
    service_close(f);
    repair_open(f, NULL);
}

static inline char *index_path(const ServiceFixture *f)
{
    return state_path(f, "index.db");
}

static inline char *index_bytes(const ServiceFixture *f, gsize *ret_size)
{
    char *bytes = NULL;
    g_autofree char *path = index_path(f);
    return g_file_get_contents(path, &bytes, ret_size, NULL) ? bytes : NULL;
}

/* While nobody has the state open. */
static inline void damage_index(const ServiceFixture *f)
{
    state_write(f, "index.db", "this is no database at all", -1);
}

static inline SyncdRepairPlan *plan_repair(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    syncd_service_plan_repair(f->service, &f->caller, NULL, &plan, &error);
    g_assert_no_error(error);
    return plan;
}

/* One operation, and an index that is no use, for whoever opens the state. */
static inline void leave_broken(ServiceFixture *f)
{
    repair_init(f);
    put(f, "note-1", "{}");
    service_close(f);
    damage_index(f);
}

/* NULL: there is none, or it was discarded. */
static inline SyncdRepairPlan *find_repair_plan(SyncdService *service, const char *id)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(service);
    for (guint i = 0; i < plans->len; i++)
        if (strcmp(syncd_repair_plan_id(plans->pdata[i]), id) == 0)
            return plans->pdata[i];
    return NULL;
}

/* Then no later one takes its place. */
static inline SyncdRepairPlan *approve_repair(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    syncd_service_approve_repair(f->service, &f->caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    return plan;
}

static inline SyncdJob *begin_repair(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    syncd_service_apply_repair(f->service, &f->caller, plan, syncd_repair_plan_digest(plan), &job,
                               &error);
    g_assert_no_error(error);
    return job;
}

static inline void apply_repair(ServiceFixture *f, SyncdRepairPlan *plan)
{
    SyncdJob *job = begin_repair(f, plan);
    run_jobs(f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
}

static inline SyncdJob *begin_rollback(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    syncd_service_rollback_repair(f->service, &f->caller, plan, syncd_repair_plan_digest(plan),
                                  &job, &error);
    g_assert_no_error(error);
    return job;
}

static inline void rollback_repair(ServiceFixture *f, SyncdRepairPlan *plan)
{
    SyncdJob *job = begin_rollback(f, plan);
    run_jobs(f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
}

/* Nobody applies it, or takes it back, and whoever tried is told why; NULL: in whatever words. */
static inline void expect_not_applied(ServiceFixture *f, SyncdRepairPlan *plan, SyncdErrorCode code,
                                      const char *words)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    g_assert_false(syncd_service_apply_repair(f->service, &f->caller, plan,
                                              syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
    g_assert_true(words == NULL || strstr(error->message, words) != NULL);
    g_assert_null(job);
}

static inline void expect_not_taken_back(ServiceFixture *f, SyncdRepairPlan *plan,
                                         SyncdErrorCode code, const char *words)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    g_assert_false(syncd_service_rollback_repair(f->service, &f->caller, plan,
                                                 syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
    g_assert_true(words == NULL || strstr(error->message, words) != NULL);
    g_assert_null(job);
}

static inline bool plan_says(const SyncdRepairPlan *plan, const char *words)
{
    return strstr(syncd_repair_plan_text(plan), words) != NULL;
}

static inline bool report_says(ServiceFixture *f, SyncdRepairPlan *plan, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *report = syncd_service_repair_report(f->service, plan, &error);
    g_assert_no_error(error);
    return strstr(report, words) != NULL;
}

/* So many operations, from that number on. */
static inline void put_many(ServiceFixture *f, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        g_autofree char *object = g_strdup_printf("note-%u", i);
        put(f, object, "{}");
    }
}

/* What a daemon does when it is idle. */
static inline void rest(ServiceFixture *f)
{
    run_jobs(f);
    syncd_service_commit(f->service);
    run_jobs(f);
}

static inline bool lookups_answer(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.limit = 1};
    g_autofree char *list =
        syncd_service_list_operations(f->service, &f->caller, &listing, &cursor, &error);
    return list != NULL;
}

/* Nobody can write the state of that plan as long as a folder has its name. */
static inline void hold_state(const ServiceFixture *f, const char *plan, bool held)
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

/* By a job that could not go on. */
static inline SyncdRepairPlan *leave_half_done(ServiceFixture *f, SyncdRepairPlan *plan)
{
    approve_repair(f, plan);
    begin_repair(f, plan);
    for (unsigned i = 0; i < 3; i++)
        syncd_service_work(f->service);
    hold_state(f, syncd_repair_plan_id(plan), true);
    run_jobs(f);
    hold_state(f, syncd_repair_plan_id(plan), false);
    g_assert_true(syncd_repair_plan_is_interrupted(plan));
    return plan;
}
