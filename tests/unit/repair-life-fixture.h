/*
 * A repair that is needed, and what may be refused of it: shared by the tests of how plans live, of
 * their limits, and of the ledger.
 */
#pragma once

#include "repair-fixture.h"

#include "service/diagnose.h"
#include "service/repair-private.h"

#include <string.h>

static inline void start_broken(ServiceFixture *f)
{
    repair_init(f);
    put(f, "note-1", "{}");
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
}

static inline void assert_refused(ServiceFixture *f, SyncdRepairPlan *plan, const char *digest,
                                  int code)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    g_assert_false(syncd_service_apply_repair(f->service, &f->caller, plan, digest, &job, &error));
    g_assert_error(error, SYNCD_ERROR, code);
    g_assert_null(job);
}

static inline void pass(ServiceFixture *f, guint64 usec)
{
    f->base.now_usec += usec;
}

static inline bool has_snapshot(const ServiceFixture *f, const char *plan)
{
    g_autofree char *path = g_strdup_printf("%s/repair/%s.0", f->base.directory, plan);
    return g_file_test(path, G_FILE_TEST_EXISTS);
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
