/*
 * The calls that are measured, each as a LoadCall of bus-load.h makes it.
 */
#pragma once

#include <systemd/sd-bus.h>

#define BUS_CALLS_OBJECT "explained" /* whose versions are written and explained */
#define BUS_CALLS_PAGE 1000u         /* entries of a page */

int bus_call_ping(sd_bus *bus, sd_bus_message **ret_call, const void *data);
/* `data`: the body, a text. */
int bus_call_enqueue(sd_bus *bus, sd_bus_message **ret_call, const void *data);
int bus_call_version(sd_bus *bus, sd_bus_message **ret_call, const void *data);
int bus_call_explain(sd_bus *bus, sd_bus_message **ret_call, const void *data);
int bus_call_diagnose(sd_bus *bus, sd_bus_message **ret_call, const void *data);
/* `data`: the order, a text. */
int bus_call_evidence(sd_bus *bus, sd_bus_message **ret_call, const void *data);
/* `data`: the id of an operation, a text. */
int bus_call_get(sd_bus *bus, sd_bus_message **ret_call, const void *data);
/* `data`: whether with bodies, a bool. */
int bus_call_list(sd_bus *bus, sd_bus_message **ret_call, const void *data);
/* `data`: the method of the service that answers with what it was given, a text. */
int bus_call_echo(sd_bus *bus, sd_bus_message **ret_call, const void *data);
