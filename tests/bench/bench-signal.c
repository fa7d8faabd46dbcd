/*
 * How soon a subscriber hears of a file that changed: from the end of writing it to the signal
 * EventRecorded, and to the status.json that has the entry's number. The baseline is a signal that
 * a process sends to itself over the same bus.
 *
 *   bench-signal --program FILE --directory DIR [--changes N]
 */
#include "bus-stage.h"
#include "client/names.h"
#include "measure.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define PATIENCE_USEC (30u * G_USEC_PER_SEC)
#define CHANGES_MAX 4096
/* Longer than what status.json is written at most once in: each change is one by itself. */
#define BETWEEN_USEC (300u * 1000u)
#define BEAT_INTERFACE "org.sourceos.BenchBeat"

static struct {
    char *program, *directory;
    int changes;
    Stage stage;
    sd_bus *bus;
    int watch;    /* of the directory that status.json is in */
    guint64 last; /* that a signal told of */
    bool beat;
} bench = {.changes = 40};

static void must(int r, const char *what)
{
    if (r < 0)
        g_error("%s: %s", what, g_strerror(-r));
}

/* ---- hearing ---- */

static int on_recorded(sd_bus_message *message, void *data, sd_bus_error *error)
{
    guint64 first;
    return sd_bus_message_read(message, "tt", &first, &bench.last);
}

static int on_beat(sd_bus_message *message, void *data, sd_bus_error *error)
{
    bench.beat = true;
    return 0;
}

static void process_all(void)
{
    int r;
    while ((r = sd_bus_process(bench.bus, NULL)) > 0)
        ;
    must(r, "the bus");
}

static void call_registry(const char *kind, const char *record)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    if (sd_bus_call_method(bench.bus, SYNCD_BUS_NAME, SYNCD_BUS_ROOT, SYNCD_BUS_REGISTRY,
                           "Register", &error, NULL, "ssa{sv}", kind, record, 0) < 0)
        g_error("Register: %s", error.message);
}

/* ---- waiting ---- */

static double wait_for_signal(gint64 begin, guint64 before)
{
    for (process_all(); bench.last == before; process_all()) {
        if (seconds_since(begin) * G_USEC_PER_SEC > PATIENCE_USEC)
            g_error("no signal came");
        must(sd_bus_wait(bench.bus, PATIENCE_USEC), "waiting");
    }
    return 1000 * seconds_since(begin);
}

static guint64 sequence_of(const char *path)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    const char *at = strstr(text, "\"sequence\":");
    return at != NULL ? g_ascii_strtoull(at + strlen("\"sequence\":"), NULL, 10) : 0;
}

static double wait_for_file(const char *path, gint64 begin, guint64 wanted)
{
    char events[4096];
    while (sequence_of(path) < wanted) {
        if (seconds_since(begin) * G_USEC_PER_SEC > PATIENCE_USEC)
            g_error("status.json does not come");
        if (read(bench.watch, events, sizeof events) < 0)
            g_error("inotify");
    }
    return 1000 * seconds_since(begin);
}

static double take_beat(void)
{
    gint64 begin = g_get_monotonic_time();
    bench.beat = false;
    must(sd_bus_emit_signal(bench.bus, "/beat", BEAT_INTERFACE, "Beat", ""), "a signal");
    for (process_all(); !bench.beat; process_all())
        must(sd_bus_wait(bench.bus, PATIENCE_USEC), "waiting");
    return 1000 * seconds_since(begin);
}

/* ---- the figures ---- */

static void write_file(const char *path, int number)
{
    g_autofree char *text = g_strdup_printf("version %d\n", number);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0)
        g_error("%s cannot be written", path);
}

static void show(const char *figure, double *values, const char *promised)
{
    double middle = median_of(values, (size_t)bench.changes);
    printf("| %s | %.2f ms | %.2f to %.2f | %s |\n", figure, middle, values[0],
           values[bench.changes - 1], promised);
}

static void measure(const char *file, const char *status)
{
    static double heard[CHANGES_MAX], shown[CHANGES_MAX], beats[CHANGES_MAX];
    for (int i = 0; i < bench.changes; i++) {
        g_usleep(BETWEEN_USEC);
        process_all();
        guint64 before = bench.last;
        write_file(file, i);
        gint64 begin = g_get_monotonic_time();
        heard[i] = wait_for_signal(begin, before);
        shown[i] = wait_for_file(status, begin, bench.last);
        beats[i] = take_beat();
    }
    printf("| one changed file | median | least to most | promised |\n|---|---|---|---|\n");
    show("to the signal at a subscriber", heard, "at most 20 ms");
    show("to status.json", shown, "at most 20 ms");
    show("a signal to oneself", beats, "");
}

static GPid start(const char *notes)
{
    g_autofree char *state = g_build_filename(bench.stage.directory, "state", NULL);
    const char *const argv[] = {bench.program, "daemon", "--user", "--state-dir", state, NULL};
    const Actor daemon = {argv, SYNCD_BUS_NAME, NULL, NULL};
    GPid pid = stage_start(&bench.stage, &daemon, NULL);
    must(sd_bus_new(&bench.bus), "a bus");
    must(sd_bus_set_address(bench.bus, bench.stage.address), "its address");
    must(sd_bus_set_bus_client(bench.bus, 1), "a client");
    must(sd_bus_start(bench.bus), "connecting");
    must(sd_bus_match_signal(bench.bus, NULL, SYNCD_BUS_NAME, SYNCD_BUS_ROOT, SYNCD_BUS_MANAGER,
                             "EventRecorded", on_recorded, NULL),
         "subscribing");
    must(sd_bus_match_signal(bench.bus, NULL, NULL, "/beat", BEAT_INTERFACE, "Beat", on_beat, NULL),
         "subscribing");
    g_autofree char *root =
        g_strdup_printf("{\"workspace_id\":\"workspace:bench\",\"directory\":\"%s\","
                        "\"root_state\":\"active\"}",
                        notes);
    call_registry("workspace",
                  "{\"workspace_id\":\"workspace:bench\",\"profile_id\":\"profile:default\"}");
    call_registry("root", root);
    return pid;
}

static void run(void)
{
    stage_open(&bench.stage, bench.directory);
    g_autofree char *notes = g_build_filename(bench.stage.directory, "notes", NULL);
    g_autofree char *file = g_build_filename(notes, "file", NULL);
    g_autofree char *runtime = g_build_filename(bench.stage.directory, "sourceos-syncd", NULL);
    g_autofree char *status = g_build_filename(runtime, "status.json", NULL);
    if (g_mkdir(notes, 0700) < 0)
        g_error("%s cannot be made", notes);
    GPid pid = start(notes);
    bench.watch = inotify_init1(IN_CLOEXEC);
    if (inotify_add_watch(bench.watch, runtime, IN_MOVED_TO) < 0)
        g_error("%s cannot be watched", runtime);
    write_file(file, -1);
    process_settle(pid);
    process_all();
    measure(file, status);
    close(bench.watch);
    sd_bus_flush_close_unref(bench.bus);
    stage_stop(pid);
    stage_close(&bench.stage);
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"program", 0, 0, G_OPTION_ARG_FILENAME, &bench.program, "the daemon", "FILE"},
        {"directory", 0, 0, G_OPTION_ARG_FILENAME, &bench.directory, "where the disk is", "DIR"},
        {"changes", 0, 0, G_OPTION_ARG_INT, &bench.changes, "how often", "N"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        g_error("%s", error->message);
    if (bench.program == NULL || bench.directory == NULL || bench.changes < 1 ||
        bench.changes > CHANGES_MAX)
        g_error("say --program, --directory and 1 to %d --changes", CHANGES_MAX);
    run();
    return 0;
}
