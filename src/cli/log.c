#include "cli/event.h"
#include "cli/file-log.h"
#include "cli/listing.h"
#include "cli/verbs.h"

typedef struct {
    SyncdActorNames names;
    bool after_another;
} Log;

static void print_entry(SyncdCli *cli, void *data, SyncdJson event)
{
    Log *log = data;
    if (log->after_another)
        syncd_output_text(cli->out, "\n");
    log->after_another = true;
    syncd_event_print_entry(cli->out, &log->names, event);
}

static bool log_object(SyncdCli *cli, GError **error)
{
    SyncdListing listing;
    if (!syncd_listing_init(&listing, cli, SYNCD_CLIENT_EVENTS, error))
        return false;
    listing.object = syncd_cli_argument(cli, 0);
    listing.must_find = true;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;

    Log log = {syncd_actor_names(client), false};
    SyncdListingView view = {print_entry, NULL, &log, NULL};
    bool printed = syncd_listing_print(&listing, cli, client, &view, error);
    syncd_actor_names_clear(&log.names);
    return printed;
}

/* A file of the place where somebody is may be called by its name alone, where no object is. */
bool syncd_verb_log(SyncdCli *cli, GError **error)
{
    const char *named = syncd_cli_argument(cli, 0);
    GError *fault = NULL;
    if (syncd_cli_names_file(named))
        return syncd_cli_file_log(cli, error);
    if (log_object(cli, &fault))
        return true;
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND) &&
        syncd_cli_file_log(cli, NULL)) {
        g_error_free(fault);
        return true;
    }
    g_propagate_error(error, fault);
    return false;
}
