#include "bus-load.h"

#include "measure.h"

#include <stdbool.h>
#include <systemd/sd-event.h>

#define TIMEOUT_USEC (60u * G_USEC_PER_SEC)

typedef struct {
    const Load *load;
    sd_event *event;
    unsigned left; /* calls that were not made yet */
    unsigned open; /* that were not answered yet */
} Run;

static sd_bus *connect_caller(const char *address)
{
    sd_bus *bus = NULL;
    const char *name;
    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 ||
        sd_bus_set_bus_client(bus, true) < 0 || sd_bus_start(bus) < 0 ||
        sd_bus_get_unique_name(bus, &name) < 0)
        g_error("the bus cannot be reached");
    return bus;
}

static void check_answer(sd_bus_message *answer)
{
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    if (error != NULL)
        g_error("%s: %s", error->name, error->message);
}

static sd_bus_message *make_call(const Load *load, sd_bus *bus)
{
    sd_bus_message *call = NULL;
    if (load->call(bus, &call, load->data) < 0)
        g_error("a call cannot be made");
    return call;
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error);

static void send_next(Run *run, sd_bus *bus)
{
    if (run->left == 0)
        return;
    run->left--;
    run->open++;
    sd_bus_message *call = make_call(run->load, bus);
    if (sd_bus_call_async(bus, NULL, call, on_answer, run, TIMEOUT_USEC) < 0)
        g_error("a call cannot be sent");
    sd_bus_message_unref(call);
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error)
{
    Run *run = userdata;
    check_answer(answer);
    run->open--;
    send_next(run, sd_bus_message_get_bus(answer));
    if (run->open == 0)
        sd_event_exit(run->event, 0);
    return 0;
}

double load_rate(const Load *load)
{
    Run run = {.load = load, .left = load->n};
    g_autofree sd_bus **callers = g_new0(sd_bus *, load->callers);
    g_assert_cmpint(sd_event_new(&run.event), >=, 0);
    for (unsigned i = 0; i < load->callers; i++) {
        callers[i] = connect_caller(load->address);
        g_assert_cmpint(sd_bus_attach_event(callers[i], run.event, 0), >=, 0);
    }

    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < load->callers * load->in_flight; i++)
        send_next(&run, callers[i % load->callers]);
    sd_event_loop(run.event);
    double rate = load->n / seconds_since(begin);

    for (unsigned i = 0; i < load->callers; i++) {
        sd_bus_detach_event(callers[i]);
        sd_bus_flush_close_unref(callers[i]);
    }
    sd_event_unref(run.event);
    return rate;
}

static sd_bus_message *call_and_wait(const Load *load, sd_bus *bus)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *answer = NULL, *call = make_call(load, bus);
    if (sd_bus_call(bus, call, TIMEOUT_USEC, &error, &answer) < 0)
        g_error("%s", error.message);
    sd_bus_message_unref(call);
    return answer;
}

double load_latency(const Load *load)
{
    sd_bus *bus = connect_caller(load->address);
    g_autofree double *waited = g_new0(double, load->n);
    for (unsigned i = 0; i < load->n; i++) {
        gint64 begin = g_get_monotonic_time();
        sd_bus_message_unref(call_and_wait(load, bus));
        waited[i] = seconds_since(begin);
    }
    sd_bus_flush_close_unref(bus);
    return median_of(waited, load->n);
}

sd_bus_message *load_once(const Load *load)
{
    sd_bus *bus = connect_caller(load->address);
    sd_bus_message *answer = call_and_wait(load, bus);
    sd_bus_flush_close_unref(bus);
    return answer;
}
