/*
 * A service that stands where the daemon stands, and is good or bad in one way.
 *
 * Usage: poor-service ADDRESS FLAW
 *
 * The suites that judge the daemon judge this one as well, and must find each flaw. Without one
 * ("none") it is sound, so what they find in the others is the flaw and not the service.
 */
#include "bus/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define LONG_ENOUGH 24u
#define LEAK_SIZE (384u << 10)
#define SLOW_USEC 1000u

typedef enum {
    FLAW_NONE,
    FLAW_CRASH,    /* ends on a long text */
    FLAW_OVERFLOW, /* writes behind a buffer on a long text */
    FLAW_NEVER,    /* one method never succeeds */
    FLAW_SILENT,   /* sometimes nobody is answered */
    FLAW_LEAK,     /* keeps memory of each call */
    FLAW_LEAK_FDS, /* keeps a descriptor of each call */
    FLAW_DEAF,     /* understands nothing */
    FLAW_IN_ORDER, /* serves whoever came first, and takes its time */
    N_FLAWS,
} Flaw;

static const char *const flaws[N_FLAWS] = {"none", "crash",    "overflow", "never",   "silent",
                                           "leak", "leak-fds", "deaf",     "in-order"};

static Flaw flaw;
static unsigned n_calls;

/* Through a volatile pointer: the compiler would leave out what nobody reads. */
static void overflow(size_t size)
{
    volatile char *buffer = malloc(LONG_ENOUGH);
    for (size_t i = 0; buffer != NULL && i < size; i++)
        buffer[i] = 'x';
    free((void *)buffer);
}

static void leak_memory(void)
{
    static char *volatile kept;
    char *more = malloc(LEAK_SIZE);
    if (more == NULL)
        return;
    memset(more, 'x', LEAK_SIZE);
    char *before = kept;
    memcpy(more, &before, sizeof before);
    kept = more;
}

/* False when the caller is not to be answered. */
static bool live_with_it(size_t text_size)
{
    n_calls++;
    if (flaw == FLAW_CRASH && text_size > LONG_ENOUGH)
        abort();
    if (flaw == FLAW_OVERFLOW && text_size > LONG_ENOUGH)
        overflow(text_size);
    if (flaw == FLAW_LEAK)
        leak_memory();
    if (flaw == FLAW_LEAK_FDS)
        (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (flaw == FLAW_IN_ORDER)
        usleep(SLOW_USEC);
    return flaw != FLAW_SILENT || n_calls % 64 != 0;
}

/* Also of what it does not look at. */
static bool hears(sd_bus_error *ret_error)
{
    if (flaw != FLAW_DEAF)
        return true;
    sd_bus_error_set(ret_error, SD_BUS_ERROR_INVALID_ARGS, "What?");
    return false;
}

static int on_describe(sd_bus_message *call, void *userdata, sd_bus_error *ret_error)
{
    if (!hears(ret_error))
        return -EINVAL;
    if (!live_with_it(0))
        return 1;
    return sd_bus_reply_method_return(call, "s", "{}");
}

static int on_get(sd_bus_message *call, void *userdata, sd_bus_error *ret_error)
{
    const char *operation = NULL;
    int r = sd_bus_message_read(call, "s", &operation);
    if (r < 0)
        return r;
    if (!hears(ret_error))
        return -EINVAL;
    if (!live_with_it(strlen(operation)))
        return 1;
    if (flaw == FLAW_NEVER)
        return sd_bus_error_set(ret_error, SYNCD_BUS_NAME ".Error.NotFound", "There is none.");
    return sd_bus_reply_method_return(call, "s", operation);
}

static int on_enqueue(sd_bus_message *call, void *userdata, sd_bus_error *ret_error)
{
    if (!hears(ret_error))
        return -EINVAL;
    if (!live_with_it(0))
        return 1;
    return sd_bus_reply_method_return(call, "stb", "op-1", (uint64_t)n_calls, 0);
}

static const sd_bus_vtable manager[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Describe", NULL, "s", on_describe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable operations[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Get", "sa{sv}", "s", on_get, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Enqueue", "ssssa{sv}", "stb", on_enqueue, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int serve(const char *address)
{
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        r = sd_bus_add_object_vtable(bus, NULL, SYNCD_PATH_ROOT, SYNCD_INTERFACE_MANAGER, manager,
                                     NULL);
    if (r >= 0)
        r = sd_bus_add_object_vtable(bus, NULL, SYNCD_PATH_ROOT, SYNCD_INTERFACE_OPERATIONS,
                                     operations, NULL);
    if (r >= 0)
        r = sd_bus_request_name(bus, SYNCD_BUS_NAME, 0);
    if (r >= 0) {
        puts("serving");
        fflush(stdout);
    }
    while (r >= 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, UINT64_MAX);
    }
    sd_bus_unref(bus);
    return r;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    while (flaw < N_FLAWS && strcmp(flaws[flaw], argv[2]) != 0)
        flaw++;
    return flaw == N_FLAWS ? 2 : serve(argv[1]) < 0;
}
