#include "reader/reader.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICE 10
#define IO_PRIORITY IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7)

static bool is_packet_socket(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* Being polite may fail: then it is less polite. */
static void let_others_go_first(void)
{
    int now = getpriority(PRIO_PROCESS, 0);
    if (now < NICE)
        setpriority(PRIO_PROCESS, 0, NICE);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IO_PRIORITY);
}

bool syncd_reader_confine(int fd, GError **error)
{
    if (!is_packet_socket(fd)) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE,
                             "leave it to the daemon, or see `sourceos-syncd --help`",
                             "A reader is begun by the daemon, with a packet socket as descriptor "
                             "%d",
                             fd);
        return false;
    }
    /* It ends with the socket, not with what happens at the daemon's terminal. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    bool good = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                close_range((unsigned)fd + 1, ~0u, 0) == 0 && chdir("/") == 0;
    if (!good)
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "A reader cannot be confined");
    let_others_go_first();
    return good;
}
