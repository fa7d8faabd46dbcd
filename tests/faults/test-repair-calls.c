/*
 * The process dies before or after, or the disk errs or is full at, each storage call of a repair's
 * life (repair-lives.h).
 *
 * test-repair-calls [--each N] [options of GLib's tests]
 */
#include "call-faults.h"
#include "repair-subjects.h"
#include "repair-waiting.h"

static bool is_possible(const RepairCase *which)
{
    bool possible = which->is_possible == NULL || which->is_possible();
    if (!possible)
        g_test_skip("whoever runs this may not do that");
    return possible;
}

static void every_call_may_fail(const RepairCase *which, LifeEnd end)
{
    RepairWorld w;
    if (!is_possible(which))
        return;
    repair_world_init(&w, which, end);
    repair_life_run(&w.life);
    repair_world_clear(&w);
}

static void and_taken_back(const void *which)
{
    every_call_may_fail(which, LIFE_THEN_BACK);
}

static void and_discarded(const void *which)
{
    every_call_may_fail(which, LIFE_THEN_GONE);
}

/* The controls: were the old one out of the way and no other there, or some of it done and some
 * not, it would be seen. */
typedef struct {
    const char *path, *subject;
    void (*halve)(RepairLife *life);
    bool is_open; /* then */
} Control;

static void remove_index(RepairLife *life)
{
    state_remove(life->f, "index.db");
}

static void remove_journal(RepairLife *life)
{
    state_remove(life->f, "journal.db");
}

static void own_keys(RepairLife *life)
{
    g_autofree char *path = state_path(life->f, "keys");
    g_assert_cmpint(lchown(path, geteuid(), (gid_t)-1), ==, 0);
}

static const Control controls[] = {
    {"/repair-calls/control/an-index-that-is-away-is-missed", "index", remove_index},
    {"/repair-calls/control/a-journal-that-is-away-is-missed", "journal-salvaged", remove_journal},
    {"/repair-calls/control/owners-of-some-are-found", "owners", own_keys},
    {"/repair-calls/control/an-entry-that-is-nowhere-is-missed", "lag", repair_entries_halve, true},
    {"/repair-calls/control/jobs-of-which-one-waits-are-found", "jobs", repair_jobs_halve, true},
};

static void what_is_half_done_is_found(const void *data)
{
    RepairWorld w;
    const Control *control = data;
    const RepairCase *which = repair_case_find(control->subject);
    if (!is_possible(which))
        return;
    repair_world_init(&w, which, LIFE_THEN_BACK);
    const RepairSubject *subject = w.life.subject;
    w.life.copy(&w.life);
    if (!control->is_open)
        control->halve(&w.life);
    subject->open(&w.life);
    if (control->is_open)
        control->halve(&w.life);
    else
        run_jobs(&w.f);
    g_assert_true(!subject->is_before(&w.life) && !subject->is_after(&w.life));
    subject->close(&w.life);
    w.life.remove(&w.life);
    repair_world_clear(&w);
}

/* The control: were content gone that is not purged, it would be seen. */
static void what_is_gone_by_halves_is_found(void)
{
    RepairWorld w;
    repair_world_init(&w, repair_case_find("purges"), LIFE_THEN_GONE);
    const RepairSubject *subject = w.life.subject;
    for (guint i = 0; i < 2; i++) {
        w.life.copy(&w.life);
        g_autofree char *blobs = g_build_filename(w.f.base.directory, "blobs", NULL);
        if (i > 0)
            fixture_remove(blobs);
        subject->open(&w.life);
        g_assert_true(subject->is_before(&w.life) == (i == 0));
        g_assert_false(subject->is_after(&w.life));
        subject->close(&w.life);
        w.life.remove(&w.life);
    }
    repair_world_clear(&w);
}

int main(int argc, char **argv)
{
    call_faults_init(&argc, &argv);
    for (size_t i = 0; i < repair_n_cases; i++) {
        g_autofree char *back =
                            g_strdup_printf("/repair-calls/%s/back", repair_cases[i].subject.name),
                        *gone =
                            g_strdup_printf("/repair-calls/%s/gone", repair_cases[i].subject.name);
        if (!repair_cases[i].subject.for_good)
            g_test_add_data_func(back, &repair_cases[i], and_taken_back);
        g_test_add_data_func(gone, &repair_cases[i], and_discarded);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(controls); i++)
        g_test_add_data_func(controls[i].path, &controls[i], what_is_half_done_is_found);
    g_test_add_func("/repair-calls/control/what-is-gone-by-halves-is-found",
                    what_is_gone_by_halves_is_found);
    return call_faults_end();
}
