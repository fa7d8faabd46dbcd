/* What is recorded of the files of a workspace. */
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "cli/workspace-find.h"
#include "client/workspaces.h"

#include <string.h>

#define LIMIT_DEFAULT 50u
#define LIMIT_MAX 1000000000u
#define PAGE 1000u

typedef struct {
    SyncdCli *cli;
    const char *workspace;
    char *path;
    SyncdTable *table;
    SyncdJsonWriter *writer;
    guint64 left, n;
    char *first; /* the path of the first row; NULL: there is none yet */
} Listing;

/* What is no UTF-8 is shown as such by whoever prints it. */
static char *path_of(SyncdJson file)
{
    gsize size;
    g_autofree char *base64 = syncd_record_text(file, "path_base64");
    if (*base64 == '\0')
        return syncd_record_text(file, "path");
    g_autofree guchar *bytes = g_base64_decode(base64, &size);
    return g_strndup((const char *)bytes, size);
}

/* As `ls` writes it, without the kind. */
static char *mode_of(SyncdJson file)
{
    static const char letters[] = "rwxrwxrwx";
    static const struct {
        guint bit;
        guint at;
        char with_x, without;
    } special[] = {{04000, 2, 's', 'S'}, {02000, 5, 's', 'S'}, {01000, 8, 't', 'T'}};
    guint mode = (guint)syncd_record_number(file, "mode");
    char *text = g_strdup(letters);
    for (guint i = 0; i < strlen(letters); i++)
        if ((mode & (0400u >> i)) == 0)
            text[i] = '-';
    for (size_t i = 0; i < G_N_ELEMENTS(special); i++)
        if ((mode & special[i].bit) != 0)
            text[special[i].at] =
                text[special[i].at] == 'x' ? special[i].with_x : special[i].without;
    return text;
}

static void add_row(SyncdTable *table, SyncdJson file)
{
    g_autofree char *path = path_of(file);
    g_autofree char *kind = syncd_record_text(file, "kind");
    g_autofree char *mode = mode_of(file);
    g_autofree char *size = syncd_record_text(file, "size");
    g_autofree char *version = syncd_record_text(file, "version");
    g_autofree char *recorded = syncd_record_text(file, "recorded_at");
    g_autofree char *time = syncd_when_local(recorded);
    g_autofree char *actor = syncd_record_text(file, "actor_id");
    g_autofree char *operation = syncd_record_text(file, "operation_id");
    bool is_folder = strcmp(kind, "folder") == 0;
    const char *const cells[] = {kind,  mode,     is_folder ? NULL : size, version, time, path,
                                 actor, operation};
    syncd_table_add(table, cells);
}

static GVariant *page_options(const SyncdCli *cli, const char *cursor, guint64 left)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_variant_dict_insert(&options, "limit", "u", (guint32)MIN(left, PAGE));
    if (*cursor != '\0')
        g_variant_dict_insert(&options, "cursor", "s", cursor);
    if (syncd_cli_flag(cli, "mismatched"))
        g_variant_dict_insert(&options, "mismatched", "b", TRUE);
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return g_variant_dict_end(&options);
}

static void take_rows(Listing *listing, const char *files)
{
    SyncdCli *cli = listing->cli;
    SyncdJsonIter iter;
    SyncdJson file;
    syncd_json_iter_init(&iter, syncd_json_root(files, strlen(files)));
    for (; syncd_json_iter_next(&iter, NULL, &file); listing->n++, listing->left--) {
        if (syncd_cli_json(cli))
            syncd_json_value(listing->writer, file);
        else
            add_row(listing->table, file);
        if (listing->first == NULL)
            listing->first = path_of(file);
    }
    if (syncd_cli_json(cli) || listing->n == 0)
        return;
    if (!syncd_cli_flag(cli, "no-pager"))
        syncd_output_start_pager(cli->out);
    syncd_table_print(listing->table, cli->out);
}

static bool take_pages(Listing *listing, SyncdClient *client, bool *ret_more, GError **error)
{
    g_autofree char *cursor = g_strdup("");
    do {
        g_autofree char *files = NULL, *next = NULL;
        if (!syncd_client_list_files(client, listing->workspace, listing->path,
                                     page_options(listing->cli, cursor, listing->left), &files,
                                     &next, error))
            return false;
        take_rows(listing, files);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0' && listing->left > 0 && !syncd_output_is_closed(listing->cli->out));
    *ret_more = *cursor != '\0';
    return true;
}

/* ---- which ---- */

/* "folder/" and "./folder" are "folder". */
static char *plain(const char *path)
{
    g_autofree char *full = g_canonicalize_filename(path, "/");
    return g_strdup(full + 1);
}

/* The name of one that was removed is enough: what is recorded of it stays. */
static char *find(SyncdCli *cli, SyncdClient *client, char **ret_directory, char **ret_path,
                  GError **error)
{
    const char *named = syncd_cli_argument(cli, 0), *prefix = syncd_cli_argument(cli, 1);
    g_autofree char *within = NULL, *beneath = prefix != NULL ? plain(prefix) : g_strdup("");
    GError *fault = NULL;
    g_autoptr(SyncdCliWorkspace) workspace =
        syncd_cli_find_path(cli, client, named, &within, &fault);
    if (workspace == NULL) {
        g_autofree char *id = syncd_cli_workspace_id(named), *files = NULL, *next = NULL;
        if (!g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND) ||
            !syncd_client_list_files(client, id, "", page_options(cli, "", 1), &files, &next,
                                     NULL)) {
            g_propagate_error(error, fault);
            return NULL;
        }
        g_error_free(fault);
        *ret_path = g_steal_pointer(&beneath);
        return g_steal_pointer(&id);
    }
    const char *between = *within != '\0' && *beneath != '\0' ? "/" : "";
    *ret_path = g_strconcat(within, between, beneath, NULL);
    *ret_directory = g_strdup(workspace->directory);
    return g_strdup(workspace->workspace);
}

/* Where it is no workspace any more there are none. */
static void remark_ways(SyncdCli *cli, const char *directory, const char *first)
{
    if (directory == NULL)
        return;
    g_autofree char *path = g_build_filename(directory, first, NULL),
                    *file = syncd_shell_word(path);
    syncd_cli_remark(cli,
                     _("`sourceos-syncd workspace restore %s` puts the recorded bytes back, where "
                       "they are kept; `sourceos-syncd workspace accept %s` records those that "
                       "are there."),
                     file, file);
}

bool syncd_verb_workspace_files(SyncdCli *cli, GError **error)
{
    const char *const columns[] = {_("KIND"),     _("MODE"),      _(">SIZE"),
                                   _(">VERSION"), _("RECORDED"),  _("PATH"),
                                   _("ACTOR"),    _("OPERATION"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(columns);
    g_autoptr(GString) json = g_string_new(NULL);
    g_autofree char *directory = NULL, *path = NULL;
    SyncdJsonWriter writer;
    bool more;
    Listing listing = {.cli = cli, .table = table, .writer = &writer};
    if (!syncd_cli_number(cli, "limit", LIMIT_MAX, LIMIT_DEFAULT, &listing.left, error))
        return false;
    if (listing.left == 0)
        listing.left = G_MAXUINT64;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *workspace =
        client != NULL ? find(cli, client, &directory, &path, error) : NULL;
    if (workspace == NULL)
        return false;
    listing.workspace = workspace;
    listing.path = path;
    syncd_json_writer_init(&writer, json, false);
    syncd_json_begin_array(&writer);
    bool taken = take_pages(&listing, client, &more, error);
    g_autofree char *first = listing.first;
    if (!taken)
        return false;
    syncd_json_end_array(&writer);
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, json->str, json->len, true);
    else if (listing.n == 0)
        syncd_cli_remark(cli, "%s",
                         syncd_cli_flag(cli, "mismatched")
                             ? _("Every file there is what is recorded, as far as it was read.")
                             : _("Nothing is recorded there yet."));
    else if (syncd_cli_flag(cli, "mismatched"))
        remark_ways(cli, directory, first);
    else if (more)
        syncd_cli_remark(cli, _("There is more: use --limit."));
    return true;
}
