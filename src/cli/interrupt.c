#include "cli/interrupt.h"

#include "base/error.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A signal handler has nothing but globals. */
static volatile sig_atomic_t caught_fd = -1;
static volatile sig_atomic_t armed;

static void on_interrupt(int number)
{
    const guint64 one = 1;
    if (!armed || write(caught_fd, &one, sizeof one) < 0)
        _exit(SYNCD_EXIT_INTERRUPTED);
    armed = 0;
}

void syncd_interrupt_setup(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    /* Writing to a reader that went away is seen by write(2). */
    signal(SIGPIPE, SIG_IGN);
}

int syncd_interrupt_catch(void)
{
    if (caught_fd < 0)
        caught_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    armed = caught_fd >= 0;
    return caught_fd;
}

void syncd_interrupt_release(void)
{
    armed = 0;
}
