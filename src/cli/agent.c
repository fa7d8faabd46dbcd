#include "cli/agent.h"

#include "client/session.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "pkttyagent"
#define READY_MSEC 5000
#define NUMBER_SIZE 16

struct SyncdCliAgent {
    pid_t pid;
};

/* It closes `notify` when it is ready, and must not outlive who started it. The agent of a desktop
 * goes before it; where there is no session none can be, and polkit would not fall back. */
static G_GNUC_NORETURN void become_agent(const char *path, int notify)
{
    char number[NUMBER_SIZE];
    snprintf(number, sizeof number, "%d", notify);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && fcntl(notify, F_SETFD, 0) == 0)
        execl(path, PROGRAM, "--notify-fd", number,
              syncd_client_has_session() ? "--fallback" : (char *)NULL, (char *)NULL);
    _exit(1);
}

SyncdCliAgent *syncd_cli_agent_start(SyncdCli *cli)
{
    int ends[2];
    if (syncd_cli_json(cli) || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return NULL;
    g_autofree char *path = g_find_program_in_path(PROGRAM);
    if (path == NULL || pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    syncd_output_flush(cli->out);
    pid_t pid = fork();
    if (pid == 0)
        become_agent(path, ends[1]);
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    if (pid > 0)
        (void)poll(&ready, 1, READY_MSEC);
    close(ends[0]);
    if (pid < 0)
        return NULL;
    SyncdCliAgent *agent = g_new0(SyncdCliAgent, 1);
    agent->pid = pid;
    return agent;
}

void syncd_cli_agent_stop(SyncdCliAgent *agent)
{
    if (agent == NULL)
        return;
    kill(agent->pid, SIGTERM);
    kill(agent->pid, SIGCONT);
    (void)waitpid(agent->pid, NULL, 0);
    g_free(agent);
}
