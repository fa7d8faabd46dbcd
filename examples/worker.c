/*
 * A worker for sourceos-syncd: runs a command for each task, with the operation on its standard
 * input.
 *
 *     worker [--once] COMMAND [ARGUMENT...]
 *
 * The task is completed when the command ends with status 0, and given back otherwise. While the
 * command runs the lease is renewed; when that is refused somebody else has the task, and the
 * command is ended. With --once it stops when there is nothing left to do.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME "org.sourceos.Sync"
#define PATH "/org/sourceos/Sync"
#define OPERATIONS NAME ".Operations"
#define LEASE_LOST NAME ".Error.LeaseLost"
#define LEASE_SECONDS 30u
#define STEP_USEC (100u * 1000u)

/* ---- the methods ---- */

static int call(sd_bus *bus, const char *method, sd_bus_message **ret_reply, const char *lease,
                const char *reason)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = reason != NULL ? sd_bus_call_method(bus, NAME, PATH, OPERATIONS, method, &error,
                                                ret_reply, "ssa{sv}", lease, reason, 0)
                           : sd_bus_call_method(bus, NAME, PATH, OPERATIONS, method, &error,
                                                ret_reply, "sa{sv}", lease, 0);
    bool lost = sd_bus_error_has_name(&error, LEASE_LOST);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", method, error.message != NULL ? error.message : strerror(-r));
    sd_bus_error_free(&error);
    return lost ? 0 : r; /* somebody else has the task: go on with the next */
}

/* 1: claimed; 0: there is none. The texts are the reply's. */
static int claim(sd_bus *bus, sd_bus_message **ret_reply, const char **ret_lease,
                 const char **ret_operation)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const char *task = NULL;
    int r = sd_bus_call_method(bus, NAME, PATH, OPERATIONS, "ClaimTask", &error, ret_reply, "a{sv}",
                               1, "lease", "u", LEASE_SECONDS);
    if (r < 0)
        fprintf(stderr, "ClaimTask: %s\n", error.message != NULL ? error.message : strerror(-r));
    sd_bus_error_free(&error);
    if (r >= 0)
        r = sd_bus_message_read(*ret_reply, "sss", ret_lease, &task, ret_operation);
    return r < 0 ? r : **ret_lease != '\0';
}

/* ---- the command ---- */

static pid_t start(char **command, const char *input)
{
    int ends[2];
    if (pipe(ends) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(command[0], command);
        _exit(127);
    }
    close(ends[0]);
    for (size_t left = strlen(input); child > 0 && left > 0;) {
        ssize_t written = write(ends[1], input, left);
        if (written < 0)
            break; /* it does not want to know */
        input += written;
        left -= (size_t)written;
    }
    close(ends[1]);
    return child;
}

/* 1 when it ended, with its status; 0 when the task was lost meanwhile. */
static int wait_for(sd_bus *bus, pid_t child, const char *lease, int *ret_status)
{
    for (unsigned steps = 1; waitpid(child, ret_status, WNOHANG) == 0; steps++) {
        usleep(STEP_USEC);
        if ((unsigned long)steps * STEP_USEC % (LEASE_SECONDS * 1000000UL / 3) != 0)
            continue;
        sd_bus_message *reply = NULL;
        int r = call(bus, "RenewTask", &reply, lease, NULL);
        sd_bus_message_unref(reply);
        if (reply != NULL)
            continue;
        kill(child, SIGKILL);
        waitpid(child, ret_status, 0);
        return r < 0 ? r : 0;
    }
    return 1;
}

static int carry_out(sd_bus *bus, char **command, const char *lease, const char *operation)
{
    int status = 0;
    char reason[64];
    pid_t child = start(command, operation);
    if (child < 0)
        return -errno;
    int r = wait_for(bus, child, lease, &status);
    if (r <= 0)
        return r;
    sd_bus_message *reply = NULL;
    snprintf(reason, sizeof reason, "the command ended with %d", WEXITSTATUS(status));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        r = call(bus, "CompleteTask", &reply, lease, NULL);
    else
        r = call(bus, "FailTask", &reply, lease, WIFEXITED(status) ? reason : "the command died");
    sd_bus_message_unref(reply);
    return r;
}

/* ---- the loop ---- */

static int on_changed(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    *(bool *)userdata = true;
    return 0;
}

static int work(sd_bus *bus, char **command)
{
    for (;;) {
        sd_bus_message *reply = NULL;
        const char *lease = NULL, *operation = NULL;
        int r = claim(bus, &reply, &lease, &operation);
        if (r > 0)
            r = carry_out(bus, command, lease, operation);
        else if (r == 0)
            lease = NULL;
        sd_bus_message_unref(reply);
        if (r < 0 || lease == NULL)
            return r;
    }
}

static int serve(sd_bus *bus, char **command, bool once)
{
    bool changed = true;
    int r =
        sd_bus_match_signal(bus, NULL, NAME, PATH, OPERATIONS, "TaskChanged", on_changed, &changed);
    while (r >= 0) {
        if (changed) {
            changed = false;
            r = work(bus, command);
            if (r < 0 || once)
                break;
        }
        r = sd_bus_process(bus, NULL);
        if (r == 0 && !changed)
            r = sd_bus_wait(bus, UINT64_MAX);
    }
    return r;
}

int main(int argc, char **argv)
{
    bool once = argc > 1 && strcmp(argv[1], "--once") == 0;
    char **command = argv + 1 + once;
    if (*command == NULL) {
        fprintf(stderr, "usage: %s [--once] COMMAND [ARGUMENT...]\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sd_bus *bus = NULL;
    int r = sd_bus_open_user(&bus);
    if (r < 0)
        fprintf(stderr, "The session bus (DBUS_SESSION_BUS_ADDRESS): %s\n", strerror(-r));
    else
        r = serve(bus, command, once);
    sd_bus_flush_close_unref(bus);
    return r < 0;
}
