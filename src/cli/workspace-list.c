/* The directories that are workspaces, and one of them. */
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/record.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "client/registry.h"
#include "client/workspaces.h"

#include <string.h>

static GVariant *all_option(const SyncdCli *cli)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return g_variant_dict_end(&options);
}

/* ---- list ---- */

/* One that is not recorded, whatever its record says, is what keeps it from that. */
static bool is_kept_from(SyncdJson row)
{
    SyncdJson recording = syncd_json_member(row, "recording");
    return syncd_json_is(recording, "missing") || syncd_json_is(recording, "failed");
}

static void add_row(SyncdTable *table, SyncdJson row)
{
    bool kept_from = is_kept_from(row);
    g_autofree char *id = syncd_record_text(row, "workspace_id");
    g_autofree char *state = syncd_record_text(row, kept_from ? "recording" : "state");
    g_autofree char *files = syncd_record_text(row, "files");
    g_autofree char *size = g_format_size(syncd_record_number(row, "size"));
    g_autofree char *directory = syncd_record_text(row, "directory");
    g_autofree char *reason =
        syncd_record_text(row, kept_from ? "recording_reason" : "pause_reason");
    const char *const cells[] = {
        syncd_cli_workspace_name(id), state, files, size, directory, reason};
    syncd_table_add(table, cells);
}

bool syncd_verb_workspace_list(SyncdCli *cli, GError **error)
{
    const char *const columns[] = {_("WORKSPACE"), _("STATE"), _(">FILES"), _(">SIZE"),
                                   _("DIRECTORY"), _("WHY"),   NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(columns);
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *rows =
        client != NULL ? syncd_client_list_workspaces(client, all_option(cli), error) : NULL;
    SyncdJsonIter iter;
    SyncdJson row;
    guint n = 0;
    if (rows == NULL)
        return false;
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, rows, strlen(rows), true);
        return true;
    }
    syncd_json_iter_init(&iter, syncd_json_root(rows, strlen(rows)));
    for (; syncd_json_iter_next(&iter, NULL, &row); n++)
        add_row(table, row);
    syncd_table_print(table, cli->out);
    if (n == 0)
        syncd_cli_remark(cli, "%s",
                         _("No directory is a workspace yet: `sourceos-syncd workspace add "
                           "DIRECTORY` makes one."));
    return true;
}

/* ---- show ---- */

static SyncdJson row_of(const char *rows, const char *root)
{
    SyncdJsonIter iter;
    SyncdJson row;
    syncd_json_iter_init(&iter, syncd_json_root(rows, strlen(rows)));
    while (syncd_json_iter_next(&iter, NULL, &row))
        if (syncd_json_is(syncd_json_member(row, "root_id"), root))
            return row;
    return (SyncdJson){0};
}

/* The members of `object` that are not in `known`. */
static void add_members(SyncdJson object, SyncdJson known, SyncdJsonWriter *writer)
{
    static const char *const said[] = {"schema", "root_state", NULL}; /* by other members */
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *member = syncd_json_dup_string(name, NULL);
        if (!g_strv_contains(said, member) &&
            syncd_json_member(known, member).type == SYNCD_JSON_NONE)
            syncd_json_member_value(writer, member, value);
    }
}

/* The root's record and the workspace's have some members of the same names: the root's is about
 * the directory, which is what is asked about. */
static char *merge(SyncdJson row, const SyncdCliWorkspace *workspace, const char *shown)
{
    SyncdJson root = syncd_json_root(workspace->record, strlen(workspace->record));
    SyncdJson record = syncd_json_member(syncd_json_root(shown, strlen(shown)), "record");
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    add_members(row, (SyncdJson){0}, &writer);
    if (syncd_json_member(record, "profile_id").type != SYNCD_JSON_NONE)
        syncd_json_member_value(&writer, "profile_id", syncd_json_member(record, "profile_id"));
    add_members(root, row, &writer);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

bool syncd_verb_workspace_show(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autoptr(SyncdCliWorkspace) workspace =
        client != NULL ? syncd_cli_find_workspace(cli, client, syncd_cli_argument(cli, 0), error)
                       : NULL;
    g_autofree char *rows =
        workspace != NULL ? syncd_client_list_workspaces(client, all_option(cli), error) : NULL;
    g_autofree char *shown =
        rows != NULL ? syncd_client_show_record(client, "workspace", workspace->workspace,
                                                all_option(cli), error)
                     : NULL;
    if (shown == NULL)
        return false;
    g_autofree char *merged = merge(row_of(rows, workspace->root), workspace, shown);
    g_autofree char *name = syncd_text_safe(syncd_cli_workspace_name(workspace->workspace));
    syncd_record_show(cli, merged);
    if (strcmp(workspace->state, "paused") == 0)
        syncd_cli_remark(cli, _("`sourceos-syncd workspace resume %s` has it recorded again."),
                         name);
    return true;
}
