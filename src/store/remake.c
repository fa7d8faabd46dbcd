/*
 * Making the index anew beside the one that serves, which goes on until the files are exchanged:
 * nobody waits for it, and if it cannot be made nothing was lost. What is committed meanwhile is
 * projected into both.
 */
#include "base/log.h"
#include "store/store-private.h"

void syncd_store_end_remake(SyncdStore *self)
{
    if (self->next_index != NULL)
        syncd_index_discard_new(g_steal_pointer(&self->next_index), self->directory);
}

/* From what is in it towards what is committed by now. */
static bool project(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(SyncdProjection) projection =
        syncd_store_new_projection(self, self->next_index, error);
    return projection != NULL &&
           syncd_projection_step(projection, SYNCD_PROJECT_BATCH, ret_more, error);
}

static bool step(SyncdStore *self, bool *ret_more, GError **error)
{
    *ret_more = true;
    if (self->next_index == NULL) {
        self->next_index = syncd_index_begin_new(self->directory, error);
        return self->next_index != NULL;
    }
    if (!project(self, ret_more, error))
        return false;
    if (*ret_more)
        return true;
    /* Lookups, one a step; with the last of them it is whole. */
    if (!syncd_index_add_lookup(self->next_index, ret_more, error))
        return false;
    if (*ret_more)
        return true;
    /* What waits for the one there is, is in both then. */
    return syncd_store_settle(self, error) &&
           syncd_store_exchange_index(self, g_steal_pointer(&self->next_index), error);
}

bool syncd_store_step_remake(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (step(self, ret_more, &problem))
        return true;
    /* The next one goes on from what was committed, unless it failed in the exchange. */
    bool serves = self->index != NULL && self->projection == NULL;
    *ret_more = true;
    if (serves && syncd_store_made_room(self, problem))
        return true;
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT))
        self->condition = SYNCD_STORE_DAMAGED;
    syncd_store_end_remake(self);
    syncd_store_keep_reserve(self);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}
