/* A plan of repair: the daemon's own, of what is wrong now, or a preview for a report. */
#include "domain/repair-plan.h"
#include "cli/document.h"
#include "cli/file-log.h"
#include "cli/i18n.h"
#include "cli/repair.h"
#include "cli/verbs.h"
#include "client/repair.h"

#include <string.h>
#include <unistd.h>

static bool preview(SyncdCli *cli, GError **error)
{
    g_auto(SyncdJudgedReport) judged = {0};
    const char *of_daemon = syncd_cli_value(cli, "accept") != NULL ? "--accept"
                            : syncd_cli_flag(cli, "purge")         ? "--purge"
                                                                   : NULL;
    if (of_daemon != NULL) {
        syncd_set_error(error, SYNCD_ERROR_USAGE,
                        "%s is about what the daemon has, and not about a report", of_daemon);
        return false;
    }
    if (!syncd_judged_report_read(cli, &judged, error))
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_repair_plan_write(judged.judgement, text);
    syncd_document_show(cli, text);
    return true;
}

/* ---- the daemon's ---- */

/* Ids of the files whose bytes are to be recorded instead of restored. */
static GPtrArray *take_accepted(SyncdCli *cli, SyncdClient *client, GError **error)
{
    g_autoptr(GPtrArray) named = syncd_cli_values(cli, "accept");
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; named->pdata[i] != NULL; i++) {
        char *id = syncd_cli_file_id(cli, client, named->pdata[i], error);
        if (id == NULL)
            return NULL;
        g_ptr_array_add(ids, id);
    }
    g_ptr_array_add(ids, NULL);
    return g_steal_pointer(&ids);
}

static char *make_plan(SyncdCli *cli, SyncdClient *client, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GPtrArray) accepted = take_accepted(cli, client, error);
    if (accepted == NULL)
        return NULL;
    if (accepted->len > 1)
        g_variant_dict_insert(&options, "accept", "^as", accepted->pdata);
    if (syncd_cli_flag(cli, "purge"))
        g_variant_dict_insert(&options, "purge", "b", TRUE);
    return syncd_client_plan_repair(client, g_variant_dict_end(&options), error);
}

/* Its digest is over these very bytes. A terminal is shown what cannot steer it. */
static void print_document(SyncdCli *cli, const SyncdCliRepair *repair)
{
    if (syncd_cli_flag(cli, "compact") || isatty(STDOUT_FILENO))
        syncd_output_json(cli->out, repair->document, strlen(repair->document), true);
    else
        syncd_output_text(cli->out, repair->document);
}

bool syncd_verb_repair_plan(SyncdCli *cli, GError **error)
{
    if (syncd_cli_value(cli, "file") != NULL)
        return preview(cli, error);
    g_auto(SyncdCliRepair) repair = {0};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *id = client != NULL ? make_plan(cli, client, error) : NULL;
    if (id == NULL || !syncd_cli_take_repair(client, id, &repair, error))
        return false;
    print_document(cli, &repair);
    if (isatty(STDERR_FILENO))
        syncd_cli_remark(cli,
                         _("This is the plan %s, with the digest %s. Nothing is done yet: "
                           "`sourceos-syncd repair approve %s` approves it."),
                         repair.id, repair.digest, repair.id);
    return true;
}
