#include "service/purge-due.h"

#include "service/damage.h"
#include "service/purge.h"
#include "store/examine.h"
#include "store/repair-store.h"

typedef struct {
    SyncdService *service;
    SyncdCaller caller;
    GPtrArray *due;
    guint64 entries;
} Listing;

static void due_free(void *data)
{
    SyncdPurgeDue *due = data;
    g_free(due->scope_id);
    g_free(due->object);
    g_free(due->preview);
    g_free(due);
}

static SyncdPurgeable *gather(const SyncdPurgePlan *plan, GError **error)
{
    bool more = true;
    g_autoptr(SyncdPurgeSearch) search = syncd_store_begin_purge_search(
        plan->service->store, plan->scope->id, plan->request->object);
    while (more)
        if (!syncd_purge_search_gather(search, &more, error))
            return NULL;
    return syncd_purge_search_take(search);
}

static void add(Listing *self, const SyncdPurgePlan *plan)
{
    SyncdPurgeDue *due = g_new0(SyncdPurgeDue, 1);
    *due = (SyncdPurgeDue){.scope_id = g_strdup(plan->scope->id),
                           .object = g_strdup(plan->request->object),
                           .preview = syncd_purge_plan_preview(plan),
                           .bytes = plan->purgeable->bytes,
                           .file_bytes = plan->purgeable->chunk_bytes};
    g_ptr_array_add(self->due, due);
    self->entries += plan->purgeable->entries->len;
}

/* Whatever keeps it from being purged, it stays. That it cannot be read is found elsewhere. */
static void consider(Listing *self, const char *scope_id, const char *object)
{
    const SyncdScope *scope = syncd_store_scope(self->service->store, scope_id);
    if (scope == NULL)
        return;
    g_autofree char *text = *scope->name == '\0'
                                ? g_strdup(scope->class)
                                : g_strconcat(scope->class, ":", scope->name, NULL);
    const SyncdPurgeRequest request = {.scope = text, .object = object};
    g_autoptr(SyncdPurgePlan) plan =
        syncd_purge_plan_new(self->service, &self->caller, &request, NULL);
    SyncdPurgeable *purgeable = plan != NULL ? gather(plan, NULL) : NULL;
    if (purgeable != NULL && syncd_purge_plan_complete(plan, purgeable, NULL))
        add(self, plan);
}

/* What does not say the truth is no ground to purge on. */
static bool may_be_believed(SyncdService *service)
{
    SyncdIndexHealth health;
    const GArray *faults = syncd_service_index_faults(service);
    syncd_store_index_health(service->store, &health);
    return health.serves && health.damage == NULL && (faults == NULL || faults->len == 0) &&
           syncd_store_index_fault(service->store) == NULL && !syncd_service_is_damaged(service) &&
           syncd_store_condition(service->store) == SYNCD_STORE_WRITABLE;
}

static bool is_enough(const Listing *self, guint max, guint examined)
{
    return self->due->len >= max || examined >= SYNCD_PURGES_DUE_EXAMINED ||
           self->entries >= SYNCD_PURGES_DUE_ENTRIES;
}

GPtrArray *syncd_service_list_purgeable(SyncdService *service, const SyncdCaller *caller, guint max,
                                        bool *ret_more)
{
    Listing self = {service, *caller, g_ptr_array_new_with_free_func(due_free), 0};
    bool goes_on = may_be_believed(service);
    guint64 pos = 0;
    self.caller.rehearses = true;
    *ret_more = false;
    for (guint examined = 0; goes_on; examined++) {
        g_autofree char *scope_id = NULL, *object = NULL;
        goes_on = syncd_store_next_hidden(service->store, pos, &pos, &scope_id, &object, NULL) &&
                  pos != 0;
        *ret_more = goes_on && is_enough(&self, max, examined);
        goes_on &= !*ret_more;
        if (goes_on)
            consider(&self, scope_id, object);
    }
    return self.due;
}
