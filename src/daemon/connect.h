/*
 * The way onto the bus: which bus it is, and the name on it.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

/* To the address given, else to the bus of the instance: what the environment says; for the user,
 * where there is no session bus, the private one whose address lies in the runtime directory. When
 * the connection ends, so does the event loop. */
sd_bus *syncd_connect(SyncdInstance instance, const char *address, sd_event *event, GError **error);

/* Takes the name org.sourceos.Sync without waiting in line. Busy, naming the holder's pid and the
 * bus's address, when another daemon has it. */
bool syncd_claim_name(sd_bus *connection, GError **error);
