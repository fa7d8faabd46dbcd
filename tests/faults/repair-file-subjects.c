#include "repair-file-subjects.h"

#include "reader/leftover.h"
#include "reader/open.h"
#include "service/repair-private.h"
#include "workspace/workspace-private.h"

#include <string.h>

#define STEPS_OF_A_START 2000u
#define LEFT_MAX 2u /* of a repair, and of taking it back */

Rotten *rotten_of(RepairLife *life)
{
    return life->data;
}

SyncdFileSeen rotten_sight(const char *path)
{
    SyncdFileStat stat;
    int fd = open(path, O_PATH | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(syncd_stat_of(fd, &stat), ==, 0);
    close(fd);
    stat.device = 0; /* that of the workspace's own folder */
    return syncd_file_seen(&stat);
}

/* ---- a daemon ---- */

/* A reader answers sooner than that; whoever waits for it in vain is not to wait long. */
static void take_turn(RepairLife *life)
{
    WorkspaceFixture *w = &rotten_of(life)->file.w;
    SyncdWorkspaceStanding now = standing_of(w);
    bool waits = life->f->service->repairs->running != NULL || now.waiting > 0 ||
                 now.state == SYNCD_WORKSPACE_SCANNING;
    if (!step_workspace(w, waits ? 4 : 0))
        life->f->base.now_usec += G_USEC_PER_SEC / 10;
}

void rotten_begin(RepairLife *life)
{
    Rotten *w = rotten_of(life);
    listen_to(&w->file);
    begin_workspace(&w->file.w);
    for (guint i = 0; i < STEPS_OF_A_START; i++) {
        SyncdWorkspaceStanding now = standing_of(&w->file.w);
        if (now.state == SYNCD_WORKSPACE_WATCHING && now.waiting == 0)
            break;
        take_turn(life);
    }
}

static void open_state(RepairLife *life)
{
    service_open(life->f);
    rotten_begin(life);
}

static void close_state(RepairLife *life)
{
    end_workspace(&rotten_of(life)->file.w);
    service_close(life->f);
}

/* ---- the file ---- */

static bool holds(const char *path, const char *expected)
{
    g_autofree char *content = NULL;
    return g_file_get_contents(path, &content, NULL, NULL) && strcmp(content, expected) == 0;
}

static bool has(Rotten *w, const char *content)
{
    g_autofree char *path = path_in(&w->file.w, ROTTEN);
    return holds(path, content);
}

/* A reader that ends while it exchanges two files leaves the other one under a name that says so
 * (reader/leftover.h), as that may be what somebody wrote. It is a file of the workspace then. */
static bool is_left_over(Rotten *w, const SyncdFileRow *folder, const char *name)
{
    SyncdFileRow row;
    bool found;
    g_autofree char *file = g_build_filename("folder", name, NULL),
                    *path = path_in(&w->file.w, file);
    return g_str_has_prefix(name, SYNCD_REPLACED_PREFIX) &&
           (holds(path, w->written) || holds(path, w->rot)) &&
           syncd_store_find_file_in(store_of(&w->file.w), folder->id, SYNCD_BYTES_TEXT(name), &row,
                                    &found, NULL) &&
           found;
}

static bool is_tidy(Rotten *w)
{
    const char *name;
    guint n = 0, left = 0;
    SyncdFileRow row = row_of(&w->file.w, "folder");
    g_autofree char *path = path_in(&w->file.w, "folder");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    for (; (name = g_dir_read_name(folder)) != NULL; n++)
        left += is_left_over(w, &row, name);
    return n == 1 + left && left <= LEFT_MAX;
}

static bool is_recorded(Rotten *w, const char *content)
{
    SyncdFileRow row = row_of(&w->file.w, ROTTEN);
    SyncdHash hash = syncd_hash(content, strlen(content));
    return row.hashed && syncd_hash_equal(&row.hash, &hash);
}

static bool is_found_rotten(RepairLife *life)
{
    Rotten *w = rotten_of(life);
    return has(w, w->rot) && is_recorded(w, w->written) && mismatches(&w->file.w) == 1 &&
           is_tidy(w);
}

static bool is_restored(RepairLife *life)
{
    Rotten *w = rotten_of(life);
    return has(w, w->written) && is_recorded(w, w->written) && mismatches(&w->file.w) == 0 &&
           is_tidy(w);
}

static bool is_accepted(RepairLife *life)
{
    Rotten *w = rotten_of(life);
    return has(w, w->rot) && is_recorded(w, w->rot) && mismatches(&w->file.w) == 0 && is_tidy(w);
}

static const char *const *accept_it(RepairLife *life)
{
    return (const char *const *)rotten_of(life)->accepted;
}

/* ---- what there is before ---- */

const RepairSubject repair_file_subjects[] = {
    {"restore", "checksum-mismatch", "file-restore", open_state, close_state, take_turn,
     is_found_rotten, is_restored},
    {"accept", "checksum-mismatch", "file-accept", open_state, close_state, take_turn,
     is_found_rotten, is_accepted, .accept = accept_it},
};
const size_t repair_file_n_subjects = G_N_ELEMENTS(repair_file_subjects);

static char *id_of(Rotten *w)
{
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileRow row = row_of(&w->file.w, ROTTEN);
    syncd_store_file_id(store_of(&w->file.w), row.id, id, &error);
    g_assert_no_error(error);
    return g_strdup(id);
}

void rotten_make(Rotten *w)
{
    WorkspaceFixture *files = &w->file.w;
    make_folder(files, "folder");
    write_file(files, ROTTEN, w->written);
    write_file(files, "sound", "and stays");
    begin(files);
    rot(files, ROTTEN, w->rot);
    scan_deep(files);
    w->accepted[0] = id_of(w);
    end_workspace(files);
    service_close(&files->f);
}

void rotten_clear(Rotten *w)
{
    g_clear_pointer(&w->accepted[0], g_free);
}
