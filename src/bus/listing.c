#include "bus/listing.h"

#include "bus/options.h"

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
    {"bodies", SYNCD_OPTION_SWITCH,
     IN_LISTING(bodies)}, /* the last: left out where it is unknown */
};

static const SyncdOption all_option[] = {{"all", SYNCD_OPTION_SWITCH, 0}};

bool syncd_list_options_read(sd_bus_message *message, bool with_bodies,
                             SyncdListOptions *ret_options, GError **error)
{
    size_t n_options = G_N_ELEMENTS(list_options) - (with_bodies ? 0 : 1);
    SyncdListOptions options = {0};
    if (!syncd_options_read(message, list_options, n_options, &options, error))
        return false;
    *ret_options = options;
    return true;
}

bool syncd_all_option_read(sd_bus_message *message, bool *ret_all, GError **error)
{
    *ret_all = false;
    return syncd_options_read(message, all_option, G_N_ELEMENTS(all_option), ret_all, error);
}

bool syncd_no_options_read(sd_bus_message *message, GError **error)
{
    return syncd_options_read(message, NULL, 0, NULL, error);
}
