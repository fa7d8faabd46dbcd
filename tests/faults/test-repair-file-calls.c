/*
 * The process dies before or after, or the disk errs or is full at, each storage call of repairing
 * a file of a workspace (repair-lives.h), those of the workspace's reader as well: the file has the
 * recorded bytes or those that were found, the record says which, and what was found is not lost.
 *
 * test-repair-file-calls [--each N] [options of GLib's tests]
 */
#include "call-faults.h"
#include "repair-lives.h"

#include "../unit/watched-fixture.h"

#include "reader/leftover.h"
#include "reader/open.h"
#include "service/repair-private.h"
#include "workspace/workspace-private.h"

#include <string.h>

typedef struct {
    World file;
    RepairLife life;
    char *state, *tree; /* copies of both, from which each case begins */
    char *accepted[2];
} Rotten;

static Rotten *world_of(RepairLife *life)
{
    return life->data;
}

/* ---- copies ---- */

static SyncdFileSeen sight_of(const char *path)
{
    SyncdFileStat stat;
    int fd = open(path, O_PATH | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(syncd_stat_of(fd, &stat), ==, 0);
    close(fd);
    return syncd_file_seen(&stat);
}

/* A copy has other times and inodes; nobody is to take that for a change. */
static void see_as_is(Rotten *w, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    SyncdFileRow row;
    bool found;
    g_autofree char *path = path_in(&w->file.w, name);
    syncd_service_list_roots(w->file.w.f.service, &roots, &error);
    g_assert_no_error(error);
    if (*name != '\0')
        row = row_of(&w->file.w, name);
    else
        syncd_store_find_workspace_folder(
            store_of(&w->file.w), ((SyncdRoot *)roots->pdata[0])->scope_id, &row, &found, &error);
    g_assert_no_error(error);
    SyncdFileSeen seen = sight_of(path);
    syncd_store_see_file(store_of(&w->file.w), row.id, 0, &seen);
}

static char *id_of(Rotten *w, const char *name)
{
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileRow row = row_of(&w->file.w, name);
    syncd_store_file_id(store_of(&w->file.w), row.id, id, &error);
    g_assert_no_error(error);
    return g_strdup(id);
}

static const char *copy(RepairLife *life)
{
    static const char *const names[] = {"", "folder", ROTTEN, "sound"};
    Rotten *w = world_of(life);
    copy_into(w->state, w->file.w.f.base.directory);
    copy_into(w->tree, w->file.w.directory);
    service_open(&w->file.w.f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        see_as_is(w, names[i]);
    settle(&w->file.w);
    g_free(w->accepted[0]);
    w->accepted[0] = id_of(w, ROTTEN);
    service_close(&w->file.w.f);
    return call_faults_folder();
}

static void remove_copy(RepairLife *life)
{
    fixture_remove(life->f->base.directory);
    fixture_remove(world_of(life)->file.w.directory);
}

/* ---- a daemon ---- */

/* A reader answers sooner than that; whoever waits for it in vain is not to wait long. */
static void take_turn(RepairLife *life)
{
    WorkspaceFixture *w = &world_of(life)->file.w;
    SyncdWorkspaceStanding now = standing_of(w);
    bool waits = life->f->service->repairs->running != NULL || now.waiting > 0 ||
                 now.state == SYNCD_WORKSPACE_SCANNING;
    if (!step_workspace(w, waits ? 4 : 0))
        life->f->base.now_usec += G_USEC_PER_SEC / 10;
}

static void open_state(RepairLife *life)
{
    Rotten *w = world_of(life);
    service_open(life->f);
    listen_to(&w->file);
    begin_workspace(&w->file.w);
    for (guint i = 0; i < 2000; i++) {
        SyncdWorkspaceStanding now = standing_of(&w->file.w);
        if (now.state == SYNCD_WORKSPACE_WATCHING && now.waiting == 0)
            break;
        take_turn(life);
    }
}

static void close_state(RepairLife *life)
{
    end_workspace(&world_of(life)->file.w);
    service_close(life->f);
}

/* ---- the file ---- */

static bool has(Rotten *w, const char *expected)
{
    g_autofree char *path = path_in(&w->file.w, ROTTEN), *content = NULL;
    return g_file_get_contents(path, &content, NULL, NULL) && strcmp(content, expected) == 0;
}

static bool has_one_of_both(const char *path)
{
    g_autofree char *content = NULL;
    return g_file_get_contents(path, &content, NULL, NULL) &&
           (strcmp(content, WRITTEN) == 0 || strcmp(content, ROT) == 0);
}

/* A reader that is killed while it exchanges two files leaves the other one under a name that says
 * so (reader/leftover.h), as that may be what somebody wrote. */
static bool is_tidy(Rotten *w)
{
    const char *name;
    guint n = 0, left = 0;
    g_autofree char *path = path_in(&w->file.w, "folder");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    for (; (name = g_dir_read_name(folder)) != NULL; n++) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        left += g_str_has_prefix(name, SYNCD_REPLACED_PREFIX) && has_one_of_both(file);
    }
    return n == 1 + left && left <= 1;
}

static bool is_recorded(Rotten *w, const char *content)
{
    SyncdFileRow row = row_of(&w->file.w, ROTTEN);
    SyncdHash hash = syncd_hash(content, strlen(content));
    return row.hashed && syncd_hash_equal(&row.hash, &hash);
}

static bool is_found_rotten(RepairLife *life)
{
    Rotten *w = world_of(life);
    return has(w, ROT) && is_recorded(w, WRITTEN) && mismatches(&w->file.w) == 1 && is_tidy(w);
}

static bool is_restored(RepairLife *life)
{
    Rotten *w = world_of(life);
    return has(w, WRITTEN) && is_recorded(w, WRITTEN) && mismatches(&w->file.w) == 0 && is_tidy(w);
}

static bool is_accepted(RepairLife *life)
{
    Rotten *w = world_of(life);
    return has(w, ROT) && is_recorded(w, ROT) && mismatches(&w->file.w) == 0 && is_tidy(w);
}

static const char *const *accept_it(RepairLife *life)
{
    return (const char *const *)world_of(life)->accepted;
}

/* ---- all of it ---- */

static const RepairSubject subjects[] = {
    {"restore", "checksum-mismatch", "file-restore", open_state, close_state, take_turn,
     is_found_rotten, is_restored},
    {"accept", "checksum-mismatch", "file-accept", open_state, close_state, take_turn,
     is_found_rotten, is_accepted, .accept = accept_it},
};

static void world_init(Rotten *w, const RepairSubject *subject, LifeEnd end)
{
    *w = (Rotten){.state = NULL};
    one_is_rotten(&w->file.w, KEEP_TWO);
    end_workspace(&w->file.w);
    service_close(&w->file.w.f);
    w->state = copy_state(w->file.w.f.base.directory);
    w->tree = copy_state(w->file.w.directory);
    w->life = (RepairLife){subject, end, &w->file.w.f, copy, remove_copy, .data = w};
    remove_copy(&w->life);
}

static void world_clear(Rotten *w)
{
    fixture_remove(w->state);
    fixture_remove(w->tree);
    g_free(w->state);
    g_free(w->tree);
    g_free(w->accepted[0]);
    workspace_clear(&w->file.w);
}

static void every_call_may_fail(const RepairSubject *subject, LifeEnd end)
{
    Rotten w;
    world_init(&w, subject, end);
    repair_life_run(&w.life);
    world_clear(&w);
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
    Rotten w;
    world_init(&w, &subjects[0], LIFE_THEN_BACK);
    copy(&w.life);
    open_state(&w.life);
    g_assert_true(is_found_rotten(&w.life));
    write_over(&w.file.w, ROTTEN, WRITTEN);
    g_assert_true(!is_found_rotten(&w.life) && !is_restored(&w.life) && !is_accepted(&w.life));
    close_state(&w.life);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    call_faults_init(&argc, &argv);
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        g_autofree char *back = g_strdup_printf("/repair-file-calls/%s/back", subjects[i].name),
                        *gone = g_strdup_printf("/repair-file-calls/%s/gone", subjects[i].name);
        g_test_add_data_func(back, &subjects[i], and_taken_back);
        g_test_add_data_func(gone, &subjects[i], and_discarded);
    }
    g_test_add_func("/repair-file-calls/control/what-is-written-over-is-found",
                    what_is_written_over_is_found);
    return call_faults_end();
}
