/* Jobs that do not go on are cancelled, as whoever began them could do: what they were to do can be
 * begun again, and is kept from that while they are there. */
#include "service/detect.h"
#include "service/repair-kinds.h"

#include <string.h>

static bool expand(SyncdRepairNeeds *needs, const SyncdFound *found, GError **error)
{
    g_autoptr(GPtrArray) stuck = syncd_service_stuck_jobs(needs->service);
    for (guint i = 0; i < stuck->len; i++) {
        const char *id = syncd_job_id(stuck->pdata[i]);
        g_autofree char *target = g_strconcat("job/", id, NULL);
        syncd_repair_need(needs, &syncd_repair_jobs_cancel, target, id, found);
    }
    return true;
}

static SyncdJob *find(const SyncdRepairAct *act)
{
    return act->object != NULL ? syncd_service_find_job(act->service, act->object) : NULL;
}

/* One that goes on after all is left alone. */
static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    SyncdJob *job = find(act);
    *ret_more = false;
    return job == NULL || !syncd_service_job_is_stuck(act->service, job) ||
           syncd_service_cancel_job(act->service, job, error);
}

static bool check(SyncdRepairAct *act, GError **error)
{
    const SyncdJob *job = find(act);
    if (job != NULL && strcmp(syncd_job_state(job), "running") == 0)
        g_ptr_array_add(act->preserved, g_strdup_printf("%s, which goes on again", act->object));
    else
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("What %s had done until then", act->object));
    return true;
}

const SyncdRepairKind syncd_repair_jobs_cancel = {
    .name = "jobs-cancel",
    .kind = "reconcile",
    .risk = "low",
    .description = "Cancel a job that does not go on; what it was to do can be begun again.",
    .expected_result = "Nothing waits for a job that does not end.",
    .expand = expand,
    .step = step,
    .check = check,
    .stays = "Jobs that were cancelled stay so: whoever wants one can begin it again",
};
