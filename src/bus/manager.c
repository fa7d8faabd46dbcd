/* org.sourceos.Sync.Manager: the instance as a whole. */
#include "bus/manager.h"

#include "bus/bus-private.h"
#include "bus/document.h"
#include "bus/evidence.h"
#include "bus/job.h"
#include "bus/listing.h"
#include "bus/names.h"
#include "bus/object.h"
#include "bus/options.h"
#include "config.h"
#include "service/diagnose.h"
#include "service/explain.h"
#include "service/find.h"
#include "service/health.h"

#include <string.h>

/* ---- properties ---- */

typedef enum { STATE_TEXT, STATE_TEXTS, STATE_FLAG, STATE_NUMBER, STATE_LARGE } StateType;

#define IN_STATE(member) offsetof(SyncdState, member)

static const struct {
    const char *name;
    StateType type;
    size_t offset;
} state_properties[] = {
    {"State", STATE_TEXT, IN_STATE(state)},
    {"StateReasons", STATE_TEXTS, IN_STATE(reasons)},
    {"ConflictCount", STATE_NUMBER, IN_STATE(conflict_count)},
    {"PolicyBlockedCount", STATE_NUMBER, IN_STATE(policy_blocked_count)},
    {"PendingApprovals", STATE_NUMBER, IN_STATE(pending_approvals)},
    {"RepairNeeded", STATE_FLAG, IN_STATE(repair_needed)},
    {"PendingOperations", STATE_LARGE, IN_STATE(pending_operations)},
    {"Sequence", STATE_LARGE, IN_STATE(sequence)},
    {"LastActivityUSec", STATE_LARGE, IN_STATE(last_activity_usec)},
    {"Paused", STATE_FLAG, IN_STATE(paused)},
};

static int append_state(sd_bus_message *reply, StateType type, const void *member)
{
    switch (type) {
    case STATE_TEXT:
        return sd_bus_message_append_basic(reply, 's', *(const char *const *)member);
    case STATE_TEXTS:
        return sd_bus_message_append_strv(reply, (char **)member);
    case STATE_FLAG:
        return sd_bus_message_append(reply, "b", (int)*(const bool *)member);
    case STATE_NUMBER:
        return sd_bus_message_append_basic(reply, 'u', member);
    default:
        return sd_bus_message_append_basic(reply, 't', member);
    }
}

static bool same_state(StateType type, const void *one, const void *other)
{
    switch (type) {
    case STATE_TEXT:
        return g_strcmp0(*(const char *const *)one, *(const char *const *)other) == 0;
    case STATE_TEXTS: {
        const char *const *left = one, *const *right = other;
        while (*left != NULL && g_strcmp0(*left, *right) == 0)
            left++, right++;
        return *left == NULL && *right == NULL;
    }
    case STATE_FLAG:
        return *(const bool *)one == *(const bool *)other;
    case STATE_NUMBER:
        return *(const guint32 *)one == *(const guint32 *)other;
    default:
        return *(const guint64 *)one == *(const guint64 *)other;
    }
}

GPtrArray *syncd_manager_changed_properties(const SyncdState *before, const SyncdState *after)
{
    GPtrArray *names = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(state_properties); i++) {
        size_t offset = state_properties[i].offset;
        if (!same_state(state_properties[i].type, (const char *)before + offset,
                        (const char *)after + offset))
            g_ptr_array_add(names, (void *)state_properties[i].name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

static int get_state(sd_bus *connection, const char *path, const char *interface, const char *name,
                     sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    SyncdState state = {0};
    syncd_service_state(object->bus->service, &state);
    for (size_t i = 0; i < G_N_ELEMENTS(state_properties); i++)
        if (strcmp(state_properties[i].name, name) == 0)
            return append_state(reply, state_properties[i].type,
                                (const char *)&state + state_properties[i].offset);
    return sd_bus_error_set(ret_error, SD_BUS_ERROR_UNKNOWN_PROPERTY, "There is no such property.");
}

static int get_version(sd_bus *connection, const char *path, const char *interface,
                       const char *name, sd_bus_message *reply, void *userdata,
                       sd_bus_error *ret_error)
{
    return sd_bus_message_append(reply, "s", SYNCD_VERSION);
}

static int get_api_version(sd_bus *connection, const char *path, const char *interface,
                           const char *name, sd_bus_message *reply, void *userdata,
                           sd_bus_error *ret_error)
{
    return sd_bus_message_append(reply, "u", SYNCD_API_VERSION);
}

static int get_instance(sd_bus *connection, const char *path, const char *interface,
                        const char *name, sd_bus_message *reply, void *userdata,
                        sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    return sd_bus_message_append(reply, "s", syncd_instance_name(object->bus->instance));
}

/* ---- methods ---- */

static bool handle_describe(SyncdCall *call, GError **error)
{
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *description = syncd_service_describe(service, syncd_call_caller(call), error);
    return description != NULL && syncd_call_reply(call, error, "s", description);
}

static bool handle_health(SyncdCall *call, GError **error)
{
    if (!syncd_options_read(syncd_call_message(call), NULL, 0, NULL, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, true, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *report = syncd_service_health(service, syncd_call_caller(call), error);
    return report != NULL && syncd_call_reply(call, error, "s", report);
}

static bool handle_explain(SyncdCall *call, GError **error)
{
    return syncd_call_give_document(call, syncd_service_explain, error);
}

typedef struct {
    SyncdDiagnoseOptions diagnose;
    bool all;
} DiagnoseArguments;

static const SyncdOption diagnose_options[] = {
    {"deep", SYNCD_OPTION_SWITCH, offsetof(DiagnoseArguments, diagnose.deep)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(DiagnoseArguments, all)},
};

static bool handle_diagnose(SyncdCall *call, GError **error)
{
    DiagnoseArguments arguments = {.all = false};
    if (!syncd_options_read(syncd_call_message(call), diagnose_options,
                            G_N_ELEMENTS(diagnose_options), &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *diagnosis =
        syncd_service_describe_diagnosis(service, syncd_call_caller(call), &arguments.diagnose);
    return syncd_call_reply(call, error, "s", diagnosis);
}

static bool handle_list_events(SyncdCall *call, GError **error)
{
    SyncdListOptions options = {0};
    if (!syncd_list_options_read(syncd_call_message(call), SYNCD_LIST_EVENTS, &options, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, options.all, NULL, error);
    if (service == NULL)
        return false;

    g_autofree char *cursor = NULL;
    g_autofree char *events = syncd_service_list_events(service, syncd_call_caller(call),
                                                        &options.listing, &cursor, error);
    return events != NULL && syncd_call_reply(call, error, "ss", events, cursor);
}

typedef struct {
    SyncdSearchAsked finding;
    bool all;
} FindArguments;

static const SyncdOption find_options[] = {
    {"kind", SYNCD_OPTION_TEXT, offsetof(FindArguments, finding.kind)},
    {"workspace", SYNCD_OPTION_TEXT, offsetof(FindArguments, finding.workspace)},
    {"cursor", SYNCD_OPTION_TEXT, offsetof(FindArguments, finding.cursor)},
    {"limit", SYNCD_OPTION_NUMBER, offsetof(FindArguments, finding.limit)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(FindArguments, all)},
};

static bool handle_find(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    FindArguments arguments = {.all = false};
    if (!syncd_text_argument_read(message, &arguments.finding.words, error) ||
        !syncd_options_read(message, find_options, G_N_ELEMENTS(find_options), &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *cursor = NULL;
    g_autofree char *found =
        syncd_service_find(service, syncd_call_caller(call), &arguments.finding, &cursor, error);
    return found != NULL && syncd_call_reply(call, error, "ss", found, cursor);
}

static const struct {
    const char *name;
    SyncdVerifyMode mode;
} verify_modes[] = {
    {"incremental", SYNCD_VERIFY_INCREMENTAL},
    {"full", SYNCD_VERIFY_FULL},
    {"heads", SYNCD_VERIFY_HEADS},
};

static bool parse_verify_mode(const char *name, SyncdVerifyMode *ret_mode, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verify_modes); i++) {
        if (name == NULL || strcmp(verify_modes[i].name, name) == 0) {
            *ret_mode = verify_modes[i].mode;
            return true;
        }
    }
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                    "Option \"mode\" must be incremental, full or heads, not \"%.32s\"", name);
    return false;
}

typedef struct {
    const char *mode;
    char **known_heads;
    bool index;
} VerifyOptions;

static const SyncdOption verify_options[] = {
    {"mode", SYNCD_OPTION_TEXT, offsetof(VerifyOptions, mode)},
    {"known_heads", SYNCD_OPTION_TEXTS, offsetof(VerifyOptions, known_heads)},
    {"index", SYNCD_OPTION_SWITCH, offsetof(VerifyOptions, index)},
};

static bool start_verify(SyncdCall *call, const VerifyOptions *options, GError **error)
{
    SyncdVerifyOptions wanted = {.known_heads = (const char *const *)options->known_heads,
                                 .index = options->index};
    if (!parse_verify_mode(options->mode, &wanted.mode, error))
        return false;
    static const char *const details[] = {"effect", "verify the log", NULL};
    SyncdService *service = syncd_call_authorise(call, false, details, error);
    SyncdJob *job = NULL;
    if (service == NULL ||
        !syncd_service_verify_with(service, syncd_call_caller(call), &wanted, &job, error))
        return false;
    g_autofree char *path = syncd_job_path(job);
    return syncd_call_reply(call, error, "o", path);
}

static bool handle_verify(SyncdCall *call, GError **error)
{
    VerifyOptions options = {0};
    bool done = syncd_options_read(syncd_call_message(call), verify_options,
                                   G_N_ELEMENTS(verify_options), &options, error) &&
                start_verify(call, &options, error);
    g_strfreev(options.known_heads);
    return done;
}

static bool handle_list_jobs(SyncdCall *call, GError **error)
{
    SyncdService *service = syncd_call_authorise_reading(call, error);
    if (service == NULL)
        return false;
    g_autofree char *jobs = syncd_service_describe_jobs(service, syncd_call_caller(call));
    return syncd_call_reply(call, error, "s", jobs);
}

static const SyncdMethod methods[] = {
    {"Describe", handle_describe},
    {"Health", handle_health},
    {"Explain", handle_explain},
    {"Diagnose", handle_diagnose},
    {"ListEvents", handle_list_events},
    {"ListEvidence", syncd_handle_list_evidence},
    {"GetEvidence", syncd_handle_get_evidence},
    {"Find", handle_find},
    {"Verify", handle_verify},
    {"ListJobs", handle_list_jobs},
    {NULL, NULL},
};

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define INVALIDATES SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION

/* clang-format off */
static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Describe",
        SD_BUS_NO_ARGS,
        SD_BUS_RESULT("s", description),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Health",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", report),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Explain",
        SD_BUS_ARGS("s", object, "a{sv}", options),
        SD_BUS_RESULT("s", explanation),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Diagnose",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", diagnosis),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListEvents",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", events, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListEvidence",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", evidence, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetEvidence",
        SD_BUS_ARGS("s", id, "a{sv}", options),
        SD_BUS_RESULT("s", evidence),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Find",
        SD_BUS_ARGS("s", words, "a{sv}", options),
        SD_BUS_RESULT("s", found, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Verify",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("o", job),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListJobs",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", jobs),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL_WITH_ARGS("EventRecorded",
        SD_BUS_ARGS("t", first, "t", last, "as", types), 0),
    SD_BUS_SIGNAL_WITH_ARGS("FindingsChanged",
        SD_BUS_ARGS("u", errors, "u", warnings), 0),
    SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
    SD_BUS_PROPERTY("ApiVersion", "u", get_api_version, 0, CONST),
    SD_BUS_PROPERTY("Instance", "s", get_instance, 0, CONST),
    SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("StateReasons", "as", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("ConflictCount", "u", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("PolicyBlockedCount", "u", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("PendingApprovals", "u", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("RepairNeeded", "b", get_state, 0, CHANGES),
    SD_BUS_PROPERTY("PendingOperations", "t", get_state, 0, INVALIDATES),
    SD_BUS_PROPERTY("Sequence", "t", get_state, 0, INVALIDATES),
    SD_BUS_PROPERTY("LastActivityUSec", "t", get_state, 0, INVALIDATES),
    SD_BUS_PROPERTY("Paused", "b", get_state, 0, CHANGES),
    SD_BUS_VTABLE_END,
};
/* clang-format on */

const SyncdInterface syncd_interface_manager = {
    .name = SYNCD_INTERFACE_MANAGER,
    .path = SYNCD_PATH_ROOT,
    .user_vtable = vtable,
    .system_vtable = vtable,
    .methods = methods,
};
