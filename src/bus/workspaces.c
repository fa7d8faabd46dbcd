/* org.sourceos.Sync.Workspaces: the directories that are recorded, and what is recorded of them. */
#include "bus/bus-private.h"
#include "bus/error-bus.h"
#include "bus/job.h"
#include "bus/listing.h"
#include "bus/names.h"
#include "bus/object.h"
#include "bus/options.h"
#include "service/announce.h"
#include "service/file-mismatch.h"
#include "service/file-path.h"
#include "service/file-reading.h"
#include "service/job.h"
#include "service/restore.h"

#include <string.h>

typedef struct {
    SyncdFileListing listing;
    bool all;
} ListArguments;

static const SyncdOption list_options[] = {
    {"cursor", SYNCD_OPTION_TEXT, offsetof(ListArguments, listing.cursor)},
    {"limit", SYNCD_OPTION_NUMBER, offsetof(ListArguments, listing.limit)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(ListArguments, all)},
    {"mismatched", SYNCD_OPTION_SWITCH, offsetof(ListArguments, listing.mismatched)},
};
#define N_HISTORY_OPTIONS 3u /* it is that of one file */

/* A NUL at its end, as programs in C send it, is no part of it. */
static bool read_path(sd_bus_message *message, SyncdBytes *ret_path, GError **error)
{
    const void *bytes = NULL;
    size_t size = 0;
    if (sd_bus_message_read_array(message, 'y', &bytes, &size) < 0) {
        syncd_set_error_arguments(error);
        return false;
    }
    if (size > 0 && ((const char *)bytes)[size - 1] == '\0')
        size--;
    *ret_path = size > 0 ? SYNCD_BYTES(bytes, size) : SYNCD_BYTES("", 0);
    return true;
}

static bool handle_list(SyncdCall *call, GError **error)
{
    SyncdService *service = syncd_call_authorise_reading(call, error);
    if (service == NULL)
        return false;
    g_autofree char *workspaces =
        syncd_service_list_workspaces(service, syncd_call_caller(call), error);
    return workspaces != NULL && syncd_call_reply(call, error, "s", workspaces);
}

static bool handle_list_files(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    ListArguments arguments = {0};
    if (!syncd_text_argument_read(message, &arguments.listing.workspace, error) ||
        !read_path(message, &arguments.listing.path, error) ||
        !syncd_options_read(message, list_options, G_N_ELEMENTS(list_options), &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *cursor = NULL;
    g_autofree char *files = syncd_service_list_files(service, syncd_call_caller(call),
                                                      &arguments.listing, &cursor, error);
    return files != NULL && syncd_call_reply(call, error, "ss", files, cursor);
}

typedef struct {
    SyncdFileAsked asked;
    bool all;
} GetArguments;

static const SyncdOption get_options[] = {
    {"past", SYNCD_OPTION_SWITCH, offsetof(GetArguments, asked.past)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(GetArguments, all)},
};

static bool handle_get_file(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    GetArguments arguments = {0};
    if (!syncd_text_argument_read(message, &arguments.asked.workspace, error) ||
        !read_path(message, &arguments.asked.path, error) ||
        !syncd_options_read(message, get_options, G_N_ELEMENTS(get_options), &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *file =
        syncd_service_get_file(service, syncd_call_caller(call), &arguments.asked, error);
    return file != NULL && syncd_call_reply(call, error, "s", file);
}

static bool handle_check_ignored(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *workspace = NULL;
    SyncdBytes path;
    SyncdService *service =
        syncd_text_argument_read(message, &workspace, error) && read_path(message, &path, error)
            ? syncd_call_authorise_reading(call, error)
            : NULL;
    if (service == NULL)
        return false;
    g_autofree char *verdict =
        syncd_service_check_ignored(service, syncd_call_caller(call), workspace, path, error);
    return verdict != NULL && syncd_call_reply(call, error, "s", verdict);
}

static bool handle_history(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *file = NULL;
    ListArguments arguments = {0};
    if (!syncd_text_argument_read(message, &file, error) ||
        !syncd_options_read(message, list_options, N_HISTORY_OPTIONS, &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *cursor = NULL;
    g_autofree char *changes =
        syncd_service_file_history(service, syncd_call_caller(call), file, arguments.listing.cursor,
                                   arguments.listing.limit, &cursor, error);
    return changes != NULL && syncd_call_reply(call, error, "ss", changes, cursor);
}

typedef struct {
    bool deep;
} ScanArguments;

static const SyncdOption scan_options[] = {
    {"deep", SYNCD_OPTION_SWITCH, offsetof(ScanArguments, deep)},
};

static bool handle_scan(SyncdCall *call, GError **error)
{
    static const char *const details[] = {"effect", "scan a workspace", NULL};
    sd_bus_message *message = syncd_call_message(call);
    const char *workspace = NULL;
    ScanArguments arguments = {0};
    SyncdJob *job = NULL;
    if (!syncd_text_argument_read(message, &workspace, error) ||
        !syncd_options_read(message, scan_options, G_N_ELEMENTS(scan_options), &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, details, error);
    if (service == NULL || !syncd_service_scan(service, syncd_call_caller(call), workspace,
                                               arguments.deep, &job, error))
        return false;
    g_autofree char *path = syncd_job_path(job);
    return syncd_call_reply(call, error, "o", path);
}

typedef struct {
    SyncdRestoreRequest request;
    char *path;
    bool all;
} RestoreArguments;

static void restore_arguments_clear(RestoreArguments *arguments)
{
    g_free(arguments->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RestoreArguments, restore_arguments_clear)

static const SyncdOption restore_options[] = {
    {"version", SYNCD_OPTION_LARGE, offsetof(RestoreArguments, request.version)},
    {"to", SYNCD_OPTION_TEXT, offsetof(RestoreArguments, request.to)},
    {"text", SYNCD_OPTION_SWITCH, offsetof(RestoreArguments, request.text)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(RestoreArguments, all)},
};

/* `digest`: whether there is one. */
static bool read_restore(sd_bus_message *message, bool digest, RestoreArguments *arguments,
                         GError **error)
{
    SyncdBytes path;
    if (!syncd_text_argument_read(message, &arguments->request.workspace, error) ||
        !read_path(message, &path, error) || !syncd_file_path_check(path, error) ||
        (digest && !syncd_text_argument_read(message, &arguments->request.digest, error)) ||
        !syncd_options_read(message, restore_options, G_N_ELEMENTS(restore_options), arguments,
                            error))
        return false;
    arguments->path = g_strndup(path.data, path.size);
    arguments->request.path = arguments->path;
    return true;
}

static bool handle_plan_restore(SyncdCall *call, GError **error)
{
    g_auto(RestoreArguments) arguments = {0};
    if (!read_restore(syncd_call_message(call), false, &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *plan =
        syncd_service_plan_restore(service, syncd_call_caller(call), &arguments.request, error);
    return plan != NULL && syncd_call_reply(call, error, "s", plan);
}

static bool handle_restore(SyncdCall *call, GError **error)
{
    static const char *const details[] = {"effect", "restore a file", NULL};
    g_auto(RestoreArguments) arguments = {0};
    SyncdJob *job = NULL;
    if (!read_restore(syncd_call_message(call), true, &arguments, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, arguments.all, details, error);
    if (service == NULL ||
        !syncd_service_restore(service, syncd_call_caller(call), &arguments.request, &job, error))
        return false;
    g_autofree char *path = syncd_job_path(job);
    return syncd_call_reply(call, error, "o", path);
}

static const SyncdOption announce_options[] = {
    {"actor", SYNCD_OPTION_TEXT, offsetof(SyncdSigned, actor)},
    {"signature", SYNCD_OPTION_TEXT, offsetof(SyncdSigned, signature)},
    {"expires", SYNCD_OPTION_LARGE, offsetof(SyncdSigned, expires_usec)},
};

static bool handle_announce(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *given[2] = {NULL, NULL}; /* workspace and changes */
    SyncdSigned claim = {0};
    SyncdCaller signer;
    if (!syncd_text_argument_read(message, &given[0], error) ||
        !syncd_text_argument_read(message, &given[1], error) ||
        !syncd_options_read(message, announce_options, G_N_ELEMENTS(announce_options), &claim,
                            error))
        return false;
    const SyncdSignedRequest request = {"Workspaces.Announce", NULL, given, G_N_ELEMENTS(given)};
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL ||
        !syncd_service_act_as(service, syncd_call_caller(call), &claim, &request, &signer, error))
        return false;
    g_autofree char *answer =
        syncd_service_announce(service, &signer, given[0], SYNCD_BYTES_TEXT(given[1]), error);
    return answer != NULL && syncd_call_reply(call, error, "s", answer);
}

/* ---- what is there is right: answered once it is read, recorded and durable ---- */

static bool answer_accept(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    return syncd_call_reply(call, error, "s", syncd_job_result(data));
}

static bool handle_accept(SyncdCall *call, GError **error)
{
    static const char *const details[] = {"effect", "accept a file as it is", NULL};
    sd_bus_message *message = syncd_call_message(call);
    const char *workspace = NULL, *sha256 = NULL;
    SyncdBytes path;
    SyncdJob *job = NULL;
    bool all;
    if (!syncd_text_argument_read(message, &workspace, error) ||
        !read_path(message, &path, error) || !syncd_text_argument_read(message, &sha256, error) ||
        !syncd_all_option_read(message, &all, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, all, details, error);
    if (service == NULL)
        return false;
    g_auto(SyncdAccepted) accepted = {NULL};
    if (!syncd_service_accept_file(service, syncd_call_caller(call), workspace, path, sha256,
                                   &accepted, &job, error))
        return false;
    if (job != NULL) {
        syncd_call_after_job(call, service, job, answer_accept, job, NULL);
        return true;
    }
    g_autofree char *result = syncd_service_describe_accepted(&accepted);
    return syncd_call_reply(call, error, "s", result);
}

static const SyncdMethod methods[] = {
    {"List", handle_list},
    {"ListFiles", handle_list_files},
    {"GetFile", handle_get_file},
    {"FileHistory", handle_history},
    {"CheckIgnored", handle_check_ignored},
    {"Scan", handle_scan},
    {"Announce", handle_announce},
    {"PlanRestore", handle_plan_restore},
    {"Restore", handle_restore},
    {"AcceptFile", handle_accept},
    {NULL, NULL},
};

/* clang-format off */
static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("List",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", workspaces),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListFiles",
        SD_BUS_ARGS("s", workspace, "ay", path, "a{sv}", options),
        SD_BUS_RESULT("s", files, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetFile",
        SD_BUS_ARGS("s", workspace, "ay", path, "a{sv}", options),
        SD_BUS_RESULT("s", file),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CheckIgnored",
        SD_BUS_ARGS("s", workspace, "ay", path, "a{sv}", options),
        SD_BUS_RESULT("s", verdict),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("FileHistory",
        SD_BUS_ARGS("s", file, "a{sv}", options),
        SD_BUS_RESULT("s", changes, "s", cursor),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Scan",
        SD_BUS_ARGS("s", workspace, "a{sv}", options),
        SD_BUS_RESULT("o", job),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Announce",
        SD_BUS_ARGS("s", workspace, "s", changes, "a{sv}", options),
        SD_BUS_RESULT("s", answer),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("PlanRestore",
        SD_BUS_ARGS("s", workspace, "ay", path, "a{sv}", options),
        SD_BUS_RESULT("s", plan),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Restore",
        SD_BUS_ARGS("s", workspace, "ay", path, "s", digest, "a{sv}", options),
        SD_BUS_RESULT("o", job),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("AcceptFile",
        SD_BUS_ARGS("s", workspace, "ay", path, "s", sha256, "a{sv}", options),
        SD_BUS_RESULT("s", accepted),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};
/* clang-format on */

const SyncdInterface syncd_interface_workspaces = {
    .name = SYNCD_INTERFACE_WORKSPACES,
    .path = SYNCD_PATH_ROOT,
    .user_vtable = vtable,
    .system_vtable = vtable,
    .methods = methods,
};
