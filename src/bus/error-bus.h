/*
 * Errors on their way to a caller: the one table of base/error.h decides the name; the message goes
 * as it is, because it already ends with what to do next, but always as valid UTF-8.
 */
#pragma once

#include "base/error.h"

#include <systemd/sd-bus.h>

/* Returns the negative errno that a handler of sd-bus gives back. */
int syncd_bus_set_error(sd_bus_error *ret_error, const GError *error);
/* 0 when the caller wants no answer. */
int syncd_bus_new_error(sd_bus_message *call, const GError *error, sd_bus_message **ret_reply);
int syncd_bus_reply_error(sd_bus_message *call, const GError *error);

/* What failed between us and the bus library, `result` being its negative errno. */
void syncd_set_error_bus(GError **error, int result, const char *what);
/* What reading a caller's arguments made of them; InvalidArgs. */
void syncd_set_error_arguments(GError **error);
