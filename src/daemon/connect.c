#include "daemon/connect.h"

#include "base/error.h"
#include "bus/names.h"
#include "daemon/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define ADDRESS_FILE "bus-address"
#define ADDRESS_MAX 4096u

static int open_address(const char *address, sd_bus **ret_bus)
{
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, true);
    /* No method takes file descriptors, and a call that waits would keep what came with it: the bus
     * is to refuse them. */
    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, false);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0) {
        sd_bus_unref(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

/* Whoever can write the file decides whom we serve: it must be ours alone. */
static char *read_address_file(int directory)
{
    /* Not blocking: a FIFO must not keep us. */
    int fd = openat(directory, ADDRESS_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;

    char text[ADDRESS_MAX + 1];
    struct stat status;
    ssize_t size = -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
        (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        size = read(fd, text, ADDRESS_MAX);
    close(fd);
    if (size <= 0)
        return NULL;
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return g_strdup(text);
}

static int open_private_bus(sd_bus **ret_bus)
{
    int directory = syncd_open_runtime(SYNCD_INSTANCE_USER, NULL);
    if (directory < 0)
        return -ENOENT;
    g_autofree char *address = read_address_file(directory);
    close(directory);
    return address != NULL ? open_address(address, ret_bus) : -ENOENT;
}

/* As the D-Bus specification writes a value of an address. */
static char *escape_value(const char *value)
{
    GString *out = g_string_new(NULL);
    for (; *value != '\0'; value++) {
        if (g_ascii_isalnum(*value) || strchr("-_/.\\*", *value) != NULL)
            g_string_append_c(out, *value);
        else
            g_string_append_printf(out, "%%%02x", (guint8)*value);
    }
    return g_string_free(out, FALSE);
}

static int open_runtime_bus(sd_bus **ret_bus)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    if (runtime == NULL)
        return -ENOMEDIUM;
    g_autofree char *path = g_build_filename(runtime, "bus", NULL);
    g_autofree char *escaped = escape_value(path);
    g_autofree char *address = g_strconcat("unix:path=", escaped, NULL);
    return open_address(address, ret_bus);
}

static int open_bus(SyncdInstance instance, const char *address, sd_bus **ret_bus)
{
    bool is_user = instance == SYNCD_INSTANCE_USER;
    if (address == NULL)
        address = g_getenv(is_user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
    /* A bus that was named and does not answer is a mistake to be told, not to be evaded. */
    if (address != NULL)
        return open_address(address, ret_bus);
    if (!is_user)
        return open_address(SYSTEM_BUS, ret_bus);

    int r = open_runtime_bus(ret_bus);
    int private = r < 0 ? open_private_bus(ret_bus) : -ENOENT;
    return private != -ENOENT ? private : r;
}

sd_bus *syncd_connect(SyncdInstance instance, const char *address, sd_event *event, GError **error)
{
    sd_bus *bus = NULL;
    const char *name = NULL;
    int r = open_bus(instance, address, &bus);
    /* Only with a name of its own has the connection been accepted. */
    if (r >= 0)
        r = sd_bus_get_unique_name(bus, &name);
    if (r >= 0)
        r = sd_bus_set_exit_on_disconnect(bus, true);
    /* After the loop there are still replies to send. */
    if (r >= 0)
        r = sd_bus_set_close_on_exit(bus, false);
    if (r >= 0)
        r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        return bus;

    sd_bus_unref(bus);
    if (instance == SYNCD_INSTANCE_SYSTEM)
        syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                             "see that D-Bus runs, or set DBUS_SYSTEM_BUS_ADDRESS",
                             "The system bus cannot be reached: %s", g_strerror(-r));
    else
        syncd_set_error_next(
            error, SYNCD_ERROR_FAILED,
            "log in to a session, set DBUS_SESSION_BUS_ADDRESS, or start it within "
            "`dbus-run-session`",
            "The session bus cannot be reached: %s", g_strerror(-r));
    return NULL;
}

static void set_taken(sd_bus *connection, GError **error)
{
    const char *address = NULL;
    if (sd_bus_get_address(connection, &address) < 0)
        address = "this bus";

    pid_t pid = 0;
    sd_bus_creds *creds = NULL;
    int r = sd_bus_get_name_creds(connection, SYNCD_BUS_NAME, SD_BUS_CREDS_PID, &creds);
    if (r >= 0)
        r = sd_bus_creds_get_pid(creds, &pid);
    sd_bus_creds_unref(creds);

    g_autofree char *holder =
        r >= 0 ? g_strdup_printf("the process %d", (int)pid) : g_strdup("another process");
    syncd_set_error_next(error, SYNCD_ERROR_BUSY, "use that one, or stop it first",
                         "The name " SYNCD_BUS_NAME " is held by %s on %s", holder, address);
}

bool syncd_claim_name(sd_bus *connection, GError **error)
{
    int r = sd_bus_request_name(connection, SYNCD_BUS_NAME, 0);
    if (r >= 0)
        return true;
    if (r == -EEXIST)
        set_taken(connection, error);
    else
        syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                             "install org.sourceos.Sync.conf for D-Bus and run it as the user "
                             "named there",
                             "The name " SYNCD_BUS_NAME " cannot be had: %s", g_strerror(-r));
    return false;
}
