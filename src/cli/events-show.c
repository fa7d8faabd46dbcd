#include "cli/listing.h"
#include "cli/record.h"
#include "cli/verbs.h"
#include "client/calls.h"

#include <string.h>

typedef struct {
    const char *event_id; /* NULL: the first one will do */
    guint64 sequence;     /* 0: any */
    char *found;
} Search;

static bool look_through(void *data, SyncdJson events)
{
    Search *search = data;
    SyncdJsonIter iter;
    SyncdJson event;
    syncd_json_iter_init(&iter, events);
    while (search->found == NULL && syncd_json_iter_next(&iter, NULL, &event)) {
        if (search->event_id != NULL &&
            !syncd_json_is(syncd_json_member(event, "event_id"), search->event_id))
            continue;
        if (search->sequence != 0 && syncd_record_number(event, "sequence") != search->sequence)
            continue;
        search->found = g_strndup(event.at, (size_t)(event.end - event.at));
    }
    return search->found == NULL;
}

/* A sequence number and an operation are found at once. Event ids are not indexed: the log is
 * looked through from its newest end, where what people ask about is. */
static void aim(const char *what, SyncdListing *listing, Search *search)
{
    guint64 sequence;
    *listing = (SyncdListing){.list = SYNCD_CLIENT_EVENTS};
    if (g_ascii_string_to_unsigned(what, 10, 1, G_MAXINT64, &sequence, NULL)) {
        search->sequence = sequence;
        listing->after = sequence - 1;
        listing->oldest_first = true;
        listing->limit = 1;
    } else if (g_str_has_prefix(what, "evt_")) {
        search->event_id = what;
    } else {
        listing->operation = what;
        listing->limit = 1;
    }
}

bool syncd_verb_events_show(SyncdCli *cli, GError **error)
{
    const char *what = syncd_cli_argument(cli, 0);
    SyncdListing listing;
    Search search = {NULL};
    aim(what, &listing, &search);

    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL ||
        !syncd_listing_pages(&listing, cli, client, look_through, &search, NULL, error))
        return false;
    g_autofree char *event = search.found;
    if (event == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "list events with `sourceos-syncd events list`",
                             "There is no event `%s` (%s instance)", what,
                             syncd_client_instance_name(syncd_client_instance(client)));
        return false;
    }
    syncd_record_show(cli, event);
    return true;
}
