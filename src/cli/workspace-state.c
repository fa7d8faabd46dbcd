/* What is said about a workspace once it is one: pause, resume, remove. */
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "client/registry.h"
#include "domain/family.h"

#include <string.h>

#define PAUSED "paused"
#define REASON_DEFAULT "asked for"

static SyncdCliWorkspace *find(SyncdCli *cli, SyncdClient **ret_client, GError **error)
{
    *ret_client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    return *ret_client != NULL
               ? syncd_cli_find_workspace(cli, *ret_client, syncd_cli_argument(cli, 0), error)
               : NULL;
}

/* ---- saying so ---- */

static void show_json(SyncdCli *cli, const SyncdCliWorkspace *workspace, const char *state,
                      const SyncdClientChange *change)
{
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "workspace_id", workspace->workspace);
    syncd_json_member_string(writer, "directory", workspace->directory);
    syncd_json_member_string(writer, "state", state);
    syncd_json_member_bool(writer, "changed", change->id != NULL);
    syncd_json_member_string(writer, "root_id", workspace->root);
    if (change->id != NULL) {
        syncd_json_member_string(writer, "operation", change->operation);
        syncd_json_member_uint(writer, "sequence", change->sequence);
    }
    syncd_output_end_object(cli->out);
}

/* `sentence` has the place of a workspace's name, or of none. */
static void show(SyncdCli *cli, const SyncdCliWorkspace *workspace, const char *state,
                 const SyncdClientChange *change, const char *sentence)
{
    g_autofree char *name = syncd_text_safe(syncd_cli_workspace_name(workspace->workspace));
    if (syncd_cli_json(cli))
        show_json(cli, workspace, state, change);
    else if (change->id == NULL)
        syncd_output_wrapped(cli->out, _("The workspace %s is %s already.\n"), name,
                             workspace->state);
    else
        syncd_output_wrapped(cli->out, "%s\n", sentence);
}

/* ---- pause, resume ---- */

/* The record as it is, in another state. */
static char *with_state(const SyncdCliWorkspace *workspace, const char *state, const char *reason)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, syncd_json_root(workspace->record, strlen(workspace->record)));
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *member = syncd_json_dup_string(name, NULL);
        if (strcmp(member, "root_state") != 0 && !g_str_has_prefix(member, "pause_"))
            syncd_json_member_value(&writer, member, value);
    }
    syncd_json_member_string(&writer, "root_state", state);
    if (reason != NULL)
        syncd_json_member_string(&writer, "pause_reason", reason);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

static bool set_state(SyncdCli *cli, const char *state, const char *reason, const char *sentence,
                      GError **error)
{
    g_autoptr(SyncdClient) client = NULL;
    g_auto(SyncdClientChange) change = {0};
    g_autoptr(SyncdCliWorkspace) workspace = find(cli, &client, error);
    if (workspace == NULL)
        return false;
    if (strcmp(workspace->state, state) != 0) {
        g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
        g_autofree char *record = with_state(workspace, state, reason);
        g_variant_dict_insert(&options, "expected", "t", workspace->sequence);
        if (!syncd_client_change(client, "Update", syncd_family(SYNCD_FAMILY_ROOT)->name,
                                 workspace->root, record, g_variant_dict_end(&options), &change,
                                 error))
            return false;
    }
    show(cli, workspace, state, &change, sentence);
    return true;
}

bool syncd_verb_workspace_pause(SyncdCli *cli, GError **error)
{
    const char *reason = syncd_cli_value(cli, "reason");
    return set_state(cli, PAUSED, reason != NULL ? reason : REASON_DEFAULT,
                     _("Paused: nothing that changes there is recorded until it is resumed."),
                     error);
}

bool syncd_verb_workspace_resume(SyncdCli *cli, GError **error)
{
    return set_state(cli, SYNCD_STATE_ACTIVE, NULL,
                     _("Resumed: what changed meanwhile is recorded, deletions too."), error);
}

/* ---- remove ---- */

/* Nothing is lost, and it can be added again: nobody has to be asked. */
bool syncd_verb_workspace_remove(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(SyncdClient) client = NULL;
    g_auto(SyncdClientChange) change = {0};
    const char *reason = syncd_cli_value(cli, "reason");
    g_autoptr(SyncdCliWorkspace) workspace = find(cli, &client, error);
    if (workspace == NULL)
        return false;
    if (reason != NULL)
        g_variant_dict_insert(&options, "reason", "s", reason);
    if (!syncd_client_change(client, "Revoke", syncd_family(SYNCD_FAMILY_ROOT)->name,
                             workspace->root, NULL, g_variant_dict_end(&options), &change, error))
        return false;
    g_autofree char *directory = syncd_text_safe(workspace->directory);
    g_autofree char *sentence =
        g_strdup_printf(_("No longer recorded: %s. Its files stay as they are, and the log keeps "
                          "what it has of them."),
                        directory);
    show(cli, workspace, SYNCD_STATE_REVOKED, &change, sentence);
    return true;
}
