/* The store's answers about operations and lanes: the index, and the overlay over it. */
#include "domain/kind.h"
#include "store/store-private.h"

/* `pos`: of its entry, or 0. */
static bool find_projected(SyncdStore *self, const char *op, guint64 pos, SyncdTask *ret_task,
                           bool *ret_found, GError **error)
{
    return syncd_store_need_index(self, error) &&
           (pos != 0 ? syncd_index_find_task_at(self->index, pos, ret_task, ret_found, error)
                     : syncd_index_find_task(self->index, op, ret_task, ret_found, error));
}

static bool find_task(SyncdStore *self, const char *op, guint64 pos, SyncdTask *ret_task,
                      bool *ret_found, GError **error)
{
    *ret_found = syncd_overlay_begin_task(self->overlay, op, ret_task);
    if (!*ret_found && !find_projected(self, op, pos, ret_task, ret_found, error))
        return false;
    if (*ret_found)
        syncd_overlay_move_task(self->overlay, op, ret_task);
    return true;
}

bool syncd_store_find_task_at(SyncdStore *self, guint64 pos, const char *op, SyncdTask *ret_task,
                              bool *ret_found, GError **error)
{
    if (!find_task(self, op, pos, ret_task, ret_found, error))
        return false;
    /* Only the index knows what became of parents. */
    return !*ret_found || ret_task->waits == 0 ||
           (syncd_store_settle(self, error) &&
            find_task(self, op, pos, ret_task, ret_found, error));
}

bool syncd_store_find_task(SyncdStore *self, const char *op, SyncdTask *ret_task, bool *ret_found,
                           GError **error)
{
    return syncd_store_find_task_at(self, 0, op, ret_task, ret_found, error);
}

bool syncd_store_find_name(SyncdStore *self, const char *family, const char *name,
                           const char *scope_id, guint64 *ret_pos, GError **error)
{
    /* The index comes first: the first entry with a name keeps it. */
    if (!syncd_store_need_index(self, error) ||
        !syncd_index_find_name(self->index, family, name, scope_id, ret_pos, error))
        return false;
    if (*ret_pos == 0)
        *ret_pos = syncd_overlay_find_name(self->overlay, family, name, scope_id);
    return true;
}

bool syncd_store_count_recent(SyncdStore *self, const char *kind, const char *actor,
                              guint64 since_ms, guint max, guint *ret_all, guint *ret_actor,
                              GError **error)
{
    if (!syncd_store_need_index(self, error) ||
        !syncd_index_count_recent(self->index, kind, actor, since_ms, max, ret_all, ret_actor,
                                  error))
        return false;
    for (guint i = 0; i < syncd_overlay_size(self->overlay); i++) {
        const SyncdHeader *header = &syncd_overlay_at(self->overlay, i)->entry.header;
        if (!syncd_bytes_are(header->kind, kind) || header->hlc.ms < since_ms)
            continue;
        ++*ret_all;
        *ret_actor += syncd_bytes_are(header->actor, actor);
    }
    return true;
}

bool syncd_store_lane_counts(SyncdStore *self, gint64 counts[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS],
                             GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_lane_counts(self->index, counts, error);
}

bool syncd_store_is_moving(const SyncdStore *self, const char *op)
{
    return syncd_overlay_moves_task(self->overlay, op);
}

bool syncd_store_walk_tasks(SyncdStore *self, const SyncdTaskQuery *query, SyncdTaskFunc func,
                            void *data, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_walk_tasks(self->index, query, func, data, error);
}

bool syncd_store_count_object_tasks(SyncdStore *self, const char *object,
                                    SyncdObjectTasks *ret_tasks, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_count_object_tasks(self->index, object, ret_tasks, error);
}

bool syncd_store_next_delay(SyncdStore *self, guint64 after_ms, guint64 *ret_ms, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_next_delay(self->index, after_ms, ret_ms, error);
}

bool syncd_store_list_name(SyncdStore *self, const char *family, const char *name,
                           GArray *positions, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error) &&
           syncd_index_list_name(self->index, family, name, positions, error);
}

bool syncd_store_find_decision(SyncdStore *self, const char *id, guint64 *ret_pos, GError **error)
{
    *ret_pos = syncd_overlay_find_decision(self->overlay, id);
    return *ret_pos != 0 || (syncd_store_need_index(self, error) &&
                             syncd_index_find_decision(self->index, id, ret_pos, error));
}

static bool overlay_has_object(const SyncdOverlay *overlay, const char *scope_id,
                               const char *object)
{
    for (guint i = syncd_overlay_size(overlay); i > 0; i--) {
        const SyncdHeader *header = &syncd_overlay_at(overlay, i - 1)->entry.header;
        if (syncd_bytes_are(header->object, object) && syncd_bytes_are(header->scope, scope_id) &&
            syncd_kind_is_operation(header->kind))
            return true;
    }
    return false;
}

/* The index looks at so many entries of other scopes and no more: then it may be. */
bool syncd_store_has_object(SyncdStore *self, const char *scope_id, const char *object,
                            bool *ret_has, GError **error)
{
    const SyncdQuery query = {
        .scope_id = scope_id, .object = object, .operations_only = true, .limit = 1};
    g_autoptr(GArray) positions = NULL;
    g_autofree char *cursor = NULL;
    *ret_has = overlay_has_object(self->overlay, scope_id, object);
    if (*ret_has)
        return true;
    if (!syncd_store_query(self, &query, &positions, &cursor, error))
        return false;
    *ret_has = positions->len > 0 || *cursor != '\0';
    return true;
}

bool syncd_store_find_purged_record(SyncdStore *self, const char *object,
                                    SyncdDeletion *ret_deletion, bool *ret_found, GError **error)
{
    return syncd_store_need_index(self, error) &&
           syncd_index_find_purged_record(self->index, object, ret_deletion, ret_found, error);
}

bool syncd_store_find_deletion(SyncdStore *self, const char *scope_id, const char *object,
                               SyncdDeletion *ret_deletion, bool *ret_found, GError **error)
{
    if (!syncd_store_need_index(self, error) ||
        !syncd_index_find_deletion(self->index, scope_id, object, ret_deletion, ret_found, error))
        return false;
    syncd_overlay_move_deletion(self->overlay, scope_id, object, ret_deletion, ret_found);
    return true;
}
