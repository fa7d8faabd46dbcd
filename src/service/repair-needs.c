/* What a diagnosis finds, as far as a plan can mend it. */
#include "service/diagnose.h"
#include "service/health.h"
#include "service/repair-private.h"

#include <string.h>

static void need_free(void *data)
{
    SyncdRepairNeed *need = data;
    g_free(need->target);
    g_free(need->object);
    g_free(need);
}

static guint place_of(const SyncdRepairKind *kind)
{
    guint n, i = 0;
    const SyncdRepairKind *const *kinds = syncd_repair_kinds(&n);
    while (i < n && kinds[i] != kind)
        i++;
    return i;
}

static int compare_needs(const void *one, const void *other)
{
    const SyncdRepairNeed *left = *(SyncdRepairNeed *const *)one,
                          *right = *(SyncdRepairNeed *const *)other;
    guint first = place_of(left->kind), second = place_of(right->kind);
    return first != second ? (first < second ? -1 : 1) : strcmp(left->target, right->target);
}

/* Several findings may be about the same thing: it is mended once. */
void syncd_repair_need(SyncdRepairNeeds *needs, const SyncdRepairKind *kind, const char *target,
                       const char *object, const SyncdFound *found)
{
    for (guint i = 0; i < needs->needs->len; i++) {
        const SyncdRepairNeed *known = needs->needs->pdata[i];
        if (known->kind == kind && strcmp(known->target, target) == 0)
            return;
    }
    SyncdRepairNeed *need = g_new0(SyncdRepairNeed, 1);
    *need = (SyncdRepairNeed){kind, g_strdup(target), g_strdup(object), found->finding};
    g_ptr_array_add(needs->needs, need);
}

static bool add_found(SyncdRepairNeeds *needs, const SyncdFound *found, GError **error)
{
    const char *name = found->finding->repair;
    const SyncdRepairKind *kind =
        name != NULL ? syncd_repair_kind_find(SYNCD_BYTES_TEXT(name)) : NULL;
    if (kind == NULL)
        return true;
    if (kind->expand != NULL)
        return kind->expand(needs, found, error);
    if (found->target != NULL)
        syncd_repair_need(needs, kind, found->target, found->object, found);
    return true;
}

GPtrArray *syncd_repair_find_needs(SyncdService *service, const char *const *accept,
                                   guint64 *ret_left_out, GError **error)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(service),
                         list = g_ptr_array_new_with_free_func(need_free);
    SyncdRepairNeeds needs = {service, accept, list, 0};
    for (guint i = 0; i < found->len; i++)
        if (!add_found(&needs, found->pdata[i], error))
            return NULL;
    g_ptr_array_sort(list, compare_needs);
    if (ret_left_out != NULL)
        *ret_left_out = needs.left_out;
    return g_steal_pointer(&list);
}

/* As whoever may see all of it: a plan names its digest alone. */
char *syncd_repair_live_report(SyncdService *service, GError **error)
{
    const SyncdCaller self = {.uid = service->uid, .inspector = true};
    return syncd_service_health(service, &self, error);
}
