#include "cli/record.h"
#include "cli/verbs.h"
#include "client/calls.h"

bool syncd_verb_ops_show(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    g_autofree char *record = syncd_client_get_operation(client, syncd_cli_argument(cli, 0), error);
    if (record == NULL)
        return false;
    syncd_record_show(cli, record);
    return true;
}
