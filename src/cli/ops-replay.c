#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/calls.h"

#include <string.h>

static void show_evidence(SyncdCli *cli, const char *document, bool duplicate)
{
    SyncdJson evidence = syncd_json_root(document, strlen(document));
    if (!syncd_cli_json(cli)) {
        g_autofree char *operation = syncd_record_text(evidence, "replayed_operation_id"),
                        *entry = syncd_record_text(evidence, "evidence_ref"),
                        *safe_operation = syncd_text_safe(operation),
                        *safe_entry = syncd_text_safe(entry);
        syncd_output_wrapped(cli->out,
                             duplicate ? _("Replayed earlier with this key: operation %s, "
                                           "evidence %s.\n")
                                       : _("Replayed: operation %s, evidence %s.\n"),
                             safe_operation, safe_entry);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_value(writer, "evidence", evidence);
    syncd_json_member_bool(writer, "duplicate", duplicate);
    syncd_output_end_object(cli->out);
}

bool syncd_verb_ops_replay(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    const char *key = syncd_cli_value(cli, "key");
    bool duplicate;
    if (key != NULL)
        g_variant_dict_insert(&options, "idempotency_key", "s", key);
    g_autofree char *evidence = syncd_client_replay(
        client, syncd_cli_argument(cli, 0), g_variant_dict_end(&options), &duplicate, error);
    if (evidence == NULL)
        return false;
    show_evidence(cli, evidence, duplicate);
    return true;
}
