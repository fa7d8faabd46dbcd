/*
 * The document SyncCheckpoint: how far a device has come, and what waits.
 */
#pragma once

#include <glib.h>

/* Ids as the log has them; the document names them by URN. */
typedef struct {
    const char *operation; /* that writes the checkpoint */
    const char *device;
    const char *decision;
    guint64 at_ms;
    guint64 queue_depth;        /* operations that wait or are being carried out */
    const char *const *queue;   /* the oldest of them; NULL-terminated */
    const guint64 *replay_safe; /* how many may be replayed; NULL: not counted */
} SyncdSyncCheckpoint;

/* Appends one JSON object. */
void syncd_sync_checkpoint_write(const SyncdSyncCheckpoint *checkpoint, GString *out);
