#include "client/calls.h"

#include "base/json.h"
#include "client/client-internal.h"
#include "client/names.h"

#include <errno.h>
#include <string.h>

static int append_strings(sd_bus_message *message, GVariant *value)
{
    g_autofree const char **strings = g_variant_get_strv(value, NULL);
    return sd_bus_message_append_strv(message, (char **)(gpointer)strings);
}

static int append_value(sd_bus_message *message, GVariant *value)
{
    const char *type = g_variant_get_type_string(value);
    int r = sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, type);
    if (r < 0)
        return r;
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        r = sd_bus_message_append(message, "s", g_variant_get_string(value, NULL));
    else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        r = sd_bus_message_append(message, "u", g_variant_get_uint32(value));
    else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        r = sd_bus_message_append(message, "t", g_variant_get_uint64(value));
    else if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        r = sd_bus_message_append(message, "b", (int)g_variant_get_boolean(value));
    else if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY))
        r = append_strings(message, value);
    else
        r = -EINVAL;
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_option(sd_bus_message *message, const char *name, GVariant *value)
{
    int r = sd_bus_message_open_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", name);
    if (r >= 0)
        r = append_value(message, value);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_options(sd_bus_message *message, GVariant *options)
{
    int r = sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "{sv}");
    size_t n = r >= 0 && options != NULL ? g_variant_n_children(options) : 0;
    for (size_t i = 0; i < n && r >= 0; i++) {
        const char *name;
        g_autoptr(GVariant) value = NULL;
        g_variant_get_child(options, i, "{&sv}", &name, &value);
        r = append_option(message, name, value);
    }
    return r < 0 ? r : sd_bus_message_close_container(message);
}

char *syncd_client_take_json(const char *text, GError **error)
{
    g_autoptr(GError) fault = NULL;
    if (syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, &fault))
        return g_strdup(text);
    g_autofree char *sentence = NULL;
    g_autofree char *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    syncd_set_error(error, SYNCD_ERROR_FAILED, "The daemon answered with what is not JSON: %s",
                    sentence);
    return NULL;
}

sd_bus_message *syncd_client_finish(SyncdClient *client, sd_bus_message *message, int result,
                                    GVariant *options, GError **error)
{
    int r = result < 0 ? result : append_options(message, options);
    if (!syncd_client_check(client, r, error))
        return NULL;
    return syncd_client_send(client, message, error);
}

char *syncd_client_read_json(SyncdClient *client, sd_bus_message *reply, GError **error)
{
    const char *text = NULL;
    if (!syncd_client_check(client, sd_bus_message_read(reply, "s", &text), error))
        return NULL;
    return syncd_client_take_json(text, error);
}

char *syncd_client_describe(SyncdClient *client, GError **error)
{
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_MANAGER, "Describe", error);
    if (message == NULL)
        return NULL;
    g_autoptr(sd_bus_message) reply = syncd_client_send(client, message, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

bool syncd_client_list(SyncdClient *client, SyncdClientList list, GVariant *options,
                       char **ret_records, char **ret_cursor, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    static const char *const methods[][2] = {
        [SYNCD_CLIENT_OPERATIONS] = {SYNCD_BUS_OPERATIONS, "List"},
        [SYNCD_CLIENT_EVENTS] = {SYNCD_BUS_MANAGER, "ListEvents"},
        [SYNCD_CLIENT_TASKS] = {SYNCD_BUS_OPERATIONS, "ListTasks"},
        [SYNCD_CLIENT_EVIDENCE] = {SYNCD_BUS_MANAGER, "ListEvidence"},
    };
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, methods[list][0], methods[list][1], error);
    if (message == NULL)
        return false;
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, 0, own, error);
    if (reply == NULL)
        return false;

    const char *records = NULL;
    const char *cursor = NULL;
    if (!syncd_client_check(client, sd_bus_message_read(reply, "ss", &records, &cursor), error))
        return false;
    g_autofree char *checked = syncd_client_take_json(records, error);
    if (checked == NULL)
        return false;
    *ret_records = g_steal_pointer(&checked);
    *ret_cursor = g_strdup(cursor);
    return true;
}

bool syncd_client_find(SyncdClient *client, const char *words, GVariant *options, char **ret_found,
                       char **ret_cursor, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_MANAGER, "Find", error);
    if (message == NULL)
        return false;
    int r = sd_bus_message_append(message, "s", words);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    const char *found = NULL, *cursor = NULL;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "ss", &found, &cursor), error))
        return false;
    *ret_found = syncd_client_take_json(found, error);
    if (*ret_found == NULL)
        return false;
    *ret_cursor = g_strdup(cursor);
    return true;
}

/* The methods of Operations that take one string and options, and answer with one document. */
static char *call_with_string(SyncdClient *client, const char *member, const char *argument,
                              GError **error)
{
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_OPERATIONS, member, error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "s", argument);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, NULL, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_get_operation(SyncdClient *client, const char *operation, GError **error)
{
    return call_with_string(client, "Get", operation, error);
}

char *syncd_client_replay(SyncdClient *client, const char *operation, GVariant *options,
                          bool *ret_duplicate, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_OPERATIONS, "Replay", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "s", operation);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    const char *evidence = NULL;
    int duplicate = 0;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "sb", &evidence, &duplicate), error))
        return NULL;
    *ret_duplicate = duplicate != 0;
    return syncd_client_take_json(evidence, error);
}

/* ---- tasks ---- */

static sd_bus_message *call_task(SyncdClient *client, const char *member, const char *argument,
                                 const char *reason, GVariant *options, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_OPERATIONS, member, error);
    if (message == NULL)
        return NULL;
    int r = argument != NULL ? sd_bus_message_append(message, "s", argument) : 0;
    if (r >= 0 && reason != NULL)
        r = sd_bus_message_append(message, "s", reason);
    return syncd_client_finish(client, message, r, own, error);
}

char *syncd_client_reconcile(SyncdClient *client, const char *operation, const char *document,
                             bool *ret_duplicate, GError **error)
{
    g_autoptr(sd_bus_message) reply =
        call_task(client, "Reconcile", operation, document, NULL, error);
    const char *entry = NULL;
    int duplicate = 0;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "sb", &entry, &duplicate), error))
        return NULL;
    *ret_duplicate = duplicate != 0;
    return g_strdup(entry);
}

char *syncd_client_list_reconciled(SyncdClient *client, GVariant *options, GError **error)
{
    g_autoptr(sd_bus_message) reply =
        call_task(client, "ListReconciled", NULL, NULL, options, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

bool syncd_client_claim_task(SyncdClient *client, GVariant *options, char **ret_lease,
                             char **ret_task, char **ret_operation, GError **error)
{
    g_autoptr(sd_bus_message) reply = call_task(client, "ClaimTask", NULL, NULL, options, error);
    const char *lease = NULL, *task = NULL, *operation = NULL;
    if (reply == NULL ||
        !syncd_client_check(client, sd_bus_message_read(reply, "sss", &lease, &task, &operation),
                            error))
        return false;
    bool none = *lease == '\0';
    g_autofree char *checked = syncd_client_take_json(none ? "{}" : task, error);
    if (checked == NULL)
        return false;
    *ret_operation = syncd_client_take_json(none ? "{}" : operation, error);
    if (*ret_operation == NULL)
        return false;
    *ret_task = g_steal_pointer(&checked);
    *ret_lease = g_strdup(lease);
    return true;
}

bool syncd_client_renew_task(SyncdClient *client, const char *lease, GVariant *options,
                             GError **error)
{
    g_autoptr(sd_bus_message) reply = call_task(client, "RenewTask", lease, NULL, options, error);
    return reply != NULL;
}

char *syncd_client_complete_task(SyncdClient *client, const char *lease, GVariant *options,
                                 GError **error)
{
    g_autoptr(sd_bus_message) reply =
        call_task(client, "CompleteTask", lease, NULL, options, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_fail_task(SyncdClient *client, const char *lease, const char *reason,
                             GVariant *options, GError **error)
{
    g_autoptr(sd_bus_message) reply = call_task(client, "FailTask", lease, reason, options, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_cancel_task(SyncdClient *client, const char *task, GVariant *options,
                               GError **error)
{
    g_autoptr(sd_bus_message) reply = call_task(client, "CancelTask", task, NULL, options, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_get_task(SyncdClient *client, const char *task, GError **error)
{
    return call_with_string(client, "GetTask", task, error);
}

char *syncd_client_checkpoint(SyncdClient *client, const char *scope, GError **error)
{
    return call_with_string(client, "Checkpoint", scope, error);
}

char *syncd_client_health(SyncdClient *client, GError **error)
{
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_MANAGER, "Health", error);
    if (message == NULL)
        return NULL;
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, 0, NULL, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

static char *ask_manager(SyncdClient *client, const char *method, const char *about,
                         GVariant *options, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_MANAGER, method, error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append(message, "s", about);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_explain(SyncdClient *client, const char *object, GVariant *options,
                           GError **error)
{
    return ask_manager(client, "Explain", object, options, error);
}

char *syncd_client_get_evidence(SyncdClient *client, const char *id, GVariant *options,
                                GError **error)
{
    return ask_manager(client, "GetEvidence", id, options, error);
}

char *syncd_client_diagnose(SyncdClient *client, GVariant *options, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_MANAGER, "Diagnose", error);
    if (message == NULL)
        return NULL;
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, 0, own, error);
    return reply != NULL ? syncd_client_read_json(client, reply, error) : NULL;
}

char *syncd_client_prove(SyncdClient *client, const char *operation, GError **error)
{
    return call_with_string(client, "Proof", operation, error);
}

void syncd_client_receipt_clear(SyncdClientReceipt *receipt)
{
    g_clear_pointer(&receipt->operation, g_free);
}

bool syncd_client_enqueue(SyncdClient *client, const SyncdClientRequest *request, GVariant *options,
                          SyncdClientReceipt *ret_receipt, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_OPERATIONS, "Enqueue", error);
    if (message == NULL)
        return false;
    int r = sd_bus_message_append(message, "ssss", request->type, request->scope, request->object,
                                  request->body);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, own, error);
    if (reply == NULL)
        return false;

    const char *operation = NULL;
    guint64 sequence = 0;
    int duplicate = 0;
    r = sd_bus_message_read(reply, "stb", &operation, &sequence, &duplicate);
    if (!syncd_client_check(client, r, error))
        return false;
    *ret_receipt = (SyncdClientReceipt){g_strdup(operation), sequence, duplicate != 0};
    return true;
}

static bool check_lines(const char *lines, size_t size, GError **error)
{
    const char *end = lines + size;
    for (const char *at = lines; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = stop != NULL ? (size_t)(stop - at) : (size_t)(end - at);
        if (length > 0 && !syncd_json_check(at, length, SYNCD_JSON_ANY, error))
            return false;
        at += length + 1;
    }
    return true;
}

GString *syncd_client_enqueue_many(SyncdClient *client, const char *lines, size_t size,
                                   GError **error)
{
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_OPERATIONS, "EnqueueMany", error);
    if (message == NULL)
        return NULL;
    int r = sd_bus_message_append_array(message, 'y', lines, size);
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, r, NULL, error);
    if (reply == NULL)
        return NULL;

    const void *results = NULL;
    size_t results_size = 0;
    r = sd_bus_message_read_array(reply, 'y', &results, &results_size);
    if (!syncd_client_check(client, r, error))
        return NULL;
    if (results_size > 0 && !check_lines(results, results_size, error))
        return NULL;
    return g_string_new_len(results, (gssize)results_size);
}

char *syncd_client_verify(SyncdClient *client, GVariant *options, GError **error)
{
    g_autoptr(GVariant) own = options != NULL ? g_variant_ref_sink(options) : NULL;
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, SYNCD_BUS_ROOT, SYNCD_BUS_MANAGER, "Verify", error);
    if (message == NULL)
        return NULL;
    g_autoptr(sd_bus_message) reply = syncd_client_finish(client, message, 0, own, error);
    const char *job = NULL;
    if (reply == NULL || !syncd_client_check(client, sd_bus_message_read(reply, "o", &job), error))
        return NULL;
    return g_strdup(job);
}
