/* How it stands with the index: whether it is whole, adds up and has all of the log. */
#include "base/timestamp.h"
#include "service/damage.h"
#include "service/detect.h"
#include "store/examine.h"

/* So many may wait for a pause. */
#define BEHIND_MAX 8192u

static SyncdFound *add(SyncdDiagnosis *self, const char *code, const char *reason)
{
    SyncdFound *found = syncd_diagnosis_add(self, code, "reason", reason, NULL);
    found->target = g_strdup("index");
    return found;
}

static void add_remade(SyncdDiagnosis *self, const SyncdIndexHealth *health)
{
    char at[SYNCD_TIME_SIZE];
    syncd_time_format_ms(health->lost_ms, at);
    SyncdFound *found =
        syncd_diagnosis_add(self, "index-remade", "at", at, "reason", health->lost, NULL);
    found->target = g_strdup("index");
}

/* Where there is no index at all, the state says so. */
static void add_behind(SyncdDiagnosis *self, const SyncdIndexHealth *health)
{
    SyncdStore *store = self->service->store;
    bool stuck = health->behind > 0 && syncd_store_index_problem(store) != NULL;
    if (!health->serves || !(stuck || health->behind > BEHIND_MAX))
        return;
    guint64 last = syncd_store_sequence(store);
    SyncdFound *found = syncd_diagnosis_add_counted(self, "replay-lag", health->behind, false);
    found->target = g_strdup("index");
    found->first = last - health->behind + 1;
    found->last = last;
}

static void add_drift(SyncdDiagnosis *self, const GArray *faults)
{
    if (faults == NULL || faults->len == 0)
        return;
    SyncdFound *found = syncd_diagnosis_add_counted(self, "index-drift", faults->len, false);
    found->target = g_strdup("index");
    for (guint i = 0; i < faults->len; i++) {
        const SyncdIndexFault *fault = &g_array_index(faults, SyncdIndexFault, i);
        syncd_found_evidence(found,
                             g_strdup_printf("%s: %" G_GUINT64_FORMAT, fault->what, fault->rows));
    }
}

bool syncd_detect_index(SyncdDiagnosis *self, GError **error)
{
    SyncdIndexHealth health;
    syncd_store_index_health(self->service->store, &health);
    if (health.damage != NULL)
        add(self, "index-damaged", health.damage);
    if (health.lost != NULL)
        add_remade(self, &health);
    add_behind(self, &health);
    add_drift(self, syncd_service_index_faults(self->service));
    return true;
}
