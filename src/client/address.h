/*
 * Where a client finds the bus of an instance.
 *
 * The system instance is on the system bus. The user instance is on the session bus; where there is
 * none, somebody may have started a private bus and left its address in the file `bus-address` of
 * the runtime directory. That file decides whom we talk to, so it counts only when directory and
 * file belong to the user and nobody else may write there.
 */
#pragma once

#include <glib.h>

typedef enum { SYNCD_CLIENT_USER, SYNCD_CLIENT_SYSTEM } SyncdClientInstance;

const char *syncd_client_instance_name(SyncdClientInstance instance); /* "user", "system" */

/* D-Bus addresses in the order in which they are to be tried; never empty, except for a user
 * without any trace of a bus. */
GStrv syncd_client_addresses(SyncdClientInstance instance);
/* The address in a directory's file `bus-address`; NULL when there is none that may be trusted. */
char *syncd_client_read_address_file(const char *directory);
