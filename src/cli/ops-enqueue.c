#include "base/id.h"
#include "base/json-writer.h"
#include "cli/enqueue-many.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/record.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/calls.h"

#include <string.h>

#define BODY_MAX (16u * 1024u * 1024u)
#define TYPE_DEFAULT "sync.operation.enqueue"
#define SCOPE_DEFAULT "device"

typedef struct {
    const char *type;
    const char *scope;
    const char *object;
    char *body;
    size_t body_size;
} Request;

static void request_clear(Request *request)
{
    g_clear_pointer(&request->body, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static bool read_body(const SyncdCli *cli, Request *request, GError **error)
{
    const char *path = syncd_cli_value(cli, "body");
    const char *json = syncd_cli_value(cli, "body-json");
    if (path != NULL && json != NULL) {
        syncd_set_error(error, SYNCD_ERROR_USAGE, "--body and --body-json exclude each other");
        return false;
    }
    if (path != NULL) {
        request->body = syncd_file_read(path, BODY_MAX, &request->body_size, error);
    } else {
        request->body = g_strdup(json != NULL ? json : "{}");
        request->body_size = strlen(request->body);
    }
    return request->body != NULL;
}

/* What can be known here; the daemon checks all of it again. */
static bool check(const Request *request, GError **error)
{
    if (request->object == NULL) {
        syncd_set_error(error, SYNCD_ERROR_USAGE, "Say what the operation is about: --object=ID");
        return false;
    }
    if (!syncd_id_is_token(request->object, strlen(request->object))) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "use 1 to 128 letters, digits and . _ : -, a letter or digit first",
                             "`%s` cannot be the id of an object", request->object);
        return false;
    }
    if (syncd_json_check(request->body, request->body_size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return true;
    g_prefix_error(error, "The body: ");
    return false;
}

static GVariant *options_of(const SyncdCli *cli)
{
    static const char *const texts[][2] = {
        {"key", "idempotency_key"}, {"lane", "lane"}, {"data-class", "data_class"}};
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *value = syncd_cli_value(cli, texts[i][0]);
        if (value != NULL)
            g_variant_dict_insert(&options, texts[i][1], "s", value);
    }
    g_autoptr(GPtrArray) parents = syncd_cli_values(cli, "parent");
    if (parents->len > 1)
        g_variant_dict_insert(&options, "parents", "^as", parents->pdata);
    if (syncd_cli_flag(cli, "create-scope"))
        g_variant_dict_insert(&options, "create_scope", "b", TRUE);
    if (syncd_cli_flag(cli, "restore"))
        g_variant_dict_insert(&options, "restore", "b", TRUE);
    return g_variant_dict_end(&options);
}

/* ---- saying what would be sent ---- */

static void write_options(SyncdJsonWriter *writer, GVariant *options)
{
    for (size_t i = 0; i < g_variant_n_children(options); i++) {
        const char *name;
        g_autoptr(GVariant) value = NULL;
        g_variant_get_child(options, i, "{&sv}", &name, &value);
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
            syncd_json_member_string(writer, name, g_variant_get_string(value, NULL));
        } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
            syncd_json_member_bool(writer, name, g_variant_get_boolean(value));
        } else {
            g_autofree const char **strings = g_variant_get_strv(value, NULL);
            syncd_json_name(writer, name);
            syncd_json_begin_array(writer);
            for (size_t n = 0; strings[n] != NULL; n++)
                syncd_json_string(writer, strings[n]);
            syncd_json_end_array(writer);
        }
    }
}

static void show_request(SyncdCli *cli, const Request *request, GVariant *options)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "type", request->type);
    syncd_json_member_string(&writer, "scope", request->scope);
    syncd_json_member_string(&writer, "object", request->object);
    syncd_json_member_value(&writer, "body", syncd_json_root(request->body, request->body_size));
    write_options(&writer, options);
    syncd_json_end_object(&writer);
    if (!syncd_cli_json(cli))
        syncd_output_wrapped(cli->out, "%s\n", _("Nothing was sent. The request would be:"));
    syncd_record_show(cli, text->str);
}

/* ---- sending it ---- */

/* What has no number is in no log. */
static void print_receipt(SyncdCli *cli, const SyncdClientReceipt *receipt)
{
    g_autofree char *operation = syncd_text_safe(receipt->operation);
    if (receipt->sequence == 0)
        syncd_output_wrapped(cli->out, _("Not recorded, but seen for a minute: operation %s.\n"),
                             operation);
    else
        syncd_output_wrapped(cli->out,
                             receipt->duplicate
                                 ? _("Recorded earlier with this key: operation %s, number %lu.\n")
                                 : _("Recorded: operation %s, number %lu.\n"),
                             operation, (unsigned long)receipt->sequence);
}

static void show_receipt(SyncdCli *cli, const SyncdClientReceipt *receipt)
{
    if (!syncd_cli_json(cli)) {
        print_receipt(cli, receipt);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "operation", receipt->operation);
    syncd_json_member_uint(writer, "sequence", receipt->sequence);
    syncd_json_member_bool(writer, "duplicate", receipt->duplicate);
    syncd_json_member_bool(writer, "durable", receipt->sequence != 0);
    syncd_output_end_object(cli->out);
}

static bool send_request(SyncdCli *cli, const Request *request, GVariant *options, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    SyncdClientRequest wire = {request->type, request->scope, request->object, request->body};
    g_auto(SyncdClientReceipt) receipt = {NULL};
    if (!syncd_client_enqueue(client, &wire, options, &receipt, error))
        return false;
    show_receipt(cli, &receipt);
    return true;
}

bool syncd_verb_ops_enqueue(SyncdCli *cli, GError **error)
{
    if (syncd_cli_value(cli, "many") != NULL)
        return syncd_enqueue_many(cli, error);

    const char *type = syncd_cli_value(cli, "type");
    const char *scope = syncd_cli_value(cli, "scope");
    g_auto(Request) request = {.type = type != NULL ? type : TYPE_DEFAULT,
                               .scope = scope != NULL ? scope : SCOPE_DEFAULT,
                               .object = syncd_cli_value(cli, "object")};
    if (!read_body(cli, &request, error) || !check(&request, error))
        return false;

    g_autoptr(GVariant) options = g_variant_ref_sink(options_of(cli));
    if (syncd_cli_flag(cli, "dry-run")) {
        show_request(cli, &request, options);
        return true;
    }
    return send_request(cli, &request, options, error);
}
