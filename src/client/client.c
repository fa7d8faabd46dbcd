#include "client/client-internal.h"
#include "client/failure.h"
#include "client/names.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

static guint64 monotonic_usec(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (guint64)now.tv_sec * G_USEC_PER_SEC + (guint64)now.tv_nsec / 1000;
}

/* Waits for the bus to answer, so that a socket without a bus behind it is found here. The library
 * alone would wait for minutes. */
static int await_bus(sd_bus *bus, guint64 end)
{
    int r;
    while ((r = sd_bus_is_ready(bus)) == 0) {
        r = sd_bus_process(bus, NULL);
        if (r < 0)
            return r;
        guint64 now = monotonic_usec();
        if (r == 0 && now >= end)
            return -ETIMEDOUT;
        if (r == 0)
            r = sd_bus_wait(bus, end - now);
        if (r < 0 && r != -EINTR)
            return r;
    }
    return r;
}

static int open_bus(const char *address, guint64 end, sd_bus **ret_bus)
{
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);
    if (r < 0)
        return r;
    r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        r = await_bus(bus, end);
    if (r < 0) {
        sd_bus_close_unref(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

static void set_no_bus(GError **error, SyncdClientInstance instance, int errnum)
{
    if (instance == SYNCD_CLIENT_SYSTEM)
        syncd_set_error_next(error, SYNCD_ERROR_UNREACHABLE,
                             "start the system bus, or ask your own instance with `--user`",
                             "The system bus cannot be reached (system instance): %s",
                             g_strerror(errnum));
    else
        syncd_set_error_next(error, SYNCD_ERROR_UNREACHABLE,
                             "log into a session, or set DBUS_SESSION_BUS_ADDRESS to the bus that "
                             "the daemon is on",
                             "There is no session bus that can be reached (user instance): %s",
                             g_strerror(errnum));
}

SyncdClient *syncd_client_connect(const SyncdClientOptions *options, GError **error)
{
    g_auto(GStrv) addresses = syncd_client_addresses(options->instance);
    guint64 end = monotonic_usec() + options->timeout_usec;
    int r = -ENOENT;
    for (size_t i = 0; addresses[i] != NULL; i++) {
        sd_bus *bus = NULL;
        r = open_bus(addresses[i], end, &bus);
        if (r < 0)
            continue;
        SyncdClient *client = g_new0(SyncdClient, 1);
        client->bus = bus;
        client->options = *options;
        return client;
    }
    set_no_bus(error, options->instance, -r);
    return NULL;
}

void syncd_client_free(SyncdClient *client)
{
    if (client == NULL)
        return;
    sd_bus_flush_close_unref(client->bus);
    g_free(client);
}

SyncdClientInstance syncd_client_instance(const SyncdClient *client)
{
    return client->options.instance;
}

bool syncd_client_check(const SyncdClient *client, int result, GError **error)
{
    if (result >= 0)
        return true;
    syncd_client_set_errno(error, client->options.instance, -result, "The bus library failed");
    return false;
}

sd_bus_message *syncd_client_message(SyncdClient *client, const char *path, const char *interface,
                                     const char *member, GError **error)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r = sd_bus_message_new_method_call(client->bus, &message, SYNCD_BUS_NAME, path, interface,
                                           member);
    if (r >= 0)
        r = sd_bus_message_set_auto_start(message, client->options.auto_start);
    if (r >= 0)
        r = sd_bus_message_set_allow_interactive_authorization(message,
                                                               client->options.interactive);
    if (!syncd_client_check(client, r, error))
        return NULL;
    return g_steal_pointer(&message);
}

sd_bus_message *syncd_client_send(SyncdClient *client, sd_bus_message *message, GError **error)
{
    sd_bus_error bus_error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    int r = sd_bus_call(client->bus, message, client->options.timeout_usec, &bus_error, &reply);
    if (r >= 0)
        return reply;
    if (sd_bus_error_is_set(&bus_error))
        syncd_client_set_bus_error(error, client->options.instance, bus_error.name,
                                   bus_error.message);
    else
        syncd_client_check(client, r, error);
    sd_bus_error_free(&bus_error);
    return NULL;
}

/* ---- following ---- */

static int on_event(sd_bus_message *message, void *data, sd_bus_error *error)
{
    SyncdClient *client = data;
    client->changes |= SYNCD_CHANGE_EVENTS;
    return 0;
}

static int on_properties(sd_bus_message *message, void *data, sd_bus_error *error)
{
    SyncdClient *client = data;
    client->changes |= SYNCD_CHANGE_STATE;
    return 0;
}

static int on_owner(sd_bus_message *message, void *data, sd_bus_error *error)
{
    SyncdClient *client = data;
    client->changes |= SYNCD_CHANGE_OWNER;
    return 0;
}

bool syncd_client_watch(SyncdClient *client, GError **error)
{
    int r = sd_bus_match_signal(client->bus, NULL, SYNCD_BUS_NAME, SYNCD_BUS_ROOT,
                                SYNCD_BUS_MANAGER, "EventRecorded", on_event, client);
    if (r >= 0)
        r = sd_bus_match_signal(client->bus, NULL, SYNCD_BUS_NAME, SYNCD_BUS_ROOT,
                                "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                on_properties, client);
    if (r >= 0)
        r = sd_bus_add_match(client->bus, NULL,
                             "type='signal',sender='org.freedesktop.DBus',"
                             "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                             "member='NameOwnerChanged',arg0='" SYNCD_BUS_NAME "'",
                             on_owner, client);
    return syncd_client_check(client, r, error);
}

unsigned syncd_client_take_changes(SyncdClient *client)
{
    unsigned changes = client->changes;
    client->changes = 0;
    return changes;
}

/* Dispatches what has arrived; true when something of interest changed. */
static bool process(SyncdClient *client)
{
    int r;
    do {
        r = sd_bus_process(client->bus, NULL);
    } while (r > 0);
    if (r < 0)
        client->changes |= SYNCD_CHANGE_LOST;
    return client->changes != 0;
}

static void describe_poll(SyncdClient *client, struct pollfd *poll_fd, guint64 *deadline)
{
    guint64 due = 0;
    *poll_fd = (struct pollfd){.fd = -1};
    if (client->changes & SYNCD_CHANGE_LOST)
        return;
    int events = sd_bus_get_events(client->bus);
    poll_fd->fd = sd_bus_get_fd(client->bus);
    poll_fd->events = (short)(events > 0 ? events : POLLIN);
    if (sd_bus_get_timeout(client->bus, &due) > 0)
        *deadline = MIN(*deadline, due);
}

bool syncd_clients_wait(SyncdClient *const *clients, size_t n_clients, guint64 timeout_usec,
                        const struct pollfd *stop, GError **error)
{
    g_autofree struct pollfd *fds = g_new0(struct pollfd, n_clients + 1);
    guint64 start = monotonic_usec();
    guint64 end = timeout_usec > G_MAXUINT64 - start ? G_MAXUINT64 : start + timeout_usec;
    for (;;) {
        bool changed = false;
        guint64 deadline = end;
        for (size_t i = 0; i < n_clients; i++) {
            changed = process(clients[i]) || changed;
            describe_poll(clients[i], &fds[i], &deadline);
        }
        guint64 now = monotonic_usec();
        if (changed || now >= end)
            return true;

        guint64 left = deadline > now ? deadline - now : 0;
        struct timespec wait = {.tv_sec = (time_t)MIN(left / G_USEC_PER_SEC, 1000000u),
                                .tv_nsec = (long)(left % G_USEC_PER_SEC * 1000)};
        fds[n_clients] = stop != NULL ? *stop : (struct pollfd){.fd = -1};
        int r = ppoll(fds, n_clients + 1, &wait, NULL);
        if (r < 0 && errno != EINTR) {
            syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "Cannot wait for the bus");
            return false;
        }
        if (r > 0 && fds[n_clients].revents != 0) {
            syncd_set_error(error, SYNCD_ERROR_INTERRUPTED, "Interrupted");
            return false;
        }
    }
}
