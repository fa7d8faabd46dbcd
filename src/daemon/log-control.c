#include "daemon/log-control.h"

#include "base/error.h"
#include "bus/error-bus.h"
#include "daemon/log.h"

#include <string.h>
#include <unistd.h>

/* The names of syslog, which systemd speaks; levels that we do not have mean the next we have. */
static const struct {
    const char *name;
    SyncdLogLevel level;
} levels[] = {
    {"err", SYNCD_LOG_ERROR},   {"warning", SYNCD_LOG_WARNING}, {"notice", SYNCD_LOG_NOTICE},
    {"info", SYNCD_LOG_INFO},   {"debug", SYNCD_LOG_DEBUG},     {"emerg", SYNCD_LOG_ERROR},
    {"alert", SYNCD_LOG_ERROR}, {"crit", SYNCD_LOG_ERROR},
};

static const struct {
    const char *name;
    SyncdLogTarget target;
} targets[] = {
    {"journal", SYNCD_LOG_TO_JOURNAL},
    {"console", SYNCD_LOG_TO_CONSOLE},
};

static int get_level(sd_bus *connection, const char *path, const char *interface, const char *name,
                     sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (levels[i].level == syncd_log_max_level())
            return sd_bus_message_append(reply, "s", levels[i].name);
    return sd_bus_message_append(reply, "s", "info");
}

static int get_target(sd_bus *connection, const char *path, const char *interface, const char *name,
                      sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
        if (targets[i].target == syncd_log_target())
            return sd_bus_message_append(reply, "s", targets[i].name);
    return sd_bus_message_append(reply, "s", "console");
}

static int get_identifier(sd_bus *connection, const char *path, const char *interface,
                          const char *name, sd_bus_message *reply, void *userdata,
                          sd_bus_error *ret_error)
{
    return sd_bus_message_append(reply, "s", SYNCD_SYSLOG_IDENTIFIER);
}

static bool may_control(sd_bus_message *message)
{
    sd_bus_creds *creds = NULL;
    uid_t uid = 0;
    int r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);
    if (r >= 0)
        r = sd_bus_creds_get_euid(creds, &uid);
    sd_bus_creds_unref(creds);
    return r >= 0 && (uid == 0 || uid == geteuid());
}

static int refuse(sd_bus_error *ret_error, SyncdErrorCode code, const char *what)
{
    g_autoptr(GError) error = NULL;
    syncd_set_error(&error, code, "%s", what);
    return syncd_bus_set_error(ret_error, error);
}

/* 1 with the text, or a negative errno. */
static int read_setting(sd_bus_message *message, const char **ret_text, sd_bus_error *ret_error)
{
    if (!may_control(message))
        return refuse(ret_error, SYNCD_ERROR_ACCESS_DENIED, "Logging is changed by root only");
    int r = sd_bus_message_read(message, "s", ret_text);
    return r < 0 ? r : 1;
}

static int set_level(sd_bus *connection, const char *path, const char *interface, const char *name,
                     sd_bus_message *value, void *userdata, sd_bus_error *ret_error)
{
    const char *text = NULL;
    int r = read_setting(value, &text, ret_error);
    if (r < 0)
        return r;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (strcmp(levels[i].name, text) == 0) {
            syncd_log_set_max_level(levels[i].level);
            return 0;
        }
    }
    return refuse(ret_error, SYNCD_ERROR_INVALID_ARGS, "There is no such log level");
}

static int set_target(sd_bus *connection, const char *path, const char *interface, const char *name,
                      sd_bus_message *value, void *userdata, sd_bus_error *ret_error)
{
    const char *text = NULL;
    int r = read_setting(value, &text, ret_error);
    if (r < 0)
        return r;
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (strcmp(targets[i].name, text) == 0) {
            syncd_log_set_target(targets[i].target);
            return 0;
        }
    }
    return refuse(ret_error, SYNCD_ERROR_INVALID_ARGS, "There is no such log target");
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_level, set_level, 0, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", get_target, set_target, 0,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("SyslogIdentifier", "s", get_identifier, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};

bool syncd_log_control_add(sd_bus *connection, GError **error)
{
    int r = sd_bus_add_object_vtable(connection, NULL, "/org/freedesktop/LogControl1",
                                     "org.freedesktop.LogControl1", vtable, NULL);
    if (r < 0)
        syncd_set_error_bus(error, r, "Log control cannot be put on the bus");
    return r >= 0;
}
