/* What is recorded and has these words. */
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "client/calls.h"

#include <string.h>

#define LIMIT_DEFAULT 50u
#define LIMIT_MAX 1000000000u
#define PAGE 100u

typedef struct {
    SyncdCli *cli;
    char *words;
    char *workspace; /* NULL: any */
    SyncdTable *table;
    SyncdJsonWriter *writer; /* NULL: for people */
    guint64 left, n;
} Search;

static GVariant *page_options(const Search *search, const char *cursor)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    const char *kind = syncd_cli_value(search->cli, "kind");
    g_variant_dict_insert(&options, "limit", "u", (guint32)MIN(search->left, PAGE));
    if (*cursor != '\0')
        g_variant_dict_insert(&options, "cursor", "s", cursor);
    if (kind != NULL)
        g_variant_dict_insert(&options, "kind", "s", kind);
    if (search->workspace != NULL)
        g_variant_dict_insert(&options, "workspace", "s", search->workspace);
    if (syncd_cli_flag(search->cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return g_variant_dict_end(&options);
}

static void add_row(SyncdTable *table, SyncdJson hit)
{
    g_autofree char *kind = syncd_record_text(hit, "kind");
    g_autofree char *title = syncd_record_text(hit, "title");
    g_autofree char *scope = syncd_record_text(hit, "scope");
    g_autofree char *id = syncd_record_text(hit, "id");
    const char *const cells[] = {kind, title, scope, id};
    syncd_table_add(table, cells);
}

static void take_hits(Search *search, const char *hits)
{
    SyncdJsonIter iter;
    SyncdJson hit;
    syncd_json_iter_init(&iter, syncd_json_root(hits, strlen(hits)));
    for (; syncd_json_iter_next(&iter, NULL, &hit); search->n++, search->left--) {
        if (search->writer != NULL)
            syncd_json_value(search->writer, hit);
        else
            add_row(search->table, hit);
    }
}

/* A page may be empty and others follow all the same. */
static bool take_pages(Search *search, SyncdClient *client, bool *ret_more, GError **error)
{
    g_autofree char *cursor = g_strdup("");
    do {
        g_autofree char *hits = NULL, *next = NULL;
        if (!syncd_client_find(client, search->words, page_options(search, cursor), &hits, &next,
                               error))
            return false;
        take_hits(search, hits);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0' && search->left > 0);
    *ret_more = *cursor != '\0';
    return true;
}

static bool begin(Search *search, SyncdCli *cli, GError **error)
{
    const char *workspace = syncd_cli_value(cli, "workspace");
    search->cli = cli;
    search->words = g_strjoinv(" ", (char **)cli->arguments->pdata);
    search->workspace = workspace != NULL ? syncd_cli_workspace_id(workspace) : NULL;
    if (!syncd_cli_number(cli, "limit", LIMIT_MAX, LIMIT_DEFAULT, &search->left, error))
        return false;
    if (search->left == 0)
        search->left = G_MAXUINT64;
    return true;
}

/* Where no directory is the workspace that was named, that is the likelier reason. */
static void remark_nothing(SyncdCli *cli, SyncdClient *client)
{
    const char *named = syncd_cli_value(cli, "workspace");
    g_autoptr(GError) absent = NULL;
    if (named != NULL)
        syncd_cli_workspace_free(syncd_cli_find_workspace(cli, client, named, &absent));
    syncd_cli_remark(cli, "%s",
                     absent != NULL ? absent->message
                                    : _("Nothing is found: each word has to be one, or the "
                                        "beginning of one that has at least three letters."));
}

static void print(const Search *search, SyncdClient *client, bool more)
{
    SyncdCli *cli = search->cli;
    if (search->n == 0) {
        remark_nothing(cli, client);
        return;
    }
    if (!syncd_cli_flag(cli, "no-pager"))
        syncd_output_start_pager(cli->out);
    syncd_table_print(search->table, cli->out);
    if (more)
        syncd_cli_remark(cli, _("There is more: use --limit."));
}

static bool run(Search *search, SyncdCli *cli, GError **error)
{
    g_autoptr(GString) json = g_string_new(NULL);
    SyncdJsonWriter writer;
    bool more;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    syncd_json_writer_init(&writer, json, false);
    search->writer = syncd_cli_json(cli) ? &writer : NULL;
    syncd_json_begin_array(&writer);
    if (!take_pages(search, client, &more, error))
        return false;
    syncd_json_end_array(&writer);
    if (search->writer != NULL)
        syncd_output_json(cli->out, json->str, json->len, true);
    else
        print(search, client, more);
    return true;
}

bool syncd_verb_find(SyncdCli *cli, GError **error)
{
    const char *const titles[] = {_("KIND"), _("NAME"), _("SCOPE"), _("ID"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    Search search = {.table = table};
    bool done = begin(&search, cli, error) && run(&search, cli, error);
    g_free(search.words);
    g_free(search.workspace);
    return done;
}
