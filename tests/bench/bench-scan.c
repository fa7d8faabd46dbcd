/*
 * What scanning a workspace costs, over a private bus: from the moment that a directory becomes a
 * workspace until all of its files are recorded and durable, beside a loop that only reads and
 * hashes them; looking through all of it again; how often it wakes up while nothing happens; and
 * one large file.
 *
 *   bench-scan --program sourceos-syncd [--files N] [--bytes N] [--large BYTES] [--rounds N]
 *              [--idle SECONDS] [--directory DIR]
 *
 * State and files are in a folder in DIR, which is removed. The files are warm.
 */
#include "base/json.h"
#include "bus-load.h"
#include "bus-stage.h"
#include "bus/names.h"
#include "crypto/seal.h"
#include "measure.h"
#include "tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKSPACE "workspace:bench"
#define POLL_USEC 2000u

static struct {
    char *program, *directory;
    int files, bytes, rounds, idle;
    gint64 large;
    Stage stage;
    unsigned states; /* so far */
} bench = {.files = 20000, .rounds = 5, .large = (gint64)512 * 1024 * 1024};

/* ---- the daemon ---- */

static GPid start_daemon(void)
{
    g_autofree char *state = g_strdup_printf("%s/state-%u", bench.stage.directory, bench.states++);
    const char *const argv[] = {bench.program,       "daemon", "--user",
                                "--state-dir",       state,    "--bus-address",
                                bench.stage.address, NULL};
    const Actor daemon = {argv, SYNCD_BUS_NAME, NULL, NULL};
    GPid pid = stage_start(&bench.stage, &daemon, NULL);
    process_settle(pid);
    return pid;
}

/* The process that it began: the reader. */
static GPid reader_of(GPid daemon)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)daemon, (int)daemon);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return (GPid)g_ascii_strtoll(text, NULL, 10);
}

/* ---- calls ---- */

typedef struct {
    const char *kind, *record;
} Registration;

static int call_register(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    const Registration *registration = data;
    int r = sd_bus_message_new_method_call(bus, ret_call, SYNCD_BUS_NAME, SYNCD_PATH_ROOT,
                                           SYNCD_INTERFACE_REGISTRY, "Register");
    return r < 0 ? r
                 : sd_bus_message_append(*ret_call, "ssa{sv}", registration->kind,
                                         registration->record, 0);
}

static int call_scan(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    int r = sd_bus_message_new_method_call(bus, ret_call, SYNCD_BUS_NAME, SYNCD_PATH_ROOT,
                                           SYNCD_INTERFACE_WORKSPACES, "Scan");
    return r < 0 ? r : sd_bus_message_append(*ret_call, "sa{sv}", WORKSPACE, 0);
}

static int call_jobs(sd_bus *bus, sd_bus_message **ret_call, const void *data)
{
    int r = sd_bus_message_new_method_call(bus, ret_call, SYNCD_BUS_NAME, SYNCD_PATH_ROOT,
                                           SYNCD_INTERFACE_MANAGER, "ListJobs");
    return r < 0 ? r : sd_bus_message_append(*ret_call, "a{sv}", 0);
}

static void do_call(LoadCall call, const void *data)
{
    Load load = {bench.stage.address, call, data, 1, 1, 1};
    sd_bus_message_unref(load_once(&load));
}

/* How long the scans that have ended took, the newest first; `*ret_n` is how many there are. */
static double scan_seconds(unsigned *ret_n)
{
    Load load = {bench.stage.address, call_jobs, NULL, 1, 1, 1};
    sd_bus_message *reply = load_once(&load);
    const char *jobs = NULL;
    double seconds = 0;
    SyncdJsonIter iter;
    SyncdJson job;
    g_assert_cmpint(sd_bus_message_read(reply, "s", &jobs), >=, 0);
    g_assert_true(syncd_json_check(jobs, strlen(jobs), SYNCD_JSON_ANY, NULL));
    syncd_json_iter_init(&iter, syncd_json_root(jobs, strlen(jobs)));
    *ret_n = 0;
    while (syncd_json_iter_next(&iter, NULL, &job)) {
        gint64 begin = 0, end = 0;
        if (!syncd_json_is(syncd_json_member(job, "operation"), "scan") ||
            !syncd_json_is(syncd_json_member(job, "state"), "done"))
            continue;
        g_assert_true(syncd_json_get_int64(syncd_json_member(job, "started_usec"), &begin));
        g_assert_true(syncd_json_get_int64(syncd_json_member(job, "finished_usec"), &end));
        if ((*ret_n)++ == 0)
            seconds = (double)(end - begin) / G_USEC_PER_SEC;
    }
    sd_bus_message_unref(reply);
    return seconds;
}

/* Of the scan after `n` others. */
static double await_scan(unsigned n)
{
    unsigned ended;
    double seconds = scan_seconds(&ended);
    for (; ended <= n; seconds = scan_seconds(&ended))
        g_usleep(POLL_USEC);
    return seconds;
}

/* From the registration of the directory until its first scan is done: everything is durable. */
static double add_workspace(const char *directory)
{
    g_autofree char *root = g_strdup_printf("{\"workspace_id\":\"" WORKSPACE
                                            "\",\"directory\":\"%s\",\"root_state\":\"active\"}",
                                            directory);
    const Registration workspace = {"workspace", "{\"workspace_id\":\"" WORKSPACE
                                                 "\",\"profile_id\":\"profile:default\"}"},
                       place = {"root", root};
    do_call(call_register, &workspace);
    gint64 begin = g_get_monotonic_time();
    do_call(call_register, &place);
    (void)await_scan(0);
    return seconds_since(begin);
}

/* ---- rows ---- */

/* What the file system tells of later comes once; then nothing happens. */
static void tell_idle(GPid daemon, GPid reader)
{
    if (bench.idle == 0)
        return;
    process_settle(daemon);
    double before = process_wakeups(daemon) + process_wakeups(reader);
    g_usleep((gulong)bench.idle * G_USEC_PER_SEC);
    printf("| wakeups in %d idle seconds, watching %d files | %.0f | | | | | | 0 |\n", bench.idle,
           bench.files, process_wakeups(daemon) + process_wakeups(reader) - before);
}

static void measure_small(int tree, const char *directory)
{
    Rounds loop = {0}, scan = {0}, walk = {0}, rescan = {0}, memory = {0};
    unsigned files = (unsigned)bench.files;
    double cpu = 0, reader_cpu = 0;
    (void)tree_loop(tree, files);
    for (int i = 0; i < bench.rounds; i++) {
        GPid pid = start_daemon();
        rounds_add(&loop, files / tree_loop(tree, files));
        cpu -= process_cpu(pid);
        rounds_add(&scan, files / add_workspace(directory));
        cpu += process_cpu(pid);
        GPid reader = reader_of(pid);
        reader_cpu += process_cpu(reader);
        rounds_add(&memory, (process_peak(pid) + process_peak(reader)) / (1024 * 1024));
        process_settle(pid);
        rounds_add(&walk, tree_walk(tree, files) * 1e3);
        do_call(call_scan, NULL);
        rounds_add(&rescan, await_scan(1) * 1e3);
        if (i + 1 == bench.rounds)
            tell_idle(pid, reader);
        stage_stop(pid);
    }
    g_autofree char *figure = g_strdup_printf("first scan of %u small files", files);
    tell(figure, "files/s", &scan, "open, read, SHA-256, close", &loop, "at least 0.35");
    g_printerr(
        "%.2f s of CPU a scan in the daemon, %.2f s in the reader; together at most %.1f MiB "
        "of memory\n",
        cpu / bench.rounds, reader_cpu / bench.rounds, rounds_median(&memory));
    tell("scan when nothing changed", "ms", &rescan, "readdir and lstat", &walk, "at most 2.5");
}

static void measure_large(int tree, const char *directory)
{
    Rounds threads = {0}, scan = {0};
    double bytes = (double)bench.large / 1e6;
    (void)tree_loop_large(tree);
    for (int i = 0; i < bench.rounds; i++) {
        GPid pid = start_daemon();
        rounds_add(&threads, bytes / tree_loop_large_threads(tree));
        rounds_add(&scan, bytes / add_workspace(directory));
        stage_stop(pid);
    }
    g_autofree char *figure = g_strdup_printf("first scan of one file of %.0f MB", bytes);
    tell(figure, "MB/s", &scan, "read and hash in two threads", &threads, "at least 0.8");
}

/* Makes it, and gives where it is. */
static int make_tree(const char *name, char **ret_directory)
{
    *ret_directory = g_build_filename(bench.stage.directory, name, NULL);
    g_assert_cmpint(mkdir(*ret_directory, 0755), ==, 0);
    int fd = open(*ret_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static const GOptionEntry options[] = {
    {"program", 0, 0, G_OPTION_ARG_FILENAME, &bench.program, "the daemon that is measured", "FILE"},
    {"directory", 0, 0, G_OPTION_ARG_FILENAME, &bench.directory, "where files and state go", "DIR"},
    {"files", 0, 0, G_OPTION_ARG_INT, &bench.files, "small files (20000)", "N"},
    {"bytes", 0, 0, G_OPTION_ARG_INT, &bench.bytes, "in each (1 to 8 KiB, by chance)", "N"},
    {"large", 0, 0, G_OPTION_ARG_INT64, &bench.large, "of the large file (512 MiB)", "BYTES"},
    {"idle", 0, 0, G_OPTION_ARG_INT, &bench.idle, "count wakeups for so long (0: not at all)",
     "SECONDS"},
    {"rounds", 0, 0, G_OPTION_ARG_INT, &bench.rounds, "rounds of each figure (5)", "N"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autofree char *small = NULL, *large = NULL;
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || bench.program == NULL ||
        bench.files < 1 || bench.large < 1 || bench.rounds < 1 || bench.rounds > (int)ROUNDS_MAX ||
        !syncd_crypto_init(NULL)) {
        g_printerr("%s\n", error != NULL ? error->message : "--program is needed");
        return 2;
    }
    stage_open(&bench.stage, bench.directory != NULL ? bench.directory : ".");
    int few = make_tree("small", &small), one = make_tree("one", &large);
    tree_make(few, (unsigned)bench.files, (unsigned)MAX(bench.bytes, 0));
    tree_make_large(one, (guint64)bench.large);
    tell_heading();
    measure_small(few, small);
    measure_large(one, large);
    close(few);
    close(one);
    stage_close(&bench.stage);
    return 0;
}
