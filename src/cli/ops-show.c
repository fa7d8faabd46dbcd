#include "cli/record.h"
#include "cli/verbs.h"
#include "client/calls.h"

/* Everything in the log has an id like that of an operation, and not everything is one. */
static void explain(const char *id, GError **fault)
{
    if (!g_error_matches(*fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        return;
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split((*fault)->message, &sentence, &next);
    g_autofree char *better = g_strdup_printf(
        "see whether it is another event, with `sourceos-syncd events show %s`, or list operations "
        "with `sourceos-syncd ops list`",
        id);
    g_clear_error(fault);
    syncd_set_error_next(fault, SYNCD_ERROR_NOT_FOUND, better, "%s", sentence);
}

bool syncd_verb_ops_show(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    const char *id = syncd_cli_argument(cli, 0);
    g_autoptr(GError) fault = NULL;
    g_autofree char *record = syncd_client_get_operation(client, id, &fault);
    if (record == NULL) {
        explain(id, &fault);
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    syncd_record_show(cli, record);
    return true;
}
