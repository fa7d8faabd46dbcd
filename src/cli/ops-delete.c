#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/object-scope.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/calls.h"

static void show(SyncdCli *cli, const SyncdClientReceipt *receipt)
{
    if (!syncd_cli_json(cli)) {
        g_autofree char *operation = syncd_text_safe(receipt->operation);
        syncd_output_wrapped(cli->out,
                             receipt->duplicate
                                 ? _("Deleted earlier with this key: operation %s.\n")
                                 : _("Deleted: operation %s.\n"),
                             operation);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "operation", receipt->operation);
    syncd_json_member_uint(writer, "sequence", receipt->sequence);
    syncd_json_member_bool(writer, "duplicate", receipt->duplicate);
    syncd_output_end_object(cli->out);
}

bool syncd_verb_ops_delete(SyncdCli *cli, GError **error)
{
    const char *key = syncd_cli_value(cli, "key");
    g_autofree char *object = syncd_text_safe(syncd_cli_argument(cli, 0));
    g_autofree char *question = g_strdup_printf(_("Delete the object %s?"), object);
    if (!syncd_cli_confirm(cli, question, error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *scope =
        client != NULL ? syncd_cli_object_scope(cli, client, syncd_cli_argument(cli, 0), error)
                       : NULL;
    if (scope == NULL)
        return false;
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_variant_dict_insert(&options, "lane", "s", "tombstone");
    if (key != NULL)
        g_variant_dict_insert(&options, "idempotency_key", "s", key);
    SyncdClientRequest request = {"sync.operation.enqueue", scope, syncd_cli_argument(cli, 0),
                                  "{}"};
    g_auto(SyncdClientReceipt) receipt = {NULL};
    if (!syncd_client_enqueue(client, &request, g_variant_dict_end(&options), &receipt, error))
        return false;
    show(cli, &receipt);
    return true;
}
