/* How it stands with repairs themselves. */
#include "service/detect.h"
#include "service/repair.h"
#include "store/measure.h"
#include "store/repair-store.h"

#define LOST_NAMED_MAX 20u

static void add_interrupted(SyncdDiagnosis *self, const SyncdRepairPlan *plan)
{
    const char *id = syncd_repair_plan_id(plan);
    SyncdFound *found = syncd_diagnosis_add(self, "repair-interrupted", "plan", id, NULL);
    found->object = g_strdup(id);
}

static void add_unproven(SyncdDiagnosis *self, const SyncdRepairPlan *plan)
{
    const char *id = syncd_repair_plan_id(plan);
    SyncdFound *found = syncd_diagnosis_add(self, "repair-unproven", "plan", id, NULL);
    found->object = g_strdup(id);
}

/* As far as that is seen without reading all of it. */
static void add_lost(SyncdDiagnosis *self, const SyncdRepairPlan *plan)
{
    const char *id = syncd_repair_plan_id(plan);
    g_autoptr(GPtrArray) lost = syncd_repair_plan_lost(plan);
    if (lost->len == 0)
        return;
    g_autofree char *n = g_strdup_printf("%u", lost->len);
    SyncdFound *found = syncd_diagnosis_add(self, "repair-kept-lost", "plan", id, "n", n, NULL);
    found->object = g_strdup(id);
    for (guint i = 0; i < MIN(lost->len, LOST_NAMED_MAX); i++)
        syncd_found_evidence(found, g_strdup(lost->pdata[i]));
}

/* As far as no repair has cleared them away. */
static void add_set_aside(SyncdDiagnosis *self, const GPtrArray *names)
{
    g_autoptr(GPtrArray) there = g_ptr_array_new();
    for (guint i = 0; i < names->len; i++)
        if (syncd_store_has_repair(self->service->store, names->pdata[i]))
            g_ptr_array_add(there, names->pdata[i]);
    if (there->len == 0)
        return;
    SyncdFound *found = syncd_diagnosis_add_counted(self, "repair-set-aside", there->len, false);
    found->target = g_strdup("state");
    for (guint i = 0; i < there->len; i++)
        syncd_found_evidence(found, g_strdup(there->pdata[i]));
}

/* What is half done may be among it, and nobody knows. */
static void add_unreadable(SyncdDiagnosis *self)
{
    const char *why = syncd_service_repairs_unreadable(self->service);
    if (why == NULL)
        return;
    g_autofree char *path =
                        g_build_filename(syncd_store_path(self->service->store), "repair", NULL),
                    *repair = g_shell_quote(path);
    SyncdFound *found =
        syncd_diagnosis_add(self, "repair-unreadable", "why", why, "repair", repair, NULL);
    syncd_found_evidence(found, g_steal_pointer(&path));
}

bool syncd_detect_repair(SyncdDiagnosis *self, GError **error)
{
    add_unreadable(self);
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(self->service);
    const GPtrArray *aside = syncd_service_repair_set_aside(self->service);
    for (guint i = 0; i < plans->len; i++)
        if (syncd_repair_plan_is_interrupted(plans->pdata[i]))
            add_interrupted(self, plans->pdata[i]);
    /* Where it was taken back nothing is left to decide: a verification tells of the log itself. */
    for (guint i = 0; i < plans->len; i++)
        if (syncd_repair_plan_is_unproven(plans->pdata[i]) &&
            !syncd_repair_plan_was_taken_back(plans->pdata[i]))
            add_unproven(self, plans->pdata[i]);
    for (guint i = 0; i < plans->len; i++)
        add_lost(self, plans->pdata[i]);
    add_set_aside(self, aside);
    return true;
}
