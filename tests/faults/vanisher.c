/*
 * Callers that ask for something which needs an authorisation, and are gone before, while or after
 * it is given.
 *
 * Usage: vanisher ADDRESS COUNT SEED LONGEST-USEC AT-ONCE [PLAN DIGEST]
 *
 * That many callers at a time connect, ask for a verification (or approve a plan of repair), and
 * leave after a moment of at most so many microseconds, until there were COUNT of them.
 */
#include "bus/names.h"

#include <glib.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

/* What is asked for; NULL: a verification. */
static const char *plan, *digest;

static int new_call(sd_bus *bus, sd_bus_message **ret_call)
{
    int r = sd_bus_message_new_method_call(
        bus, ret_call, SYNCD_BUS_NAME, plan != NULL ? plan : SYNCD_PATH_ROOT,
        plan != NULL ? SYNCD_INTERFACE_PLAN : SYNCD_INTERFACE_MANAGER,
        plan != NULL ? "Approve" : "Verify");
    if (r < 0)
        return r;
    return plan != NULL ? sd_bus_message_append(*ret_call, "s", digest)
                        : sd_bus_message_append(*ret_call, "a{sv}", 1, "mode", "s", "heads");
}

static int begin(const char *address, sd_bus **ret_bus)
{
    sd_bus *bus = NULL;
    sd_bus_message *call = NULL;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        r = new_call(bus, &call);
    if (r >= 0)
        r = sd_bus_send(bus, call, NULL);
    if (r >= 0)
        r = sd_bus_flush(bus);
    sd_bus_message_unref(call);
    *ret_bus = bus;
    return r;
}

static int vanish_together(const char *address, unsigned at_once, GRand *random, unsigned longest)
{
    g_autofree sd_bus **callers = g_new0(sd_bus *, at_once);
    int r = 0;
    for (unsigned i = 0; r >= 0 && i < at_once; i++)
        r = begin(address, &callers[i]);
    g_usleep((gulong)g_rand_int_range(random, 0, (gint32)longest + 1));
    for (unsigned i = 0; i < at_once; i++)
        sd_bus_close_unref(callers[i]);
    return r;
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 8)
        return 2;
    if (argc == 8) {
        plan = argv[6];
        digest = argv[7];
    }
    unsigned count = number(argv[2]), longest = number(argv[4]), at_once = number(argv[5]);
    GRand *random = g_rand_new_with_seed(number(argv[3]));
    int r = 0;
    for (unsigned done = 0; r >= 0 && done < count; done += at_once)
        r = vanish_together(argv[1], at_once, random, longest);
    g_rand_free(random);
    return r < 0;
}
