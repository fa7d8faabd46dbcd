#include "bus/error-bus.h"

#include <errno.h>

/* An error of another domain (GLib's) has no next step in its message yet. */
static GError *with_next_step(const GError *error)
{
    GError *ours = NULL;
    if (error->domain == SYNCD_ERROR)
        return g_error_copy(error);
    syncd_set_error(&ours, SYNCD_ERROR_FAILED, "%s", error->message);
    return ours;
}

/* Codes that only clients have are never raised here; should one be, it is a defect of ours. */
static const char *bus_name(const GError *error)
{
    const char *name = syncd_error_info_of(error)->dbus_name;
    return name != NULL ? name : syncd_error_info(SYNCD_ERROR_FAILED)->dbus_name;
}

int syncd_bus_set_error(sd_bus_error *ret_error, const GError *error)
{
    g_autoptr(GError) complete = with_next_step(error);
    int r = sd_bus_error_set(ret_error, bus_name(complete), complete->message);
    return r < 0 ? r : -EIO;
}

int syncd_bus_reply_error(sd_bus_message *call, const GError *error)
{
    g_autoptr(GError) complete = with_next_step(error);
    const sd_bus_error reply = SD_BUS_ERROR_MAKE_CONST(bus_name(complete), complete->message);
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
