#include "cli/policy-decision.h"

#include "base/bytes.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/when.h"
#include "domain/policy.h"

#include <string.h>

#define PREFIX "policy-"
#define VALUE_COLUMN 13

bool syncd_policy_is_decision_id(const char *text)
{
    guint8 bytes[(SYNCD_DECISION_ID_SIZE - sizeof PREFIX) / 2];
    size_t size = strlen(text);
    return size == SYNCD_DECISION_ID_SIZE - 1 && g_str_has_prefix(text, PREFIX) &&
           syncd_hex_decode(text + strlen(PREFIX), size - strlen(PREFIX), bytes, sizeof bytes);
}

/* ---- finding ---- */

typedef struct {
    const char *id;
    char *event;
} Search;

static bool look_through(void *data, SyncdJson events)
{
    Search *search = data;
    SyncdJsonIter iter;
    SyncdJson event;
    syncd_json_iter_init(&iter, events);
    while (search->event == NULL && syncd_json_iter_next(&iter, NULL, &event))
        if (syncd_json_is(syncd_json_member(event, "policy_decision_ref"), search->id) &&
            syncd_json_member(event, "policy").type == SYNCD_JSON_OBJECT)
            search->event = g_strndup(event.at, syncd_json_size(event));
    return search->event == NULL;
}

/* What was allowed is an event of its own, what was denied another one. */
static bool find(SyncdCli *cli, SyncdClient *client, Search *search, GError **error)
{
    static const char *const types[] = {"sync.policy.decided", "sync.policy.denied"};
    for (size_t i = 0; search->event == NULL && i < G_N_ELEMENTS(types); i++) {
        const SyncdListing listing = {.list = SYNCD_CLIENT_EVENTS, .type = types[i]};
        if (!syncd_listing_pages(&listing, cli, client, look_through, search, NULL, error))
            return false;
    }
    return true;
}

/* ---- showing ---- */

static void print_member(SyncdOutput *out, const char *label, SyncdJson object, const char *name)
{
    g_autofree char *text = syncd_record_text(object, name);
    if (*text == '\0')
        return;
    g_autofree char *time = g_str_has_suffix(name, "_at") ? syncd_when_local(text) : NULL;
    g_autoptr(GString) line = g_string_new(label);
    syncd_text_pad(line, 0, VALUE_COLUMN);
    g_autofree char *safe = syncd_text_safe(time != NULL ? time : text);
    syncd_text_wrap(line, safe, VALUE_COLUMN, VALUE_COLUMN, syncd_output_width(out));
    g_string_append_c(line, '\n');
    syncd_output_text(out, line->str);
}

static void show_text(SyncdCli *cli, SyncdJson event)
{
    SyncdJson record = syncd_json_member(event, "policy");
    SyncdJson asked = syncd_json_member(record, "evaluated");
    g_autofree char *status = syncd_record_text(asked, "status");
    g_autofree char *action = syncd_record_text(asked, "action");
    g_autofree char *lane = syncd_record_text(asked, "lane");
    g_autofree char *data_class = syncd_record_text(asked, "data_class");
    g_autofree char *question =
        g_strdup_printf(_(": %s in the lane %s, data class %s\n"), action, lane, data_class);
    syncd_output_styled(
        cli->out, strcmp(status, "allowed") == 0 ? SYNCD_STYLE_GOOD : SYNCD_STYLE_BAD, status);
    syncd_output_text(cli->out, question);
    print_member(cli->out, _("Rule"), asked, "reason");
    print_member(cli->out, _("Rule of"), asked, "rule_level");
    print_member(cli->out, _("Why"), record, "rationale");
    print_member(cli->out, _("Asked by"), record, "actor_id");
    print_member(cli->out, _("Subject"), asked, "subject");
    print_member(cli->out, _("Object"), asked, "object_id");
    print_member(cli->out, _("Times"), record, "count");
    print_member(cli->out, _("When"), event, "occurred_at");
    print_member(cli->out, _("Event"), event, "sequence");
    print_member(cli->out, _("Policy"), record, "policy_digest");
}

bool syncd_policy_explain_decision(SyncdCli *cli, const char *id, GError **error)
{
    Search search = {.id = id};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL || !find(cli, client, &search, error))
        return false;
    g_autofree char *text = search.event;
    if (text == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "list decisions with `sourceos-syncd events list "
                             "--type sync.policy.decided`, and denials with `--type "
                             "sync.policy.denied`",
                             "The log has no decision %s (%s instance)", id,
                             syncd_client_instance_name(syncd_client_instance(client)));
        return false;
    }
    SyncdJson event = syncd_json_root(text, strlen(text));
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, text, strlen(text), true);
    else
        show_text(cli, event);
    if (!syncd_json_is(
            syncd_json_member(syncd_json_member(syncd_json_member(event, "policy"), "evaluated"),
                              "status"),
            "allowed"))
        cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}
