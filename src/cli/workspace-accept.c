/* What was found in a file is what shall be recorded, once whoever asks has seen what that is. */
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "client/workspaces.h"

#include <string.h>

#define DIGEST_SHOWN 12

static void show_found(SyncdCli *cli, SyncdJson file, const char *sha256)
{
    g_autofree char *path = syncd_record_text(file, "path"), *safe = syncd_text_safe(path),
                    *recorded = syncd_record_text(file, "sha256");
    SyncdJson found = syncd_json_member(file, "found");
    g_autofree char *before = g_format_size(syncd_record_number(file, "size")),
                    *now = g_format_size(syncd_record_number(found, "size"));
    syncd_output_wrapped(cli->out,
                         _("%s: %s, sha256 %.*s was found, where %s, sha256 %.*s is recorded.\n"),
                         safe, now, DIGEST_SHOWN, sha256, before, DIGEST_SHOWN, recorded);
}

static char *find_digest(const SyncdCliWorkspace *workspace, SyncdJson file, GError **error)
{
    SyncdJson found = syncd_json_member(file, "found");
    if (found.type == SYNCD_JSON_OBJECT)
        return syncd_record_text(found, "sha256");
    g_autofree char *name = syncd_shell_word(syncd_cli_workspace_name(workspace->workspace)),
                    *next = g_strdup_printf("read every file of it with `sourceos-syncd workspace "
                                            "scan %s --deep`",
                                            name);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next,
                         "Nothing was found in the file that is not recorded");
    return NULL;
}

bool syncd_verb_workspace_accept(SyncdCli *cli, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autoptr(SyncdCliWorkspace) workspace =
        client != NULL ? syncd_cli_find_path(cli, client, syncd_cli_argument(cli, 0), &path, error)
                       : NULL;
    g_autofree char *file =
        workspace != NULL ? syncd_client_get_file(client, workspace->workspace, path, NULL, error)
                          : NULL;
    if (file == NULL)
        return false;
    SyncdJson root = syncd_json_root(file, strlen(file));
    g_autofree char *sha256 = find_digest(workspace, root, error);
    if (sha256 == NULL)
        return false;
    if (!syncd_cli_json(cli))
        show_found(cli, root, sha256);
    if (!syncd_cli_confirm(cli, _("Record it?"), error))
        return false;
    g_autofree char *accepted =
        syncd_client_accept(client, workspace->workspace, path, sha256, error);
    if (accepted == NULL)
        return false;
    SyncdJson result = syncd_json_root(accepted, strlen(accepted));
    g_autofree char *operation = syncd_record_text(result, "operation_id");
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, accepted, strlen(accepted), true);
    else
        syncd_output_wrapped(cli->out, _("Recorded: version %llu now, operation %s.\n"),
                             (unsigned long long)syncd_record_number(result, "version"), operation);
    return true;
}
