/*
 * The highest epoch that this device ever began, in a file beside the log: `epochs.json`.
 *
 * Feeds go on in a later epoch when a log is adopted. The marks that tell a log which lost its end
 * (store/rollback.h) are of their time, and may not know of an epoch that was begun later; were it
 * begun again, the same places would have other entries. So it is kept before the first entry of it
 * is, and a log whose own feed is in an earlier one lost its end.
 */
#pragma once

#include "store/store.h"

#define SYNCD_EPOCHS_FILE "epochs.json"
/* 0: none was begun but the first ones. False when it cannot be told any more. */
bool syncd_store_highest_epoch(SyncdStore *store, guint64 *ret_highest);
/* Durably, before it is begun; 0 forgets. */
bool syncd_store_keep_epoch(SyncdStore *store, guint64 highest, GError **error);
