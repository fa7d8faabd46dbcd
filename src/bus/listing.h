/* The options that all methods which list records share. */
#pragma once

#include "bus/call.h"
#include "service/service.h"

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct {
    SyncdListing listing;
    bool all; /* also what others did */
} SyncdListOptions;

/* What is listed: each knows one option more than events do, or none. */
typedef enum { SYNCD_LIST_EVENTS, SYNCD_LIST_LINES, SYNCD_LIST_OPERATIONS } SyncdListed;

bool syncd_list_options_read(sd_bus_message *message, SyncdListed listed,
                             SyncdListOptions *ret_options, GError **error);
/* For methods that know "all" alone. */
bool syncd_all_option_read(sd_bus_message *message, bool *ret_all, GError **error);
/* The same, and authorised: the arguments before the options were read. As syncd_call_authorise().
 */
SyncdService *syncd_call_authorise_reading(SyncdCall *call, GError **error);
/* For methods that know no option yet. */
bool syncd_no_options_read(sd_bus_message *message, GError **error);
