#include "power-phases.h"

#include <glib/gstdio.h>

size_t power_run_now(const PowerRun *run)
{
    return run->disk != NULL ? power_disk_n_events(run->disk) : 0;
}

void power_run_answer(PowerRun *run)
{
    size_t event = power_run_now(run);
    g_array_append_val(run->answers, event);
}

guint power_run_answered(const PowerRun *run, size_t cut)
{
    guint n = 0;
    while (n < run->answers->len && g_array_index(run->answers, size_t, n) <= cut)
        n++;
    return n;
}

PowerRun *power_run_new(const PowerPhase *phase, PowerFault fault, const char *folder, guint64 seed)
{
    PowerRun *run = g_new0(PowerRun, 1);
    run->phase = phase;
    run->random = seed;
    power_sources_init(&run->sources, power_random(&run->random));
    run->folder = g_strdup(folder);
    run->state = g_build_filename(folder, POWER_STATE, NULL);
    run->scopes = g_ptr_array_new_with_free_func(g_free);
    run->log = power_log_new();
    run->answers = g_array_new(FALSE, FALSE, sizeof(size_t));
    power_remove_tree(folder);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);

    if (phase->prepare != NULL)
        phase->prepare(run);
    power_log_settle(run->log);
    if (!phase->makes_index)
        power_log_expect_index(run->log);
    run->fault = fault;
    run->disk = power_disk_record(folder);
    phase->run(run);
    power_disk_stop(run->disk);
    return run;
}

void power_run_free(PowerRun *run)
{
    if (run == NULL)
        return;
    if (run->free_data != NULL)
        run->free_data(run->data);
    g_clear_pointer(&run->store, syncd_store_free);
    g_array_unref(run->answers);
    power_disk_free(run->disk);
    power_log_free(run->log);
    g_ptr_array_unref(run->scopes);
    g_free(run->state);
    g_free(run->folder);
    g_free(run);
}
