#include "bus-stage.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_USEC (60u * G_USEC_PER_SEC)
#define POLL_USEC 1000u
/* A process that used no time at all for so long has nothing to do: what a start finds wrong is
 * told up to two seconds later (bus/bus.c). */
#define QUIET_USEC (2500u * 1000u)

static const char bus_config[] =
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
    " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
    "<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>\n"
    "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
    "<allow eavesdrop=\"true\"/><allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>\n";

/* ---- processes ---- */

static char **environment_of(const Stage *stage, const char *preload, const char *counts)
{
    char **environment = g_get_environ();
    environment = g_environ_setenv(environment, "XDG_RUNTIME_DIR", stage->directory, TRUE);
    environment = g_environ_unsetenv(environment, "CREDENTIALS_DIRECTORY");
    environment = g_environ_unsetenv(environment, "NOTIFY_SOCKET");
    if (preload != NULL)
        environment = g_environ_setenv(environment, "LD_PRELOAD", preload, TRUE);
    if (counts != NULL)
        environment = g_environ_setenv(environment, "SYNCD_BENCH_COUNTS", counts, TRUE);
    return environment;
}

/* Nobody stays behind when a figure cannot be taken; what they said is in the stage's log then. */
static void set_up_child(void *data)
{
    const Stage *stage = data;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(stage->log, STDERR_FILENO);
}

static GPid spawn(const Stage *stage, const char *const *argv, const char *preload,
                  const char *counts)
{
    GPid pid;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) environment = environment_of(stage, preload, counts);
    if (!g_spawn_async(NULL, (char **)argv, environment,
                       G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, set_up_child, (void *)stage,
                       &pid, &error))
        g_error("%s", error->message);
    return pid;
}

void stage_stop(GPid pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

char *stage_run(Stage *stage, const char *const *argv, const char *preload)
{
    char *output = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) environment = environment_of(stage, preload, NULL);
    int status;
    if (!g_spawn_sync(NULL, (char **)argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL,
                      &status, &error) ||
        !g_spawn_check_wait_status(status, &error))
        g_error("%s %s: %s", argv[0], argv[1], error->message);
    return output;
}

/* ---- the bus ---- */

static bool connect_watch(Stage *stage)
{
    if (sd_bus_new(&stage->watch) >= 0 && sd_bus_set_address(stage->watch, stage->address) >= 0 &&
        sd_bus_set_bus_client(stage->watch, true) >= 0 && sd_bus_start(stage->watch) >= 0 &&
        sd_bus_get_unique_name(stage->watch, &(const char *){NULL}) >= 0)
        return true;
    stage->watch = sd_bus_unref(stage->watch);
    return false;
}

void stage_open(Stage *stage, const char *directory)
{
    *stage = (Stage){.directory = g_build_filename(directory, "stage-XXXXXX", NULL)};
    if (g_mkdtemp(stage->directory) == NULL)
        g_error("no directory can be made in %s", directory);
    g_autofree char *log = g_build_filename(stage->directory, "log", NULL);
    stage->log = g_open(log, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
    g_autofree char *socket = g_build_filename(stage->directory, "bus", NULL);
    g_autofree char *config = g_build_filename(stage->directory, "bus.conf", NULL);
    g_autofree char *text = g_strdup_printf(bus_config, socket);
    g_autofree char *argument = g_strconcat("--config-file=", config, NULL);
    stage->address = g_strconcat("unix:path=", socket, NULL);
    g_assert_true(g_file_set_contents(config, text, -1, NULL));

    const char *const argv[] = {"dbus-daemon", argument, "--nofork", "--nopidfile", NULL};
    stage->bus = spawn(stage, argv, NULL, NULL);
    gint64 begin = g_get_monotonic_time();
    while (!connect_watch(stage)) {
        g_assert_cmpint(g_get_monotonic_time() - begin, <, PATIENCE_USEC);
        g_usleep(POLL_USEC);
    }
}

static void remove_all(const char *path)
{
    g_autoptr(GDir) dir =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_all(child);
    }
    g_remove(path);
}

void stage_close(Stage *stage)
{
    sd_bus_flush_close_unref(stage->watch);
    stage_stop(stage->bus);
    close(stage->log);
    remove_all(stage->directory);
    g_free(stage->directory);
    g_free(stage->address);
}

static int on_name(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    const char *name, *before, *after;
    if (sd_bus_message_read(signal, "sss", &name, &before, &after) >= 0 && *after != '\0')
        *(gint64 *)userdata = g_get_monotonic_time();
    return 0;
}

GPid stage_start(Stage *stage, const Actor *actor, double *ret_seconds)
{
    gint64 came = 0;
    sd_bus_slot *slot = NULL;
    g_autofree char *match = g_strdup_printf("type='signal',sender='org.freedesktop.DBus',"
                                             "member='NameOwnerChanged',arg0='%s'",
                                             actor->name);
    int r = sd_bus_add_match(stage->watch, &slot, match, on_name, &came);
    g_assert_cmpint(r, >=, 0);

    gint64 begin = g_get_monotonic_time();
    GPid pid = spawn(stage, actor->argv, actor->preload, actor->counts);
    while (came == 0) {
        if (g_get_monotonic_time() - begin > PATIENCE_USEC || waitpid(pid, NULL, WNOHANG) == pid)
            g_error("%s did not come", actor->name);
        while (sd_bus_process(stage->watch, NULL) > 0)
            ;
        if (came == 0)
            sd_bus_wait(stage->watch, POLL_USEC);
    }
    sd_bus_slot_unref(slot);
    if (ret_seconds != NULL)
        *ret_seconds = (double)(came - begin) / G_USEC_PER_SEC;
    return pid;
}

/* ---- what the kernel says ---- */

static char *read_proc(GPid pid, const char *name)
{
    char *text = NULL;
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        g_error("%s cannot be read", path);
    return text;
}

static double status_number(GPid pid, const char *name)
{
    g_autofree char *text = read_proc(pid, "status");
    const char *line = strstr(text, name);
    g_assert_nonnull(line);
    return g_ascii_strtod(line + strlen(name), NULL);
}

double process_cpu(GPid pid)
{
    g_autofree char *text = read_proc(pid, "schedstat");
    return g_ascii_strtod(text, NULL) / 1e9;
}

double process_memory(GPid pid)
{
    return status_number(pid, "\nVmRSS:") * 1024;
}

double process_peak(GPid pid)
{
    return status_number(pid, "\nVmHWM:") * 1024;
}

double process_wakeups(GPid pid)
{
    return status_number(pid, "\nvoluntary_ctxt_switches:");
}

void process_settle(GPid pid)
{
    double before = -1;
    for (double now = process_cpu(pid); now != before; now = process_cpu(pid)) {
        before = now;
        g_usleep(QUIET_USEC);
    }
}
