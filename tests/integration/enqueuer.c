/* Enqueues one operation after the other and prints, once each is acknowledged, its number, id and
 * sequence number. Usage: enqueuer BUS-ADDRESS WORKER COUNT */
#include "bus/names.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

static int enqueue(sd_bus *bus, const char *worker, unsigned number)
{
    g_autofree char *object = g_strdup_printf("worker:%s", worker);
    g_autofree char *body = g_strdup_printf("{\"worker\":%s,\"number\":%u}", worker, number);
    sd_bus_message *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_call_method(bus, SYNCD_BUS_NAME, SYNCD_PATH_ROOT, SYNCD_INTERFACE_OPERATIONS,
                               "Enqueue", &error, &reply, "ssssa{sv}", "sync.operation.enqueue",
                               "workspace:notes", object, body, 1, "create_scope", "b", 1);
    const char *operation = NULL;
    uint64_t sequence = 0;
    if (r >= 0)
        r = sd_bus_message_read(reply, "st", &operation, &sequence);
    if (r >= 0)
        printf("%u %s %" PRIu64 "\n", number, operation, sequence);
    else
        fprintf(stderr, "%s\n", error.message != NULL ? error.message : g_strerror(-r));
    sd_bus_message_unref(reply);
    sd_bus_error_free(&error);
    return r;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, argv[1]);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    unsigned count = (unsigned)strtoul(argv[3], NULL, 10);
    for (unsigned i = 0; r >= 0 && i < count; i++)
        r = enqueue(bus, argv[2], i);
    sd_bus_flush_close_unref(bus);
    return r < 0;
}
