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
    g_free(need->preview);
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
SyncdRepairNeed *syncd_repair_need(SyncdRepairNeeds *needs, const SyncdRepairKind *kind,
                                   const char *target, const char *object, const SyncdFound *found)
{
    for (guint i = 0; i < needs->needs->len; i++) {
        const SyncdRepairNeed *known = needs->needs->pdata[i];
        if (known->kind == kind && strcmp(known->target, target) == 0)
            return NULL;
    }
    SyncdRepairNeed *need = g_new0(SyncdRepairNeed, 1);
    *need = (SyncdRepairNeed){kind, g_strdup(target), g_strdup(object), found->finding};
    g_ptr_array_add(needs->needs, need);
    return need;
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

static bool find_wrong(SyncdRepairNeeds *needs, const GPtrArray *found, GError **error)
{
    g_autoptr(GPtrArray) made = found == NULL ? syncd_service_diagnose(needs->service) : NULL;
    if (found == NULL)
        found = made;
    for (guint i = 0; i < found->len; i++)
        if (!add_found(needs, found->pdata[i], error))
            return false;
    return true;
}

/* Whatever is wrong, and if nothing is. */
static bool find_purges(SyncdRepairNeeds *needs, GError **error)
{
    g_autoptr(SyncdFound) asked = syncd_found_new(SYNCD_FINDING_PURGE_ASKED, NULL);
    return add_found(needs, asked, error);
}

/* Nobody should have to agree to a loss for the sake of a repair. */
static void leave_out_purges(SyncdRepairNeeds *self)
{
    guint mending = 0;
    for (guint i = 0; i < self->needs->len; i++)
        mending += !((SyncdRepairNeed *)self->needs->pdata[i])->kind->destructive;
    for (guint i = self->needs->len; mending > 0 && i-- > 0;) {
        if (!((SyncdRepairNeed *)self->needs->pdata[i])->kind->destructive)
            continue;
        g_ptr_array_remove_index(self->needs, i);
        self->left_out++;
    }
}

GPtrArray *syncd_repair_find_needs(SyncdService *service, const SyncdRepairWish *wish,
                                   const GPtrArray *found, guint64 *ret_left_out, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(need_free);
    SyncdRepairNeeds needs = {service, wish != NULL ? *wish : (SyncdRepairWish){NULL}, list, 0};
    if (!(needs.wish.purge ? find_purges(&needs, error) : find_wrong(&needs, found, error)))
        return NULL;
    leave_out_purges(&needs);
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
