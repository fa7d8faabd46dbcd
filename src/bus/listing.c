#include "bus/listing.h"

#include "bus/options.h"

#include <string.h>

#define IN_LISTING(member) offsetof(SyncdListOptions, listing.member)

static const SyncdOption list_options[] = {
    {"cursor", SYNCD_OPTION_TEXT, IN_LISTING(cursor)},
    {"limit", SYNCD_OPTION_NUMBER, IN_LISTING(limit)},
    {"order", SYNCD_OPTION_TEXT, IN_LISTING(order)},
    {"scope", SYNCD_OPTION_TEXT, IN_LISTING(scope)},
    {"object", SYNCD_OPTION_TEXT, IN_LISTING(object)},
    {"actor", SYNCD_OPTION_TEXT, IN_LISTING(actor)},
    {"type", SYNCD_OPTION_TEXT, IN_LISTING(type)},
    {"operation", SYNCD_OPTION_TEXT, IN_LISTING(operation)},
    {"after", SYNCD_OPTION_LARGE, IN_LISTING(after)},
    {"since", SYNCD_OPTION_LARGE, IN_LISTING(since_usec)},
    {"until", SYNCD_OPTION_LARGE, IN_LISTING(until_usec)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(SyncdListOptions, all)},
};

static const SyncdOption more_options[] = {
    [SYNCD_LIST_LINES] = {"bodies", SYNCD_OPTION_SWITCH, IN_LISTING(bodies)},
    [SYNCD_LIST_OPERATIONS] = {"ephemeral", SYNCD_OPTION_SWITCH, IN_LISTING(ephemeral)},
};

static const SyncdOption all_option[] = {{"all", SYNCD_OPTION_SWITCH, 0}};

bool syncd_list_options_read(sd_bus_message *message, SyncdListed listed,
                             SyncdListOptions *ret_options, GError **error)
{
    size_t n_options = G_N_ELEMENTS(list_options);
    SyncdOption known[G_N_ELEMENTS(list_options) + 1];
    SyncdListOptions options = {0};
    memcpy(known, list_options, sizeof list_options);
    if (more_options[listed].name != NULL)
        known[n_options++] = more_options[listed];
    if (!syncd_options_read(message, known, n_options, &options, error))
        return false;
    *ret_options = options;
    return true;
}

bool syncd_all_option_read(sd_bus_message *message, bool *ret_all, GError **error)
{
    *ret_all = false;
    return syncd_options_read(message, all_option, G_N_ELEMENTS(all_option), ret_all, error);
}

SyncdService *syncd_call_authorise_reading(SyncdCall *call, GError **error)
{
    bool all;
    return syncd_all_option_read(syncd_call_message(call), &all, error)
               ? syncd_call_authorise(call, all, NULL, error)
               : NULL;
}

bool syncd_no_options_read(sd_bus_message *message, GError **error)
{
    return syncd_options_read(message, NULL, 0, NULL, error);
}
