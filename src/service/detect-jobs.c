/* Jobs that do not go on. */
#include "service/detect.h"
#include "service/job.h"
#include "service/repair.h"

#include <string.h>

#define MINUTES "15"
#define STILL_USEC (15u * 60u * (guint64)G_USEC_PER_SEC)

bool syncd_service_job_is_stuck(const SyncdService *service, const SyncdJob *job)
{
    return syncd_job_still_usec(service, job) >= STILL_USEC;
}

/* Only a repair knows how it is cancelled: all of it is taken back. */
static bool is_repair(const SyncdJob *job)
{
    return g_str_has_prefix(syncd_job_operation(job), "repair");
}

GPtrArray *syncd_service_stuck_jobs(SyncdService *service)
{
    GPtrArray *stuck = g_ptr_array_new();
    for (guint i = 0; i < service->jobs->len; i++) {
        SyncdJob *job = service->jobs->pdata[i];
        if (syncd_service_job_is_stuck(service, job) && !is_repair(job))
            g_ptr_array_add(stuck, job);
    }
    return stuck;
}

static void add_repair(SyncdDiagnosis *self, const SyncdJob *job)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(self->service);
    for (guint i = 0; i < plans->len; i++) {
        if (strcmp(syncd_repair_plan_state(plans->pdata[i]), "running") != 0)
            continue;
        const char *plan = syncd_repair_plan_id(plans->pdata[i]);
        SyncdFound *found =
            syncd_diagnosis_add(self, "repair-stuck", "plan", plan, "minutes", MINUTES, NULL);
        found->object = g_strdup(plan);
        syncd_found_evidence(found, g_strdup(syncd_job_id(job)));
        return;
    }
}

static void add_repairs(SyncdDiagnosis *self)
{
    const GPtrArray *jobs = self->service->jobs;
    for (guint i = 0; i < jobs->len; i++)
        if (is_repair(jobs->pdata[i]) && syncd_service_job_is_stuck(self->service, jobs->pdata[i]))
            add_repair(self, jobs->pdata[i]);
}

bool syncd_detect_jobs(SyncdDiagnosis *self, GError **error)
{
    g_autoptr(GPtrArray) stuck = syncd_service_stuck_jobs(self->service);
    g_autofree char *number = g_strdup_printf("%u", stuck->len);
    add_repairs(self);
    if (stuck->len == 0)
        return true;
    SyncdFound *found =
        syncd_diagnosis_add(self, "jobs-stuck", "n", number, "minutes", MINUTES, NULL);
    found->count = stuck->len;
    found->target = g_strdup("jobs");
    for (guint i = 0; i < stuck->len; i++)
        syncd_found_evidence(found, g_strdup_printf("%s: %s", syncd_job_id(stuck->pdata[i]),
                                                    syncd_job_operation(stuck->pdata[i])));
    return true;
}
