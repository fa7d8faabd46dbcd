/*
 * What went wrong on the bus, in our own errors.
 *
 * Errors of the daemon keep their code, sentence and next step (base/error.h has the table).
 * Errors of the bus become Unreachable when the daemon is not there. Every message names the
 * instance, because a person may have asked the wrong one.
 */
#pragma once

#include "base/error.h"
#include "client/address.h"

#include <glib.h>

/* From the name and message of an error on the bus; either may be NULL. */
void syncd_client_set_bus_error(GError **error, SyncdClientInstance instance, const char *dbus_name,
                                const char *message);
/* What starts the daemon, as a next step says it. */
const char *syncd_client_how_to_start(SyncdClientInstance instance);
/* From an errno of the bus library, on doing something: "cannot subscribe". */
void syncd_client_set_errno(GError **error, SyncdClientInstance instance, int errnum,
                            const char *what);
