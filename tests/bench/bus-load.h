/*
 * Callers, and how fast they are answered.
 *
 * Callers are connections of this process; each keeps as many calls in flight as it is told to.
 */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

/* Makes the next call. Calls of one load are all made by one function. */
typedef int (*LoadCall)(sd_bus *bus, sd_bus_message **ret_call, const void *data);

typedef struct {
    const char *address;
    LoadCall call;
    const void *data;
    unsigned callers;
    unsigned in_flight; /* of each caller */
    unsigned n;         /* calls, of all callers together */
} Load;

/* Calls answered a second. An error is the end of the program. */
double load_rate(const Load *load);
/* The middle of what one caller, who waits for each answer, waited: seconds. */
double load_latency(const Load *load);
/* One answer. */
sd_bus_message *load_once(const Load *load);
