#include "service/repair-kinds.h"

/* Steps of one plan are in this order. */
static const SyncdRepairKind *const kinds[] = {
    &syncd_repair_file_owners,     &syncd_repair_file_modes,         &syncd_repair_leftover_clear,
    &syncd_repair_journal_restore, &syncd_repair_journal_generation, &syncd_repair_body_refill,
    &syncd_repair_index_rebuild,   &syncd_repair_replay_lag,         &syncd_repair_blob_refill,
    &syncd_repair_blob_sweep,      &syncd_repair_tasks_release,      &syncd_repair_jobs_cancel,
    &syncd_repair_file_accept,     &syncd_repair_file_restore,       &syncd_repair_purge_object,
};

const SyncdRepairKind *syncd_repair_kind_find(SyncdBytes name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (syncd_bytes_are(name, kinds[i]->name))
            return kinds[i];
    return NULL;
}

const SyncdRepairKind *const *syncd_repair_kinds(guint *ret_n)
{
    *ret_n = G_N_ELEMENTS(kinds);
    return kinds;
}
