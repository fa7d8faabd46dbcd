/*
 * What the daemon costs its callers, over a private bus, beside what that is made of: durable rows
 * of raw SQLite on the same disk, a service that answers with the same bytes without any work, a
 * process that only uses the same libraries. Each figure is taken in several rounds, each round
 * beside its baseline.
 *
 *   bench-bus --program sourceos-syncd [OPTION...] [ROW...]
 *
 * The state is written to --directory, which decides which disk is measured; it should not be a
 * tmpfs. The table goes to standard output and can be pasted into docs/performance.md.
 */
#include "bus-calls.h"
#include "bus-load.h"
#include "bus-roles.h"
#include "bus-stage.h"
#include "bus/names.h"
#include "count-writes.h"
#include "measure.h"
#include "population.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define SLOW_SHARE 8 /* with a slow disk so many times fewer operations are enough */
#define IN_FLIGHT 64
#define CALLERS 8
#define VERSIONS 100
#define CALLS_A_PAGE 40 /* a page costs as much as so many small calls */

static struct {
    char *program, *slow_sync, *count_writes, *directory;
    char *kept; /* where the large state is, or is to be; NULL: it goes at the end */
    int rounds, operations, population, idle;
    char *self;
    Stage stage;
    char *small; /* state without operations */
    char *large; /* state with the population; NULL until it is needed */
} bench = {.rounds = 5, .operations = 4000, .population = 20000};

/* ---- the daemon ---- */

static GPid start_daemon(const char *state, const char *preload, const char *counts,
                         double *ret_seconds)
{
    const char *const argv[] = {bench.program,       "daemon", "--user",
                                "--state-dir",       state,    "--bus-address",
                                bench.stage.address, NULL};
    const Actor daemon = {argv, SYNCD_BUS_NAME, preload, counts};
    return stage_start(&bench.stage, &daemon, ret_seconds);
}

static char *in_stage(const char *name)
{
    return g_build_filename(bench.stage.directory, name, NULL);
}

/* A state that a daemon has made and left. */
static char *make_state(const char *name)
{
    char *state = in_stage(name);
    stage_stop(start_daemon(state, NULL, NULL, NULL));
    return state;
}

static void fill_state(const char *state, int operations)
{
    g_autofree char *n = g_strdup_printf("%d", operations);
    const char *const argv[] = {bench.self, "fill", state, n, NULL};
    stage_stop(start_daemon(state, NULL, NULL, NULL));
    g_free(stage_run(&bench.stage, argv, NULL));
    /* The daemon's own verification of what it has not seen is over before anything is measured. */
    GPid pid = start_daemon(state, NULL, NULL, NULL);
    process_settle(pid);
    stage_stop(pid);
}

static const char *large_state(void)
{
    if (bench.large != NULL)
        return bench.large;
    bench.large = bench.kept != NULL ? g_strdup(bench.kept) : in_stage("large");
    if (!g_file_test(bench.large, G_FILE_TEST_IS_DIR))
        fill_state(bench.large, bench.population);
    return bench.large;
}

static GPid start_settled(const char *state, const char *preload, const char *counts)
{
    GPid pid = start_daemon(state, preload, counts, NULL);
    process_settle(pid);
    return pid;
}

static Load load_of(LoadCall call, const void *data, unsigned n)
{
    return (Load){bench.stage.address, call, data, 1, 1, n};
}

/* ---- rows: writing ---- */

static void raw_rows(const char *preload, unsigned n, double *ret_rate, double *ret_latency)
{
    g_autofree char *count = g_strdup_printf("%u", n);
    const char *const argv[] = {bench.self, "raw", bench.stage.directory, count, NULL};
    g_autofree char *output = stage_run(&bench.stage, argv, preload);
    char *end;
    *ret_rate = g_ascii_strtod(output, &end);
    *ret_latency = g_ascii_strtod(end, NULL);
}

/* Less disturbed by what else the machine does than any rate. */
static void tell_cpu(const char *figure, double seconds, double calls)
{
    g_printerr("%s: %.1f us of CPU a call\n", figure, seconds / calls * 1e6);
}

static void measure_in_flight(const char *figure, const char *preload, int n, const char *promised)
{
    g_autofree char *body = population_body(POPULATION_BODY);
    g_autofree char *state = make_state("writing");
    GPid pid = start_settled(state, preload, NULL);
    Load load = load_of(bus_call_enqueue, body, (unsigned)n);
    load.in_flight = IN_FLIGHT;
    Rounds raw = {0}, rate = {0};
    struct {
        const char *who;
        GPid pid;
        double cpu;
    } parts[] = {
        {figure, pid, 0}, {"of the bus", bench.stage.bus, 0}, {"of the caller", getpid(), 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        parts[i].cpu = -process_cpu(parts[i].pid);
    for (int i = 0; i < bench.rounds; i++) {
        double raw_rate, raw_latency;
        raw_rows(preload, (unsigned)n / 4, &raw_rate, &raw_latency);
        rounds_add(&raw, raw_rate);
        rounds_add(&rate, load_rate(&load));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        parts[i].cpu += process_cpu(parts[i].pid);
    stage_stop(pid);
    tell(figure, "/s", &rate, "raw durable row", &raw, promised);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        tell_cpu(parts[i].who, parts[i].cpu, (double)n * bench.rounds);
}

static void row_in_flight(void)
{
    measure_in_flight("Enqueue, 64 in flight", NULL, bench.operations, "at least 4");
}

static void row_in_flight_slow(void)
{
    measure_in_flight("Enqueue, 64 in flight, fsync +2 ms", bench.slow_sync,
                      bench.operations / SLOW_SHARE, "at least 20");
}

static void row_latency(void)
{
    g_autofree char *body = population_body(POPULATION_BODY);
    g_autofree char *state = make_state("waiting");
    GPid pid = start_settled(state, NULL, NULL);
    Load ping = load_of(bus_call_ping, NULL, (unsigned)bench.operations / 4);
    Load enqueue = load_of(bus_call_enqueue, body, (unsigned)bench.operations / 4);
    Rounds parts = {0}, whole = {0};
    for (int i = 0; i < bench.rounds; i++) {
        double raw_rate, raw_latency;
        raw_rows(NULL, (unsigned)bench.operations / 4, &raw_rate, &raw_latency);
        rounds_add(&parts, (load_latency(&ping) + raw_latency) * 1e6);
        rounds_add(&whole, load_latency(&enqueue) * 1e6);
    }
    stage_stop(pid);
    tell("Enqueue, one synchronous caller, median", "us", &whole, "Ping and raw durable row",
         &parts, "at most 1.35");
}

static void row_callers(void)
{
    g_autofree char *body = population_body(POPULATION_BODY);
    g_autofree char *state = make_state("callers");
    GPid pid = start_settled(state, bench.slow_sync, NULL);
    Load one = load_of(bus_call_enqueue, body, (unsigned)bench.operations / SLOW_SHARE / 4);
    Load many = load_of(bus_call_enqueue, body, (unsigned)bench.operations / SLOW_SHARE);
    many.callers = CALLERS;
    Rounds alone = {0}, together = {0};
    for (int i = 0; i < bench.rounds; i++) {
        rounds_add(&alone, load_rate(&one));
        rounds_add(&together, load_rate(&many));
    }
    stage_stop(pid);
    tell("Enqueue, 8 synchronous callers, fsync +2 ms", "/s", &together, "one caller", &alone,
         "at least 5");
}

/* ---- rows: reading ---- */

/* Measures a call beside a service that answers with the same bytes. */
static void measure_reading(const char *figure, GPid daemon, const Load *load, const char *method,
                            const void *bytes, size_t size, const char *promised)
{
    g_autofree char *file = in_stage("precomputed");
    g_assert_true(g_file_set_contents(file, bytes, (gssize)size, NULL));
    const char *const argv[] = {bench.self, "echo", bench.stage.address, file, NULL};
    GPid pid = stage_start(&bench.stage, &(Actor){argv, ROLE_ECHO_NAME, NULL, NULL}, NULL);
    Load echo = load_of(bus_call_echo, method, load->n);
    Rounds precomputed = {0}, rate = {0};
    (void)load_rate(load);
    double cpu = process_cpu(daemon), echo_cpu = process_cpu(pid);
    for (int i = 0; i < bench.rounds; i++) {
        rounds_add(&precomputed, load_rate(&echo));
        rounds_add(&rate, load_rate(load));
    }
    tell_cpu(figure, process_cpu(daemon) - cpu, (double)load->n * bench.rounds);
    tell_cpu("the same bytes, precomputed", process_cpu(pid) - echo_cpu,
             (double)load->n * bench.rounds);
    stage_stop(pid);
    tell(figure, "/s", &rate, "the same bytes, precomputed", &precomputed, promised);
}

static void row_get(void)
{
    GPid pid = start_settled(large_state(), NULL, NULL);
    g_autofree char *body = population_body(POPULATION_BODY);
    const char *id, *record;
    Load enqueue = load_of(bus_call_enqueue, body, 1);
    sd_bus_message *enqueued = load_once(&enqueue);
    g_assert_cmpint(sd_bus_message_read(enqueued, "s", &id), >=, 0);
    process_settle(pid);

    Load get = load_of(bus_call_get, id, (unsigned)bench.operations);
    sd_bus_message *answer = load_once(&get);
    g_assert_cmpint(sd_bus_message_read(answer, "s", &record), >=, 0);
    measure_reading("Get, synchronous", pid, &get, "Text", record, strlen(record), "at least 0.85");
    sd_bus_message_unref(answer);
    sd_bus_message_unref(enqueued);
    stage_stop(pid);
}

static void measure_listing(const char *figure, bool bodies, const char *promised)
{
    GPid pid = start_settled(large_state(), NULL, NULL);
    const void *bytes;
    size_t size;
    Load list = load_of(bus_call_list, &bodies, (unsigned)MAX(bench.operations / CALLS_A_PAGE, 1));
    sd_bus_message *page = load_once(&list);
    g_assert_cmpint(sd_bus_message_read_array(page, 'y', &bytes, &size), >=, 0);
    measure_reading(figure, pid, &list, "Bytes", bytes, size, promised);
    sd_bus_message_unref(page);
    stage_stop(pid);
}

static void row_list(void)
{
    measure_listing("ListBytes, 1,000 headers", false, "at least 0.4");
}

static void row_list_bodies(void)
{
    measure_listing("ListBytes, a page with bodies", true, "at least 0.15");
}

static void row_explain(void)
{
    GPid pid = start_settled(large_state(), NULL, NULL);
    g_autofree char *body = population_body(POPULATION_BODY);
    const char *explanation;
    Load versions = load_of(bus_call_version, body, VERSIONS);
    (void)load_rate(&versions);
    process_settle(pid);

    Load explain = load_of(bus_call_explain, NULL, (unsigned)bench.operations);
    sd_bus_message *answer = load_once(&explain);
    g_assert_cmpint(sd_bus_message_read(answer, "s", &explanation), >=, 0);
    measure_reading("Explain, an object of 100 versions", pid, &explain, "Text", explanation,
                    strlen(explanation), "at least 0.3");
    sd_bus_message_unref(answer);
    stage_stop(pid);
}

/* Of one after the other, in milliseconds. */
static double time_diagnosis(void)
{
    const unsigned calls = 20;
    Load diagnose = load_of(bus_call_diagnose, NULL, calls);
    return 1e3 / load_rate(&diagnose);
}

static void row_diagnose(void)
{
    const char *const states[] = {bench.small, large_state()};
    Rounds times[2] = {0};
    for (int which = 0; which < 2; which++) {
        GPid pid = start_settled(states[which], NULL, NULL);
        for (int i = 0; i < bench.rounds; i++)
            rounds_add(&times[which], time_diagnosis());
        stage_stop(pid);
    }
    g_autofree char *figure = g_strdup_printf("Diagnose, %d operations", bench.population);
    tell(figure, "ms", &times[1], "no operations", &times[0], "");
}

#define FEW_OPERATIONS 1000

/* The newest page of a hundred, each signed for whoever asks. */
static void row_evidence(void)
{
    const unsigned calls = 20;
    Load pages = load_of(bus_call_evidence, "newest", calls);
    g_autofree char *few = in_stage("few");
    fill_state(few, FEW_OPERATIONS);
    const char *const states[] = {few, large_state()};
    Rounds times[2] = {0};
    for (int which = 0; which < 2; which++) {
        GPid pid = start_settled(states[which], NULL, NULL);
        for (int i = 0; i < bench.rounds; i++)
            rounds_add(&times[which], 1e3 / load_rate(&pages));
        stage_stop(pid);
    }
    g_autofree char *figure =
        g_strdup_printf("ListEvidence, a page of 100, %d operations", bench.population);
    tell(figure, "ms", &times[1], "1000 operations", &times[0], "");
}

/* ---- rows: the process ---- */

/* From the exec of a daemon to its first answer, and to its name on the way. */
static double time_start(const char *state, double *ret_name)
{
    Load ping = load_of(bus_call_ping, NULL, 1);
    gint64 begin = g_get_monotonic_time();
    GPid pid = start_daemon(state, NULL, NULL, ret_name);
    sd_bus_message_unref(load_once(&ping));
    double answered = seconds_since(begin);
    stage_stop(pid);
    return answered;
}

static void row_start(void)
{
    const char *large = large_state();
    Rounds names[2] = {0}, answers[2] = {0};
    for (int i = 0; i < 2 * bench.rounds; i++) {
        for (int which = 0; which < 2; which++) {
            double name, answer = time_start(which == 0 ? bench.small : large, &name);
            rounds_add(&names[which], name * 1e3);
            rounds_add(&answers[which], answer * 1e3);
        }
    }
    g_autofree char *figure =
        g_strdup_printf("exec to name on the bus, %d operations", bench.population);
    g_autofree char *first =
        g_strdup_printf("exec to first answer, %d operations", bench.population);
    tell(figure, "ms", &names[1], "no operations", &names[0], "at most 1.5");
    tell(first, "ms", &answers[1], "no operations", &answers[0], "");
}

static void row_memory(void)
{
    const char *large = large_state();
    bool bodies = true;
    g_autofree char *body = population_body(POPULATION_BODY);
    Load list = load_of(bus_call_list, &bodies, 20);
    Load enqueue = load_of(bus_call_enqueue, body, (unsigned)bench.operations);
    enqueue.in_flight = IN_FLIGHT;
    const char *const argv[] = {bench.self, "empty", bench.stage.address, bench.stage.directory,
                                NULL};
    Rounds empty = {0}, started = {0}, worked = {0};
    for (int i = 0; i < bench.rounds; i++) {
        GPid pid = stage_start(&bench.stage, &(Actor){argv, ROLE_EMPTY_NAME, NULL, NULL}, NULL);
        rounds_add(&empty, process_memory(pid) / (1024 * 1024));
        stage_stop(pid);

        pid = start_settled(large, NULL, NULL);
        rounds_add(&started, process_memory(pid) / (1024 * 1024));
        (void)load_rate(&list);
        (void)load_rate(&enqueue);
        process_settle(pid);
        rounds_add(&worked, process_memory(pid) / (1024 * 1024));
        stage_stop(pid);
    }
    g_autofree char *figure = g_strdup_printf("resident memory, %d operations", bench.population);
    tell(figure, "MiB", &started, "an empty process", &empty, "at most 2");
    tell("the same after pages and Enqueues", "MiB", &worked, "an empty process", &empty, "");
}

/* Header plus body of everything in a log. */
static double stored_bytes(const char *state)
{
    sqlite3 *db;
    sqlite3_stmt *sum;
    g_autofree char *path = g_build_filename(state, "journal.db", NULL);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT sum(length(header) + length(body)) FROM entry", -1, &sum,
                           NULL) != SQLITE_OK ||
        sqlite3_step(sum) != SQLITE_ROW)
        g_error("%s: %s", path, sqlite3_errmsg(db));
    double bytes = sqlite3_column_double(sum, 0);
    sqlite3_finalize(sum);
    sqlite3_close(db);
    return bytes;
}

static WriteCounts read_counts(const char *file)
{
    g_autofree char *text = NULL;
    gsize size;
    WriteCounts counts;
    if (!g_file_get_contents(file, &text, &size, NULL) || size != sizeof counts)
        g_error("%s cannot be read", file);
    memcpy(&counts, text, sizeof counts);
    return counts;
}

static void row_written(void)
{
    g_autofree char *body = population_body(POPULATION_BODY);
    g_autofree char *file = in_stage("counts");
    Load load = load_of(bus_call_enqueue, body, (unsigned)bench.operations);
    load.in_flight = IN_FLIGHT;
    Rounds journal = {0}, both = {0}, stored = {0};
    for (int i = 0; i < bench.rounds; i++) {
        const WriteCounts none = {0};
        g_autofree char *name = g_strdup_printf("counting-%d", i);
        g_autofree char *state = make_state(name);
        double before = stored_bytes(state);
        g_assert_true(g_file_set_contents(file, (const char *)&none, sizeof none, NULL));
        GPid pid = start_settled(state, bench.count_writes, file);
        (void)load_rate(&load);
        stage_stop(pid);
        WriteCounts counts = read_counts(file);
        rounds_add(&journal, (double)counts.journal / bench.operations);
        rounds_add(&both, (double)(counts.journal + counts.index) / bench.operations);
        rounds_add(&stored, (stored_bytes(state) - before) / bench.operations);
    }
    tell("written an operation, 64 in flight: journal", "B", &journal, "header and body", &stored,
         "at most 2.8");
    tell("the same with the index", "B", &both, "header and body", &stored, "at most 4.5");
}

static void row_idle(void)
{
    if (bench.idle == 0)
        return;
    GPid pid = start_settled(large_state(), NULL, NULL);
    double wakeups = process_wakeups(pid);
    g_usleep((gulong)bench.idle * G_USEC_PER_SEC);
    printf("| wakeups in %d idle seconds | %.0f | | | | | 0 |\n", bench.idle,
           process_wakeups(pid) - wakeups);
    stage_stop(pid);
}

/* ---- the program ---- */

static const struct {
    const char *name;
    void (*measure)(void);
} rows[] = {
    {"in-flight", row_in_flight},
    {"in-flight-slow", row_in_flight_slow},
    {"latency", row_latency},
    {"callers", row_callers},
    {"get", row_get},
    {"explain", row_explain},
    {"diagnose", row_diagnose},
    {"evidence", row_evidence},
    {"list", row_list},
    {"list-bodies", row_list_bodies},
    {"start", row_start},
    {"memory", row_memory},
    {"written", row_written},
    {"idle", row_idle},
};

static const GOptionEntry options[] = {
    {"program", 0, 0, G_OPTION_ARG_FILENAME, &bench.program, "the daemon that is measured", "FILE"},
    {"slow-sync", 0, 0, G_OPTION_ARG_FILENAME, &bench.slow_sync, "slow-sync.c, built", "FILE"},
    {"count-writes", 0, 0, G_OPTION_ARG_FILENAME, &bench.count_writes, "count-writes.c, built",
     "FILE"},
    {"directory", 0, 0, G_OPTION_ARG_FILENAME, &bench.directory, "where the state goes", "DIR"},
    {"rounds", 0, 0, G_OPTION_ARG_INT, &bench.rounds, "rounds of each figure (5)", "N"},
    {"operations", 0, 0, G_OPTION_ARG_INT, &bench.operations, "calls a round (4000)", "N"},
    {"population", 0, 0, G_OPTION_ARG_INT, &bench.population,
     "operations of the large state (20000)", "N"},
    {"keep", 0, 0, G_OPTION_ARG_FILENAME, &bench.kept,
     "keep the large state here; one that is here is taken as it is", "DIR"},
    {"idle", 0, 0, G_OPTION_ARG_INT, &bench.idle, "count wakeups for so long (0: not at all)",
     "SECONDS"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

static bool parse_options(int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("[ROW...]");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, argc, argv, &error))
        g_printerr("%s\n", error->message);
    else if (bench.program == NULL || bench.slow_sync == NULL || bench.count_writes == NULL)
        g_printerr("--program, --slow-sync and --count-writes are needed\n");
    else if (bench.rounds < 1 || bench.rounds > (int)ROUNDS_MAX / 2 || bench.operations < 100 ||
             bench.population < 1)
        g_printerr("there are 1 to %u rounds, of at least 100 calls\n", ROUNDS_MAX / 2);
    else
        return true;
    return false;
}

int main(int argc, char **argv)
{
    int status;
    if (role_play(argc, argv, &status))
        return status;
    if (!parse_options(&argc, &argv))
        return 2;
    bench.self = g_file_read_link("/proc/self/exe", NULL);
    stage_open(&bench.stage, bench.directory != NULL ? bench.directory : ".");
    bench.small = make_state("small");
    tell_heading();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (argc == 1 || g_strv_contains((const char *const *)argv + 1, rows[i].name))
            rows[i].measure();
    stage_close(&bench.stage);
    return 0;
}
