/* org.sourceos.Sync.Job: work that takes longer than a call. */
#include "bus/job.h"

#include "bus/bus-private.h"
#include "bus/names.h"
#include "bus/object.h"

#include <string.h>

const char *const syncd_job_properties_running[] = {"Progress", NULL};
const char *const syncd_job_properties_ended[] = {"State", "Progress", "Result", "Error", NULL};

char *syncd_job_path(const SyncdJob *job)
{
    return syncd_object_path(SYNCD_PATH_JOBS, syncd_job_id(job));
}

static int find_job(sd_bus *connection, const char *path, const char *interface, void *userdata,
                    void **ret_found, sd_bus_error *ret_error)
{
    const SyncdBus *bus = userdata;
    return syncd_objects_find(bus->jobs, SYNCD_PATH_JOBS, path, ret_found);
}

static int enumerate_jobs(sd_bus *connection, const char *prefix, void *userdata, char ***ret_paths,
                          sd_bus_error *ret_error)
{
    const SyncdBus *bus = userdata;
    *ret_paths = syncd_objects_paths(bus->jobs, SYNCD_PATH_JOBS);
    return 0;
}

/* ---- properties ---- */

static int get_text(sd_bus *connection, const char *path, const char *interface, const char *name,
                    sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    static const struct {
        const char *name;
        const char *(*get)(const SyncdJob *job);
    } texts[] = {
        {"Operation", syncd_job_operation},
        {"State", syncd_job_state},
        {"Result", syncd_job_result},
    };
    const SyncdObject *object = userdata;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(texts[i].name, name) == 0)
            return sd_bus_message_append_basic(reply, 's', texts[i].get(object->job));
    return sd_bus_error_set(ret_error, SD_BUS_ERROR_UNKNOWN_PROPERTY, "There is no such property.");
}

static int get_progress(sd_bus *connection, const char *path, const char *interface,
                        const char *name, sd_bus_message *reply, void *userdata,
                        sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    return sd_bus_message_append(reply, "d", syncd_job_progress(object->job));
}

/* True of every kind of job there is. */
static int get_true(sd_bus *connection, const char *path, const char *interface, const char *name,
                    sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    return sd_bus_message_append(reply, "b", 1);
}

static int get_cancelable(sd_bus *connection, const char *path, const char *interface,
                          const char *name, sd_bus_message *reply, void *userdata,
                          sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    return sd_bus_message_append(reply, "b", (int)syncd_job_is_cancelable(object->job));
}

static int get_error(sd_bus *connection, const char *path, const char *interface, const char *name,
                     sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    const GError *error = syncd_job_error(object->job);
    if (error == NULL)
        return sd_bus_message_append(reply, "(ss)", "", "");
    return sd_bus_message_append(reply, "(ss)", syncd_error_info_of(error)->dbus_name,
                                 error->message);
}

/* ---- methods ---- */

static bool is_of_another(const SyncdCall *call)
{
    return syncd_job_uid(syncd_call_job(call)) != syncd_call_caller(call)->uid;
}

static bool handle_describe(SyncdCall *call, GError **error)
{
    if (syncd_call_authorise(call, is_of_another(call), NULL, error) == NULL)
        return false;
    g_autofree char *description = syncd_job_describe(syncd_call_job(call));
    return syncd_call_reply(call, error, "s", description);
}

static bool handle_cancel(SyncdCall *call, GError **error)
{
    static const char *const details[] = {"effect", "stop a job", NULL};
    SyncdService *service = syncd_call_authorise(call, is_of_another(call), details, error);
    if (service == NULL)
        return false;
    return syncd_service_cancel_job(service, syncd_call_job(call), error) &&
           syncd_call_reply(call, error, "");
}

static const SyncdMethod methods[] = {
    {"Describe", handle_describe},
    {"Cancel", handle_cancel},
    {NULL, NULL},
};

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define INVALIDATES SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION

/* clang-format off */
#define METHODS                                                                                    \
    SD_BUS_METHOD_WITH_ARGS("Describe",                                                            \
        SD_BUS_NO_ARGS,                                                                            \
        SD_BUS_RESULT("s", description),                                                           \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),                                             \
    SD_BUS_METHOD_WITH_ARGS("Cancel",                                                              \
        SD_BUS_NO_ARGS,                                                                            \
        SD_BUS_NO_RESULT,                                                                          \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable user_vtable[] = {
    SD_BUS_VTABLE_START(0),
    METHODS,
    SD_BUS_SIGNAL_WITH_ARGS("Finished", SD_BUS_ARGS("s", state), 0),
    SD_BUS_PROPERTY("Operation", "s", get_text, 0, CONST),
    SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Progress", "d", get_progress, 0, CHANGES),
    SD_BUS_PROPERTY("ProgressValid", "b", get_true, 0, CHANGES),
    SD_BUS_PROPERTY("Result", "s", get_text, 0, INVALIDATES),
    SD_BUS_PROPERTY("Error", "(ss)", get_error, 0, INVALIDATES),
    SD_BUS_PROPERTY("Cancelable", "b", get_cancelable, 0, CONST),
    SD_BUS_VTABLE_END,
};

/* Properties and signals would be readable by every user of the machine. */
static const sd_bus_vtable system_vtable[] = {
    SD_BUS_VTABLE_START(0),
    METHODS,
    SD_BUS_VTABLE_END,
};
/* clang-format on */

const SyncdInterface syncd_interface_job = {
    .name = SYNCD_INTERFACE_JOB,
    .path = SYNCD_PATH_JOBS,
    .find = find_job,
    .enumerate = enumerate_jobs,
    .user_vtable = user_vtable,
    .system_vtable = system_vtable,
    .methods = methods,
};
