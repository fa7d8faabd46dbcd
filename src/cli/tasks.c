/* The verbs of tasks: list, show and cancel, and for scripts claim, renew, complete and fail. */
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/record.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "client/calls.h"

#include <string.h>

/* ---- looking ---- */

static void add_row(SyncdCli *cli, void *data, SyncdJson task)
{
    g_autofree char *id = syncd_record_text(task, "operation_id"),
                    *state = syncd_record_text(task, "status"),
                    *attempt = syncd_record_text(task, "attempt"),
                    *lane = syncd_record_text(task, "lane"),
                    *updated = syncd_record_text(task, "updated_at"),
                    *object = syncd_record_text(task, "object_id"),
                    *when = syncd_when_local(updated);
    bool stale = false;
    syncd_json_get_bool(syncd_json_member(task, "stale_task"), &stale);
    const char *cells[] = {id, stale ? _("stale") : state, attempt, lane, when, object};
    syncd_table_add(data, cells);
}

static void print_rows(SyncdCli *cli, void *data)
{
    syncd_table_print(data, cli->out);
}

bool syncd_verb_tasks_list(SyncdCli *cli, GError **error)
{
    SyncdListing listing;
    if (!syncd_listing_init(&listing, cli, SYNCD_CLIENT_TASKS, error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    const char *const titles[] = {_("OPERATION"), _("STATE"),  _(">ATTEMPT"), _("LANE"),
                                  _("CHANGED"),   _("OBJECT"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    const SyncdListingView view = {add_row, print_rows, table, _("There are no such tasks.")};
    return syncd_listing_print(&listing, cli, client, &view, error);
}

/* A task is its operation's, but who asks about a task is told about one. */
static void explain_missing(GError *fault, GError **error)
{
    static const char begin[] = "There is no operation ";
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    if (!g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND) ||
        !g_str_has_prefix(sentence, begin)) {
        g_propagate_error(error, fault);
        return;
    }
    g_error_free(fault);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "list what there is with `sourceos-syncd tasks list`",
                         "There is no task %s", sentence + strlen(begin));
}

bool syncd_verb_tasks_show(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    GError *fault = NULL;
    g_autofree char *task = syncd_client_get_task(client, syncd_cli_argument(cli, 0), &fault);
    if (task == NULL) {
        explain_missing(fault, error);
        return false;
    }
    syncd_record_show(cli, task);
    return true;
}

/* ---- for scripts ---- */

/* Who gives a task where the lease belongs is told so, and not that the lease is lost. */
#define LEASE_PREFIX "lease-"
static const char *take_lease(const SyncdCli *cli, GError **error)
{
    const char *lease = syncd_cli_argument(cli, 0);
    if (g_str_has_prefix(lease, LEASE_PREFIX))
        return lease;
    syncd_set_error_next(error, SYNCD_ERROR_USAGE,
                         "say the one that `sourceos-syncd tasks claim` has printed",
                         "`%s` is no lease: one begins with " LEASE_PREFIX, lease);
    return NULL;
}

static void add_text(GVariantDict *options, const SyncdCli *cli, const char *name)
{
    const char *text = syncd_cli_value(cli, name);
    if (text != NULL)
        g_variant_dict_insert(options, name, "s", text);
}

static bool add_seconds(GVariantDict *options, const SyncdCli *cli, const char *name,
                        GError **error)
{
    guint64 seconds;
    if (!syncd_cli_number(cli, name, G_MAXUINT32, 0, &seconds, error))
        return false;
    if (seconds > 0)
        g_variant_dict_insert(options, name, "u", (guint32)seconds);
    return true;
}

static void show_claim(SyncdCli *cli, const char *lease, const char *task, const char *operation)
{
    if (!syncd_cli_json(cli)) {
        g_autofree char *safe = syncd_text_safe(lease);
        syncd_output_wrapped(cli->out, _("Claimed with the lease %s.\n"), safe);
        syncd_record_print(cli->out, syncd_json_root(task, strlen(task)));
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "lease", lease);
    syncd_json_member_value(writer, "task", syncd_json_root(task, strlen(task)));
    syncd_json_member_value(writer, "operation", syncd_json_root(operation, strlen(operation)));
    syncd_output_end_object(cli->out);
}

bool syncd_verb_tasks_claim(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    /* This process ends before the work does. */
    g_variant_dict_insert(&options, "detached", "b", TRUE);
    add_text(&options, cli, "scope");
    add_text(&options, cli, "lane");
    add_text(&options, cli, "object");
    if (syncd_cli_argument(cli, 0) != NULL)
        g_variant_dict_insert(&options, "operation", "s", syncd_cli_argument(cli, 0));
    if (!add_seconds(&options, cli, "lease", error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *lease = NULL, *task = NULL, *operation = NULL;
    if (client == NULL || !syncd_client_claim_task(client, g_variant_dict_end(&options), &lease,
                                                   &task, &operation, error))
        return false;
    if (*lease == '\0') {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see what waits with `sourceos-syncd tasks list`",
                             "There is no task to be had");
        return false;
    }
    show_claim(cli, lease, task, operation);
    return true;
}

static bool show_ended(SyncdCli *cli, char *task)
{
    g_autofree char *own = task;
    if (own == NULL)
        return false;
    syncd_record_show(cli, own);
    return true;
}

bool syncd_verb_tasks_renew(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    const char *lease = take_lease(cli, error);
    if (lease == NULL || !add_seconds(&options, cli, "lease", error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    return client != NULL &&
           syncd_client_renew_task(client, lease, g_variant_dict_end(&options), error);
}

bool syncd_verb_tasks_complete(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GPtrArray) evidence = syncd_cli_values(cli, "evidence");
    const char *lease = take_lease(cli, error);
    g_autoptr(SyncdClient) client =
        lease != NULL ? syncd_cli_connect(cli, SYNCD_CLI_ACT, error) : NULL;
    if (client == NULL)
        return false;
    if (evidence->pdata[0] != NULL)
        g_variant_dict_insert_value(&options, "evidence",
                                    g_variant_new_strv((const char *const *)evidence->pdata, -1));
    return show_ended(
        cli, syncd_client_complete_task(client, lease, g_variant_dict_end(&options), error));
}

bool syncd_verb_tasks_fail(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (syncd_cli_flag(cli, "final"))
        g_variant_dict_insert(&options, "final", "b", TRUE);
    const char *lease = take_lease(cli, error);
    if (lease == NULL || !add_seconds(&options, cli, "after", error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    return client != NULL &&
           show_ended(cli, syncd_client_fail_task(client, lease, syncd_cli_argument(cli, 1),
                                                  g_variant_dict_end(&options), error));
}

bool syncd_verb_tasks_cancel(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    add_text(&options, cli, "reason");
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    GError *fault = NULL;
    char *task = syncd_client_cancel_task(client, syncd_cli_argument(cli, 0),
                                          g_variant_dict_end(&options), &fault);
    if (task == NULL)
        explain_missing(fault, error);
    return show_ended(cli, task);
}
