/* org.sourceos.Sync.Registry: the records of all registries. */
#include "bus/bus-private.h"
#include "bus/error-bus.h"
#include "bus/listing.h"
#include "bus/migrations.h"
#include "bus/names.h"
#include "bus/object.h"
#include "bus/options.h"
#include "service/registries.h"

#include <string.h>

/* ---- changing: answered once it is durable ---- */

#define IN_REQUEST(member) offsetof(SyncdRegistryRequest, member)

static const SyncdOption change_options[] = {
    {"idempotency_key", SYNCD_OPTION_TEXT, IN_REQUEST(idempotency_key)},
    {"scope", SYNCD_OPTION_TEXT, IN_REQUEST(scope)},
    {"actor", SYNCD_OPTION_TEXT, IN_REQUEST(claim.actor)},
    {"signature", SYNCD_OPTION_TEXT, IN_REQUEST(claim.signature)},
    {"expires", SYNCD_OPTION_LARGE, IN_REQUEST(claim.expires_usec)},
    {"dry_run", SYNCD_OPTION_SWITCH, IN_REQUEST(dry_run)},
    {"expected", SYNCD_OPTION_LARGE, IN_REQUEST(expected)},
    {"reason", SYNCD_OPTION_TEXT, IN_REQUEST(reason)},
};
#define N_REGISTER_OPTIONS 6u /* what is new has nothing to expect … */
#define N_UPDATE_OPTIONS 7u   /* … and what does not end no reason */

typedef bool (*ChangeFunc)(SyncdService *service, const SyncdCaller *caller,
                           const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                           GError **error);

static bool read_texts(sd_bus_message *message, const char **texts[], size_t n, GError **error)
{
    for (size_t i = 0; i < n; i++) {
        if (sd_bus_message_read_basic(message, 's', texts[i]) < 0) {
            syncd_set_error_arguments(error);
            return false;
        }
        if (strlen(*texts[i]) > SYNCD_RECORD_SIZE) {
            syncd_set_error(error, SYNCD_ERROR_TOO_LARGE,
                            "Argument %u of the call has more than %u bytes", (unsigned)i + 1,
                            SYNCD_RECORD_SIZE);
            return false;
        }
    }
    return true;
}

static void registered_free(void *data)
{
    SyncdRegistered *registered = data;
    syncd_registered_clear(registered);
    g_free(registered);
}

static bool answer_change(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const SyncdRegistered *registered = data;
    return syncd_call_reply(call, error, "sstb", registered->id, registered->operation,
                            registered->sequence, (int)registered->duplicate);
}

/* The same, and what nobody here knows of the document. */
static bool answer_document(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const SyncdRegistered *registered = data;
    return syncd_call_reply_texts(call, error, registered->unknown, "sstb", registered->id,
                                  registered->operation, registered->sequence,
                                  (int)registered->duplicate);
}

static bool change(SyncdCall *call, ChangeFunc func, const SyncdRegistryRequest *request,
                   GError **error)
{
    bool configuration;
    const char *const details[] = {"effect", "change a registry", "registry", request->kind, NULL};
    if (!syncd_service_registry_is_configuration(request->kind, &configuration, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, configuration, details, error);
    if (service == NULL)
        return false;
    SyncdRegistered *registered = g_new0(SyncdRegistered, 1);
    if (!func(service, syncd_call_caller(call), request, registered, error)) {
        registered_free(registered);
        return false;
    }
    syncd_call_after_commit(call, service,
                            request->record.data != NULL ? answer_document : answer_change,
                            registered, registered_free);
    return true;
}

static bool handle_register(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    SyncdRegistryRequest request = {0};
    const char *record = NULL;
    const char **const texts[] = {&request.kind, &record};
    if (!read_texts(message, (const char ***)texts, G_N_ELEMENTS(texts), error) ||
        !syncd_options_read(message, change_options, N_REGISTER_OPTIONS, &request, error))
        return false;
    request.record = SYNCD_BYTES_TEXT(record);
    return change(call, syncd_service_register, &request, error);
}

static bool handle_update(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    SyncdRegistryRequest request = {0};
    const char *record = NULL;
    const char **const texts[] = {&request.kind, &request.id, &record};
    if (!read_texts(message, (const char ***)texts, G_N_ELEMENTS(texts), error) ||
        !syncd_options_read(message, change_options, N_UPDATE_OPTIONS, &request, error))
        return false;
    request.record = SYNCD_BYTES_TEXT(record);
    return change(call, syncd_service_update, &request, error);
}

static bool handle_revoke(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    SyncdRegistryRequest request = {0};
    const char **const texts[] = {&request.kind, &request.id};
    return read_texts(message, (const char ***)texts, G_N_ELEMENTS(texts), error) &&
           syncd_options_read(message, change_options, G_N_ELEMENTS(change_options), &request,
                              error) &&
           change(call, syncd_service_revoke, &request, error);
}

/* ---- reading ---- */

static bool handle_show(SyncdCall *call, GError **error)
{
    const char *kind = NULL, *id = NULL;
    const char **const texts[] = {&kind, &id};
    SyncdService *service =
        read_texts(syncd_call_message(call), (const char ***)texts, G_N_ELEMENTS(texts), error)
            ? syncd_call_authorise_reading(call, error)
            : NULL;
    if (service == NULL)
        return false;
    g_autofree char *record =
        syncd_service_show_record(service, syncd_call_caller(call), kind, id, error);
    return record != NULL && syncd_call_reply(call, error, "s", record);
}

typedef struct {
    SyncdRegistryListing listing;
    bool all;
} ListArguments;

#define IN_LISTING(member) offsetof(ListArguments, listing.member)

static const SyncdOption list_options[] = {
    {"cursor", SYNCD_OPTION_TEXT, IN_LISTING(cursor)},
    {"limit", SYNCD_OPTION_NUMBER, IN_LISTING(limit)},
    {"state", SYNCD_OPTION_TEXT, IN_LISTING(state)},
    {"scope", SYNCD_OPTION_TEXT, IN_LISTING(scope)},
    {"type", SYNCD_OPTION_TEXT, IN_LISTING(type)},
    {"workspace", SYNCD_OPTION_TEXT, IN_LISTING(workspace)},
    {"profile", SYNCD_OPTION_TEXT, IN_LISTING(profile)},
    {"schema", SYNCD_OPTION_TEXT, IN_LISTING(schema)},
    {"identity", SYNCD_OPTION_TEXT, IN_LISTING(identity)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(ListArguments, all)},
};

static bool handle_list(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    ListArguments arguments = {0};
    const char **const texts[] = {&arguments.listing.kind};
    if (!read_texts(message, (const char ***)texts, G_N_ELEMENTS(texts), error) ||
        !syncd_options_read(message, list_options, G_N_ELEMENTS(list_options), &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *cursor = NULL;
    g_autofree char *records = syncd_service_list_records(service, syncd_call_caller(call),
                                                          &arguments.listing, &cursor, error);
    return records != NULL && syncd_call_reply(call, error, "ss", records, cursor);
}

static const SyncdMethod methods[] = {
    {"Register", handle_register},
    {"Update", handle_update},
    {"Revoke", handle_revoke},
    {"Show", handle_show},
    {"List", handle_list},
    {"PlanMigration", syncd_handle_plan_migration},
    {"ApplyMigration", syncd_handle_apply_migration},
    {"PlanRollback", syncd_handle_plan_rollback},
    {"ApplyRollback", syncd_handle_apply_rollback},
    {"MigrationReport", syncd_handle_migration_report},
    {NULL, NULL},
};

/* clang-format off */
static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Register",
        SD_BUS_ARGS("s", kind, "s", record, "a{sv}", options),
        SD_BUS_RESULT("s", record_id, "s", operation, "t", sequence, "b", duplicate,
                      "as", unknown),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Update",
        SD_BUS_ARGS("s", kind, "s", id, "s", record, "a{sv}", options),
        SD_BUS_RESULT("s", record_id, "s", operation, "t", sequence, "b", duplicate,
                      "as", unknown),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Revoke",
        SD_BUS_ARGS("s", kind, "s", id, "a{sv}", options),
        SD_BUS_RESULT("s", record_id, "s", operation, "t", sequence, "b", duplicate),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Show",
        SD_BUS_ARGS("s", kind, "s", id, "a{sv}", options),
        SD_BUS_RESULT("s", record),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("List",
        SD_BUS_ARGS("s", kind, "a{sv}", options),
        SD_BUS_RESULT("s", records, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("PlanMigration",
        SD_BUS_ARGS("s", migration, "a{sv}", options),
        SD_BUS_RESULT("s", report, "s", digest),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ApplyMigration",
        SD_BUS_ARGS("s", migration, "s", digest, "a{sv}", options),
        SD_BUS_RESULT("s", operation, "t", sequence, "s", report),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("PlanRollback",
        SD_BUS_ARGS("s", operation, "a{sv}", options),
        SD_BUS_RESULT("s", report, "s", digest),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ApplyRollback",
        SD_BUS_ARGS("s", operation, "s", digest, "a{sv}", options),
        SD_BUS_RESULT("s", rollback, "t", sequence, "s", report),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("MigrationReport",
        SD_BUS_ARGS("s", operation, "a{sv}", options),
        SD_BUS_RESULT("s", report),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};
/* clang-format on */

const SyncdInterface syncd_interface_registry = {
    .name = SYNCD_INTERFACE_REGISTRY,
    .path = SYNCD_PATH_ROOT,
    .user_vtable = vtable,
    .system_vtable = vtable,
    .methods = methods,
};
