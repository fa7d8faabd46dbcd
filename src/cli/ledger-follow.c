/*
 * Following the ledger. A signal says only that something was recorded; what it was is read from
 * where the last reading ended, also after the daemon was restarted. Following never starts one.
 */
#include "cli/i18n.h"
#include "cli/ledger.h"
#include "cli/listing.h"
#include "client/calls.h"

#include <poll.h>
#include <string.h>

/* What is shown of the past, unless --limit says otherwise. */
#define PAST_DEFAULT 10u

typedef struct {
    SyncdLedger *ledger;
    GPtrArray *past; /* char *: newest first */
    GHashTable *ids; /* of them: what came meanwhile is no news */
} Follow;

static void print_one(SyncdCli *cli, SyncdJson envelope)
{
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, envelope.at, syncd_json_size(envelope), false);
    else
        syncd_ledger_print_line(cli->out, envelope);
}

static void hold(void *data, SyncdJson envelope)
{
    Follow *follow = data;
    g_ptr_array_add(follow->past, g_strndup(envelope.at, syncd_json_size(envelope)));
    g_hash_table_add(follow->ids, syncd_record_text(envelope, "evidence_id"));
}

static void print_news(void *data, SyncdJson envelope)
{
    Follow *follow = data;
    g_autofree char *id = syncd_record_text(envelope, "evidence_id");
    if (!g_hash_table_remove(follow->ids, id))
        print_one(follow->ledger->cli, envelope);
}

/* The end must be known before the past is read: what is recorded in between comes in both. */
static bool print_past(Follow *follow, guint64 limit, GError **error)
{
    SyncdLedger *ledger = follow->ledger;
    g_autofree char *description = syncd_client_describe(ledger->client, error);
    if (description == NULL)
        return false;
    ledger->after =
        syncd_record_number(syncd_json_root(description, strlen(description)), "sequence");
    SyncdLedger past = {
        .cli = ledger->cli, .client = ledger->client, .cursor = g_strdup(""), .newest_first = true};
    bool done = syncd_ledger_read(&past, limit, hold, follow, NULL, error);
    g_free(past.cursor);
    for (guint i = follow->past->len; done && i > 0; i--) {
        const char *envelope = follow->past->pdata[i - 1];
        print_one(ledger->cli, syncd_json_root(envelope, strlen(envelope)));
    }
    return done;
}

static bool read_on(Follow *follow, GError **error)
{
    SyncdCli *cli = follow->ledger->cli;
    g_autoptr(GError) fault = NULL;
    bool good = syncd_ledger_read(follow->ledger, 0, print_news, follow, NULL, &fault);
    syncd_output_flush(cli->out);
    if (good)
        return true;
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE)) {
        syncd_cli_remark(cli, _("The daemon stopped; waiting for it to come back."));
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

/* False at the end, which is a good one without an error: the reader went away. */
static bool await(Follow *follow, GError **error)
{
    SyncdCli *cli = follow->ledger->cli;
    struct pollfd reader = {.fd = syncd_output_fd(cli->out), .events = 0};
    g_autoptr(GError) fault = NULL;
    if (!syncd_output_is_closed(cli->out) &&
        syncd_clients_wait(&follow->ledger->client, 1, SYNCD_CLIENT_FOREVER, &reader, &fault))
        return true;
    if (fault != NULL && !g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_INTERRUPTED))
        g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

static bool follow_on(Follow *follow, GError **error)
{
    bool going = read_on(follow, error);
    while (going && await(follow, error)) {
        unsigned changes = syncd_client_take_changes(follow->ledger->client);
        if (changes & SYNCD_CHANGE_LOST) {
            syncd_set_error(error, SYNCD_ERROR_UNREACHABLE, "The connection to the bus was closed");
            return false;
        }
        if (changes & (SYNCD_CHANGE_EVENTS | SYNCD_CHANGE_OWNER))
            going = read_on(follow, error);
    }
    return error == NULL || *error == NULL;
}

bool syncd_ledger_follow(SyncdLedger *ledger, guint64 limit, GError **error)
{
    g_autoptr(GPtrArray) past = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Follow follow = {ledger, past, ids};
    bool from_cursor = *ledger->cursor != '\0' || ledger->after > 0;
    if (!syncd_cli_flag(ledger->cli, "limit"))
        limit = PAST_DEFAULT;
    ledger->newest_first = false;
    return syncd_client_watch(ledger->client, error) &&
           (from_cursor || print_past(&follow, limit, error)) && follow_on(&follow, error);
}
