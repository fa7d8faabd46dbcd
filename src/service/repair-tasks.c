/* Operations that nobody goes on with are offered again, or fail where they were tried too often:
 * as when a lease ends by time. */
#include "service/detect.h"
#include "service/repair-kinds.h"

#include <string.h>

static bool release_each(SyncdService *service, const GPtrArray *operations, GError **error)
{
    for (guint i = 0; i < operations->len; i++)
        if (!syncd_service_release_task(service, operations->pdata[i], error))
            return false;
    return true;
}

/* A few in a turn of their own. */
static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    g_autoptr(GPtrArray) operations = NULL;
    g_autoptr(GError) failure = NULL;
    SyncdService *service = act->service;
    if (!syncd_service_begin_whole(service, error) ||
        !syncd_service_list_lost(service, &operations, error))
        return false;
    bool done = release_each(service, operations, &failure);
    if (!syncd_service_end_whole(service, done, &failure, error) ||
        !syncd_service_commit_turn(service, error))
        return false;
    *ret_more = operations->len > 0;
    return true;
}

static bool check(SyncdRepairAct *act, GError **error)
{
    g_autoptr(GPtrArray) operations = NULL;
    if (!syncd_service_list_lost(act->service, &operations, error))
        return false;
    if (operations->len == 0) {
        g_ptr_array_add(act->preserved, g_strdup("The operations, which are offered again"));
        return true;
    }
    syncd_set_error(error, SYNCD_ERROR_FAILED, "Operations are still held by nobody");
    return false;
}

const SyncdRepairKind syncd_repair_tasks_release = {
    .name = "tasks-release",
    .kind = "reconcile",
    .risk = "low",
    .description = "Offer the operations again that nobody holds any more.",
    .expected_result = "Workers can claim them.",
    .step = step,
    .check = check,
    .stays = "Operations that were offered again stay so: nobody held them, and the log says it",
};
