#include "client/failure.h"

#include <errno.h>
#include <string.h>

#define STANDARD "org.freedesktop.DBus.Error."
#define SPAWN STANDARD "Spawn."

typedef enum { ABSENT, SILENT, GONE, ENDED, FOREIGN, NO_SUCH_OBJECT } BusFailure;

static const struct {
    const char *dbus_name;
    BusFailure failure;
} bus_failures[] = {
    {STANDARD "ServiceUnknown", ABSENT},
    {STANDARD "NameHasNoOwner", ABSENT},
    {STANDARD "NoServer", ABSENT},
    {STANDARD "FileNotFound", ABSENT},
    {SPAWN "ServiceNotFound", ABSENT},
    {SPAWN "ServiceNotValid", ABSENT},
    {SPAWN "ConfigInvalid", ABSENT},
    {SPAWN "FailedToSetup", ABSENT},
    {SPAWN "PermissionsInvalid", ABSENT},
    {SPAWN "FileInvalid", ABSENT},
    {SPAWN "NoMemory", ABSENT},
    {SPAWN "ForkFailed", ABSENT},
    {SPAWN "ExecFailed", ABSENT},
    {SPAWN "ChildExited", ABSENT},
    {SPAWN "ChildSignaled", ABSENT},
    {SPAWN "Failed", ABSENT},
    {"org.freedesktop.systemd1.NoSuchUnit", ABSENT},
    {"org.freedesktop.systemd1.LoadFailed", ABSENT},
    {"org.freedesktop.systemd1.UnitMasked", ABSENT},
    {STANDARD "NoReply", SILENT},
    {STANDARD "Timeout", SILENT},
    {STANDARD "TimedOut", SILENT},
    {STANDARD "Disconnected", GONE},
    {STANDARD "UnknownMethod", FOREIGN},
    {STANDARD "UnknownInterface", FOREIGN},
    {STANDARD "UnknownProperty", FOREIGN},
    {STANDARD "UnknownObject", NO_SUCH_OBJECT},
};

const char *syncd_client_how_to_start(SyncdClientInstance instance)
{
    if (instance == SYNCD_CLIENT_SYSTEM)
        return "start it with `systemctl start sourceos-syncd`, or ask an administrator to";
    return syncd_error_info(SYNCD_ERROR_UNREACHABLE)->next;
}

static void set_failure(GError **error, SyncdClientInstance instance, BusFailure failure)
{
    const char *name = syncd_client_instance_name(instance);
    switch (failure) {
    case ABSENT:
        syncd_set_error_next(error, SYNCD_ERROR_UNREACHABLE, syncd_client_how_to_start(instance),
                             "The daemon of the %s instance is not running.", name);
        break;
    case SILENT:
        syncd_set_error_next(error, SYNCD_ERROR_UNREACHABLE,
                             "see what it does with `sourceos-syncd status`, or allow more time "
                             "with `--timeout`; a request with an idempotency key can be repeated "
                             "safely",
                             "The daemon of the %s instance did not answer in time.", name);
        break;
    case GONE:
        syncd_set_error_next(error, SYNCD_ERROR_UNREACHABLE,
                             "try again; a request with an idempotency key can be repeated safely",
                             "The connection to the %s instance was closed.", name);
        break;
    case ENDED:
        syncd_set_error_next(error, SYNCD_ERROR_UNREACHABLE,
                             "see how it is with `sourceos-syncd status`; a request with an "
                             "idempotency key can be repeated safely",
                             "The daemon of the %s instance ended before it answered.", name);
        break;
    case FOREIGN:
        syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                             "compare `sourceos-syncd --version` with the daemon's, and restart "
                             "the daemon",
                             "The daemon of the %s instance does not know this call: it is another "
                             "version than this program.",
                             name);
        break;
    case NO_SUCH_OBJECT:
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "start it again: results are kept for five minutes and do not survive "
                             "a restart of the daemon",
                             "The %s instance has no such object any more.", name);
        break;
    }
}

/* Takes a sentence without its stop, to put something behind it. */
static char *without_stop(const char *sentence)
{
    size_t length = strlen(sentence);
    while (length > 0 && (sentence[length - 1] == '.' || sentence[length - 1] == ' '))
        length--;
    return g_strndup(sentence, length);
}

/* Both buses say by the same name that nobody answered in time and that nobody is there to. */
static BusFailure failure_of(BusFailure known, const char *message)
{
    bool ended = known == SILENT && message != NULL && strstr(message, "disconnected") != NULL;
    return ended ? ENDED : known;
}

void syncd_client_set_bus_error(GError **error, SyncdClientInstance instance, const char *dbus_name,
                                const char *message)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bus_failures); i++)
        if (g_strcmp0(dbus_name, bus_failures[i].dbus_name) == 0) {
            set_failure(error, instance, failure_of(bus_failures[i].failure, message));
            return;
        }

    const SyncdErrorInfo *info = syncd_error_info_by_dbus_name(dbus_name);
    if (dbus_name == NULL || info == NULL)
        info = syncd_error_info(SYNCD_ERROR_FAILED);
    g_autofree char *sentence = NULL;
    g_autofree char *next = NULL;
    syncd_error_split(message != NULL && *message != '\0' ? message : info->name, &sentence, &next);
    g_autofree char *what = without_stop(sentence);
    g_autofree char *then = next != NULL ? without_stop(next) : g_strdup(info->next);
    syncd_set_error_next(error, info->code, then, "%s (%s instance)", what,
                         syncd_client_instance_name(instance));
}

void syncd_client_set_errno(GError **error, SyncdClientInstance instance, int errnum,
                            const char *what)
{
    if (errnum == ETIMEDOUT) {
        set_failure(error, instance, SILENT);
        return;
    }
    if (errnum == ECONNRESET || errnum == ENOTCONN || errnum == EPIPE || errnum == ESHUTDOWN) {
        set_failure(error, instance, GONE);
        return;
    }
    syncd_set_error(error, SYNCD_ERROR_FAILED, "%s (%s instance): %s", what,
                    syncd_client_instance_name(instance), g_strerror(errnum));
}
