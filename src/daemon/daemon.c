#include "daemon/daemon.h"

#include "base/error.h"
#include "base/log.h"
#include "bus/bus.h"
#include "daemon/connect.h"
#include "daemon/log-control.h"
#include "daemon/paths.h"
#include "daemon/policy.h"
#include "daemon/schedule.h"
#include "daemon/status.h"
#include "daemon/workspaces.h"
#include "service/health.h"
#include "service/repair.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#define CREDENTIAL "sourceos-sync.key"
#define MIB (1024u * 1024u)

typedef struct {
    const SyncdDaemonOptions *options;
    sd_event *event;
    sd_bus *connection;
    SyncdService *service;
    SyncdStore *store; /* the service's */
    SyncdBus *bus;
    SyncdSchedule *schedule;
    SyncdStatus *status;
    SyncdPolicyLoader *policy;
    SyncdPolicyStanding standing;
    sd_event_source *keep; /* the next pause in which rules that could not be kept are tried */
    SyncdWorkspaces *workspaces;
    guint64 started_usec;
    char *machine; /* NULL, as the next one: there is none */
    char *boot;
} Daemon;

/* ---- what the service tells ---- */

static void on_turn_opened(void *data)
{
    syncd_schedule_commit(((Daemon *)data)->schedule);
}

static void on_work_waits(void *data)
{
    syncd_schedule_work(((Daemon *)data)->schedule);
}

/* The store takes writing again, or for the first time. */
static void ask_to_keep(const Daemon *daemon)
{
    if (syncd_policy_loader_wants_to_keep(daemon->policy, (guint64)g_get_monotonic_time()))
        (void)sd_event_source_set_enabled(daemon->keep, SD_EVENT_ONESHOT);
}

static int on_pause(sd_event_source *source, void *data)
{
    Daemon *daemon = data;
    if (syncd_policy_loader_keep(daemon->policy, (guint64)g_get_monotonic_time(),
                                 &daemon->standing))
        syncd_service_set_policy_standing(daemon->service, &daemon->standing);
    return 0;
}

static void on_committed(void *data, const SyncdCommit *commit, const char *const *event_types)
{
    Daemon *daemon = data;
    syncd_bus_committed(daemon->bus, commit, event_types);
    syncd_workspaces_committed(daemon->workspaces, commit);
    syncd_status_changed(daemon->status);
    ask_to_keep(daemon);
}

static void on_tasks_changed(void *data)
{
    Daemon *daemon = data;
    syncd_bus_tasks_changed(daemon->bus);
}

static void on_changed(void *data)
{
    Daemon *daemon = data;
    syncd_bus_changed(daemon->bus);
    syncd_workspaces_changed(daemon->workspaces);
    syncd_status_changed(daemon->status);
}

static void on_job_added(void *data, SyncdJob *job)
{
    syncd_bus_job_added(((Daemon *)data)->bus, job);
}

static void on_job_changed(void *data, SyncdJob *job)
{
    syncd_bus_job_changed(((Daemon *)data)->bus, job);
}

static void on_job_removed(void *data, SyncdJob *job)
{
    syncd_bus_job_removed(((Daemon *)data)->bus, job);
}

static void on_plan_added(void *data, SyncdRepairPlan *plan)
{
    syncd_bus_plan_added(((Daemon *)data)->bus, plan);
}

static void on_plan_changed(void *data, SyncdRepairPlan *plan)
{
    syncd_bus_plan_changed(((Daemon *)data)->bus, plan);
}

static void on_plan_removed(void *data, SyncdRepairPlan *plan)
{
    syncd_bus_plan_removed(((Daemon *)data)->bus, plan);
}

static bool on_standing(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    return syncd_workspaces_standing(((Daemon *)data)->workspaces, root, ret_standing);
}

static SyncdJob *on_restore(void *data, const char *root, SyncdRestore *restore, uid_t uid)
{
    return syncd_workspaces_restore(((Daemon *)data)->workspaces, root, restore, uid);
}

static SyncdJob *on_scan(void *data, const char *root, bool deep, uid_t uid)
{
    return syncd_workspaces_scan(((Daemon *)data)->workspaces, root, deep, uid);
}

static const SyncdIgnore *on_rules(void *data, const char *root)
{
    return syncd_workspaces_rules(((Daemon *)data)->workspaces, root);
}

/* ---- start ---- */

/* Keys are in this memory: no core file, no debugger of the same user, no readable files. */
static void harden(void)
{
    umask(S_IRWXG | S_IRWXO);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef __SANITIZE_ADDRESS__ /* its leak check looks at its own process from outside */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN); /* readers of workspaces end by themselves */
}

static void read_policy(Daemon *daemon)
{
    g_autofree char *fault = NULL;
    SyncdPolicySet *set = syncd_policy_loader_read(daemon->policy, &daemon->standing, &fault);
    if (fault != NULL)
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_POLICY, "Rules of policy were refused: %s", fault);
    syncd_service_set_policy(daemon->service, set, fault);
    syncd_service_set_policy_standing(daemon->service, &daemon->standing);
}

/* SIGHUP: also when the terminal goes that it was started from, which does no harm. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
    Daemon *daemon = data;
    if (daemon->service == NULL)
        return 0;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIi64, g_get_monotonic_time());
    read_policy(daemon);
    syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_NONE, "The rules of policy were read again.");
    sd_notify(0, "READY=1");
    return 0;
}

static bool make_event(Daemon *daemon, GError **error)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    /* Without a handler a signal ends the loop, and what was begun is finished after it. */
    int r = sd_event_new(&daemon->event);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGTERM, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGINT, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_reload, daemon);
    if (r >= 0)
        r = sd_event_add_defer(daemon->event, &daemon->keep, on_pause, daemon);
    if (r >= 0)
        r = sd_event_source_set_priority(daemon->keep, SD_EVENT_PRIORITY_IDLE);
    if (r >= 0)
        r = sd_event_source_set_enabled(daemon->keep, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_set_watchdog(daemon->event, true);
    if (r < 0)
        syncd_set_error(error, SYNCD_ERROR_FAILED, "The event loop cannot be made: %s",
                        g_strerror(-r));
    return r >= 0;
}

static char *read_machine_id(void)
{
    sd_id128_t id;
    char text[SD_ID128_STRING_MAX];
    return sd_id128_get_machine(&id) >= 0 ? g_strdup(sd_id128_to_string(id, text)) : NULL;
}

static char *read_boot_id(void)
{
    sd_id128_t id;
    char text[SD_ID128_STRING_MAX];
    return sd_id128_get_boot(&id) >= 0 ? g_strdup(sd_id128_to_string(id, text)) : NULL;
}

static char *read_credential(size_t *ret_size)
{
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    char *credential = NULL;
    *ret_size = 0;
    if (directory == NULL)
        return NULL;
    g_autofree char *path = g_build_filename(directory, CREDENTIAL, NULL);
    return g_file_get_contents(path, &credential, ret_size, NULL) ? credential : NULL;
}

static char *state_directory(const Daemon *daemon)
{
    const SyncdDaemonOptions *options = daemon->options;
    return options->state_directory != NULL ? g_strdup(options->state_directory)
                                            : syncd_path_state(options->instance);
}

static SyncdStore *open_store(const Daemon *daemon, GError **error)
{
    const SyncdDaemonOptions *options = daemon->options;
    const char *address = NULL;
    if (sd_bus_get_address(daemon->connection, &address) < 0)
        address = NULL;
    g_autofree char *directory = state_directory(daemon),
                    *usual = syncd_path_state(options->instance);
    size_t credential_size;
    char *credential = read_credential(&credential_size);

    SyncdStore *store = syncd_store_open(
        &(SyncdStoreOptions){
            .directory = directory,
            .mode = SYNCD_STORE_CREATE,
            .sources = syncd_sources_system(),
            .machine = daemon->machine,
            .credential = SYNCD_BYTES(credential, credential_size),
            .reserve_bytes = (guint64)options->config.reserve_mib * MIB,
            .address = address,
            .elsewhere = strcmp(directory, usual) != 0,
            .holds_index = true,
            .stands_in = true,
        },
        error);
    if (credential != NULL)
        explicit_bzero(credential, credential_size);
    g_free(credential);
    return store;
}

/* A state that is not as it should be is served all the same, as far as it can be read. */
static void log_condition(const SyncdStore *store)
{
    SyncdStoreCondition condition = syncd_store_condition(store);
    if (condition == SYNCD_STORE_MACHINE_CHANGED)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_MACHINE_CHANGED,
                  "The state belongs to another machine and is open for reading only.");
    else if (condition != SYNCD_STORE_WRITABLE)
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_JOURNAL_CORRUPT,
                  "The state cannot be written (%s) and is open for reading only.",
                  syncd_store_condition_name(condition));
}

/* What is logged again and again is a storm. */
static void note_failure(void *service, const char *kind, const char *message)
{
    syncd_service_note_failure(service, kind, message);
}

/* Whatever else systemd tells the processes that it begins a shell among them passes on; this names
 * the one that it was told. */
static const char *find_manager(void)
{
    const char *begun = g_getenv("SYSTEMD_EXEC_PID");
    guint64 pid = 0;
    bool known = begun != NULL && g_ascii_string_to_unsigned(begun, 10, 1, G_MAXINT32, &pid, NULL);
    return known && (pid_t)pid == getpid() ? "systemd" : "manual";
}

static void begin_run(Daemon *daemon)
{
    syncd_service_begin_run(daemon->service, &(SyncdProcess){
                                                 .pid = (guint32)getpid(),
                                                 .started_usec = daemon->started_usec,
                                                 .manager = find_manager(),
                                                 .command = daemon->options->command,
                                                 .boot = daemon->boot,
                                                 .machine = daemon->machine,
                                             });
}

static bool open_service(Daemon *daemon, GError **error)
{
    g_autoptr(SyncdStore) store = open_store(daemon, error);
    if (store == NULL)
        return false;
    log_condition(store);
    bool is_new = syncd_store_is_new(store);
    daemon->service = syncd_service_new(daemon->options->instance, geteuid(), store,
                                        syncd_sources_system(), error);
    if (daemon->service == NULL)
        return false;
    syncd_log_set_watch(note_failure, daemon->service);
    /* It owns the store now. */
    daemon->store = g_steal_pointer(&store);
    begin_run(daemon);
    if (is_new)
        syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_STATE_CREATED,
                  "There was no state: an empty log and new keys were made.");
    return true;
}

static bool open_bus(Daemon *daemon, GError **error)
{
    const SyncdBusOptions options = {
        .instance = daemon->options->instance,
        .uid = geteuid(),
        .calls_in_flight = daemon->options->config.calls_in_flight,
    };
    daemon->bus = syncd_bus_new(daemon->connection, daemon->service, &options, error);
    return daemon->bus != NULL && syncd_log_control_add(daemon->connection, error);
}

/* Neither is a workspace. */
static bool watch_workspaces(Daemon *daemon, GError **error)
{
    g_autofree char *given = state_directory(daemon), *state = syncd_path_real(given);
    g_autofree char *used = syncd_path_runtime(daemon->options->instance),
                    *runtime = syncd_path_real(used);
    syncd_service_set_own_directories(daemon->service, (const char *[]){state, runtime, NULL});
    daemon->workspaces = syncd_workspaces_new(daemon->event, daemon->service, state);
    if (daemon->workspaces == NULL)
        syncd_set_error(error, SYNCD_ERROR_FAILED, "Workspaces cannot be watched");
    return daemon->workspaces != NULL;
}

/* Whoever asks next asks for an index that is there, if it can be. */
static void start_repair(Daemon *daemon)
{
    g_autofree const char **automatic = syncd_config_automatic(&daemon->options->config);
    syncd_service_start_repair(daemon->service, &(SyncdRepairSettings){automatic});
}

/* The name comes first: when another daemon has it, it can be named. Calls that come from now on
 * wait in the socket until the loop runs. */
static bool start(Daemon *daemon, GError **error)
{
    const SyncdDaemonOptions *options = daemon->options;
    if (!make_event(daemon, error))
        return false;
    daemon->connection =
        syncd_connect(options->instance, options->bus_address, daemon->event, error);
    if (daemon->connection == NULL || !syncd_claim_name(daemon->connection, error) ||
        !open_service(daemon, error))
        return false;
    daemon->policy =
        syncd_policy_loader_new(options->instance, options->policy_directory, daemon->store);
    read_policy(daemon);
    start_repair(daemon);
    if (!open_bus(daemon, error))
        return false;
    daemon->schedule = syncd_schedule_new(daemon->event, daemon->service, error);
    if (daemon->schedule == NULL)
        return false;
    daemon->status = syncd_status_new(daemon->event, daemon->service, options->instance, error);
    if (daemon->status == NULL || !watch_workspaces(daemon, error))
        return false;

    syncd_service_set_listener(daemon->service, &(SyncdListener){
                                                    .data = daemon,
                                                    .turn_opened = on_turn_opened,
                                                    .work_waits = on_work_waits,
                                                    .committed = on_committed,
                                                    .tasks_changed = on_tasks_changed,
                                                    .changed = on_changed,
                                                    .job_added = on_job_added,
                                                    .job_changed = on_job_changed,
                                                    .job_removed = on_job_removed,
                                                    .repair_plan_added = on_plan_added,
                                                    .repair_plan_changed = on_plan_changed,
                                                    .repair_plan_removed = on_plan_removed,
                                                    .standing = on_standing,
                                                    .scan = on_scan,
                                                    .restore = on_restore,
                                                    .rules = on_rules,
                                                });
    /* What waited before anybody listened. */
    if (syncd_service_has_turn(daemon->service))
        syncd_schedule_commit(daemon->schedule);
    syncd_schedule_work(daemon->schedule);
    return true;
}

static void tell_ready(Daemon *daemon)
{
    SyncdState state = {0};
    syncd_service_state(daemon->service, &state);
    syncd_service_set_ready(daemon->service);
    const char *instance = syncd_instance_name(daemon->options->instance);
    if (g_strv_contains(state.reasons, "journal-unreadable"))
        syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_STARTED,
                  "The %s instance is ready to say what is wrong: its journal cannot be read, and "
                  "nothing is recorded.",
                  instance);
    else
        syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_STARTED,
                  "The %s instance is ready and continues at entry %" PRIu64 ".", instance,
                  state.sequence);
    sd_notify(0, "READY=1");
}

/* ---- stop ---- */

/* For a step of what may take long at the end, on the slowest of disks. */
#define MORE_TIME_USEC "60000000"

/* Whoever was promised an answer gets it: the turn is committed and the replies leave before the
 * connection does. No further call is read. */
static void stop(Daemon *daemon)
{
    if (daemon->service != NULL && daemon->status != NULL) {
        sd_notify(0, "STOPPING=1");
        if (syncd_service_has_turn(daemon->service))
            syncd_service_commit(daemon->service);
        syncd_bus_flush(daemon->bus);
    }
    if (daemon->service != NULL)
        syncd_service_set_listener(daemon->service, &(SyncdListener){0});
    syncd_workspaces_free(daemon->workspaces);
    syncd_status_free(daemon->status);
    syncd_schedule_free(daemon->schedule);
    syncd_bus_free(daemon->bus);
    sd_bus_flush_close_unref(daemon->connection);
    syncd_log_set_watch(NULL, NULL);
    if (daemon->service != NULL)
        syncd_service_end_run(daemon->service);
    while (daemon->service != NULL && syncd_service_keep_displaced(daemon->service))
        sd_notify(0, "EXTEND_TIMEOUT_USEC=" MORE_TIME_USEC);
    syncd_service_free(daemon->service);
    syncd_policy_loader_free(daemon->policy);
    sd_event_source_disable_unref(daemon->keep);
    sd_event_unref(daemon->event);
    g_free(daemon->machine);
    g_free(daemon->boot);
}

int syncd_daemon_run(const SyncdDaemonOptions *options)
{
    g_autoptr(GError) error = NULL;
    Daemon daemon = {.options = options, .started_usec = (guint64)g_get_real_time()};
    harden();
    daemon.machine = read_machine_id();
    daemon.boot = read_boot_id();
    if (!start(&daemon, &error)) {
        stop(&daemon);
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_NONE, "%s", error->message);
        return SYNCD_EXIT_FAILED;
    }
    tell_ready(&daemon);
    int status = sd_event_loop(daemon.event);
    stop(&daemon);

    if (status != 0) {
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_NONE, "The connection to the bus has ended.");
        return SYNCD_EXIT_FAILED;
    }
    syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_STOPPED, "Stopped.");
    return SYNCD_EXIT_DONE;
}
