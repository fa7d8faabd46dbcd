/*
 * What a health report costs the daemon: of a long log beside one of 1,000 entries. The daemon
 * answers nobody meanwhile, so it is the time of one call that counts.
 *
 *   bench-health [--entries N] [--rounds N] [--directory DIR] [--keep DIR]
 */
#include "../unit/store-fixture.h"
#include "crypto/seal.h"
#include "measure.h"
#include "population.h"
#include "service/health.h"

#include <unistd.h>

#define SHORT_LOG 1000u
#define REPORTS 50u /* a round */

static int option_entries = 20000;
static int option_rounds = 10;
static char *option_directory, *option_keep;

static void must(bool ok, const GError *error)
{
    if (!ok)
        g_error("%s", error->message);
}

static SyncdService *open_log(const char *directory, unsigned n)
{
    g_autoptr(GError) error = NULL;
    g_mkdir(directory, 0700);
    SyncdStore *store = syncd_store_open(&(SyncdStoreOptions){.directory = directory,
                                                              .mode = SYNCD_STORE_CREATE,
                                                              .sources = syncd_sources_system(),
                                                              .machine = "bench"},
                                         &error);
    must(store != NULL, error);
    SyncdService *service =
        syncd_service_new(SYNCD_INSTANCE_USER, geteuid(), store, syncd_sources_system(), &error);
    must(service != NULL, error);
    syncd_service_commit(service);
    guint64 there = syncd_store_sequence(store);
    must(there >= n || population_write(store, "actor-bench", syncd_store_device_id(store),
                                        n - (unsigned)there, &error),
         error);
    while (syncd_store_work(store))
        ;
    syncd_service_begin_run(service, &(SyncdProcess){.pid = 1, .manager = "manual"});
    return service;
}

/* Milliseconds, the median of several. */
static double report_time(SyncdService *service)
{
    double times[REPORTS];
    const SyncdCaller caller = {.uid = geteuid()};
    for (unsigned i = 0; i < REPORTS; i++) {
        g_autoptr(GError) error = NULL;
        gint64 begin = g_get_monotonic_time();
        g_autofree char *report = syncd_service_health(service, &caller, &error);
        times[i] = seconds_since(begin) * 1000;
        must(report != NULL, error);
    }
    return median_of(times, REPORTS);
}

static const GOptionEntry options[] = {
    {"entries", 0, 0, G_OPTION_ARG_INT, &option_entries, "length of the log", "N"},
    {"rounds", 0, 0, G_OPTION_ARG_INT, &option_rounds, "times the figure is taken", "N"},
    {"directory", 0, 0, G_OPTION_ARG_FILENAME, &option_directory, "where the logs are made", "DIR"},
    {"keep", 0, 0, G_OPTION_ARG_FILENAME, &option_keep,
     "keep the long log here; one that is here is taken as it is", "DIR"},
    {0},
};

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    must(g_option_context_parse(context, &argc, &argv, &error), error);
    g_autofree char *folder = g_build_filename(
        option_directory != NULL ? option_directory : g_get_tmp_dir(), "bench-health-XXXXXX", NULL);
    if (g_mkdtemp(folder) == NULL || option_entries < 1 || option_rounds < 1 ||
        option_rounds > (int)ROUNDS_MAX || !syncd_crypto_init(NULL))
        g_error("Nothing can be measured in %s", folder);
    g_autofree char *far =
        option_keep != NULL ? g_strdup(option_keep) : g_build_filename(folder, "long", NULL);
    g_autofree char *near = g_build_filename(folder, "short", NULL);
    SyncdService *of_long = open_log(far, (unsigned)option_entries);
    SyncdService *of_short = open_log(near, SHORT_LOG);
    Rounds long_times = {0}, short_times = {0};
    for (int i = 0; i < option_rounds; i++) {
        rounds_add(&short_times, report_time(of_short));
        rounds_add(&long_times, report_time(of_long));
    }
    tell_heading();
    tell("health report", "ms", &long_times, "of 1,000 entries", &short_times, "at most 2");
    syncd_service_free(of_long);
    syncd_service_free(of_short);
    fixture_remove(folder);
    return 0;
}
