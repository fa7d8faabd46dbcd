#include "cli/event.h"
#include "cli/follow.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/table.h"
#include "cli/verbs.h"

static void add_row(SyncdCli *cli, void *data, SyncdJson event)
{
    syncd_event_add_row(data, event);
}

static void print_rows(SyncdCli *cli, void *data)
{
    syncd_table_print(data, cli->out);
}

bool syncd_verb_events_list(SyncdCli *cli, GError **error)
{
    SyncdListing listing;
    if (!syncd_listing_init(&listing, cli, SYNCD_CLIENT_EVENTS, error))
        return false;
    listing.object = syncd_cli_value(cli, "object");
    if (syncd_cli_flag(cli, "follow"))
        return syncd_follow_events(cli, &listing, error);

    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    const char *const titles[] = {_(">SEQUENCE"), _("TIME"),     _("TYPE"),    _("OBJECT"),
                                  _("OPERATION"), _("DECISION"), _("SUMMARY"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    SyncdListingView view = {add_row, print_rows, table, _("There are no such events.")};
    return syncd_listing_print(&listing, cli, client, &view, error);
}
