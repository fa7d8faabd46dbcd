/*
 * Diagnoses of a service, and asking them.
 */
#pragma once

#include "service-fixture.h"
#include "service/diagnose.h"

static inline SyncdFound *find(const GPtrArray *found, const char *code)
{
    for (guint i = 0; i < found->len; i++)
        if (strcmp(((SyncdFound *)found->pdata[i])->finding->code, code) == 0)
            return found->pdata[i];
    return NULL;
}

static inline bool is_found(ServiceFixture *f, const char *code)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    return find(found, code) != NULL;
}

static inline void assert_clean(ServiceFixture *f)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++) {
        const SyncdFound *one = found->pdata[i];
        g_test_message("%s: %s", one->finding->code,
                       one->evidence->len > 0 ? (const char *)one->evidence->pdata[0] : "-");
    }
    g_assert_cmpuint(found->len, ==, 0);
}

static inline void verify_all(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    syncd_service_verify(f->service, &f->caller, SYNCD_VERIFY_FULL, NULL, &job, &error);
    g_assert_no_error(error);
    run_jobs(f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
}
