#include "client/job.h"

#include "base/json.h"
#include "client/client-internal.h"
#include "client/failure.h"
#include "client/names.h"

#include <string.h>

#define USER_INTERVAL_USEC (1000u * 1000u)
#define SYSTEM_FIRST_USEC (100u * 1000u)
#define SYSTEM_LAST_USEC (2000u * 1000u)

static int on_finished(sd_bus_message *message, void *data, sd_bus_error *error)
{
    SyncdClient *client = data;
    client->changes |= SYNCD_CHANGE_JOB;
    return 0;
}

static char *describe_job(SyncdClient *client, const char *path, GError **error)
{
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, path, SYNCD_BUS_JOB, "Describe", error);
    if (message == NULL)
        return NULL;
    g_autoptr(sd_bus_message) reply = syncd_client_send(client, message, error);
    const char *text = NULL;
    if (reply == NULL || !syncd_client_check(client, sd_bus_message_read(reply, "s", &text), error))
        return NULL;
    if (!syncd_json_check(text, strlen(text), SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    return g_strdup(text);
}

static void cancel_job(SyncdClient *client, const char *path)
{
    g_autoptr(sd_bus_message) message =
        syncd_client_message(client, path, SYNCD_BUS_JOB, "Cancel", NULL);
    if (message != NULL)
        sd_bus_send(client->bus, message, NULL);
}

static void set_job_error(GError **error, SyncdClientInstance instance, SyncdJson description)
{
    SyncdJson fault = syncd_json_member(description, "error");
    if (fault.type != SYNCD_JSON_OBJECT) {
        syncd_set_error(error, SYNCD_ERROR_CANCELLED, "The job was cancelled (%s instance).",
                        syncd_client_instance_name(instance));
        return;
    }
    g_autofree char *name = syncd_json_dup_text(syncd_json_member(fault, "name"));
    g_autofree char *message = syncd_json_dup_text(syncd_json_member(fault, "message"));
    /* The document may have the short name, the bus always has the long one. */
    g_autofree char *full = name != NULL && strchr(name, '.') == NULL
                                ? g_strconcat(SYNCD_ERROR_PREFIX, name, NULL)
                                : g_strdup(name);
    syncd_client_set_bus_error(error, instance, full, message);
}

static void tell_progress(SyncdJson description, SyncdProgressFunc progress, void *data)
{
    SyncdJson value = syncd_json_member(description, "progress");
    if (progress == NULL || (value.type != SYNCD_JSON_REAL && value.type != SYNCD_JSON_INTEGER))
        return;
    g_autofree char *text = g_strndup(value.at, (size_t)(value.end - value.at));
    progress(data, CLAMP(g_ascii_strtod(text, NULL), 0.0, 1.0));
}

static char *take_result(SyncdClient *client, SyncdJson description, GError **error)
{
    SyncdJson result = syncd_json_member(description, "result");
    if (syncd_json_is(syncd_json_member(description, "state"), "done") &&
        result.type == SYNCD_JSON_OBJECT)
        return g_strndup(result.at, (size_t)(result.end - result.at));
    set_job_error(error, client->options.instance, description);
    return NULL;
}

static char *await_end(SyncdClient *client, const char *path, const struct pollfd *stop,
                       SyncdProgressFunc progress, void *data, GError **error)
{
    bool user = client->options.instance == SYNCD_CLIENT_USER;
    guint64 interval = user ? USER_INTERVAL_USEC : SYSTEM_FIRST_USEC;
    for (;;) {
        g_autofree char *text = describe_job(client, path, error);
        if (text == NULL)
            return NULL;
        SyncdJson description = syncd_json_root(text, strlen(text));
        if (!syncd_json_is(syncd_json_member(description, "state"), "running"))
            return take_result(client, description, error);
        tell_progress(description, progress, data);

        g_autoptr(GError) fault = NULL;
        if (!syncd_clients_wait(&client, 1, interval, stop, &fault)) {
            cancel_job(client, path);
            g_propagate_error(error, g_steal_pointer(&fault));
            return NULL;
        }
        syncd_client_take_changes(client);
        if (!user)
            interval = MIN(interval * 3 / 2, SYSTEM_LAST_USEC);
    }
}

char *syncd_client_wait_job(SyncdClient *client, const char *path, const struct pollfd *stop,
                            SyncdProgressFunc progress, void *data, GError **error)
{
    g_autoptr(sd_bus_slot) slot = NULL;
    if (client->options.instance == SYNCD_CLIENT_USER) {
        int r = sd_bus_match_signal(client->bus, &slot, SYNCD_BUS_NAME, path, SYNCD_BUS_JOB,
                                    "Finished", on_finished, client);
        if (!syncd_client_check(client, r, error))
            return NULL;
    }
    return await_end(client, path, stop, progress, data, error);
}
