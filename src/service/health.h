/*
 * The State Integrity Report of an instance (sourceos.state-integrity-report/v1alpha1), made from
 * what is so now.
 *
 * Collecting changes nothing: no byte of the state, and no index is brought up to the log for it.
 * It takes as long at ten million entries as at ten. What could not be measured is null, or left
 * out where the contract has no null, and is named in `collection` with the reason; a store that is
 * damaged, full or failed is reported like any other. The verdict in it (invariants, diagnosis,
 * controls) is what whoever judges the report finds in its data. It is signed with the device's
 * key, where that is here.
 */
#pragma once

#include "service/outside.h"
#include "service/service.h"

/* What a process says of itself, once. */
typedef struct {
    guint32 pid;
    guint64 started_usec;
    const char *manager; /* "systemd" or "manual"; borrowed, as all of this */
    const char *command; /* that begins it again; NULL: not known */
    const char *boot;    /* the kernel's id of this boot; NULL: not known */
    const char *machine; /* of the machine; NULL: not known */
} SyncdProcess;

/* The daemon has opened the state, it answers calls, it is about to close the state. */
void syncd_service_begin_run(SyncdService *service, const SyncdProcess *process);
void syncd_service_set_ready(SyncdService *service);
void syncd_service_end_run(SyncdService *service);

/* Where what is not the service's is measured. NULL: the system's. */
void syncd_service_set_places(SyncdService *service, const SyncdPlaces *places);

/* Never fails on the state's account. AccessDenied. */
char *syncd_service_health(SyncdService *service, const SyncdCaller *caller, GError **error);

/* The same of a directory in which there is no state, or none that can be read: `why` says so. */
char *syncd_health_without_state(const char *directory, const SyncdSources *sources,
                                 const GError *why);
