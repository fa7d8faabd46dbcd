/* How many entries of a kind the index counts, once it has taken all that is in the log. */
#pragma once

#include "store/index.h"
#include "store/store-private.h"

static inline bool count_kind(SyncdStore *store, const char *kind, guint64 *ret_count,
                              GError **error)
{
    return syncd_store_need_index(store, error) && syncd_store_settle(store, error) &&
           syncd_index_count_kind(store->index, kind, ret_count, error);
}
