/*
 * What the files of this folder share about a connection.
 */
#pragma once

#include "client/client.h"

#include <systemd/sd-bus.h>

struct SyncdClient {
    sd_bus *bus;
    SyncdClientOptions options;
    unsigned changes;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_message, sd_bus_message_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_slot, sd_bus_slot_unref)

/* A call to be filled with arguments; syncd_client_send() sends it and waits for the reply. */
sd_bus_message *syncd_client_message(SyncdClient *client, const char *path, const char *interface,
                                     const char *member, GError **error);
sd_bus_message *syncd_client_send(SyncdClient *client, sd_bus_message *message, GError **error);
/* Sets the error and returns false when an errno of the bus library is negative. */
bool syncd_client_check(const SyncdClient *client, int result, GError **error);
