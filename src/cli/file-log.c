#include "cli/file-log.h"

#include "base/json-writer.h"
#include "cli/actor-names.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/parse.h"
#include "cli/table.h"
#include "cli/when.h"
#include "cli/workspace-find.h"
#include "client/workspaces.h"
#include "domain/file-changes.h"

#include <string.h>

#define LIMIT_DEFAULT 50u
#define LIMIT_MAX 1000000000u
#define PAGE 1000u

static bool is_id(const char *named)
{
    char operation[SYNCD_FILE_ID_SIZE];
    guint number;
    return syncd_file_id_parse(SYNCD_BYTES_TEXT(named), operation, &number);
}

bool syncd_cli_names_file(const char *named)
{
    return is_id(named) || strchr(named, '/') != NULL || strcmp(named, ".") == 0 ||
           strcmp(named, "..") == 0 || strcmp(named, "~") == 0;
}

/* What the events of an object can be narrowed by, and steps of a file not. */
static bool check_options(const SyncdCli *cli, GError **error)
{
    static const char *const others[] = {"scope", "actor", "since", "until", "after", "type"};
    const char *wrong = syncd_cli_flag(cli, "oldest-first") ? "oldest-first" : NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (syncd_cli_value(cli, others[i]) != NULL)
            wrong = others[i];
    if (wrong != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "leave it out; --limit and --all are",
                             "--%s is not for the history of a file", wrong);
    return wrong == NULL;
}

static GVariant *options_of(const SyncdCli *cli, guint64 limit, const char *cursor)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (limit > 0)
        g_variant_dict_insert(&options, "limit", "u", (guint32)MIN(limit, PAGE));
    if (cursor != NULL && *cursor != '\0')
        g_variant_dict_insert(&options, "cursor", "s", cursor);
    if (syncd_cli_find_option(cli->verb, "all") != NULL && syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return g_variant_dict_end(&options);
}

/* What was deleted, or is ignored, has a history too. */
static GVariant *options_of_file(const SyncdCli *cli)
{
    g_autoptr(GVariant) common = g_variant_ref_sink(options_of(cli, 0, NULL));
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(common);
    g_variant_dict_insert(&options, "past", "b", TRUE);
    return g_variant_dict_end(&options);
}

char *syncd_cli_file_id(SyncdCli *cli, SyncdClient *client, const char *named, GError **error)
{
    g_autofree char *path = NULL;
    if (is_id(named))
        return g_strdup(named);
    g_autoptr(SyncdCliWorkspace) workspace = syncd_cli_find_path(cli, client, named, &path, error);
    g_autofree char *file =
        workspace != NULL
            ? syncd_client_get_file(client, workspace->workspace, path, options_of_file(cli), error)
            : NULL;
    return file != NULL ? syncd_record_text(syncd_json_root(file, strlen(file)), "file_id") : NULL;
}

/* "content, name": what is different, in the words of JSON; "created" and "deleted" as they are. */
static char *change_of(SyncdJson step)
{
    GString *text = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson difference;
    syncd_json_iter_init(&iter, syncd_json_member(step, "differences"));
    while (syncd_json_iter_next(&iter, NULL, &difference)) {
        g_autofree char *name = syncd_json_dup_text(difference);
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", name);
    }
    if (text->len > 0)
        return g_string_free(text, FALSE);
    g_string_free(text, TRUE);
    return syncd_record_text(step, "change");
}

/* Whether that version can be brought back, and if not although it was kept, why. */
static const char *content_of(SyncdJson step)
{
    static const char *const faults[] = {N_("damaged"), N_("lost"), N_("sealed"), N_("unknown")};
    SyncdJson fault = syncd_json_member(step, "content_fault");
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
        if (syncd_json_is(fault, faults[i]))
            return _(faults[i]);
    return syncd_json_member(step, "kept").type == SYNCD_JSON_TRUE ? _("kept") : NULL;
}

static void add_row(SyncdTable *table, SyncdActorNames *names, SyncdJson step)
{
    g_autofree char *recorded = syncd_record_text(step, "recorded_at");
    g_autofree char *time = syncd_when_local(recorded);
    g_autofree char *change = change_of(step);
    g_autofree char *size = syncd_record_text(step, "size");
    g_autofree char *version = syncd_record_text(step, "version");
    bool unknown = syncd_json_is(syncd_json_member(step, "changed_by"), "unknown");
    g_autofree char *actor = syncd_record_text(step, "actor_id");
    g_autofree char *decision = syncd_record_text(step, "policy_decision_ref");
    g_autofree char *operation = syncd_record_text(step, "operation_id");
    const char *const cells[] = {
        time,     change,           version,
        size,     content_of(step), unknown ? _("unknown") : syncd_actor_name(names, actor),
        decision, operation};
    syncd_table_add(table, cells);
}

typedef struct {
    SyncdTable *table;
    SyncdActorNames *names;
    SyncdJsonWriter *writer; /* NULL: for people */
    guint64 left;
} Steps;

static void take_steps(Steps *steps, const char *changes)
{
    SyncdJsonIter iter;
    SyncdJson step;
    syncd_json_iter_init(&iter, syncd_json_root(changes, strlen(changes)));
    for (; syncd_json_iter_next(&iter, NULL, &step); steps->left--) {
        if (steps->writer != NULL)
            syncd_json_value(steps->writer, step);
        else
            add_row(steps->table, steps->names, step);
    }
}

static bool take_pages(const SyncdCli *cli, SyncdClient *client, const char *file, Steps *steps,
                       bool *ret_more, GError **error)
{
    g_autofree char *cursor = g_strdup("");
    do {
        g_autofree char *changes = NULL, *next = NULL;
        if (!syncd_client_file_history(client, file, options_of(cli, steps->left, cursor), &changes,
                                       &next, error))
            return false;
        take_steps(steps, changes);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0' && steps->left > 0);
    *ret_more = *cursor != '\0';
    return true;
}

char *syncd_cli_file_operation(SyncdCli *cli, SyncdClient *client, const char *named,
                               GError **error)
{
    g_autofree char *file = syncd_cli_file_id(cli, client, named, error);
    g_autofree char *steps = NULL, *cursor = NULL;
    SyncdJsonIter iter;
    SyncdJson newest;
    if (file == NULL ||
        !syncd_client_file_history(client, file, options_of(cli, 1, NULL), &steps, &cursor, error))
        return NULL;
    syncd_json_iter_init(&iter, syncd_json_root(steps, strlen(steps)));
    if (syncd_json_iter_next(&iter, NULL, &newest))
        return syncd_record_text(newest, "operation_id");
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "see all files with `sourceos-syncd workspace files WORKSPACE`",
                         "Nothing is recorded of `%s`", named);
    return NULL;
}

static void print(SyncdCli *cli, SyncdTable *table, bool more)
{
    if (!syncd_cli_flag(cli, "no-pager"))
        syncd_output_start_pager(cli->out);
    syncd_table_print(table, cli->out);
    if (more)
        syncd_cli_remark(cli, _("There is more: use --limit."));
    syncd_cli_remark(cli, "%s",
                     _("`sourceos-syncd verify proof --operation OPERATION` proves one of them."));
}

bool syncd_cli_file_log(SyncdCli *cli, GError **error)
{
    const char *const titles[] = {_("RECORDED"), _("CHANGE"),    _(">VERSION"),
                                  _(">SIZE"),    _("CONTENT"),   _("ACTOR"),
                                  _("DECISION"), _("OPERATION"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    g_autoptr(GString) json = g_string_new(NULL);
    SyncdJsonWriter writer;
    bool more;
    Steps steps = {table, NULL, syncd_cli_json(cli) ? &writer : NULL, 0};
    if (!check_options(cli, error) ||
        !syncd_cli_number(cli, "limit", LIMIT_MAX, LIMIT_DEFAULT, &steps.left, error))
        return false;
    if (steps.left == 0)
        steps.left = G_MAXUINT64;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *file =
        client != NULL ? syncd_cli_file_id(cli, client, syncd_cli_argument(cli, 0), error) : NULL;
    if (file == NULL)
        return false;
    g_auto(SyncdActorNames) names = syncd_actor_names(client);
    steps.names = &names;
    syncd_json_writer_init(&writer, json, false);
    syncd_json_begin_array(&writer);
    if (!take_pages(cli, client, file, &steps, &more, error))
        return false;
    syncd_json_end_array(&writer);
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, json->str, json->len, true);
    else
        print(cli, table, more);
    return true;
}
