/*
 * status.json in the runtime directory: what a status line reads without starting a process. It is
 * replaced whole, so a reader never sees half of it, and says at the end that the daemon is gone.
 * systemd is told the state in one line.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <systemd/sd-event.h>

typedef struct SyncdStatus SyncdStatus;

/* Without a runtime directory there is no file, and a warning in the log. */
SyncdStatus *syncd_status_new(sd_event *event, SyncdService *service, SyncdInstance instance,
                              GError **error);
/* Leaves a file that says that there is no daemon. */
void syncd_status_free(SyncdStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdStatus, syncd_status_free)

void syncd_status_changed(SyncdStatus *status);
