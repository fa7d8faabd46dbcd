/* Values on their way through sd-bus: GVariant is what a fuzzer can build and change, sd-bus is
 * what it is sent with. */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

/* A tuple's members become arguments. Negative errno when the library refuses to send that. */
int fuzz_wire_append_arguments(sd_bus_message *message, GVariant *arguments);

/* Gives each argument that is a text or a path, also in a variant, and its number. */
typedef void (*FuzzTextFunc)(void *data, unsigned argument, char type, const char *text);
void fuzz_wire_read_texts(sd_bus_message *message, FuzzTextFunc func, void *data);
