/*
 * A user who calls as fast as he can, and one who only wants an answer.
 *
 * Usage: flooder ADDRESS flood KIND CONNECTIONS IN-FLIGHT
 *        flooder ADDRESS probe COUNT
 *
 * The first keeps that many calls of a kind unanswered on each of its connections until it is told
 * to end, and then prints how many were answered and how many of those with an error. The second
 * makes that many rounds of calls, one after the other, and prints how many microseconds each took.
 */
#include "bus/names.h"

#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define LARGE_SIZE (4u << 20)
#define PATIENCE_USEC (120u * G_USEC_PER_SEC)

/* ---- one call of each kind ---- */

static int new_call(sd_bus *bus, sd_bus_message **ret_call, const char *interface,
                    const char *member)
{
    return sd_bus_message_new_method_call(bus, ret_call, SYNCD_BUS_NAME, SYNCD_PATH_ROOT, interface,
                                          member);
}

static int append_enqueue(sd_bus_message *call, const char *body)
{
    return sd_bus_message_append(call, "ssssa{sv}", "sync.operation.enqueue", "workspace:notes",
                                 "note:1", body, 1, "create_scope", "b", 1);
}

static int append_small(sd_bus_message *call)
{
    return append_enqueue(call, "{\"title\":\"a note\"}");
}

/* Well formed to the last byte but one. */
static int append_large(sd_bus_message *call)
{
    static char *body;
    if (body == NULL) {
        body = g_malloc(LARGE_SIZE + 1);
        memset(body, ' ', LARGE_SIZE);
        memcpy(body, "{\"a\":", 5);
        body[LARGE_SIZE] = '\0';
    }
    return append_enqueue(call, body);
}

static int append_many(sd_bus_message *call)
{
    static GString *lines;
    if (lines == NULL) {
        lines = g_string_new(NULL);
        for (int i = 0; i < 512; i++)
            g_string_append(lines,
                            "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\","
                            "\"object\":\"note:2\",\"create_scope\":true,\"body\":{}}\n");
    }
    int r = sd_bus_message_append_array(call, 'y', lines->str, lines->len);
    return r < 0 ? r : sd_bus_message_append(call, "a{sv}", 0);
}

static int append_no_options(sd_bus_message *call)
{
    return sd_bus_message_append(call, "a{sv}", 0);
}

static int append_bodies(sd_bus_message *call)
{
    return sd_bus_message_append(call, "a{sv}", 1, "bodies", "b", 1);
}

static int append_nothing(sd_bus_message *call)
{
    return 0;
}

static int append_unknown(sd_bus_message *call)
{
    return sd_bus_message_append(call, "sa{sv}", "op-00000000000000000000000000", 0);
}

/* Finds nothing, and looks at as many entries as a page may. */
static int append_filtered(sd_bus_message *call)
{
    return sd_bus_message_append(call, "a{sv}", 2, "since", "t", (uint64_t)1, "scope", "s",
                                 "device");
}

static int append_full(sd_bus_message *call)
{
    return sd_bus_message_append(call, "a{sv}", 1, "mode", "s", "full");
}

static const struct {
    const char *name;
    const char *interface;
    const char *member;
    int (*append)(sd_bus_message *call);
} kinds[] = {
    {"enqueue", SYNCD_INTERFACE_OPERATIONS, "Enqueue", append_small},
    {"enqueue-many", SYNCD_INTERFACE_OPERATIONS, "EnqueueMany", append_many},
    {"enqueue-large", SYNCD_INTERFACE_OPERATIONS, "Enqueue", append_large},
    {"get", SYNCD_INTERFACE_OPERATIONS, "Get", append_unknown},
    {"list", SYNCD_INTERFACE_OPERATIONS, "List", append_no_options},
    {"list-bytes", SYNCD_INTERFACE_OPERATIONS, "ListBytes", append_bodies},
    {"list-filtered", SYNCD_INTERFACE_OPERATIONS, "List", append_filtered},
    {"list-tasks", SYNCD_INTERFACE_OPERATIONS, "ListTasks", append_no_options},
    {"list-events", SYNCD_INTERFACE_MANAGER, "ListEvents", append_no_options},
    {"verify", SYNCD_INTERFACE_MANAGER, "Verify", append_full},
    {"describe", SYNCD_INTERFACE_MANAGER, "Describe", append_nothing},
    {"wrong-arguments", SYNCD_INTERFACE_MANAGER, "Describe", append_unknown},
    {"no-method", SYNCD_INTERFACE_MANAGER, "Nothing", append_nothing},
};

#define ALL_KINDS G_N_ELEMENTS(kinds)

static size_t find_kind(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return i;
    return ALL_KINDS;
}

static int make_call(sd_bus *bus, size_t kind, sd_bus_message **ret_call)
{
    int r = new_call(bus, ret_call, kinds[kind].interface, kinds[kind].member);
    return r < 0 ? r : kinds[kind].append(*ret_call);
}

static int connect_to(const char *address, sd_bus **ret_bus)
{
    int r = sd_bus_new(ret_bus);
    if (r >= 0)
        r = sd_bus_set_address(*ret_bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(*ret_bus, 1);
    if (r >= 0)
        r = sd_bus_start(*ret_bus);
    return r;
}

/* ---- the flood ---- */

typedef struct {
    size_t kind; /* ALL_KINDS: in turns */
    size_t next;
    guint64 answered;
    guint64 refused;
} Flood;

static int send_next(Flood *flood, sd_bus *bus);

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Flood *flood = userdata;
    /* What the same user left undone earlier is done now: calls of one user keep their order. */
    if (flood->answered++ == 0) {
        puts("flooding");
        fflush(stdout);
    }
    flood->refused += sd_bus_message_is_method_error(reply, NULL) > 0;
    return send_next(flood, sd_bus_message_get_bus(reply));
}

static int send_next(Flood *flood, sd_bus *bus)
{
    size_t kind = flood->kind != ALL_KINDS ? flood->kind : flood->next++ % ALL_KINDS;
    sd_bus_message *call = NULL;
    int r = make_call(bus, kind, &call);
    if (r >= 0)
        r = sd_bus_call_async(bus, NULL, call, on_reply, flood, PATIENCE_USEC);
    sd_bus_message_unref(call);
    return r;
}

static int run_flood(const char *address, const char *kind, unsigned connections,
                     unsigned in_flight)
{
    Flood flood = {.kind = find_kind(kind)};
    sd_event *event = NULL;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int r = sd_event_default(&event);
    if (r >= 0)
        r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
    for (unsigned i = 0; r >= 0 && i < connections; i++) {
        sd_bus *bus = NULL;
        r = connect_to(address, &bus);
        if (r >= 0)
            r = sd_bus_set_exit_on_disconnect(bus, 1);
        if (r >= 0)
            r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        for (unsigned j = 0; r >= 0 && j < in_flight; j++)
            r = send_next(&flood, bus);
    }
    if (r >= 0)
        r = sd_event_loop(event);
    printf("%" PRIu64 " %" PRIu64 "\n", flood.answered, flood.refused);
    return r;
}

/* ---- the probe ---- */

static int probe(sd_bus *bus, const char *name)
{
    sd_bus_message *call = NULL, *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = make_call(bus, find_kind(name), &call);
    gint64 start = g_get_monotonic_time();
    if (r >= 0)
        r = sd_bus_call(bus, call, PATIENCE_USEC, &error, &reply);
    /* To be told that there is no such operation is an answer as well. */
    if (r >= 0 || g_str_has_prefix(error.name, SYNCD_BUS_NAME)) {
        printf("%s %" PRIi64 "\n", name, g_get_monotonic_time() - start);
        r = 0;
    } else {
        fprintf(stderr, "%s: %s: %s\n", name, error.name, error.message);
    }
    sd_bus_error_free(&error);
    sd_bus_message_unref(call);
    sd_bus_message_unref(reply);
    return r;
}

/* What the bus alone takes: the part of a wait that is not the daemon's. */
static int probe_bus(sd_bus *bus)
{
    gint64 start = g_get_monotonic_time();
    int r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer",
                               "Ping", NULL, NULL, NULL);
    if (r >= 0)
        printf("bus %" PRIi64 "\n", g_get_monotonic_time() - start);
    return r;
}

static int run_probe(const char *address, unsigned count)
{
    static const char *const names[] = {"get", "enqueue", "describe"};
    sd_bus *bus = NULL;
    int r = connect_to(address, &bus);
    for (unsigned i = 0; r >= 0 && i < count; i++) {
        for (size_t j = 0; r >= 0 && j < G_N_ELEMENTS(names); j++)
            r = probe(bus, names[j]);
        if (r >= 0)
            r = probe_bus(bus);
    }
    sd_bus_flush_close_unref(bus);
    return r;
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    int r = -1;
    if (argc == 6 && strcmp(argv[2], "flood") == 0)
        r = run_flood(argv[1], argv[3], number(argv[4]), number(argv[5]));
    else if (argc == 4 && strcmp(argv[2], "probe") == 0)
        r = run_probe(argv[1], number(argv[3]));
    else
        return 2;
    return r < 0;
}
