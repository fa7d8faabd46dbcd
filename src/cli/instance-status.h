/*
 * How it is with one instance, as a client can tell.
 *
 * The JSON is what status.json and other consumers have (docs: sourceos-syncd(1)). That no daemon
 * answers is a state of the client, "daemon-unavailable", not an error.
 */
#pragma once

#include "base/json-writer.h"
#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    SyncdClientInstance instance;
    bool available;
    char *state;
    unsigned severity; /* the worse, the greater */
    char *note;        /* what it means and what to do, a sentence or two */
    char *description; /* the JSON of Describe, NULL when not available */
} SyncdInstanceStatus;

/* What is said of a reason of the state, or of a state; NULL: nothing of its own. */
const char *syncd_instance_status_note_on(const char *code);
/* Asks the daemon. False only for errors that are not about the daemon being there. */
bool syncd_instance_status_get(SyncdClient *client, SyncdInstanceStatus *ret_status,
                               GError **error);
/* Of an instance whose daemon, or whose bus, could not be reached for this reason. */
void syncd_instance_status_unavailable(SyncdClientInstance instance, const GError *reason,
                                       SyncdInstanceStatus *ret_status);
void syncd_instance_status_clear(SyncdInstanceStatus *status);

/* Members of the open object. */
void syncd_instance_status_write(const SyncdInstanceStatus *status, guint64 now_ms,
                                 SyncdJsonWriter *writer);
