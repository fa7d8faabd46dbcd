/* Here poll() is neither checked nor renamed by the headers. */
#undef _FORTIFY_SOURCE

#include "reader-beside.h"

#include "base/fiber.h"

#include <dlfcn.h>

/* What replaces a function of libc has no argument to hang it on. */
static struct {
    SyncdFiber *fiber; /* NULL: there is no reader */
    int fd;            /* its end of the socket */
    bool runs;         /* and not the daemon */
    bool rests;        /* it waits for what only the daemon can do */
} beside;

static int ask_kernel(struct pollfd *polled, nfds_t n)
{
    static __typeof__(poll) *real;
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    return real(polled, n, 0);
}

static void run_reader(SyncdFiber *fiber, void *data)
{
    g_autoptr(GError) error = NULL;
    syncd_reader_run(beside.fd, &error);
    g_assert_no_error(error);
    close(beside.fd);
}

/* False: it has ended. */
static bool go_on(void)
{
    beside.runs = true;
    bool goes_on = syncd_fiber_resume(beside.fiber);
    beside.runs = false;
    if (!goes_on)
        g_clear_pointer(&beside.fiber, syncd_fiber_free);
    return goes_on;
}

static int wait_as_reader(struct pollfd *polled, nfds_t n, int msec)
{
    int ready = ask_kernel(polled, n);
    while (ready == 0 && msec != 0) {
        beside.rests = msec < 0;
        syncd_fiber_pause(beside.fiber);
        beside.rests = false;
        ready = ask_kernel(polled, n);
        if (msec > 0)
            break;
    }
    return ready;
}

static int wait_as_daemon(struct pollfd *polled, nfds_t n, int msec)
{
    int ready;
    do {
        bool goes_on = beside.fiber != NULL && go_on();
        ready = ask_kernel(polled, n);
        if (!goes_on || beside.rests)
            break;
    } while (ready == 0 && msec != 0);
    return ready;
}

int poll(struct pollfd *polled, nfds_t n, int msec)
{
    return beside.runs ? wait_as_reader(polled, n, msec) : wait_as_daemon(polled, n, msec);
}

static SyncdReaderProcess *begin(void)
{
    int ends[2];
    g_assert_null(beside.fiber);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    beside.fd = ends[1];
    beside.fiber = syncd_fiber_new(run_reader, NULL);
    g_assert_nonnull(beside.fiber);
    return syncd_reader_process_new(ends[0]);
}

/* It ends with its socket. */
static void end(void)
{
    while (beside.fiber != NULL)
        go_on();
}

const ReaderPlace reader_beside = {begin, end};
