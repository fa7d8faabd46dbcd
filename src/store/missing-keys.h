/*
 * Keys that the log names and that are not here: what that hides, and that it is said so.
 *
 * A scope whose key is not here is known by its feeds, whatever the index says: one that was made
 * without the key knows neither the name of the scope nor anything that lies in it. What looks as
 * if it were not there may then only be hidden, and is not made a second time.
 */
#pragma once

#include "store/store.h"

typedef struct {
    char *scope_id;
    const SyncdScope *scope; /* borrowed; NULL: its name is hidden with the rest */
    guint64 entries;         /* of all devices, that cannot be opened */
} SyncdMissingKey;

/* SyncdMissingKey, in the order in which their feeds came. */
GPtrArray *syncd_store_missing_keys(const SyncdStore *store);
bool syncd_store_lacks_keys(const SyncdStore *store); /* whether there is any such */
/* Whether that scope, NULL for any, is hidden: NotInitialized names it and says what to do. */
bool syncd_store_check_not_hidden(const SyncdStore *store, const char *scope_id, GError **error);
/* Of an entry that no key opens: NotFound. */
void syncd_store_refuse_keyless(GError **error);
/* Whether that, or another key that is not here, is what an error is about. */
bool syncd_store_is_for_want_of_a_key(const GError *error);
/* Whether the index was made without a key that is here again. */
bool syncd_store_index_lacks_scope(SyncdStore *store);
