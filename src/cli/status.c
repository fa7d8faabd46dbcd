#include "cli/commands.h"
#include "cli/i18n.h"
#include "cli/instance-status.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "client/calls.h"

#include <poll.h>
#include <string.h>

#define N_INSTANCES 2u
/* How often a watch looks whether a bus that was not there is there now. */
#define RETRY_USEC (5u * G_USEC_PER_SEC)

typedef struct {
    SyncdCli *cli;
    size_t n; /* instances that are shown; the first is the one that was asked for */
    SyncdClientInstance instances[N_INSTANCES];
    SyncdClient *clients[N_INSTANCES]; /* NULL while the bus cannot be reached */
    SyncdInstanceStatus statuses[N_INSTANCES];
    guint bad[N_INSTANCES]; /* so many things a diagnosis found wrong */
    char *printed;          /* what was printed last, without the time */
} Status;

static void status_init(Status *status, SyncdCli *cli)
{
    *status = (Status){.cli = cli, .n = N_INSTANCES};
    status->instances[0] = SYNCD_CLIENT_USER;
    status->instances[1] = SYNCD_CLIENT_SYSTEM;
    if (syncd_cli_flag(cli, "user") || syncd_cli_flag(cli, "system")) {
        status->instances[0] = syncd_cli_instance(cli);
        status->n = 1;
    }
}

static void status_clear(Status *status)
{
    for (size_t i = 0; i < N_INSTANCES; i++) {
        syncd_instance_status_clear(&status->statuses[i]);
        g_clear_pointer(&status->clients[i], syncd_client_free);
    }
    g_clear_pointer(&status->printed, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Status, status_clear)

static SyncdClient *connect(Status *status, size_t i, GError **error)
{
    g_autoptr(SyncdClient) client =
        syncd_cli_connect_instance(status->cli, SYNCD_CLI_LOOK, status->instances[i], error);
    if (client != NULL && syncd_cli_flag(status->cli, "watch") &&
        !syncd_client_watch(client, error))
        return NULL;
    return g_steal_pointer(&client);
}

/* Not all that is wrong is a state. Whoever may not know of it sees the state alone; and a watch
 * would look for all of it at each change. */
static guint count_bad(Status *status, size_t i, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    guint n = 0;
    if (status->clients[i] == NULL || syncd_cli_json(status->cli) ||
        syncd_cli_flag(status->cli, "watch"))
        return 0;
    g_autofree char *diagnosis =
        syncd_client_diagnose(status->clients[i], g_variant_dict_end(&options), error);
    if (diagnosis == NULL)
        return 0;
    SyncdJsonIter iter;
    SyncdJson finding;
    syncd_json_iter_init(
        &iter, syncd_json_member(syncd_json_root(diagnosis, strlen(diagnosis)), "findings"));
    while (syncd_json_iter_next(&iter, NULL, &finding))
        n += !syncd_json_is(syncd_json_member(finding, "severity"), "info");
    return n;
}

static bool get(Status *status, size_t i, GError **error)
{
    g_autoptr(GError) fault = NULL;
    syncd_instance_status_clear(&status->statuses[i]);
    if (status->clients[i] == NULL)
        status->clients[i] = connect(status, i, &fault);
    /* First, as it says also which plans of repair have become of no use. */
    status->bad[i] = count_bad(status, i, &fault);
    /* Nobody waits once more for one that did not answer. */
    bool silent = g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE);
    if (!silent && status->clients[i] != NULL)
        return syncd_instance_status_get(status->clients[i], &status->statuses[i], error);
    if (!silent) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    syncd_instance_status_unavailable(status->instances[i], fault, &status->statuses[i]);
    return true;
}

static bool get_all(Status *status, GError **error)
{
    for (size_t i = 0; i < status->n; i++)
        if (!get(status, i, error))
            return false;
    return true;
}

/* ---- printing ---- */

static void order(const Status *status, const SyncdInstanceStatus *ret_order[N_INSTANCES])
{
    ret_order[0] = &status->statuses[0];
    ret_order[1] = &status->statuses[1];
    if (status->n == N_INSTANCES && ret_order[1]->severity > ret_order[0]->severity) {
        ret_order[0] = &status->statuses[1];
        ret_order[1] = &status->statuses[0];
    }
}

/* The members that consumers know are those of the instance that was asked for; both instances, the
 * worse one first, are in `instances`. */
static char *json_text(const Status *status, guint64 now_ms)
{
    const SyncdInstanceStatus *ordered[N_INSTANCES];
    order(status, ordered);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_instance_status_write(&status->statuses[0], now_ms, &writer);
    if (status->n > 1) {
        syncd_json_name(&writer, "instances");
        syncd_json_begin_array(&writer);
        for (size_t i = 0; i < status->n; i++) {
            syncd_json_begin_object(&writer);
            syncd_instance_status_write(ordered[i], now_ms, &writer);
            syncd_json_end_object(&writer);
        }
        syncd_json_end_array(&writer);
    }
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

#define LABEL_WIDTH 12
#define VALUE_COLUMN (2 + LABEL_WIDTH + 1)

static void print_line(SyncdOutput *out, const char *label, const char *value)
{
    g_autoptr(GString) line = g_string_new("  ");
    size_t start = line->len;
    g_string_append(line, label);
    syncd_text_pad(line, start, LABEL_WIDTH);
    g_string_append_c(line, ' ');
    g_autofree char *safe = syncd_text_safe(value);
    syncd_text_wrap(line, safe, VALUE_COLUMN, VALUE_COLUMN, syncd_output_width(out));
    g_string_append_c(line, '\n');
    syncd_output_text(out, line->str);
}

static void print_level(SyncdOutput *out, SyncdJson level)
{
    g_autofree char *state = syncd_record_text(level, "state");
    g_autofree char *name = syncd_record_text(level, "level");
    g_autofree char *since = syncd_record_text(level, "in_force_since");
    g_autofree char *when = syncd_when_local(since);
    bool machine = strcmp(name, "machine") == 0;
    g_autofree char *line = NULL;
    if (strcmp(state, "last-good") == 0)
        line = g_strdup_printf(machine ? _("the machine's last good ones stay in force, of %s")
                                       : _("the user's last good ones stay in force, of %s"),
                               when);
    else if (strcmp(state, "unusable") == 0)
        line = g_strdup(machine ? _("the machine's are refused and none are known to be good: the "
                                    "lanes secure, policy and repair are closed")
                                : _("the user's are refused and none are known to be good: the "
                                    "lanes secure, policy and repair are closed"));
    if (line != NULL)
        print_line(out, "", line);
}

static void print_policy(SyncdOutput *out, SyncdJson policy)
{
    if (policy.type != SYNCD_JSON_OBJECT)
        return;
    g_autofree char *rules = syncd_record_text(policy, "rules");
    g_autofree char *since = syncd_record_text(policy, "in_force_since");
    g_autofree char *when = syncd_when_local(since);
    g_autofree char *refused = syncd_record_text(policy, "refused");
    g_autofree char *line =
        *since != '\0' ? g_strdup_printf(_("rules from files: %s, in force since %s"), rules, when)
                       : g_strdup(_("the built-in rules alone"));
    print_line(out, _("Policy"), line);
    SyncdJsonIter iter;
    SyncdJson level;
    syncd_json_iter_init(&iter, syncd_json_member(policy, "levels"));
    while (syncd_json_iter_next(&iter, NULL, &level))
        print_level(out, level);
    if (*refused != '\0')
        print_line(out, _("Refused"), refused);
}

static void print_log(SyncdOutput *out, SyncdJson description)
{
    guint64 last = syncd_record_number(description, "last_activity_usec");
    g_autofree char *sequence = syncd_record_text(description, "sequence");
    g_autofree char *when = last > 0 ? syncd_when_local_usec(last) : g_strdup(_("never"));
    bool known = syncd_json_member(description, "sequence").type == SYNCD_JSON_INTEGER;
    g_autofree char *entries =
        known ? g_strdup_printf(_("size %s, last entry %s"), sequence, when)
              : g_strdup(_("size and last entry are not known, as it cannot be read"));
    print_line(out, _("Log"), entries);
}

static void print_details(SyncdOutput *out, const SyncdInstanceStatus *status)
{
    SyncdJson description = syncd_json_root(status->description, strlen(status->description));
    print_log(out, description);

    static const struct {
        const char *name;
        const char *label;
    } counts[] = {
        {"pending_operations", N_("Queued")},
        {"conflict_count", N_("Conflicts")},
        {"policy_blocked_count", N_("Denied")},
        {"pending_approvals", N_("To approve")},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autofree char *count = syncd_record_text(description, counts[i].name);
        if (*count != '\0' && strcmp(count, "0") != 0)
            print_line(out, _(counts[i].label), count);
    }
    print_policy(out, syncd_json_member(description, "policy"));
    g_autofree char *device = syncd_record_text(description, "device_id");
    if (*device != '\0')
        print_line(out, _("Device"), device);
}

static void print_bad(SyncdOutput *out, SyncdClientInstance instance, guint n)
{
    if (n == 0)
        return;
    g_autofree char *text = g_strdup_printf(_("%u; see them with `sourceos-syncd doctor`"), n);
    g_autofree char *line = syncd_commands_of(instance, text);
    print_line(out, _("Findings"), line);
}

static void print_text(SyncdOutput *out, const SyncdInstanceStatus *status, guint bad)
{
    bool clean = status->severity == 0;
    g_autofree char *state = syncd_text_safe(status->state);
    syncd_output_styled(out, SYNCD_STYLE_BOLD,
                        status->instance == SYNCD_CLIENT_USER ? _("User instance")
                                                              : _("System instance"));
    syncd_output_text(out, ": ");
    syncd_output_styled(out, clean ? SYNCD_STYLE_GOOD : SYNCD_STYLE_BAD, state);
    syncd_output_text(out, "\n");
    /* That all is well nobody says who goes on with what is not. */
    if (!clean || bad == 0)
        print_line(out, _("Note"), status->note);
    print_bad(out, status->instance, bad);
    if (status->available)
        print_details(out, status);
}

static void print(Status *status)
{
    SyncdCli *cli = status->cli;
    bool watch = syncd_cli_flag(cli, "watch");
    g_autofree char *unchanged = json_text(status, 0);
    if (g_strcmp0(unchanged, status->printed) == 0)
        return;
    if (syncd_cli_json(cli)) {
        g_autofree char *text = json_text(status, (guint64)g_get_real_time() / 1000);
        syncd_output_json(cli->out, text, strlen(text), !watch);
    } else {
        const SyncdInstanceStatus *ordered[N_INSTANCES];
        order(status, ordered);
        for (size_t i = 0; i < status->n; i++) {
            if (i > 0 || status->printed != NULL)
                syncd_output_text(cli->out, "\n");
            print_text(cli->out, ordered[i], status->bad[ordered[i] - status->statuses]);
        }
    }
    g_free(status->printed);
    status->printed = g_steal_pointer(&unchanged);
    syncd_output_flush(cli->out);
}

/* ---- watching ---- */

/* True while there is something to wait for; `*going` says whether the end is an error. */
static bool await_change(Status *status, bool *going, GError **error)
{
    SyncdClient *clients[N_INSTANCES];
    size_t n = 0;
    for (size_t i = 0; i < status->n; i++)
        if (status->clients[i] != NULL)
            clients[n++] = status->clients[i];
    struct pollfd reader = {.fd = syncd_output_fd(status->cli->out), .events = 0};
    g_autoptr(GError) fault = NULL;
    if (!syncd_output_is_closed(status->cli->out) &&
        syncd_clients_wait(clients, n, n < status->n ? RETRY_USEC : SYNCD_CLIENT_FOREVER, &reader,
                           &fault))
        return true;
    *going = fault != NULL && !g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_INTERRUPTED);
    if (*going)
        g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

static void take_changes(Status *status)
{
    for (size_t i = 0; i < status->n; i++)
        if (status->clients[i] != NULL &&
            syncd_client_take_changes(status->clients[i]) & SYNCD_CHANGE_LOST)
            g_clear_pointer(&status->clients[i], syncd_client_free);
}

static bool watch_on(Status *status, GError **error)
{
    bool going = true;
    while (await_change(status, &going, error)) {
        take_changes(status);
        if (!get_all(status, error))
            return false;
        print(status);
    }
    return !going;
}

bool syncd_verb_status(SyncdCli *cli, GError **error)
{
    g_auto(Status) status;
    status_init(&status, cli);
    if (!get_all(&status, error))
        return false;
    print(&status);
    if (syncd_cli_flag(cli, "watch"))
        return watch_on(&status, error);
    if (!status.statuses[0].available)
        cli->exit = SYNCD_EXIT_UNREACHABLE;
    return true;
}
