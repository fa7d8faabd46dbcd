/* How it stands with the index: whether it is whole, adds up and has all of the log. */
#include "base/timestamp.h"
#include "service/damage.h"
#include "service/detect.h"
#include "service/repair.h"
#include "store/database.h"
#include "store/examine.h"

#include <string.h>

/* So many may wait for a pause. */
#define BEHIND_MAX 8192u

static SyncdFound *add(SyncdDiagnosis *self, const char *code, const char *reason)
{
    g_autofree char *plain = syncd_database_without_code(reason);
    SyncdFound *found = syncd_diagnosis_add(self, code, "reason", plain, NULL);
    found->target = g_strdup("index");
    syncd_found_evidence(found, g_strdup(reason));
    return found;
}

/* What a plan that was carried out mended of the index; NULL: nothing. */
static char *mended_by(const SyncdRepairPlan *plan)
{
    const char *text = syncd_repair_plan_text(plan);
    SyncdJsonIter iter;
    SyncdJson step;
    if (strcmp(syncd_repair_plan_state(plan), "complete") != 0)
        return NULL;
    syncd_json_iter_init(&iter, syncd_json_member(syncd_json_root(text, strlen(text)), "steps"));
    while (syncd_json_iter_next(&iter, NULL, &step))
        if (syncd_json_is(syncd_json_member(step, "id"), "index-rebuild"))
            return syncd_json_dup_text(syncd_json_member(step, "cause"));
    return NULL;
}

/* The last repair of it says what was wrong before, and what was done is there to be looked at. */
static void add_repair_of(SyncdService *service, SyncdFound *remade)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(service);
    for (guint i = 0; i < plans->len; i++) {
        const char *plan = syncd_repair_plan_id(plans->pdata[i]);
        g_autofree char *cause = mended_by(plans->pdata[i]);
        if (cause == NULL)
            continue;
        syncd_found_evidence(remade, g_strdup_printf("%s: %s", plan, cause));
        return;
    }
}

static void add_remade(SyncdDiagnosis *self, const SyncdIndexHealth *health)
{
    char at[SYNCD_TIME_SIZE];
    g_autofree char *reason = syncd_database_without_code(health->lost);
    syncd_time_format_ms(health->lost_ms, at);
    SyncdFound *found = syncd_diagnosis_add(self, "index-remade", "at", at, "reason", reason, NULL);
    found->target = g_strdup("index");
    add_repair_of(self->service, found);
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
        syncd_found_evidence(found, g_strdup_printf("%s: %" G_GUINT64_FORMAT " %s wrong",
                                                    fault->what, fault->rows,
                                                    fault->rows == 1 ? "row is" : "rows are"));
    }
}

bool syncd_detect_index(SyncdDiagnosis *self, GError **error)
{
    SyncdIndexHealth health;
    syncd_store_index_health(self->service->store, &health);
    if (health.damage != NULL)
        add(self, health.elsewhere ? "index-displaced" : "index-damaged", health.damage);
    if (health.lost != NULL && !syncd_store_lacks_index(self->service->store))
        add_remade(self, &health);
    add_behind(self, &health);
    add_drift(self, syncd_service_index_faults(self->service));
    return true;
}
