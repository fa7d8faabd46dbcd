/*
 * The power goes, at any moment of a store's life, and the store keeps what it promised:
 * acknowledged is a subset of present is a subset of attempted, no damage, no gap.
 *
 *   test-power [-k] [--images N] [--seed S] [--phase NAME] [--workers N]
 *
 * 20,000 images take about a minute, 200,000 about ten. With -k the other phases follow one that
 * failed; without it, what was judged last stays in /dev/shm.
 *
 * The images are shared out evenly among the phases. The controls are stores and disks that break
 * their promises; the suite fails when it does not notice.
 */
#include "power-suite.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#define FULL_IMAGES 20000
#define MIN_IMAGES 500u /* of each phase in a full run */
#define CONTROL_IMAGES 3000u

static gint images = FULL_IMAGES;
static gint64 seed = 1;
static gint workers = 2;
static char *only;
static char *folder;

static PowerPlan make_plan(void)
{
    return (PowerPlan){.folder = folder, .seed = (guint64)seed, .workers = (unsigned)workers};
}

static bool is_possible(const PowerPhase *phase)
{
    bool possible = phase->is_possible == NULL || phase->is_possible();
    if (!possible)
        g_test_skip("whoever runs this may not do that");
    return possible;
}

static void test_phase(const void *data)
{
    const PowerPhase *phase = data;
    PowerPlan plan = make_plan();
    if (!is_possible(phase))
        return;
    guint share = only != NULL ? (guint)images
                               : (guint)(((gsize)images + power_n_phases - 1) / power_n_phases);
    g_auto(PowerReport) report = {0};
    power_suite_run(&plan, phase, share, &report);
    guint distinct = g_hash_table_size(report.images);
    g_test_message("%s: %u distinct images (%u drawn, %u judged) at %u cuts of %u histories, %u "
                   "wrong",
                   phase->name, distinct, report.drawn, report.judged, report.cuts,
                   report.histories, report.n_wrong);
    for (guint i = 0; i < report.wrong->len; i++)
        g_test_message("%s", (const char *)report.wrong->pdata[i]);
    if (report.n_wrong > 0 || report.died > 0)
        g_test_fail_printf("%u images do not keep what was promised", report.n_wrong);
    if (distinct < share || (only == NULL && images >= FULL_IMAGES && distinct < MIN_IMAGES))
        g_test_fail_printf("only %u images", distinct);
}

static const PowerPhase *find_phase(const char *name)
{
    for (size_t i = 0; i < power_n_phases; i++)
        if (g_str_equal(power_phases[i].name, name))
            return &power_phases[i];
    return NULL;
}

static void test_control(const void *data)
{
    const PowerControl *control = data;
    PowerPlan plan = make_plan();
    plan.fault = control->fault;
    plan.honesty = control->honesty;
    plan.until_wrong = true;
    g_auto(PowerReport) report = {0};
    const PowerPhase *phase = find_phase(control->phase);
    if (!is_possible(phase))
        return;
    power_suite_run(&plan, phase, CONTROL_IMAGES, &report);
    if (report.n_wrong == 0 || report.died > 0) {
        g_test_fail_printf("nothing was noticed in %u images", g_hash_table_size(report.images));
        return;
    }
    g_test_message("after %u images: %s", g_hash_table_size(report.images),
                   (const char *)report.wrong->pdata[0]);
}

static void read_options(int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"images", 0, 0, G_OPTION_ARG_INT, &images, "Distinct images in all", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of everything that is drawn", "S"},
        {"phase", 0, 0, G_OPTION_ARG_STRING, &only, "Only this one, without controls", "NAME"},
        {"workers", 0, 0, G_OPTION_ARG_INT, &workers, "Processes", "N"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_parse(context, argc, argv, &error);
    g_assert_no_error(error);
    g_assert_true(images > 0 && workers > 0 && (only == NULL || find_phase(only) != NULL));
}

int main(int argc, char **argv)
{
    read_options(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_message("seed %" G_GINT64_FORMAT ", %d images, %d processes", seed, images, workers);
    bool memory = g_access("/dev/shm", W_OK) == 0;
    folder = g_build_filename(memory ? "/dev/shm" : g_get_tmp_dir(), "syncd-power-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(folder));
    g_setenv("TMPDIR", folder, TRUE);
    for (size_t i = 0; i < power_n_phases; i++) {
        g_autofree char *path = g_strdup_printf("/power/%s", power_phases[i].name);
        if (only == NULL || g_str_equal(only, power_phases[i].name))
            g_test_add_data_func(g_strdelimit(path, " ", '-'), &power_phases[i], test_phase);
    }
    for (size_t i = 0; only == NULL && i < power_n_controls; i++)
        g_test_add_data_func(power_controls[i].path, &power_controls[i], test_control);
    int result = g_test_run();
    power_remove_tree(folder);
    g_free(folder);
    g_free(only);
    return result;
}
