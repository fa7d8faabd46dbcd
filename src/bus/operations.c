/* org.sourceos.Sync.Operations: the log of operations. */
#include "bus/bus-private.h"
#include "bus/document.h"
#include "bus/error-bus.h"
#include "bus/listing.h"
#include "bus/names.h"
#include "bus/object.h"
#include "bus/options.h"
#include "bus/purges.h"
#include "bus/tasks.h"

#include <string.h>

/* ---- writing: answered once it is durable ---- */

typedef struct {
    SyncdRequest request;
    char **parents;
} EnqueueArguments;

#define IN_REQUEST(member) offsetof(EnqueueArguments, request.member)

static const SyncdOption enqueue_options[] = {
    {"idempotency_key", SYNCD_OPTION_TEXT, IN_REQUEST(idempotency_key)},
    {"lane", SYNCD_OPTION_TEXT, IN_REQUEST(lane)},
    {"data_class", SYNCD_OPTION_TEXT, IN_REQUEST(data_class)},
    {"parents", SYNCD_OPTION_TEXTS, offsetof(EnqueueArguments, parents)},
    {"create_scope", SYNCD_OPTION_SWITCH, IN_REQUEST(create_scope)},
    {"restore", SYNCD_OPTION_SWITCH, IN_REQUEST(restore)},
    {"actor", SYNCD_OPTION_TEXT, IN_REQUEST(claim.actor)},
    {"signature", SYNCD_OPTION_TEXT, IN_REQUEST(claim.signature)},
    {"expires", SYNCD_OPTION_LARGE, IN_REQUEST(claim.expires_usec)},
};

static bool read_enqueue(sd_bus_message *message, EnqueueArguments *arguments, GError **error)
{
    SyncdRequest *request = &arguments->request;
    const char *body = NULL;
    if (sd_bus_message_read(message, "ssss", &request->type, &request->scope, &request->object,
                            &body) < 0) {
        syncd_set_error_arguments(error);
        return false;
    }
    if (!syncd_options_read(message, enqueue_options, G_N_ELEMENTS(enqueue_options), arguments,
                            error))
        return false;
    request->body = SYNCD_BYTES_TEXT(body);
    request->parents = (const char *const *)arguments->parents;
    return true;
}

static void enqueued_free(void *data)
{
    SyncdEnqueued *enqueued = data;
    syncd_enqueued_clear(enqueued);
    g_free(enqueued);
}

static bool answer_enqueue(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const SyncdEnqueued *enqueued = data;
    return syncd_call_reply(call, error, "stb", enqueued->operation, enqueued->sequence,
                            (int)enqueued->duplicate);
}

static bool enqueue(SyncdCall *call, const SyncdRequest *request, GError **error)
{
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL)
        return false;
    SyncdEnqueued *enqueued = g_new0(SyncdEnqueued, 1);
    if (!syncd_service_enqueue(service, syncd_call_caller(call), request, enqueued, error)) {
        enqueued_free(enqueued);
        return false;
    }
    if (enqueued->sequence == 0) {
        bool done = answer_enqueue(call, service, enqueued, error);
        enqueued_free(enqueued);
        return done;
    }
    syncd_call_after_commit(call, service, answer_enqueue, enqueued, enqueued_free);
    return true;
}

static bool handle_enqueue(SyncdCall *call, GError **error)
{
    EnqueueArguments arguments = {0};
    bool done = read_enqueue(syncd_call_message(call), &arguments, error) &&
                enqueue(call, &arguments.request, error);
    g_strfreev(arguments.parents);
    return done;
}

static void text_free(void *data)
{
    g_string_free(data, TRUE);
}

static bool answer_enqueue_many(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    return syncd_call_reply_bytes(call, error, data, NULL);
}

static void many_free(void *data)
{
    syncd_many_free(data);
}

static bool step_many(SyncdCall *call, SyncdService *service, void *data, bool *ret_done,
                      GError **error)
{
    GString *results = NULL;
    if (!syncd_many_step(data, &results, error))
        return false;
    *ret_done = results != NULL;
    if (results != NULL)
        syncd_call_after_commit(call, service, answer_enqueue_many, results, text_free);
    return true;
}

static const SyncdOption many_options[] = {
    {"actor", SYNCD_OPTION_TEXT, offsetof(SyncdSigned, actor)},
    {"signature", SYNCD_OPTION_TEXT, offsetof(SyncdSigned, signature)},
    {"expires", SYNCD_OPTION_LARGE, offsetof(SyncdSigned, expires_usec)},
};

static bool handle_enqueue_many(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    SyncdBytes lines = {0};
    SyncdSigned claim = {0};
    SyncdCaller signer;
    if (sd_bus_message_read_array(message, 'y', &lines.data, &lines.size) < 0) {
        syncd_set_error_arguments(error);
        return false;
    }
    if (!syncd_options_read(message, many_options, G_N_ELEMENTS(many_options), &claim, error))
        return false;
    const SyncdSignedRequest request = {.method = "Operations.EnqueueMany", .body = lines};
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL ||
        !syncd_service_act_as(service, syncd_call_caller(call), &claim, &request, &signer, error))
        return false;

    SyncdMany *many = syncd_service_begin_many(service, &signer, lines, error);
    return many != NULL && syncd_call_in_pieces(call, service, step_many, many, many_free, error);
}

static bool answer_checkpoint(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    g_autofree char *checkpoint = syncd_service_describe_checkpoint(service, data, error);
    return checkpoint != NULL && syncd_call_reply(call, error, "s", checkpoint);
}

static bool handle_checkpoint(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *scope = NULL;
    if (!syncd_text_argument_read(message, &scope, error) || !syncd_no_options_read(message, error))
        return false;
    static const char *const details[] = {"effect", "write a checkpoint", NULL};
    SyncdService *service = syncd_call_authorise(call, false, details, error);
    char *operation = NULL;
    if (service == NULL ||
        !syncd_service_checkpoint(service, syncd_call_caller(call), scope, &operation, error))
        return false;
    syncd_call_after_commit(call, service, answer_checkpoint, operation, g_free);
    return true;
}

/* ---- reading ---- */

static bool handle_get(SyncdCall *call, GError **error)
{
    return syncd_call_give_document(call, syncd_service_get_operation, error);
}

static bool handle_proof(SyncdCall *call, GError **error)
{
    return syncd_call_give_document(call, syncd_service_prove, error);
}

static bool handle_list(SyncdCall *call, GError **error)
{
    SyncdListOptions options = {0};
    if (!syncd_list_options_read(syncd_call_message(call), SYNCD_LIST_OPERATIONS, &options, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, options.all, NULL, error);
    if (service == NULL)
        return false;

    g_autofree char *cursor = NULL;
    g_autofree char *records = syncd_service_list_operations(service, syncd_call_caller(call),
                                                             &options.listing, &cursor, error);
    return records != NULL && syncd_call_reply(call, error, "ss", records, cursor);
}

static bool handle_list_bytes(SyncdCall *call, GError **error)
{
    SyncdListOptions options = {0};
    if (!syncd_list_options_read(syncd_call_message(call), SYNCD_LIST_LINES, &options, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, options.all, NULL, error);
    if (service == NULL)
        return false;

    g_autofree char *cursor = NULL;
    GString *lines = syncd_service_list_bytes(service, syncd_call_caller(call), &options.listing,
                                              &cursor, error);
    if (lines == NULL)
        return false;
    bool done = syncd_call_reply_bytes(call, error, lines, cursor);
    text_free(lines);
    return done;
}

static const SyncdMethod methods[] = {
    {"Enqueue", handle_enqueue},
    {"EnqueueMany", handle_enqueue_many},
    {"Get", handle_get},
    {"List", handle_list},
    {"ListBytes", handle_list_bytes},
    {"Replay", syncd_handle_replay},
    {"Reconcile", syncd_handle_reconcile},
    {"ListReconciled", syncd_handle_list_reconciled},
    {"ClaimTask", syncd_handle_claim_task},
    {"RenewTask", syncd_handle_renew_task},
    {"CompleteTask", syncd_handle_complete_task},
    {"FailTask", syncd_handle_fail_task},
    {"CancelTask", syncd_handle_cancel_task},
    {"GetTask", syncd_handle_get_task},
    {"ListTasks", syncd_handle_list_tasks},
    {"Checkpoint", handle_checkpoint},
    {"Proof", handle_proof},
    {"PlanPurge", syncd_handle_plan_purge},
    {"Purge", syncd_handle_purge},
    {"PurgeReport", syncd_handle_purge_report},
    {NULL, NULL},
};

/* clang-format off */
static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Enqueue",
        SD_BUS_ARGS("s", type, "s", scope, "s", object, "s", body, "a{sv}", options),
        SD_BUS_RESULT("s", operation, "t", sequence, "b", duplicate),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("EnqueueMany",
        SD_BUS_ARGS("ay", requests, "a{sv}", options),
        SD_BUS_RESULT("ay", results),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Get",
        SD_BUS_ARGS("s", operation, "a{sv}", options),
        SD_BUS_RESULT("s", record),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("List",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", records, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListBytes",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("ay", lines, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Replay",
        SD_BUS_ARGS("s", operation, "a{sv}", options),
        SD_BUS_RESULT("s", evidence, "b", duplicate),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reconcile",
        SD_BUS_ARGS("s", operation, "s", document, "a{sv}", options),
        SD_BUS_RESULT("s", evidence, "b", duplicate),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListReconciled",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", records),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ClaimTask",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", lease, "s", task, "s", operation),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RenewTask",
        SD_BUS_ARGS("s", lease, "a{sv}", options),
        SD_BUS_RESULT("t", until),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CompleteTask",
        SD_BUS_ARGS("s", lease, "a{sv}", options),
        SD_BUS_RESULT("s", task),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("FailTask",
        SD_BUS_ARGS("s", lease, "s", reason, "a{sv}", options),
        SD_BUS_RESULT("s", task),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CancelTask",
        SD_BUS_ARGS("s", task, "a{sv}", options),
        SD_BUS_RESULT("s", record),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetTask",
        SD_BUS_ARGS("s", task, "a{sv}", options),
        SD_BUS_RESULT("s", record),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListTasks",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", records, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Checkpoint",
        SD_BUS_ARGS("s", scope, "a{sv}", options),
        SD_BUS_RESULT("s", checkpoint),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Proof",
        SD_BUS_ARGS("s", operation, "a{sv}", options),
        SD_BUS_RESULT("s", proof),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("PlanPurge",
        SD_BUS_ARGS("s", scope, "s", object, "a{sv}", options),
        SD_BUS_RESULT("s", plan, "s", digest),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Purge",
        SD_BUS_ARGS("s", scope, "s", object, "s", digest, "a{sv}", options),
        SD_BUS_RESULT("s", operation, "t", sequence),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("PurgeReport",
        SD_BUS_ARGS("s", operation, "a{sv}", options),
        SD_BUS_RESULT("s", report),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL_WITH_ARGS("OperationRecorded",
        SD_BUS_ARGS("t", first, "t", last, "u", count), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TaskChanged",
        SD_BUS_ARGS("t", sequence, "t", pending, "t", running), 0),
    SD_BUS_VTABLE_END,
};
/* clang-format on */

const SyncdInterface syncd_interface_operations = {
    .name = SYNCD_INTERFACE_OPERATIONS,
    .path = SYNCD_PATH_ROOT,
    .user_vtable = vtable,
    .system_vtable = vtable,
    .methods = methods,
};
