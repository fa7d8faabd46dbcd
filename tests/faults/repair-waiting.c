#include "repair-waiting.h"

#include "../unit/diagnose-fixture.h"

#include "service/detect.h"
#include "service/internal.h"
#include "service/job.h"
#include "store/examine.h"
#include "store/store-private.h"

#include <string.h>

#define STUCK_USEC (16u * 60u * (guint64)G_USEC_PER_SEC)
#define STUCK 2u

/* ---- entries ---- */

/* As on a disk that was full a moment ago, and would be tried again in a while. */
void repair_entries_wait(RepairLife *life)
{
    RepairWorld *w = life->data;
    repair_world_open(life);
    if (repair_world_is_repaired(life))
        return;
    SyncdStore *store = life->f->service->store;
    syncd_set_error(&store->index_problem, SYNCD_ERROR_NO_SPACE, "There was no room");
    store->index_retry_at = G_MAXUINT64;
    put(life->f, "note-1", "{}");
    ++*w->answered;
}

static guint64 count_waiting(RepairLife *life)
{
    SyncdIndexHealth health;
    syncd_store_index_health(life->f->service->store, &health);
    return health.behind;
}

/* Nobody answers how many there are in the index. */
static guint count_logged(RepairLife *life)
{
    guint n = 0;
    SyncdStore *store = life->f->service->store;
    for (guint64 pos = 1; pos <= syncd_store_sequence(store); pos++) {
        g_auto(SyncdEntry) entry = {0};
        n += syncd_store_read(store, pos, &entry, NULL) &&
             syncd_bytes_are(entry.header.kind, "operation.enqueue");
    }
    return n;
}

bool repair_entries_wait_still(RepairLife *life)
{
    const RepairWorld *w = life->data;
    return count_waiting(life) > 0 && is_found(life->f, "replay-lag") &&
           count_logged(life) >= w->notes + *w->answered;
}

bool repair_entries_are_taken(RepairLife *life)
{
    return count_waiting(life) == 0 && repair_world_has_all(life);
}

void repair_entries_halve(RepairLife *life)
{
    const RepairWorld *w = life->data;
    ++*w->answered;
}

/* ---- jobs ---- */

static void nothing_is_released(void *data)
{
}

static const SyncdJobKind waits = {.operation = "waits", .release = nothing_is_released};

/* They began long ago: nobody has to wait for that, and what was approved holds still. */
void repair_jobs_wait(RepairLife *life)
{
    repair_world_open(life);
    if (repair_world_is_repaired(life))
        return;
    life->f->base.now_usec -= STUCK_USEC;
    for (guint i = 0; i < STUCK; i++)
        syncd_service_begin_job(life->f->service, &waits, life, OWNER, false);
    life->f->base.now_usec += STUCK_USEC;
}

static guint count_stuck(RepairLife *life)
{
    g_autoptr(GPtrArray) stuck = syncd_service_stuck_jobs(life->f->service);
    return stuck->len;
}

bool repair_jobs_wait_still(RepairLife *life)
{
    return count_stuck(life) == STUCK && repair_world_has_all(life);
}

bool repair_jobs_are_cancelled(RepairLife *life)
{
    return count_stuck(life) == 0 && repair_world_has_all(life);
}

void repair_jobs_halve(RepairLife *life)
{
    g_autoptr(GPtrArray) stuck = syncd_service_stuck_jobs(life->f->service);
    g_assert_true(syncd_service_cancel_job(life->f->service, stuck->pdata[0], NULL));
}
