#include "cli/document.h"
#include "cli/i18n.h"
#include "cli/verbs.h"
#include "client/calls.h"
#include "domain/evidence.h"
#include "domain/problems.h"

#include <string.h>

static char *get(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return NULL;
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return syncd_client_get_evidence(client, syncd_cli_argument(cli, 0),
                                     g_variant_dict_end(&options), error);
}

/* What was found out about it is said beside the document, which stays the daemon's. */
static void judge(SyncdCli *cli, SyncdJson envelope, const SyncdAttestationKeys *keys)
{
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    syncd_evidence_check(envelope, keys, problems);
    if (problems->len > 0)
        cli->exit = SYNCD_EXIT_NEGATIVE;
    for (guint i = 0; i < problems->len; i++)
        syncd_cli_remark(cli, _("It is not valid: %s."), (const char *)problems->pdata[i]);
    if (problems->len > 0)
        return;
    if (syncd_cli_flag(cli, "key"))
        syncd_cli_remark(cli, _("It is valid, and signed by the key you gave."));
    else
        syncd_cli_remark(cli, _("It is valid, and signed by this device's key."));
}

bool syncd_verb_evidence_show(SyncdCli *cli, GError **error)
{
    g_autofree char *text = get(cli, error);
    g_autoptr(SyncdAttestationKeys) keys =
        text != NULL ? syncd_document_keys_or_own(cli, error) : NULL;
    if (keys == NULL)
        return false;
    g_autoptr(GString) shown = g_string_new(text);
    syncd_document_show(cli, shown);
    judge(cli, syncd_json_root(text, strlen(text)), keys);
    return true;
}
