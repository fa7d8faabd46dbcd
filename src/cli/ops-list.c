#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/when.h"

static void add_row(SyncdCli *cli, void *data, SyncdJson record)
{
    g_autofree char *sequence = syncd_record_text(record, "sequence");
    g_autofree char *created = syncd_record_text(record, "created_at");
    g_autofree char *time = syncd_when_local(created);
    g_autofree char *operation = syncd_record_text(record, "operation_id");
    g_autofree char *type = syncd_record_text(record, "operation_type");
    g_autofree char *status = syncd_record_marked(record, "status");
    g_autofree char *scope = syncd_record_text(record, "scope");
    g_autofree char *object = syncd_record_text(record, "object_id");
    const char *const cells[] = {sequence, time, object, scope, status, operation, type};
    syncd_table_add(data, cells);
}

static void print_rows(SyncdCli *cli, void *data)
{
    syncd_table_print(data, cli->out);
}

bool syncd_verb_ops_list(SyncdCli *cli, GError **error)
{
    SyncdListing listing;
    if (!syncd_listing_init(&listing, cli, SYNCD_CLIENT_OPERATIONS, error))
        return false;
    listing.object = syncd_cli_value(cli, "object");
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;

    const char *const titles[] = {_(">SEQUENCE"), _("TIME"),      _("OBJECT"), _("SCOPE"),
                                  _("STATUS"),    _("OPERATION"), _("TYPE"),   NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    SyncdListingView view = {add_row, print_rows, table, _("There are no such operations.")};
    return syncd_listing_print(&listing, cli, client, &view, error);
}
