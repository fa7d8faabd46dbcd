#include "bus/error-bus.h"

#include "bus/sendable.h"

#include <errno.h>

/* Codes that only clients have are never raised here; should one be, it is a defect of ours. */
static const char *bus_name(const GError *error)
{
    const char *name = syncd_error_info_of(error)->dbus_name;
    return name != NULL ? name : syncd_error_info(SYNCD_ERROR_FAILED)->dbus_name;
}

/* An error of another domain (GLib's) has no next step in its message yet. A message may quote what
 * a caller sent and cut it within a character. */
static char *bus_message(const GError *error)
{
    g_autoptr(GError) ours = NULL;
    if (error->domain != SYNCD_ERROR) {
        syncd_set_error(&ours, SYNCD_ERROR_FAILED, "%s", error->message);
        error = ours;
    }
    return syncd_sendable(error->message);
}

int syncd_bus_set_error(sd_bus_error *ret_error, const GError *error)
{
    g_autofree char *message = bus_message(error);
    int r = sd_bus_error_set(ret_error, bus_name(error), message);
    return r < 0 ? r : -EIO;
}

int syncd_bus_new_error(sd_bus_message *call, const GError *error, sd_bus_message **ret_reply)
{
    g_autofree char *message = bus_message(error);
    const sd_bus_error reply = SD_BUS_ERROR_MAKE_CONST(bus_name(error), message);
    if (!sd_bus_message_get_expect_reply(call))
        return 0;
    int r = sd_bus_message_new_method_error(call, ret_reply, &reply);
    return r < 0 ? r : 1;
}

int syncd_bus_reply_error(sd_bus_message *call, const GError *error)
{
    g_autofree char *message = bus_message(error);
    const sd_bus_error reply = SD_BUS_ERROR_MAKE_CONST(bus_name(error), message);
    return sd_bus_reply_method_error(call, &reply);
}

void syncd_set_error_bus(GError **error, int result, const char *what)
{
    syncd_set_error(error, SYNCD_ERROR_FAILED, "%s: %s", what, g_strerror(-result));
}

void syncd_set_error_arguments(GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The call's arguments cannot be read");
}
