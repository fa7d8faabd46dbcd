#include "bus-calls.h"

#include "bus-roles.h"
#include "bus/names.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* Of the daemon's root. */
static int make(sd_bus *bus, sd_bus_message **ret_call, const char *interface, const char *method,
                const char *types, ...)
{
    int r = sd_bus_message_new_method_call(bus, ret_call, SYNCD_BUS_NAME, SYNCD_PATH_ROOT,
                                           interface, method);
    va_list args;
    va_start(args, types);
    if (r >= 0)
        r = sd_bus_message_appendv(*ret_call, types, args);
    va_end(args);
    return r;
}

static int make_enqueue(sd_bus *bus, sd_bus_message **ret_call, const char *object,
                        const void *body)
{
    return make(bus, ret_call, SYNCD_INTERFACE_OPERATIONS, "Enqueue", "ssssa{sv}",
                "sync.operation.enqueue", "device", object, body, 0);
}

int bus_call_ping(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make(bus, ret_call, "org.freedesktop.DBus.Peer", "Ping", "");
}

int bus_call_enqueue(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make_enqueue(bus, ret_call, "object:1", data);
}

int bus_call_version(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make_enqueue(bus, ret_call, BUS_CALLS_OBJECT, data);
}

int bus_call_explain(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make(bus, ret_call, SYNCD_INTERFACE_MANAGER, "Explain", "sa{sv}", BUS_CALLS_OBJECT, 0);
}

int bus_call_diagnose(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make(bus, ret_call, SYNCD_INTERFACE_MANAGER, "Diagnose", "a{sv}", 0);
}

int bus_call_evidence(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make(bus, ret_call, SYNCD_INTERFACE_MANAGER, "ListEvidence", "a{sv}", 1, "order", "s",
                data);
}

int bus_call_get(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make(bus, ret_call, SYNCD_INTERFACE_OPERATIONS, "Get", "sa{sv}", data, 0);
}

int bus_call_list(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    return make(bus, ret_call, SYNCD_INTERFACE_OPERATIONS, "ListBytes", "a{sv}", 2, "limit", "u",
                BUS_CALLS_PAGE, "bodies", "b", (int)*(const bool *)data);
}

int bus_call_echo(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    const char *method = data;
    int r = sd_bus_message_new_method_call(bus, ret_call, ROLE_ECHO_NAME, ROLE_ECHO_PATH,
                                           ROLE_ECHO_INTERFACE, method);
    if (r >= 0 && strcmp(method, "Text") == 0)
        r = sd_bus_message_append(*ret_call, "s", "op-00000000000000000000000000");
    return r < 0 ? r : sd_bus_message_append(*ret_call, "a{sv}", 0);
}
