/*
 * The face of one instance on its bus: objects, methods, properties and signals.
 *
 * A SyncdBus puts the objects of bus/object.h on a connection and translates between callers and
 * the service. It decides nothing but who may call what. The daemon tells it what the service told
 * its listener. The connection and the service are borrowed and outlive it.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct SyncdBus SyncdBus;

typedef struct {
    SyncdInstance instance;
    uid_t uid;                /* whose instance it is */
    unsigned calls_in_flight; /* of one user; 0: as the table of bus/limits.h says */
} SyncdBusOptions;

/* The connection has an event loop. */
SyncdBus *syncd_bus_new(sd_bus *connection, SyncdService *service, const SyncdBusOptions *options,
                        GError **error);
/* Calls that wait for polkit are answered with Cancelled. */
void syncd_bus_free(SyncdBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdBus, syncd_bus_free)

void syncd_bus_committed(SyncdBus *bus, const SyncdCommit *commit, const char *const *event_types);
void syncd_bus_changed(SyncdBus *bus);
void syncd_bus_tasks_changed(SyncdBus *bus);
void syncd_bus_job_added(SyncdBus *bus, SyncdJob *job);
void syncd_bus_job_changed(SyncdBus *bus, SyncdJob *job);
void syncd_bus_job_removed(SyncdBus *bus, SyncdJob *job);
void syncd_bus_plan_added(SyncdBus *bus, SyncdRepairPlan *plan);
void syncd_bus_plan_changed(SyncdBus *bus, SyncdRepairPlan *plan);
void syncd_bus_plan_removed(SyncdBus *bus, SyncdRepairPlan *plan);
/* Sends what signals were held back for a moment. */
void syncd_bus_flush(SyncdBus *bus);
