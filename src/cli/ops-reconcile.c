#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/record.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/calls.h"

#include <string.h>

static bool write_artifacts(SyncdJsonWriter *writer, char *const *artifacts, GError **error)
{
    syncd_json_name(writer, "artifact_reconciliation");
    syncd_json_begin_object(writer);
    for (size_t i = 0; artifacts[i] != NULL; i++) {
        const char *equals = strchr(artifacts[i], '=');
        if (equals == NULL) {
            syncd_set_error(error, SYNCD_ERROR_USAGE, "--artifact wants PROVISIONAL=FINAL");
            return false;
        }
        g_autofree char *provisional = g_strndup(artifacts[i], (size_t)(equals - artifacts[i]));
        syncd_json_member_string(writer, provisional, equals + 1);
    }
    syncd_json_end_object(writer);
    return true;
}

static GString *make_document(const SyncdCli *cli, GError **error)
{
    g_autoptr(GPtrArray) artifacts = syncd_cli_values(cli, "artifact"),
                         evidence = syncd_cli_values(cli, "evidence");
    const char *remote = syncd_cli_value(cli, "remote"),
               *admission = syncd_cli_value(cli, "admission");
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    if (remote != NULL)
        syncd_json_member_string(&writer, "remote_operation_id", remote);
    if (artifacts->pdata[0] != NULL &&
        !write_artifacts(&writer, (char *const *)artifacts->pdata, error))
        return NULL;
    if (admission != NULL)
        syncd_json_member_string(&writer, "artifact_admission_ref", admission);
    syncd_json_name(&writer, "ledger_evidence_refs");
    syncd_json_begin_array(&writer);
    for (size_t i = 0; evidence->pdata[i] != NULL; i++)
        syncd_json_string(&writer, evidence->pdata[i]);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    return g_steal_pointer(&text);
}

static void show(SyncdCli *cli, const char *entry, bool duplicate)
{
    if (!syncd_cli_json(cli)) {
        g_autofree char *safe = syncd_text_safe(entry);
        syncd_output_wrapped(cli->out,
                             duplicate ? _("Reconciled earlier in this way: evidence %s.\n")
                                       : _("Reconciled: evidence %s.\n"),
                             safe);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "evidence_ref", entry);
    syncd_json_member_bool(writer, "duplicate", duplicate);
    syncd_output_end_object(cli->out);
}

static bool check_choices(const SyncdCli *cli, GError **error)
{
    const char *missing = NULL;
    if (syncd_cli_value(cli, "remote") == NULL && syncd_cli_value(cli, "artifact") == NULL)
        missing =
            "Say what it is called elsewhere: --remote=ID, --artifact=PROVISIONAL=FINAL or both";
    else if (syncd_cli_value(cli, "evidence") == NULL)
        missing = "Say what proves it: --evidence=REF, an entry of the log or a digest sha256:…";
    if (missing != NULL)
        syncd_set_error(error, SYNCD_ERROR_USAGE, "%s", missing);
    return missing == NULL;
}

bool syncd_verb_ops_reconcile(SyncdCli *cli, GError **error)
{
    bool duplicate;
    if (!check_choices(cli, error))
        return false;
    g_autoptr(GString) document = make_document(cli, error);
    if (document == NULL)
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *entry = client != NULL
                                 ? syncd_client_reconcile(client, syncd_cli_argument(cli, 0),
                                                          document->str, &duplicate, error)
                                 : NULL;
    if (entry == NULL)
        return false;
    show(cli, entry, duplicate);
    return true;
}

bool syncd_verb_ops_reconciled(SyncdCli *cli, GError **error)
{
    static const char *const names[] = {"operation", "remote", "artifact"};
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    bool asked = false;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (syncd_cli_value(cli, names[i]) != NULL) {
            g_variant_dict_insert(&options, names[i], "s", syncd_cli_value(cli, names[i]));
            asked = true;
        }
    if (!asked) {
        syncd_set_error(error, SYNCD_ERROR_USAGE,
                        "Say what to find: --operation=ID, --remote=ID or --artifact=ID");
        return false;
    }
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *found =
        client != NULL ? syncd_client_list_reconciled(client, g_variant_dict_end(&options), error)
                       : NULL;
    if (found == NULL)
        return false;
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, found, strlen(found), true);
        return true;
    }
    SyncdJsonIter iter;
    SyncdJson record;
    syncd_json_iter_init(&iter, syncd_json_root(found, strlen(found)));
    bool any = false;
    for (; syncd_json_iter_next(&iter, NULL, &record); any = true)
        syncd_record_print(cli->out, record);
    if (!any)
        syncd_cli_remark(cli, "%s", _("Nothing was reconciled under this id."));
    return true;
}
