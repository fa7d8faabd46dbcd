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
    leave_broken(f);
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
