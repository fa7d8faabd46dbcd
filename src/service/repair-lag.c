/* What waits is taken into the index. */
#include "service/repair-kinds.h"
#include "store/examine.h"

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    *ret_more = false;
    return syncd_store_project_now(act->service->store, error);
}

static bool check(SyncdRepairAct *act, GError **error)
{
    SyncdIndexHealth health;
    syncd_store_index_health(act->service->store, &health);
    if (health.behind == 0) {
        g_ptr_array_add(act->rebuilt, g_strdup("What the index lacked of the log"));
        return true;
    }
    syncd_set_error(error, SYNCD_ERROR_FAILED, "Entries of the log still wait for the index");
    return false;
}

const SyncdRepairKind syncd_repair_replay_lag = {
    .name = "replay-lag",
    .kind = "reconcile",
    .risk = "low",
    .description = "Take the entries that wait into the index.",
    .expected_result = "The index has all of the log.",
    .rebuildable = true,
    .step = step,
    .check = check,
    .stays = "The index has what it was given: that is what the log says",
};
