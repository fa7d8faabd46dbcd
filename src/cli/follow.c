#include "cli/follow.h"

#include "cli/event.h"
#include "cli/i18n.h"

#include <poll.h>
#include <string.h>

/* What is shown of the past, unless --limit says otherwise. */
#define PAST_DEFAULT 10u

typedef struct {
    SyncdCli *cli;
    GPtrArray *held; /* char *: events of the past, newest first */
    guint64 last;    /* sequence number */
} Follow;

static void print_event(Follow *follow, SyncdJson event)
{
    SyncdCli *cli = follow->cli;
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, event.at, (size_t)(event.end - event.at), false);
    else
        syncd_event_print_line(cli->out, event);
    follow->last = MAX(follow->last, syncd_record_number(event, "sequence"));
}

static bool hold_page(void *data, SyncdJson events)
{
    Follow *follow = data;
    SyncdJsonIter iter;
    SyncdJson event;
    syncd_json_iter_init(&iter, events);
    while (syncd_json_iter_next(&iter, NULL, &event))
        g_ptr_array_add(follow->held, g_strndup(event.at, (size_t)(event.end - event.at)));
    return true;
}

static bool print_page(void *data, SyncdJson events)
{
    Follow *follow = data;
    SyncdJsonIter iter;
    SyncdJson event;
    syncd_json_iter_init(&iter, events);
    while (syncd_json_iter_next(&iter, NULL, &event))
        print_event(follow, event);
    return !syncd_output_is_closed(follow->cli->out);
}

static bool present_sequence(SyncdClient *client, guint64 *ret_sequence, GError **error)
{
    g_autofree char *description = syncd_client_describe(client, error);
    if (description == NULL)
        return false;
    *ret_sequence =
        syncd_record_number(syncd_json_root(description, strlen(description)), "sequence");
    return true;
}

/* Where it ends must be known before it is read: filters may hide what is newest. */
static bool print_past(Follow *follow, const SyncdListing *listing, SyncdClient *client,
                       GError **error)
{
    if (!present_sequence(client, &follow->last, error))
        return false;
    SyncdListing past = *listing;
    past.oldest_first = false;
    if (!syncd_cli_flag(follow->cli, "limit"))
        past.limit = PAST_DEFAULT;
    if (!syncd_listing_pages(&past, follow->cli, client, hold_page, follow, NULL, error))
        return false;
    for (guint i = follow->held->len; i > 0; i--) {
        const char *event = follow->held->pdata[i - 1];
        print_event(follow, syncd_json_root(event, strlen(event)));
    }
    g_ptr_array_set_size(follow->held, 0);
    syncd_output_flush(follow->cli->out);
    return true;
}

static bool print_new(Follow *follow, const SyncdListing *listing, SyncdClient *client,
                      GError **error)
{
    SyncdListing fresh = *listing;
    fresh.oldest_first = true;
    fresh.limit = 0;
    fresh.after = follow->last;
    g_autoptr(GError) fault = NULL;
    bool good = syncd_listing_pages(&fresh, follow->cli, client, print_page, follow, NULL, &fault);
    syncd_output_flush(follow->cli->out);
    if (good)
        return true;
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE)) {
        syncd_cli_remark(follow->cli, _("The daemon stopped; waiting for it to come back."));
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

/* False at the end; `*going` becomes false too when it is a good end: the reader went away. */
static bool await_change(Follow *follow, SyncdClient *client, bool *going, GError **error)
{
    /* Of the output, only that it was closed is looked for. */
    struct pollfd reader = {.fd = syncd_output_fd(follow->cli->out), .events = 0};
    g_autoptr(GError) fault = NULL;
    if (!syncd_output_is_closed(follow->cli->out) &&
        syncd_clients_wait(&client, 1, SYNCD_CLIENT_FOREVER, &reader, &fault))
        return true;
    *going = fault != NULL && !g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_INTERRUPTED);
    if (*going)
        g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

bool syncd_follow_events(SyncdCli *cli, const SyncdListing *listing, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_LOOK, error);
    g_autoptr(GPtrArray) held = g_ptr_array_new_with_free_func(g_free);
    Follow follow = {.cli = cli, .held = held};
    if (client == NULL || !syncd_client_watch(client, error) ||
        !print_past(&follow, listing, client, error))
        return false;

    bool going = true;
    while (await_change(&follow, client, &going, error)) {
        unsigned changes = syncd_client_take_changes(client);
        if (changes & SYNCD_CHANGE_LOST) {
            syncd_set_error(error, SYNCD_ERROR_UNREACHABLE, "The connection to the bus was closed");
            return false;
        }
        if (changes & (SYNCD_CHANGE_EVENTS | SYNCD_CHANGE_OWNER) &&
            !print_new(&follow, listing, client, error))
            return false;
    }
    return !going;
}
