/*
 * The epochs that this device ever began, in a file beside the log: `epochs.json`.
 *
 * Feeds go on in a later epoch when a log is adopted. The marks that tell a log which lost its end
 * (store/rollback.h) are of their time, and may not know of an epoch that was begun later; were it
 * begun again, the same places would have other entries. So its number is given out here before the
 * first entry of it is, and never again, whatever became of the adoption: one that fails may be in
 * the log all the same. That the log is in it is noted afterwards. A log whose own feed is in an
 * earlier one than that lost its end; one that never came to the number given out lost nothing.
 */
#pragma once

#include "store/store.h"

#define SYNCD_EPOCHS_FILE "epochs.json"

typedef struct {
    guint64 given; /* the highest number that was given out; 0: none, there were the first only */
    guint64 begun; /* the log was in this one; 0: in the first */
} SyncdEpochs;

/* False when it cannot be told any more. */
bool syncd_store_read_epochs(SyncdStore *store, SyncdEpochs *ret_epochs);
/* Durably, before it is begun. */
bool syncd_store_give_epoch(SyncdStore *store, guint64 epoch, GError **error);
/* The log is in one that was given out. What cannot be noted is at the next open. */
void syncd_store_note_epoch(SyncdStore *store);
