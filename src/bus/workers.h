/*
 * Who holds leases: when a worker leaves the bus, its tasks are offered again.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <systemd/sd-bus.h>

typedef struct SyncdWorkers SyncdWorkers;

/* Everything is borrowed and outlives it. */
SyncdWorkers *syncd_workers_new(sd_bus *connection, SyncdService *service);
void syncd_workers_free(SyncdWorkers *workers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdWorkers, syncd_workers_free)

/* From now on, until it has gone; one that cannot be watched counts as gone. */
void syncd_workers_watch(SyncdWorkers *workers, const char *name);
