/* Looking into all of a workspace, with a bar that says how far it is. */
#include "cli/i18n.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "client/job.h"
#include "client/workspaces.h"

#include <poll.h>
#include <string.h>

static char *scan(SyncdClient *client, const char *workspace, bool deep, SyncdProgress *progress,
                  GError **error)
{
    struct pollfd stop = {.fd = syncd_interrupt_catch(), .events = POLLIN};
    g_autofree char *job = syncd_client_scan(client, workspace, deep, error);
    return job != NULL
               ? syncd_client_wait_job(client, job, &stop, syncd_progress_show, progress, error)
               : NULL;
}

static void say_deep(SyncdCli *cli, SyncdJson result)
{
    unsigned long long mismatched = syncd_record_number(result, "mismatched");
    g_autofree char *size = g_format_size(syncd_record_number(result, "bytes_read")),
                    *workspace = syncd_record_text(result, "workspace_id");
    syncd_output_wrapped(cli->out, _("Files read and compared: %llu, %s. Not as recorded: %llu.\n"),
                         (unsigned long long)syncd_record_number(result, "files_read"), size,
                         mismatched);
    if (mismatched == 0)
        return;
    syncd_cli_remark(cli,
                     _("Nothing said that they changed. `sourceos-syncd workspace files %s "
                       "--mismatched` lists them."),
                     syncd_cli_workspace_name(workspace));
}

/* Usually as the folders are watched, and each change is recorded as it comes. */
static bool finds_nothing(SyncdJson result)
{
    return syncd_record_number(result, "created") + syncd_record_number(result, "changed") +
               syncd_record_number(result, "deleted") + syncd_record_number(result, "unreadable") +
               syncd_record_number(result, "mismatched") ==
           0;
}

static void say(SyncdCli *cli, SyncdJson result)
{
    unsigned long long unreadable = syncd_record_number(result, "unreadable");
    syncd_output_wrapped(cli->out, _("Folders: %llu. New: %llu, changed: %llu, deleted: %llu.\n"),
                         (unsigned long long)syncd_record_number(result, "folders"),
                         (unsigned long long)syncd_record_number(result, "created"),
                         (unsigned long long)syncd_record_number(result, "changed"),
                         (unsigned long long)syncd_record_number(result, "deleted"));
    if (finds_nothing(result))
        syncd_cli_remark(cli, "%s",
                         _("Nothing more: what changed before the scan is recorded already."));
    if (syncd_json_member(result, "deep").type == SYNCD_JSON_TRUE)
        say_deep(cli, result);
    if (unreadable > 0)
        syncd_cli_remark(cli, _("What could not be read stays as it was recorded: %llu."),
                         unreadable);
    if (syncd_json_member(result, "unwatched").type == SYNCD_JSON_TRUE)
        syncd_cli_remark(
            cli, "%s", _("Some folders are not watched: the next scan finds what changes there."));
}

bool syncd_verb_workspace_scan(SyncdCli *cli, GError **error)
{
    bool deep = syncd_cli_flag(cli, "deep");
    SyncdProgress progress = syncd_progress(cli, deep ? _("Reading") : _("Scanning"));
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autoptr(SyncdCliWorkspace) workspace =
        client != NULL ? syncd_cli_find_workspace(cli, client, syncd_cli_argument(cli, 0), error)
                       : NULL;
    if (workspace == NULL)
        return false;
    g_autofree char *result = scan(client, workspace->workspace, deep, &progress, error);
    syncd_interrupt_release();
    syncd_progress_clear(&progress);
    if (result == NULL)
        return false;
    SyncdJson root = syncd_json_root(result, strlen(result));
    if (syncd_record_number(root, "mismatched") > 0 ||
        (deep && syncd_record_number(root, "unreadable") > 0))
        cli->exit = SYNCD_EXIT_NEGATIVE;
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, result, strlen(result), true);
    else
        say(cli, root);
    return true;
}
