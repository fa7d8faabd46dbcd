/*
 * The process dies before or after, or the disk errs or is full at, each storage call of repairing
 * a file of a workspace (repair-lives.h), those of the workspace's reader as well: the file has the
 * recorded bytes or those that were found, the record says which, and what was found is not lost.
 *
 * test-repair-file-calls [--each N] [options of GLib's tests]
 */
#include "call-faults.h"
#include "repair-file-subjects.h"

typedef struct {
    Rotten rotten;
    char *state, *tree; /* copies of both, from which each case begins */
} Copied;

static Copied *copied_of(RepairLife *life)
{
    return (Copied *)(void *)((char *)life->data - offsetof(Copied, rotten));
}

/* ---- copies ---- */

/* A copy has other times and inodes; nobody is to take that for a change. */
static void see_as_is(WorkspaceFixture *w, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    SyncdFileRow row;
    bool found;
    g_autofree char *path = path_in(w, name);
    syncd_service_list_roots(w->f.service, &roots, &error);
    g_assert_no_error(error);
    if (*name != '\0')
        row = row_of(w, name);
    else
        syncd_store_find_workspace_folder(store_of(w), ((SyncdRoot *)roots->pdata[0])->scope_id,
                                          &row, &found, &error);
    g_assert_no_error(error);
    SyncdFileSeen seen = rotten_sight(path);
    syncd_store_see_file(store_of(w), row.id, 0, &seen);
}

static const char *copy(RepairLife *life)
{
    static const char *const names[] = {"", "folder", ROTTEN, "sound"};
    Copied *copied = copied_of(life);
    WorkspaceFixture *w = &copied->rotten.file.w;
    copy_into(copied->state, w->f.base.directory);
    copy_into(copied->tree, w->directory);
    service_open(&w->f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        see_as_is(w, names[i]);
    settle(w);
    service_close(&w->f);
    return call_faults_folder();
}

static void remove_copy(RepairLife *life)
{
    fixture_remove(life->f->base.directory);
    fixture_remove(rotten_of(life)->file.w.directory);
}

/* ---- all of it ---- */

static void copied_init(Copied *copied, const RepairSubject *subject, LifeEnd end)
{
    *copied = (Copied){.rotten = {.written = WRITTEN, .rot = ROT}};
    Rotten *rotten = &copied->rotten;
    WorkspaceFixture *w = &rotten->file.w;
    workspace_init_keeping(w, KEEP_TWO);
    rotten_make(rotten);
    copied->state = copy_state(w->f.base.directory);
    copied->tree = copy_state(w->directory);
    rotten->life = (RepairLife){subject, end, &w->f, copy, remove_copy, .data = rotten};
    remove_copy(&rotten->life);
}

static void copied_clear(Copied *copied)
{
    fixture_remove(copied->state);
    fixture_remove(copied->tree);
    g_free(copied->state);
    g_free(copied->tree);
    rotten_clear(&copied->rotten);
    workspace_clear(&copied->rotten.file.w);
}

static void every_call_may_fail(const RepairSubject *subject, LifeEnd end)
{
    Copied copied;
    copied_init(&copied, subject, end);
    repair_life_run(&copied.rotten.life);
    copied_clear(&copied);
}

static void and_taken_back(const void *subject)
{
    every_call_may_fail(subject, LIFE_THEN_BACK);
}

static void and_discarded(const void *subject)
{
    every_call_may_fail(subject, LIFE_THEN_GONE);
}

/* The control: were it written over without its record, it would be seen. */
static void what_is_written_over_is_found(void)
{
    Copied copied;
    copied_init(&copied, &repair_file_subjects[0], LIFE_THEN_BACK);
    RepairLife *life = &copied.rotten.life;
    copy(life);
    life->subject->open(life);
    g_assert_true(life->subject->is_before(life));
    write_over(&copied.rotten.file.w, ROTTEN, WRITTEN);
    for (size_t i = 0; i < repair_file_n_subjects; i++)
        g_assert_false(repair_file_subjects[i].is_before(life) ||
                       repair_file_subjects[i].is_after(life));
    life->subject->close(life);
    copied_clear(&copied);
}

int main(int argc, char **argv)
{
    call_faults_init(&argc, &argv);
    for (size_t i = 0; i < repair_file_n_subjects; i++) {
        const RepairSubject *subject = &repair_file_subjects[i];
        g_autofree char *back = g_strdup_printf("/repair-file-calls/%s/back", subject->name),
                        *gone = g_strdup_printf("/repair-file-calls/%s/gone", subject->name);
        g_test_add_data_func(back, subject, and_taken_back);
        g_test_add_data_func(gone, subject, and_discarded);
    }
    g_test_add_func("/repair-file-calls/control/what-is-written-over-is-found",
                    what_is_written_over_is_found);
    return call_faults_end();
}
