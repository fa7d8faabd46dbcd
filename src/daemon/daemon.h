/*
 * The daemon: one instance, from its start to its end. It wires bus, service, schedule and status
 * together and owns them all.
 */
#pragma once

#include "daemon/configuration.h"
#include "service/service.h"

typedef struct {
    SyncdInstance instance;
    const char *state_directory;  /* NULL: the instance's own */
    const char *bus_address;      /* NULL: the instance's own */
    const char *policy_directory; /* of the machine's rules; NULL: the installed ones */
    const char *command;          /* that begins the same again, for people */
    SyncdConfig config;
} SyncdDaemonOptions;

/* Runs until it is told to stop. Returns the exit status. */
int syncd_daemon_run(const SyncdDaemonOptions *options);
