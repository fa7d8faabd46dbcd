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
/* Sends a call that is complete but for its options: `result` is of putting it together. */
sd_bus_message *syncd_client_finish(SyncdClient *client, sd_bus_message *message, int result,
                                    GVariant *options, GError **error);
/* The first string of a reply, one JSON document that was checked; and such a string itself. */
char *syncd_client_read_json(SyncdClient *client, sd_bus_message *reply, GError **error);
char *syncd_client_take_json(const char *text, GError **error);
/* Sets the error and returns false when an errno of the bus library is negative. */
bool syncd_client_check(const SyncdClient *client, int result, GError **error);
