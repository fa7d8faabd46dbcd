/* Messages without a bus: enough of a connection to write one and read it back. */
#pragma once

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

typedef struct {
    sd_bus *connection;
    int other_end;
} Bus;

static inline void bus_init(Bus *bus)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    g_assert_cmpint(sd_bus_new(&bus->connection), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(bus->connection, ends[0], ends[0]), >=, 0);
    g_assert_cmpint(sd_bus_start(bus->connection), >=, 0);
    bus->other_end = ends[1];
}

static inline void bus_clear(Bus *bus)
{
    sd_bus_close_unref(bus->connection);
    close(bus->other_end);
}

static inline sd_bus_message *bus_message(Bus *bus, const char *types, ...)
{
    sd_bus_message *message = NULL;
    g_assert_cmpint(
        sd_bus_message_new_method_call(bus->connection, &message, "a.b", "/a", "a.b", "Method"), >=,
        0);
    va_list args;
    va_start(args, types);
    g_assert_cmpint(sd_bus_message_appendv(message, types, args), >=, 0);
    va_end(args);
    g_assert_cmpint(sd_bus_message_seal(message, 1, 0), >=, 0);
    g_assert_cmpint(sd_bus_message_rewind(message, true), >=, 0);
    return message;
}
