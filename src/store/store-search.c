#include "store/search.h"
#include "store/store-private.h"

void syncd_hit_clear(SyncdHit *hit)
{
    g_clear_pointer(&hit->record, g_free);
}

static bool ready(SyncdStore *self, GError **error)
{
    return syncd_store_need_index(self, error) && syncd_store_settle(self, error);
}

bool syncd_store_search(SyncdStore *self, const GPtrArray *words, guint64 below, guint limit,
                        GArray *ids, GError **error)
{
    return ready(self, error) && syncd_index_search(self->index, words, below, limit, ids, error);
}

bool syncd_store_find_hit(SyncdStore *self, guint64 id, SyncdHit *ret_hit, bool *ret_found,
                          GError **error)
{
    return ready(self, error) && syncd_index_search_hit(self->index, id, ret_hit, ret_found, error);
}
